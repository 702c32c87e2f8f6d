// SPDX-License-Identifier: Apache-2.0
// Files that are sent in parts (requirement J3).
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "io/files.hpp"
#include "store/s3_store.hpp"

namespace offshoot::store {

namespace {

constexpr std::uint64_t part_size = 16ULL << 20;
constexpr std::uint64_t most_parts = 10'000;
constexpr std::size_t at_once = 4;

}  // namespace

Result<Part> S3Store::put_part(const std::string& full_key, const std::string& upload, std::size_t number,
                               const Content& content, std::uint64_t offset, std::uint64_t size) {
  const std::string doing = fmt::format("writing part {} of {}", number, within(full_key));
  S3Call call{.doing = doing,
              .method = "PUT",
              .key = full_key,
              .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}}};
  const auto answer = content.send_with(call, offset, size).and_then([&] { return client_.send(call); });
  if (!answer) return tl::unexpected(answer.error());
  const std::string etag = io::header(answer->headers, "etag").value_or("");
  if (etag.empty() || etag.size() > 128 || etag.find_first_of("<>&") != std::string::npos) {
    return failed(ExitStatus::could_not_run, doing, "the server did not confirm it with an ETag");
  }
  return Part{etag, base64_of(bytes_of_hex(call.sha256))};
}

Result<void> S3Store::put_in_parts(const std::string& key, const Content& content, const std::string& sha256,
                                   const PutOptions& options) {
  const auto full_key = full(key);
  if (!full_key) return tl::unexpected(full_key.error());
  const std::string doing = "writing " + within(*full_key);
  S3Call begin{.doing = doing, .method = "POST", .key = *full_key, .query = {{"uploads", ""}}};
  begin.headers = object_headers(key, options, sha256, content.encoding());
  begin.headers.emplace_back("x-amz-checksum-algorithm", "SHA256");
  const auto begun = client_.send(begin);
  if (!begun) return tl::unexpected(begun.error());
  const auto upload = parse_upload_id(begun->body, doing);
  if (!upload) return tl::unexpected(upload.error());

  const std::uint64_t size = content.size();
  const std::uint64_t each = std::max(part_size, (size + most_parts - 1) / most_parts);
  std::vector<Part> parts(static_cast<std::size_t>((size + each - 1) / each));
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Failed> failure;  // guarded by mutex
  {
    std::vector<std::jthread> senders;
    for (std::size_t i = 0; i < std::min(at_once, parts.size()); ++i) {
      senders.emplace_back([&] {
        for (std::size_t n = next++; n < parts.size(); n = next++) {
          const std::uint64_t offset = n * each;
          auto part = put_part(*full_key, *upload, n + 1, content, offset, std::min(each, size - offset));
          if (part) {
            parts[n] = std::move(*part);
            continue;
          }
          next = parts.size();
          const std::lock_guard lock(mutex);
          if (!failure) failure = std::move(part.error());
          return;
        }
      });
    }
  }
  if (!failure) {
    S3Call complete{.doing = doing, .method = "POST", .key = *full_key, .query = {{"uploadId", *upload}}};
    complete.headers = {{"Content-Type", "application/xml"}};
    complete.body = completion_xml(parts);
    complete.sha256 = io::sha256_hex(complete.body);
    complete.also = {404};
    const auto completed = client_.send(complete);
    if (completed && completed->status != 404) return {};
    // Not known any more: the first try may have ended it, and its answer got lost.
    const auto held = holds(*full_key, sha256);
    if (held && *held) return {};
    failure = completed ? Failed{ExitStatus::could_not_run, doing, "the server lost the upload", "run it again", {}}
                        : completed.error();
  }
  // What cannot be aborted now is found by sweep(), or by the bucket's lifecycle rule.
  static_cast<void>(client_.send(
      {.doing = doing, .method = "DELETE", .key = *full_key, .query = {{"uploadId", *upload}}, .also = {404}}));
  return tl::unexpected(*failure);
}

Result<int> S3Store::sweep(std::chrono::seconds older) {
  const std::string base = client_.settings().prefix.empty() ? "" : client_.settings().prefix + "/";
  const std::string doing = "looking for interrupted uploads in " + within(base);
  const io::Instant before = client_.now() - older;
  int removed = 0;
  std::string next_key;
  std::string next_id;
  do {
    Query query{{"uploads", ""}, {"prefix", base}};
    if (!next_key.empty()) query.emplace_back("key-marker", next_key);
    if (!next_id.empty()) query.emplace_back("upload-id-marker", next_id);
    const auto answer = client_.send({.doing = doing, .query = std::move(query)});
    if (!answer) return tl::unexpected(answer.error());
    const auto page = parse_uploads(answer->body, doing);
    if (!page) return tl::unexpected(page.error());
    for (const auto& upload : page->uploads) {
      if (!upload.key.starts_with(base) || upload.begun > before) continue;
      const auto aborted = client_.send(
          {.doing = doing, .method = "DELETE", .key = upload.key, .query = {{"uploadId", upload.id}}, .also = {404}});
      if (!aborted) return tl::unexpected(aborted.error());
      ++removed;
    }
    next_key = page->next_key;
    next_id = page->next_id;
  } while (!next_key.empty());
  return removed;
}

}  // namespace offshoot::store
