// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/clock.hpp"
#include "io/process.hpp"
#include "model/outcome.hpp"

namespace offshoot::io {

/// Header fields in the order in which they are sent or came. Names compare without regard to case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The value of the first field of that name; absent where there is none.
std::optional<std::string> header(const HttpHeaders& headers, std::string_view name);

/// Part of a file as a request's body.
struct FilePart {
  std::filesystem::path file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url{};  ///< may hold a secret (a signature): never put into a message as it is; see without_secrets()
  HttpHeaders headers{};
  std::string body{};                            ///< sent when not empty, or when the method is POST, PUT or PATCH
  std::optional<FilePart> file{};                ///< sent instead of `body`
  std::filesystem::path into{};                  ///< the body of a 2xx answer goes into this file; empty = into `body`
  std::size_t most_bytes = 32ULL * 1024 * 1024;  ///< a longer body is a failure (not counted for `into`)
  std::chrono::milliseconds connect_within{10'000};
  std::chrono::milliseconds within{60'000};  ///< of the whole; 0 = no end as long as bytes flow
  std::chrono::seconds silent_for{60};       ///< with `within` 0: so long without bytes (1 KiB/s) is a failure
  int redirects = 0;                         ///< how many are followed; Authorization is dropped on another host
  bool fresh_connection = false;  ///< neither a kept connection nor a kept address: for a try after a failure
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers{};
  std::string body{};
};

/// Why there is no whole answer. An answer that was cut, in the headers or in the body, is one of these and never a
/// response (libcurl alone takes a cut inside the headers for a success). So is one whose end cannot be told from a
/// cut: a body with neither Content-Length nor chunks.
struct HttpFailure {
  bool sent = false;     ///< the request may have reached the server: what it asked for may have been done
  bool stopped = false;  ///< the caller asked for it
  std::string why{};     ///< "connection refused", "no answer within 60 s"; no URL, no secret
  bool silent = false;   ///< the server was waited for as long as it may take
};

/// HTTP as the outside sees it. One request at a time for each client; make one for each thread.
class HttpClient {
 public:
  HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  virtual ~HttpClient() = default;
  virtual tl::expected<HttpResponse, HttpFailure> send(const HttpRequest& request) = 0;
};

/// A client on libcurl: HTTP/1.1, TLS always verified, connections kept between requests, http and https only. Of
/// `environment` it reads http_proxy, https_proxy, all_proxy and no_proxy, and SSL_CERT_FILE. Ends early when `stop` is
/// asked for. Sends each POST and PATCH once: on a connection of its own, so that libcurl does not repeat it silently.
std::unique_ptr<HttpClient> curl_client(const Environment& environment, std::stop_token stop = {});

/// Scheme, host and path of a URL, without its query and credentials: what a message may hold.
std::string without_secrets(std::string_view url);

/// "https://api.github.com:8443": what decides whether two URLs belong to one server. Lower case, without the scheme's
/// own port.
std::string origin_of(std::string_view url);

/// The instant that a Date, Retry-After or Last-Modified field names; absent when it is no date.
std::optional<Instant> parse_http_date(const std::string& text);

}  // namespace offshoot::io
