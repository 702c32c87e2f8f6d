// SPDX-License-Identifier: Apache-2.0
#include "store/credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/files.hpp"
#include "io/json.hpp"
#include "store/s3_xml.hpp"

namespace offshoot::store {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int deepest_chain = 5;  ///< of source_profile
constexpr const char* finding = "finding credentials for S3";
/// A machine's own services answer at once or are not there.
constexpr io::RetryPolicy nearby{.tries = 3, .first = milliseconds(100), .longest = seconds(1)};
/// Services elsewhere, which a run must not wait for without end.
constexpr io::RetryPolicy elsewhere{.tries = 4};
constexpr milliseconds answer_within(15'000);
/// So long nobody asks again after nothing was found.
constexpr seconds told_again_for{15};

Failed none_found() {
  return {ExitStatus::usage,
          finding,
          "there are none in the environment, the shared files, a container's or an instance's metadata",
          "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_ROLE_ARN in a job with 'id-token: write'; see "
          "docs/store.md",
          {}};
}

/// What ECS and EC2 answer.
Result<Credentials> parse_json_credentials(const std::string& body, const std::string& doing) {
  const auto json = io::parse_json(body, doing);
  if (!json) return failed(ExitStatus::could_not_run, doing, "the answer is not JSON");
  try {
    Credentials credentials{json->at("AccessKeyId").get<std::string>(), json->at("SecretAccessKey").get<std::string>(),
                            json->value("Token", ""), std::nullopt, ""};
    credentials.expires = parse_xml_time(json->value("Expiration", ""));
    return credentials;
  } catch (const nlohmann::json::exception&) {
    return failed(ExitStatus::could_not_run, doing, "the answer holds no credentials");
  }
}

/// Where a container may send its token: to itself and to the addresses that ECS and EKS serve credentials on.
bool may_hold_credentials(const std::string& url) {
  const std::string origin = io::origin_of(url);
  if (origin.starts_with("https://")) return true;
  for (const char* host : {"http://127.0.0.1", "http://localhost", "http://[::1]", "http://169.254.170.2",
                           "http://169.254.170.23", "http://[fd00:ec2::23]"}) {
    if (origin == host || origin.starts_with(std::string(host) + ":")) return true;
  }
  return false;
}

}  // namespace

CredentialChain::CredentialChain(io::Environment environment, AwsProfiles profiles, std::stop_token stop,
                                 SecretListener learned)
    : environment_(std::move(environment)),
      profiles_(std::move(profiles)),
      stop_(stop),
      learned_(std::move(learned)),
      outside_(io::curl_client(environment_, stop)),
      inside_(io::curl_client({}, stop)) {}

Result<Credentials> CredentialChain::get(io::Instant now) {
  const std::lock_guard lock(mutex_);
  if (kept_ && (!kept_->expires || now < renew_at_)) return *kept_;
  if (failure_ && std::chrono::steady_clock::now() < ask_again_at_) return tl::unexpected(*failure_);
  auto found = find(now);
  failure_.reset();
  if (!found) {
    // Better old ones that still are good than none.
    if (kept_ && kept_->expires && now + seconds(30) < *kept_->expires) return *kept_;
    failure_ = found.error();
    ask_again_at_ = std::chrono::steady_clock::now() + told_again_for;
    return found;
  }
  for (const std::string* secret : {&found->access_key, &found->secret, &found->token}) tell(*secret);
  kept_ = *found;
  if (found->expires) renew_at_ = now + (*found->expires - now) * 4 / 5;
  return found;
}

void CredentialChain::tell(const std::string& secret) const {
  if (learned_ && !secret.empty()) learned_(secret);
}

void CredentialChain::forget() {
  const std::lock_guard lock(mutex_);
  kept_.reset();
}

Result<Credentials> CredentialChain::find(io::Instant now) {
  const std::string key = variable(environment_, "AWS_ACCESS_KEY_ID");
  const std::string secret = variable(environment_, "AWS_SECRET_ACCESS_KEY");
  if (!key.empty() && !secret.empty()) {
    return Credentials{key, secret, variable(environment_, "AWS_SESSION_TOKEN"), std::nullopt, "the environment"};
  }
  if (!key.empty() || !secret.empty()) {
    return failed(ExitStatus::usage, finding,
                  fmt::format("{} is set, and {} is not", key.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                              key.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"));
  }
  const std::string role = variable(environment_, "AWS_ROLE_ARN");
  const std::string token_file = variable(environment_, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!role.empty() && (!token_file.empty() || environment_.contains("ACTIONS_ID_TOKEN_REQUEST_URL"))) {
    return of_web_identity(role, token_file, session_name());
  }
  if (!role.empty() && variable(environment_, "GITHUB_ACTIONS") == "true") {
    return failed(ExitStatus::usage, finding, "AWS_ROLE_ARN is set, and this job may not ask GitHub for a token",
                  "give the job 'permissions: {id-token: write}'");
  }
  const std::string profile = aws_profile_name(environment_);
  if (profiles_.contains(profile)) {
    auto found = of_profile(profile, now, 0);
    if (found || found.error().why != none_found().why) return found;
  } else if (environment_.contains("AWS_PROFILE")) {
    return failed(ExitStatus::usage, finding, fmt::format("there is no profile '{}'", profile),
                  "see AWS_PROFILE, and ~/.aws/config");
  }
  if (environment_.contains("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
      environment_.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    return of_container();
  }
  if (variable(environment_, "AWS_EC2_METADATA_DISABLED") != "true") {
    if (auto found = of_instance()) return found;
  }
  return tl::unexpected(none_found());
}

Result<Credentials> CredentialChain::of_profile(const std::string& name, io::Instant now, int depth) {
  const auto value = [&](const char* key) { return value_in(profiles_, name, key); };
  if (!profiles_.contains(name)) {
    return failed(ExitStatus::usage, finding, fmt::format("there is no profile '{}'", name));
  }
  if (depth > deepest_chain) {
    return failed(ExitStatus::usage, finding, fmt::format("profile '{}' leads to itself by source_profile", name));
  }
  const std::string key = value("aws_access_key_id");
  const std::string role = value("role_arn");
  const std::string source = value("source_profile");
  // A profile may name itself as its source: then the keys are its own.
  if (!role.empty() && !(source == name && depth > 0)) {
    if (const std::string file = value("web_identity_token_file"); !file.empty()) {
      const std::string session = value("role_session_name");
      return of_web_identity(role, file, session.empty() ? session_name() : session);
    }
    auto with = !source.empty() ? of_profile(source, now, depth + 1) : of_source(value("credential_source"), name);
    if (!with) return with;
    return assume_role(name, *with, now);
  }
  if (!key.empty()) {
    return Credentials{key, value("aws_secret_access_key"), value("aws_session_token"), std::nullopt,
                       fmt::format("profile '{}'", name)};
  }
  for (const char* other : {"credential_process", "sso_session", "sso_start_url", "login_session"}) {
    if (value(other).empty()) continue;
    return failed(ExitStatus::usage, finding,
                  fmt::format("profile '{}' gets its credentials by {}, which offshoot does not do", name, other),
                  fmt::format("put them into the environment: eval \"$(aws configure export-credentials --profile {} "
                              "--format env)\"",
                              name));
  }
  return tl::unexpected(none_found());
}

Result<Credentials> CredentialChain::of_source(const std::string& source, const std::string& profile) {
  if (source == "Environment") {
    const std::string key = variable(environment_, "AWS_ACCESS_KEY_ID");
    if (!key.empty()) {
      return Credentials{key, variable(environment_, "AWS_SECRET_ACCESS_KEY"),
                         variable(environment_, "AWS_SESSION_TOKEN"), std::nullopt, "the environment"};
    }
  }
  if (source == "EcsContainer") return of_container();
  if (source == "Ec2InstanceMetadata") return of_instance();
  return failed(
      ExitStatus::usage, finding,
      fmt::format("profile '{}' has a role_arn, and neither a source_profile nor a usable credential_source", profile));
}

Result<Credentials> CredentialChain::of_web_identity(const std::string& role, const std::string& token_file,
                                                     const std::string& session) {
  Result<std::string> token = token_file.empty() ? github_token() : io::read_file(token_file, 1U << 16);
  if (!token) return tl::unexpected(token.error());
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
  tell(*token);
  auto credentials = ask_sts({{"Action", "AssumeRoleWithWebIdentity"},
                              {"Version", "2011-06-15"},
                              {"RoleArn", role},
                              {"RoleSessionName", session},
                              {"DurationSeconds", "3600"},
                              {"WebIdentityToken", *token}},
                             nullptr, {}, fmt::format("assuming the role {} by web identity", role));
  if (credentials) credentials->source = fmt::format("the role {} by web identity", role);
  return credentials;
}

Result<std::string> CredentialChain::github_token() {
  const std::string doing = "asking GitHub for this job's token";
  std::string url = variable(environment_, "ACTIONS_ID_TOKEN_REQUEST_URL");
  url += (url.find('?') == std::string::npos ? "?" : "&") + std::string("audience=sts.amazonaws.com");
  const auto body =
      ask({.url = url,
           .headers = {{"Authorization", "Bearer " + variable(environment_, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")}},
           .within = answer_within},
          doing, elsewhere, true);
  if (!body) return tl::unexpected(body.error());
  const auto json = io::parse_json(*body, doing);
  if (!json || !json->is_object() || !json->contains("value") || !json->at("value").is_string()) {
    return failed(ExitStatus::could_not_run, doing, "the answer holds no token");
  }
  return json->at("value").get<std::string>();
}

Result<Credentials> CredentialChain::assume_role(const std::string& profile, const Credentials& with, io::Instant now) {
  const auto value = [&](const char* key) { return value_in(profiles_, profile, key); };
  for (const std::string* secret : {&with.access_key, &with.secret, &with.token}) tell(*secret);
  const std::string role = value("role_arn");
  const std::string session = value("role_session_name");
  const std::string duration = value("duration_seconds");
  Query form{{"Action", "AssumeRole"},
             {"Version", "2011-06-15"},
             {"RoleArn", role},
             {"RoleSessionName", session.empty() ? session_name() : session},
             {"DurationSeconds", duration.empty() ? "3600" : duration}};
  if (const std::string id = value("external_id"); !id.empty()) form.emplace_back("ExternalId", id);
  if (!value("mfa_serial").empty()) {
    return failed(ExitStatus::usage, finding, fmt::format("profile '{}' asks for a second factor", profile),
                  "offshoot cannot ask for one: use a role without mfa_serial");
  }
  auto credentials = ask_sts(form, &with, now, fmt::format("assuming the role {} with {}", role, with.source));
  if (credentials) credentials->source = fmt::format("the role {} of profile '{}'", role, profile);
  return credentials;
}

Result<Credentials> CredentialChain::ask_sts(const Query& form, const Credentials* signed_with, io::Instant now,
                                             const std::string& doing) {
  std::string endpoint = variable(environment_, "AWS_ENDPOINT_URL_STS");
  if (endpoint.empty()) endpoint = variable(environment_, "AWS_ENDPOINT_URL");
  if (endpoint.empty()) endpoint = fmt::format("https://sts.{}.amazonaws.com", region());
  while (endpoint.ends_with('/')) endpoint.pop_back();
  io::HttpRequest request{.method = "POST", .url = endpoint + "/", .body = query_text(form), .within = answer_within};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  if (signed_with != nullptr) {
    Signable signable{"POST", io::origin_of(endpoint), "/", {}, request.headers, hex_of(sha256_bytes(request.body))};
    signable.host = signable.host.substr(signable.host.find("://") + 3);
    request.headers = signed_headers(signable, {region(), "sts", now}, *signed_with);
  }
  const auto body = ask(request, doing, elsewhere, true);
  if (!body) return tl::unexpected(body.error());
  return parse_sts(*body, doing);
}

Result<Credentials> CredentialChain::of_container() {
  const std::string doing = "asking the container's endpoint for credentials";
  std::string url = variable(environment_, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (const auto relative = variable(environment_, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !relative.empty()) {
    url = "http://169.254.170.2" + relative;
  }
  if (!may_hold_credentials(url)) {
    return failed(ExitStatus::usage, doing,
                  "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this machine");
  }
  std::string authorization = variable(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = variable(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    auto token = io::read_file(file, 1U << 16);
    if (!token) return tl::unexpected(token.error());
    authorization = std::move(*token);
    while (authorization.ends_with('\n')) authorization.pop_back();
  }
  io::HttpRequest request{.url = url, .connect_within = seconds(2), .within = seconds(5)};
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  const auto body = ask(request, doing, nearby, false);
  if (!body) return tl::unexpected(body.error());
  auto credentials = parse_json_credentials(*body, doing);
  if (credentials) credentials->source = "the container's endpoint";
  return credentials;
}

Result<Credentials> CredentialChain::of_instance() {
  const std::string doing = "asking the instance's metadata for credentials";
  std::string endpoint = variable(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (endpoint.empty()) endpoint = "http://169.254.169.254";
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const milliseconds quickly(1000);
  const auto token = ask({.method = "PUT",
                          .url = endpoint + "/latest/api/token",
                          .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}},
                          .connect_within = quickly,
                          .within = quickly},
                         doing, {.tries = 1}, false);
  if (!token) return tl::unexpected(token.error());
  const io::HttpHeaders with_token{{"X-aws-ec2-metadata-token", *token}};
  const std::string base = endpoint + "/latest/meta-data/iam/security-credentials/";
  auto role = ask({.url = base, .headers = with_token, .within = seconds(5)}, doing, nearby, false);
  if (!role) return tl::unexpected(role.error());
  const auto body = ask({.url = base + uri_encoded(role->substr(0, role->find('\n')), false),
                         .headers = with_token,
                         .within = seconds(5)},
                        doing, nearby, false);
  if (!body) return tl::unexpected(body.error());
  auto credentials = parse_json_credentials(*body, doing);
  if (credentials) credentials->source = "the instance's role";
  return credentials;
}

Result<std::string> CredentialChain::ask(const io::HttpRequest& request, const std::string& doing,
                                         const io::RetryPolicy& policy, bool proxied) {
  io::HttpClient& client = proxied ? *outside_ : *inside_;
  int silences = 0;
  const auto response = io::with_retries(
      policy, io::real_pauses(), stop_, [&](int) { return client.send(request); },
      [&](const tl::expected<io::HttpResponse, io::HttpFailure>& result) -> std::optional<io::Again> {
        if (!result) {
          const bool enough = result.error().stopped || (result.error().silent && ++silences == 2);
          return enough ? std::nullopt : std::optional(io::Again{});
        }
        return result->status >= 500 || result->status == 429 ? std::optional(io::Again{}) : std::nullopt;
      });
  if (!response) {
    return failed(ExitStatus::could_not_run, doing, response.error().why,
                  fmt::format("see whether {} is reachable from here", io::origin_of(request.url)));
  }
  if (response->status == 200) return response->body;
  if (const auto error = parse_s3_error(response->body); error && !error->code.empty()) {
    return failed(ExitStatus::could_not_run, doing, fmt::format("{}: {}", error->code, error->message),
                  "see the role's trust policy; docs/store.md shows one");
  }
  return failed(ExitStatus::could_not_run, doing, fmt::format("the answer's status is {}", response->status));
}

std::string CredentialChain::region() const {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (auto value = variable(environment_, name); !value.empty()) return value;
  }
  const std::string of_file = value_in(profiles_, aws_profile_name(environment_), "region");
  return of_file.empty() ? "us-east-1" : of_file;
}

std::string CredentialChain::session_name() const {
  if (auto name = variable(environment_, "AWS_ROLE_SESSION_NAME"); !name.empty()) return name;
  const std::string run = variable(environment_, "GITHUB_RUN_ID");
  if (run.empty()) return "offshoot";
  return fmt::format("offshoot-{}-{}", run, variable(environment_, "GITHUB_RUN_ATTEMPT"));
}

}  // namespace offshoot::store
