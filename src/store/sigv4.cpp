// SPDX-License-Identifier: Apache-2.0
#include "store/sigv4.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace offshoot::store {

namespace {

constexpr const char* algorithm = "AWS4-HMAC-SHA256";

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// "20261125T130323Z"
std::string compact(io::Instant at) {
  std::string text;
  for (const char c : io::rfc3339(at)) {
    if (c != '-' && c != ':') text += c;
  }
  return text;
}

/// Leading, trailing and repeated spaces do not count.
std::string folded(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (c == ' ' && (result.empty() || result.back() == ' ')) continue;
    result += c;
  }
  while (result.ends_with(' ')) result.pop_back();
  return result;
}

std::string scope_text(const SigningScope& scope) {
  return fmt::format("{}/{}/{}/aws4_request", compact(scope.at).substr(0, 8), scope.region, scope.service);
}

struct CanonicalHeaders {
  std::string lines{};
  std::string names{};
};

CanonicalHeaders canonical(const Signable& request) {
  std::map<std::string, std::string> sorted{{"host", request.host}};
  for (const auto& [name, value] : request.headers) sorted[lower(name)] = folded(value);
  CanonicalHeaders result;
  for (const auto& [name, value] : sorted) {
    result.lines += fmt::format("{}:{}\n", name, value);
    result.names += (result.names.empty() ? "" : ";") + name;
  }
  return result;
}

std::string signature(const Signable& request, const CanonicalHeaders& headers, const std::string& query,
                      const std::string& payload, const SigningScope& scope, const Credentials& credentials) {
  const std::string canonical_request =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, query, headers.lines, headers.names, payload);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", algorithm, compact(scope.at), scope_text(scope),
                                          hex_of(sha256_bytes(canonical_request)));
  std::string key = hmac("AWS4" + credentials.secret, compact(scope.at).substr(0, 8));
  for (const std::string& part : {scope.region, scope.service, std::string("aws4_request")}) key = hmac(key, part);
  return hex_of(hmac(key, to_sign));
}

}  // namespace

std::string uri_encoded(std::string_view text, bool keep_slashes) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (c == '/' && keep_slashes);
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return result;
}

std::string query_text(const Query& query) {
  Query encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(uri_encoded(name, false), uri_encoded(value, false));
  std::ranges::sort(encoded);
  std::string text;
  for (const auto& [name, value] : encoded) text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  return text;
}

io::HttpHeaders signed_headers(const Signable& request, const SigningScope& scope, const Credentials& credentials) {
  Signable all = request;
  all.headers.emplace_back("x-amz-date", compact(scope.at));
  all.headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
  if (!credentials.token.empty()) all.headers.emplace_back("x-amz-security-token", credentials.token);
  const auto headers = canonical(all);
  const std::string signed_by =
      signature(all, headers, query_text(request.query), request.payload_sha256, scope, credentials);
  all.headers.emplace_back("Authorization",
                           fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm,
                                       credentials.access_key, scope_text(scope), headers.names, signed_by));
  return std::move(all.headers);
}

std::string presigned_query(const Signable& request, const SigningScope& scope, const Credentials& credentials,
                            long seconds) {
  const auto headers = canonical(request);
  Query query = request.query;
  query.emplace_back("X-Amz-Algorithm", algorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key + "/" + scope_text(scope));
  query.emplace_back("X-Amz-Date", compact(scope.at));
  query.emplace_back("X-Amz-Expires", std::to_string(seconds));
  query.emplace_back("X-Amz-SignedHeaders", headers.names);
  if (!credentials.token.empty()) query.emplace_back("X-Amz-Security-Token", credentials.token);
  const std::string text = query_text(query);
  return fmt::format("{}&X-Amz-Signature={}", text,
                     signature(request, headers, text, "UNSIGNED-PAYLOAD", scope, credentials));
}

std::string sha256_bytes(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

std::string bytes_of_hex(std::string_view hex) {
  const auto value = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  std::string bytes;
  if (hex.size() % 2 != 0) return {};
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = value(hex[i]);
    const int low = value(hex[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace offshoot::store
