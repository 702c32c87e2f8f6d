// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sigv4.hpp"
#include "store/store.hpp"

namespace offshoot::store {

/// What S3 or STS says when it refuses.
struct S3Error {
  std::string code{};     ///< "NoSuchBucket"; empty = the answer was no such document
  std::string message{};  ///< the server's own words
  std::string region{};   ///< where the bucket is, when the region was wrong
};

/// The error in a body; absent when its document is another one or none.
std::optional<S3Error> parse_s3_error(std::string_view xml);

/// One page of a listing.
struct Page {
  std::vector<Listed> objects{};
  std::string next{};  ///< continuation token; empty = the last page
};
Result<Page> parse_listing(std::string_view xml, const std::string& doing);

/// An upload in parts that was begun and not ended.
struct Upload {
  std::string key{};
  std::string id{};
  io::Instant begun{};
};
struct Uploads {
  std::vector<Upload> uploads{};
  std::string next_key{};  ///< empty = the last page
  std::string next_id{};
};
Result<Uploads> parse_uploads(std::string_view xml, const std::string& doing);

/// The upload's id in the answer to its beginning.
Result<std::string> parse_upload_id(std::string_view xml, const std::string& doing);

struct Part {
  std::string etag{};
  std::string sha256{};  ///< base64
};
/// The document that ends an upload.
std::string completion_xml(const std::vector<Part>& parts);

/// The credentials in an answer of STS.
Result<Credentials> parse_sts(std::string_view xml, const std::string& doing);

/// "2026-11-25T13:03:23.000Z" and the like; absent when it is no time.
std::optional<io::Instant> parse_xml_time(std::string_view text);

}  // namespace offshoot::store
