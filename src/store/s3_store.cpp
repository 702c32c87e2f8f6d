// SPDX-License-Identifier: Apache-2.0
#include "store/s3_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "io/files.hpp"
#include "io/gzip.hpp"

namespace offshoot::store {

namespace fs = std::filesystem;

namespace {

constexpr const char* checksum_header = "x-amz-meta-sha256";  // of the whole, also where it was sent in parts
constexpr std::uint64_t smallest_in_parts = 16ULL << 20;
constexpr std::size_t largest_unpacked = 1ULL << 30;
constexpr std::uint64_t worth_asking_first = 1ULL << 20;  ///< for less, sending costs no more than asking

io::Instant date_of(const io::HttpHeaders& headers, const char* name, io::Instant otherwise) {
  return io::parse_http_date(io::header(headers, name).value_or("")).value_or(otherwise);
}

/// A server may unpack it on the way by itself, as Google's does; then the field is not there.
bool is_packed(const io::HttpResponse& answer) { return io::header(answer.headers, "content-encoding") == "gzip"; }

/// Replaces a packed file by what it holds; false where it is damaged.
bool unpack(const fs::path& file) {
  const auto packed = io::read_buffer(file);
  const auto bytes = packed ? io::gunzip(packed->view(), largest_unpacked) : std::nullopt;
  return bytes && io::write_file(file, *bytes);
}

Failed damaged(const std::string& doing) {
  return {ExitStatus::could_not_run,
          doing,
          "its bytes do not match the checksum kept with them",
          "remove the object; it is made again",
          {}};
}

}  // namespace

S3Store::S3Store(S3Settings settings, io::Environment environment, AwsProfiles profiles, S3Surroundings surroundings)
    : client_(std::move(settings), std::move(environment), std::move(profiles), std::move(surroundings)) {}

Result<std::string> S3Store::full(const std::string& key) const {
  const std::string& prefix = client_.settings().prefix;
  std::string full_key = prefix.empty() ? key : prefix + "/" + key;
  if (is_key(key) && is_key(full_key)) return full_key;
  return failed(ExitStatus::refused, "looking into the store s3://" + client_.settings().bucket,
                fmt::format("'{}' is not a key", key));
}

std::string S3Store::location(const std::string& key) const {
  const auto& settings = client_.settings();
  return fmt::format("s3://{}/{}{}", settings.bucket, settings.prefix.empty() ? "" : settings.prefix + "/", key);
}

std::string S3Store::within(const std::string& full_key) const {
  return fmt::format("s3://{}/{}", client_.settings().bucket, full_key);
}

Result<std::optional<Object>> S3Store::read(const std::string& key) {
  const auto full_key = full(key);
  if (!full_key) return tl::unexpected(full_key.error());
  const std::string doing = "reading " + within(*full_key);
  auto answer = client_.send({.doing = doing, .key = *full_key, .also = {404}});
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status == 404) return std::optional<Object>{};
  if (is_packed(*answer)) {
    auto bytes = io::gunzip(answer->body, largest_unpacked);
    if (!bytes) return tl::unexpected(damaged(doing));
    answer->body = std::move(*bytes);
  }
  if (const auto sha256 = io::header(answer->headers, checksum_header);
      sha256 && *sha256 != io::sha256_hex(answer->body)) {
    return tl::unexpected(damaged(doing));
  }
  const io::Instant now = client_.now();
  const io::Instant seen = date_of(answer->headers, "date", now);
  return std::optional(Object{std::move(answer->body), io::header(answer->headers, "etag").value_or(""),
                              date_of(answer->headers, "last-modified", seen), seen});
}

Result<bool> S3Store::fetch(const std::string& key, const fs::path& file) {
  const auto full_key = full(key);
  if (!full_key) return tl::unexpected(full_key.error());
  const std::string doing = "reading " + within(*full_key);
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  fs::path beside = file;
  beside += ".fetched";
  const auto answer = client_.send({.doing = doing, .key = *full_key, .into = beside, .also = {404}});
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status == 404) return false;
  const bool whole = !is_packed(*answer) || unpack(beside);
  const auto expected = io::header(answer->headers, checksum_header);
  const auto sha256 = expected ? io::sha256_hex_of_file(beside) : Result<std::string>{};
  const bool sound = whole && (!expected || (sha256 && *sha256 == *expected));
  if (sound) {
    fs::permissions(beside, fs::perms::owner_read | fs::perms::owner_write, error);
    fs::rename(beside, file, error);
    if (!error) return true;
  }
  std::error_code ignored;
  fs::remove(beside, ignored);
  if (!sound) return tl::unexpected(damaged(doing));
  return failed(ExitStatus::could_not_run, "writing " + file.string(), error.message());
}

io::HttpHeaders S3Store::object_headers(const std::string& key, const PutOptions& options, const std::string& sha256,
                                        const char* encoding) const {
  const auto& settings = client_.settings();
  const std::string type = options.content_type.empty() ? media_type_of(key) : options.content_type;
  io::HttpHeaders headers{{"Content-Type", type}, {checksum_header, sha256}};
  if (*encoding != '\0') headers.emplace_back("Content-Encoding", encoding);
  // A page of the project's must not run as one of the bucket's host (requirement C6).
  if (type.starts_with("text/html")) headers.emplace_back("Content-Disposition", "attachment");
  if (!settings.encryption.empty()) headers.emplace_back("x-amz-server-side-encryption", settings.encryption);
  if (!settings.kms_key.empty()) {
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key);
  }
  if (!settings.tags.empty()) headers.emplace_back("x-amz-tagging", query_text(settings.tags));
  if (!settings.storage_class.empty()) headers.emplace_back("x-amz-storage-class", settings.storage_class);
  return headers;
}

Result<bool> S3Store::holds(const std::string& full_key, const std::string& sha256) {
  const auto answer =
      client_.send({.doing = "looking at " + within(full_key), .method = "HEAD", .key = full_key, .also = {404}});
  if (!answer) return tl::unexpected(answer.error());
  return answer->status == 200 && io::header(answer->headers, checksum_header) == sha256;
}

Result<void> S3Store::put(const std::string& key, std::string_view bytes, const PutOptions& options) {
  return full(key).and_then([&](const std::string& full_key) {
    const Content content = Content::of_bytes(bytes, client_.settings().may_pack);
    S3Call call{.doing = "writing " + within(full_key), .method = "PUT", .key = full_key};
    call.headers = object_headers(key, options, io::sha256_hex(bytes), content.encoding());
    return content.send_with(call)
        .and_then([&] { return client_.send(call); })
        .and_then([&](const io::HttpResponse& answer) -> Result<void> {
          if (io::header(answer.headers, "etag").value_or("").empty()) {
            return failed(ExitStatus::could_not_run, call.doing, "the server did not confirm it with an ETag");
          }
          return {};
        });
  });
}

Result<void> S3Store::put_file(const std::string& key, const fs::path& file, const PutOptions& options) {
  const auto full_key = full(key);
  if (!full_key) return tl::unexpected(full_key.error());
  std::error_code error;
  const std::uint64_t size = fs::file_size(file, error);
  if (error) return failed(ExitStatus::usage, "reading " + file.string(), error.message());
  const auto sha256 = options.sha256 ? Result<std::string>(*options.sha256) : io::sha256_hex_of_file(file);
  if (!sha256) return tl::unexpected(sha256.error());
  if (size >= worth_asking_first) {
    const auto held = holds(*full_key, *sha256);
    if (!held) return tl::unexpected(held.error());
    if (*held) return {};
  }
  const auto content = Content::of_file(file, size, *sha256, client_.settings().may_pack);
  if (!content) return tl::unexpected(content.error());
  if (content->size() >= smallest_in_parts) return put_in_parts(key, *content, *sha256, options);
  S3Call call{.doing = "writing " + within(*full_key), .method = "PUT", .key = *full_key};
  call.headers = object_headers(key, options, *sha256, content->encoding());
  return content->send_with(call).and_then([&] { return put_whole(call, *sha256); });
}

/// Sends in one request what is not there yet; what is there is compared, by `sha256`, before it is replaced.
Result<void> S3Store::put_whole(const S3Call& call, const std::string& sha256) {
  S3Call first = call;
  first.headers.emplace_back("If-None-Match", "*");
  first.also = {412, 501};  // 501: a server that knows no conditional writes
  auto answer = client_.send(first);
  if (answer && answer->status == 412) {
    const auto held = holds(call.key, sha256);
    if (!held) return tl::unexpected(held.error());
    if (*held) return {};
  }
  if (answer && answer->status / 100 != 2) answer = client_.send(call);
  if (!answer) return tl::unexpected(answer.error());
  if (io::header(answer->headers, "etag").value_or("").empty()) {
    return failed(ExitStatus::could_not_run, call.doing, "the server did not confirm it with an ETag");
  }
  return {};
}

Result<Written> S3Store::put_if(const std::string& key, std::string_view bytes,
                                const std::optional<std::string>& version) {
  const auto full_key = full(key);
  if (!full_key) return tl::unexpected(full_key.error());
  S3Call call{.doing = "writing " + within(*full_key), .method = "PUT", .key = *full_key, .body = std::string(bytes)};
  call.sha256 = io::sha256_hex(bytes);
  call.headers = object_headers(key, {}, call.sha256);
  call.headers.emplace_back("x-amz-checksum-sha256", base64_of(bytes_of_hex(call.sha256)));
  S3Call conditional = call;
  if (version) {
    conditional.headers.emplace_back("If-Match", *version);
  } else {
    conditional.headers.emplace_back("If-None-Match", "*");
  }
  conditional.also = {404, 412};  // 404: If-Match, and there is no object
  const auto answer = client_.send(conditional);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status == 412) keeps_conditions_ = true;
  if (answer->status / 100 != 2) return Written{};
  if (!keeps_conditions_) {
    if (auto keeps = refuse_where_conditions_are_ignored(*full_key, call); !keeps) return tl::unexpected(keeps.error());
  }
  return Written{true, io::header(answer->headers, "etag").value_or("")};
}

/// Some servers take a conditional write for a plain one: two would hold one lease. Seen once a process, by writing the
/// same bytes on the condition that nothing is there.
Result<void> S3Store::refuse_where_conditions_are_ignored(const std::string& full_key, const S3Call& call) {
  S3Call again = call;
  again.key = full_key;
  again.headers.emplace_back("If-None-Match", "*");
  again.also = {412};
  const auto answer = client_.send(again);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status != 412) {
    return failed(ExitStatus::refused, call.doing, "this server ignores conditional writes, so it cannot keep leases",
                  "use a server with If-None-Match and If-Match, such as AWS, R2, MinIO or versitygw");
  }
  keeps_conditions_ = true;
  return {};
}

Result<std::vector<Listed>> S3Store::list_objects(const std::string& prefix) {
  const std::string base = client_.settings().prefix.empty() ? "" : client_.settings().prefix + "/";
  const std::string doing = "listing " + within(base + prefix);
  std::vector<Listed> objects;
  std::string next;
  do {
    Query query{{"list-type", "2"}, {"prefix", base + prefix}, {"encoding-type", "url"}};
    if (!next.empty()) query.emplace_back("continuation-token", next);
    const auto answer = client_.send({.doing = doing, .query = std::move(query)});
    if (!answer) return tl::unexpected(answer.error());
    auto page = parse_listing(answer->body, doing);
    if (!page) return tl::unexpected(page.error());
    for (auto& object : page->objects) {
      if (!object.key.starts_with(base)) continue;
      object.key.erase(0, base.size());
      if (is_key(object.key)) objects.push_back(std::move(object));
    }
    next = page->next;
  } while (!next.empty());
  std::ranges::sort(objects, {}, &Listed::key);
  return objects;
}

Result<void> S3Store::remove(const std::string& key) {
  return full(key).and_then([&](const std::string& full_key) {
    return client_.send({.doing = "removing " + within(full_key), .method = "DELETE", .key = full_key, .also = {404}})
        .map([](const io::HttpResponse&) {});
  });
}

Result<Link> S3Store::link(const std::string& key, std::chrono::seconds valid) {
  return full(key).and_then([&](const std::string& full_key) { return client_.presigned(full_key, valid); });
}

Result<std::unique_ptr<Store>> open_s3(const std::string& url, const io::Environment& environment,
                                       S3Surroundings surroundings) {
  auto profiles = read_aws_profiles(environment);
  if (!profiles) return tl::unexpected(profiles.error());
  auto settings = s3_settings(url, environment, *profiles);
  if (!settings) return tl::unexpected(settings.error());
  return std::make_unique<S3Store>(std::move(*settings), environment, std::move(*profiles), std::move(surroundings));
}

}  // namespace offshoot::store
