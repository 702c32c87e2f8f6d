// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base64.hpp"
#include "io/clock.hpp"
#include "io/http.hpp"

namespace offshoot::store {

/// What signs a request.
struct Credentials {
  std::string access_key{};
  std::string secret{};
  std::string token{};                   ///< of a session; empty = none
  std::optional<io::Instant> expires{};  ///< absent: they do not
  std::string source{};                  ///< "the environment", "profile 'ci'": what a message may say
};

/// Names and values, not encoded.
using Query = std::vector<std::pair<std::string, std::string>>;

/// A request as AWS Signature Version 4 sees it.
struct Signable {
  std::string method{};
  std::string host{};  ///< with its port, as it is sent
  std::string path{};  ///< encoded, as it is sent
  Query query{};
  io::HttpHeaders headers{};
  std::string payload_sha256{};  ///< hex digits
};

struct SigningScope {
  std::string region{};
  std::string service{};
  io::Instant at{};
};

/// `text` with all but A-Za-z0-9-._~ as %XX; '/' stays where `keep_slashes`.
std::string uri_encoded(std::string_view text, bool keep_slashes);

/// The query as it is sent and signed: encoded and sorted.
std::string query_text(const Query& query);

/// The request's headers with the four that sign it: x-amz-date, x-amz-content-sha256, x-amz-security-token and
/// Authorization. All of `request.headers` are signed.
io::HttpHeaders signed_headers(const Signable& request, const SigningScope& scope, const Credentials& credentials);

/// The query that makes `request` work without headers for `seconds` (at most a week), with its signature.
std::string presigned_query(const Signable& request, const SigningScope& scope, const Credentials& credentials,
                            long seconds);

/// HMAC, digest and encodings that S3 asks for.
std::string sha256_bytes(std::string_view bytes);
std::string hex_of(std::string_view bytes);
using io::base64_of;
/// The bytes of hex digits; empty when they are none.
std::string bytes_of_hex(std::string_view hex);

}  // namespace offshoot::store
