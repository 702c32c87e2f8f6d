// SPDX-License-Identifier: Apache-2.0
#include "store/s3_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace offshoot::store {

namespace {

using std::chrono::seconds;

constexpr const char* nothing_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr seconds longest_link{7 * 24 * 3600};
/// A bucket's listing and the largest manifest both fit.
constexpr std::size_t longest_answer = 512ULL << 20;
constexpr int most_silences = 2;      ///< of one call
constexpr seconds longest_call{120};  ///< with what a server asks to wait
constexpr seconds absent_for{15};

/// The server's words, as a message may hold them: one short line.
std::string in_one_line(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 200)) result += c >= ' ' && c <= '~' ? c : ' ';
  return result;
}

Result<Query> parse_tags(const std::string& text) {
  Query tags;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('&', begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0) {
      return failed(ExitStatus::usage, "reading OFFSHOOT_S3_TAGS", "expected name=value, with '&' between several");
    }
    tags.emplace_back(one.substr(0, equals), one.substr(equals + 1));
    begin = end + 1;
  }
  return tags;
}

/// AWS's tools take their certificates from a variable of their own.
io::Environment with_certificates(io::Environment environment) {
  if (const auto bundle = variable(environment, "AWS_CA_BUNDLE"); !bundle.empty())
    environment["SSL_CERT_FILE"] = bundle;
  return environment;
}

bool is_amazons(const std::string& endpoint) {
  const std::string origin = io::origin_of(endpoint);
  return endpoint.empty() || origin.ends_with(".amazonaws.com") || origin.ends_with(".amazonaws.com.cn");
}

/// Whether the body may be S3's words on what went wrong: of a 200 only where it is no object's content.
bool may_hold_error(const S3Call& call, const io::HttpResponse& answer) {
  return answer.status >= 300 || (answer.status == 200 && call.method == "POST");
}

}  // namespace

Result<S3Settings> s3_settings(const std::string& url, const io::Environment& environment,
                               const AwsProfiles& profiles) {
  const std::string doing = "reading the settings of the store";
  constexpr std::string_view scheme = "s3://";
  if (!url.starts_with(scheme)) return failed(ExitStatus::usage, doing, "its address does not begin with s3://");
  S3Settings settings;
  const std::string rest = url.substr(scheme.size());
  const auto slash = rest.find('/');
  settings.bucket = rest.substr(0, slash);
  if (slash != std::string::npos) settings.prefix = rest.substr(slash + 1);
  while (settings.prefix.ends_with('/')) settings.prefix.pop_back();
  if (settings.bucket.empty() || (!settings.prefix.empty() && !is_key(settings.prefix))) {
    return failed(ExitStatus::usage, doing,
                  "expected s3://bucket/prefix with a prefix of A-Z, a-z, 0-9, '.', '_', '-'");
  }
  const auto first_of = [&](std::initializer_list<const char*> names, const char* key) {
    for (const char* name : names) {
      if (auto value = variable(environment, name); !value.empty()) return value;
    }
    return value_in(profiles, aws_profile_name(environment), key);
  };
  settings.region = first_of({"AWS_REGION", "AWS_DEFAULT_REGION"}, "region");
  if (settings.region.empty()) settings.region = "us-east-1";
  settings.endpoint = first_of({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}, "endpoint_url");
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (!settings.endpoint.empty() && !settings.endpoint.starts_with("http://") &&
      !settings.endpoint.starts_with("https://")) {
    return failed(ExitStatus::usage, doing, "AWS_ENDPOINT_URL does not begin with https:// or http://");
  }
  const std::string addressing = variable(environment, "OFFSHOOT_S3_ADDRESSING");
  if (addressing.empty() || addressing == "auto") {
    // A bucket with dots does not fit the certificate of its host.
    settings.path_style = !is_amazons(settings.endpoint) || settings.bucket.find('.') != std::string::npos;
  } else if (addressing == "path" || addressing == "virtual") {
    settings.path_style = addressing == "path";
  } else {
    return failed(ExitStatus::usage, "reading OFFSHOOT_S3_ADDRESSING", "expected auto, path or virtual");
  }
  settings.encryption = variable(environment, "OFFSHOOT_S3_ENCRYPTION");
  constexpr std::array<std::string_view, 4> encryptions{"", "AES256", "aws:kms", "aws:kms:dsse"};
  if (std::ranges::find(encryptions, settings.encryption) == encryptions.end()) {
    return failed(ExitStatus::usage, "reading OFFSHOOT_S3_ENCRYPTION", "expected AES256, aws:kms or aws:kms:dsse");
  }
  settings.kms_key = variable(environment, "OFFSHOOT_S3_KMS_KEY");
  settings.storage_class = variable(environment, "OFFSHOOT_S3_STORAGE_CLASS");
  const std::string compression = variable(environment, "OFFSHOOT_S3_COMPRESSION");
  if (!compression.empty() && compression != "gzip" && compression != "none") {
    return failed(ExitStatus::usage, "reading OFFSHOOT_S3_COMPRESSION", "expected gzip or none");
  }
  settings.may_pack = compression != "none";
  if (const std::string patience = variable(environment, "OFFSHOOT_S3_PATIENCE"); !patience.empty()) {
    int number = 0;
    const auto [end, error] = std::from_chars(patience.data(), patience.data() + patience.size(), number);
    if (error != std::errc() || end != patience.data() + patience.size() || number < 1 || number > 600) {
      return failed(ExitStatus::usage, "reading OFFSHOOT_S3_PATIENCE", "expected seconds, from 1 to 600");
    }
    settings.patience = seconds(number);
  }
  auto tags = parse_tags(variable(environment, "OFFSHOOT_S3_TAGS"));
  if (!tags) return tl::unexpected(tags.error());
  settings.tags = std::move(*tags);
  return settings;
}

/// What one call has put right already: nothing is tried twice.
struct S3Client::Mended {
  bool region = false;
  bool clock = false;
  bool credentials = false;
};

S3Client::S3Client(S3Settings settings, io::Environment environment, AwsProfiles profiles, S3Surroundings surroundings)
    : settings_(std::move(settings)),
      environment_(with_certificates(std::move(environment))),
      stop_(surroundings.stop),
      pauses_(surroundings.pauses),
      credentials_(environment_, std::move(profiles), surroundings.stop, std::move(surroundings.learned)),
      region_(settings_.region) {}

io::Instant S3Client::now() const {
  const std::lock_guard lock(mutex_);
  return io::now() + clock_off_;
}

std::string S3Client::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

S3Client::Place S3Client::place_of(const std::string& key, const std::string& region) const {
  std::string origin = settings_.endpoint;
  if (origin.empty()) {
    origin = fmt::format("https://s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
  }
  const std::string path = "/" + uri_encoded(key, true);
  if (settings_.path_style) return {origin, "/" + settings_.bucket + (key.empty() ? "" : path)};
  return {origin.insert(origin.find("://") + 3, settings_.bucket + "."), path};
}

S3Client::Answer S3Client::exchange(const S3Call& call, const Credentials& credentials, bool fresh) {
  const std::string region = this->region();
  const Place place = place_of(call.key, region);
  const Signable signable{call.method,  place.origin.substr(place.origin.find("://") + 3), place.path, call.query,
                          call.headers, call.sha256.empty() ? nothing_sha256 : call.sha256};
  io::HttpRequest request{.method = call.method,
                          .url = place.origin + place.path,
                          .headers = signed_headers(signable, {region, "s3", now()}, credentials),
                          .body = call.body,
                          .file = call.file,
                          .into = call.into,
                          .most_bytes = longest_answer,
                          .within = settings_.patience,
                          .silent_for = settings_.patience,
                          .fresh_connection = fresh};
  if (!call.query.empty()) request.url += "?" + query_text(call.query);
  // What may be large takes as long as it takes, while bytes flow.
  if (call.file || !call.into.empty() || call.body.size() > (1U << 20) ||
      (call.method == "GET" && call.query.empty())) {
    request.within = std::chrono::milliseconds(0);
  } else if (call.method == "POST") {
    request.within = settings_.patience * 3;  // a file is put together from its parts
  }
  std::unique_ptr<io::HttpClient> client;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      client = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!client) client = io::curl_client(environment_, stop_);
  auto answer = client->send(request);
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(client));
  return answer;
}

std::optional<S3Client::Absence> S3Client::absence() const {
  const std::lock_guard lock(mutex_);
  return absence_;
}

void S3Client::note_absence(const Answer& answer) {
  const std::lock_guard lock(mutex_);
  if (answer) {
    absence_.reset();
  } else if (!answer.error().stopped) {
    absence_ = Absence{answer.error().why, pauses_.now() + absent_for};
  }
}

Failed S3Client::no_answer(const S3Call& call, const std::string& why) const {
  return {ExitStatus::could_not_run,
          call.doing,
          why,
          fmt::format("see whether {} is reachable from here", place_of("", region()).origin),
          {}};
}

bool S3Client::mend(const io::HttpResponse& response, Mended& mended) {
  const auto error = parse_s3_error(response.body).value_or(S3Error{});
  // A wrong region: 301 and 307 on AWS, else 400 or 403 with its name in the document, or in a header for HEAD.
  std::string named = io::header(response.headers, "x-amz-bucket-region").value_or(error.region);
  if (named.empty()) named = error.region;
  if (!mended.region && !named.empty() && named != region()) {
    mended.region = true;
    const std::lock_guard lock(mutex_);
    region_ = named;
    return true;
  }
  if (!mended.clock && error.code == "RequestTimeTooSkewed") {
    mended.clock = true;
    const auto date = io::parse_http_date(io::header(response.headers, "date").value_or(""));
    if (!date) return false;
    const std::lock_guard lock(mutex_);
    clock_off_ = *date - io::now();
    return true;
  }
  const bool expired =
      error.code == "ExpiredToken" || error.code == "TokenRefreshRequired" || error.code == "ExpiredTokenException";
  if (!mended.credentials && expired) {
    mended.credentials = true;
    credentials_.forget();
    return true;
  }
  return false;
}

Result<io::HttpResponse> S3Client::send(const S3Call& call) {
  const auto absent = absence();
  if (absent && pauses_.now() < absent->ask_again_at) {
    return tl::unexpected(no_answer(call, absent->why + ", a moment ago"));
  }
  const io::RetryPolicy policy = absent ? io::RetryPolicy{.tries = 1} : io::RetryPolicy{.in_all = longest_call};
  Mended mended;
  Credentials used;
  int silences = 0;
  std::optional<Failed> no_credentials;
  const auto attempt = [&](int n) -> Answer {
    while (true) {
      auto credentials = credentials_.get(now());
      if (!credentials) {
        no_credentials = std::move(credentials.error());
        return tl::unexpected(io::HttpFailure{false, true, ""});
      }
      used = std::move(*credentials);
      auto answer = exchange(call, used, n > 0);
      if (!answer || answer->status / 100 == 2 || !mend(*answer, mended)) return answer;
    }
  };
  const auto judge = [&](const Answer& answer) -> std::optional<io::Again> {
    if (!answer) {
      const bool enough = answer.error().stopped || (answer.error().silent && ++silences == most_silences);
      return enough ? std::nullopt : std::optional(io::Again{});
    }
    constexpr std::array statuses{408, 429, 500, 502, 503, 504};
    const std::string code = may_hold_error(call, *answer) ? parse_s3_error(answer->body).value_or(S3Error{}).code : "";
    // An answer of 200 may hold an error, where S3 found out after it had begun to answer (requirement J3).
    const bool late = answer->status == 200 && (code == "InternalError" || code == "SlowDown");
    const bool conflict = answer->status == 409 && (code == "ConditionalRequestConflict" || code == "OperationAborted");
    if (!late && !conflict && code != "RequestTimeout" &&
        std::ranges::find(statuses, answer->status) == statuses.end()) {
      return std::nullopt;
    }
    return io::Again{io::retry_after(answer->headers, now()).value_or(std::chrono::milliseconds(0))};
  };
  auto answer = io::with_retries(policy, pauses_, stop_, attempt, judge);
  if (no_credentials) return tl::unexpected(*no_credentials);
  note_absence(answer);
  if (!answer) {
    if (answer.error().stopped) return failed(ExitStatus::interrupted, call.doing, "interrupted");
    return tl::unexpected(no_answer(call, answer.error().why));
  }
  const auto error = may_hold_error(call, *answer) ? parse_s3_error(answer->body) : std::nullopt;
  const bool good = answer->status / 100 == 2 && !error;
  const bool expected =
      std::ranges::find(call.also, answer->status) != call.also.end() && (!error || error->code != "NoSuchBucket");
  if (good || expected) return std::move(*answer);
  return tl::unexpected(explained(call, *answer, used));
}

Failed S3Client::explained(const S3Call& call, const io::HttpResponse& response, const Credentials& credentials) const {
  const auto error = parse_s3_error(response.body).value_or(S3Error{});
  Failed result{ExitStatus::could_not_run, call.doing, "", "", {}};
  const std::string& code = error.code;
  if (code == "NoSuchBucket") {
    result.status = ExitStatus::usage;
    result.why = fmt::format("there is no bucket '{}' at {}", settings_.bucket, place_of("", region()).origin);
    result.hint = "make it, or correct store; another server than AWS is named by AWS_ENDPOINT_URL_S3";
  } else if (code == "SignatureDoesNotMatch") {
    result.why = fmt::format("the signature does not match: the secret from {} is not that of its access key",
                             credentials.source);
    result.hint = "see whether the secret was copied whole, without a line break";
  } else if (code == "InvalidAccessKeyId") {
    result.why = fmt::format("the server does not know the access key from {}", credentials.source);
    result.hint = "see whether it belongs to this server and still exists";
  } else if (code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired") {
    result.why = fmt::format("the session token from {} is {}", credentials.source,
                             code == "InvalidToken" ? "not valid" : "expired");
    result.hint = "get new credentials; those of a role are renewed by offshoot itself";
  } else if (code == "RequestTimeTooSkewed") {
    result.why = "this machine's clock and the server's differ by more than 15 minutes";
    result.hint = "set the clock";
  } else if (response.status == 403 || code == "AccessDenied") {
    result.why = fmt::format("{} may not do this ({}){}", credentials.source, code.empty() ? "403" : in_one_line(code),
                             error.message.empty() ? "" : ": " + in_one_line(error.message));
    result.hint = "docs/store.md lists what the bucket's policy has to allow";
  } else if (code == "AuthorizationHeaderMalformed" || response.status == 301) {
    result.why = fmt::format("the bucket is not in the region '{}'", region());
    result.hint = "set AWS_REGION to the bucket's own";
  } else if (!code.empty()) {
    result.why = fmt::format("{}: {}", in_one_line(code), in_one_line(error.message));
  } else {
    result.why = fmt::format("the answer's status is {}", response.status);
  }
  if (response.status == 503 || response.status == 429) {
    result.why += "; it asked several times to slow down";
    result.hint = "try again later";
  }
  return result;
}

Result<Link> S3Client::presigned(const std::string& key, seconds valid) {
  const io::Instant begun = now();
  const auto credentials = credentials_.get(begun);
  if (!credentials) return tl::unexpected(credentials.error());
  seconds time = std::clamp(valid, seconds(1), longest_link);
  // A link dies with the session that signed it.
  if (credentials->expires) time = std::clamp(*credentials->expires - begun, seconds(1), time);
  const Place place = place_of(key, region());
  const Signable signable{"GET", place.origin.substr(place.origin.find("://") + 3), place.path, {}, {}, ""};
  const std::string query = presigned_query(signable, {region(), "s3", begun}, *credentials, time.count());
  return Link{place.origin + place.path + "?" + query, begun + time};
}

}  // namespace offshoot::store
