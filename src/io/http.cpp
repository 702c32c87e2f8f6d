// SPDX-License-Identifier: Apache-2.0
#include "io/http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace offshoot::io {

namespace fs = std::filesystem;

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

/// A URL taken apart; null when it is none.
class Url {
 public:
  explicit Url(std::string_view text) : handle_(curl_url()) { ok_ = handle_ != nullptr && set(text); }
  [[nodiscard]] bool ok() const { return ok_; }
  /// Sets it, relative to what it is now.
  bool set(std::string_view text) {
    return curl_url_set(handle_.get(), CURLUPART_URL, std::string(text).c_str(), 0) == CURLUE_OK;
  }
  [[nodiscard]] std::string part(CURLUPart which, unsigned flags = 0) const {
    char* value = nullptr;
    if (curl_url_get(handle_.get(), which, &value, flags) != CURLUE_OK) return {};
    std::string text(value);
    curl_free(value);
    return text;
  }

 private:
  std::unique_ptr<CURLU, CloseUrl> handle_;
  bool ok_ = false;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// One exchange while it runs: what libcurl's callbacks fill.
struct Exchange {
  const HttpRequest& request;
  HttpResponse response{};
  bool headers_whole = false;  ///< the empty line after them has come
  bool chunked = false;
  bool measured = false;  ///< there is a Content-Length
  bool too_long = false;
  int write_error = 0;
  File source{};
  std::uint64_t left = 0;  ///< of `source`
  File target{};
  fs::path part{};  ///< what `target` writes, beside `into`
};

/// The file that an answer's body goes into until it is whole.
bool open_target(Exchange& exchange) {
  exchange.part = exchange.request.into;
  exchange.part += ".part";
  exchange.target.reset(std::fopen(exchange.part.c_str(), "wbe"));
  if (!exchange.target) exchange.write_error = errno;
  return exchange.target != nullptr;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // also after an interim answer such as 100
    exchange.response = {};
    exchange.headers_whole = exchange.chunked = exchange.measured = false;
    const auto space = line.find(' ');
    if (space != std::string_view::npos) exchange.response.status = std::atoi(std::string(line.substr(space)).c_str());
    return line.size();
  }
  if (exchange.headers_whole) return line.size();  // trailers after a chunked body
  if (trimmed(line).empty()) {
    exchange.headers_whole = line.ends_with('\n');
    return line.size();
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same_name(name, "transfer-encoding")) exchange.chunked = true;
  if (same_name(name, "content-length")) exchange.measured = true;
  exchange.response.headers.emplace_back(std::string(name), std::string(value));
  return line.size();
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::size_t bytes = size * count;
  if (!exchange.request.into.empty() && exchange.response.status / 100 == 2) {
    if (!exchange.target && !open_target(exchange)) return 0;
    if (std::fwrite(data, 1, bytes, exchange.target.get()) != bytes) {
      exchange.write_error = errno;
      return 0;
    }
    return bytes;
  }
  if (exchange.response.body.size() + bytes > exchange.request.most_bytes) {
    exchange.too_long = true;
    return 0;
  }
  exchange.response.body.append(data, bytes);
  return bytes;
}

std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const auto wanted = std::min<std::uint64_t>(size * count, exchange.left);
  const std::size_t read = std::fread(buffer, 1, static_cast<std::size_t>(wanted), exchange.source.get());
  if (read < wanted && std::ferror(exchange.source.get()) != 0) return CURL_READFUNC_ABORT;
  exchange.left -= read;
  return read;
}

bool rewind_source(Exchange& exchange, std::uint64_t to) {
  const auto& part = *exchange.request.file;
  exchange.left = part.size - to;
  return ::fseeko(exchange.source.get(), static_cast<off_t>(part.offset + to), SEEK_SET) == 0;
}

int on_seek(void* context, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  return rewind_source(*static_cast<Exchange*>(context), static_cast<std::uint64_t>(offset)) ? CURL_SEEKFUNC_OK
                                                                                             : CURL_SEEKFUNC_FAIL;
}

/// Methods whose repetition by libcurl itself (when a kept connection turns out to be closed) could do a thing twice.
bool only_once(const std::string& method) { return method == "POST" || method == "PATCH"; }

std::string in_words(std::chrono::milliseconds time) {
  if (time.count() % 1000 == 0) return fmt::format("{} s", time.count() / 1000);
  return fmt::format("{} ms", time.count());
}

void start_curl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(started);
}

struct CloseEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct CloseMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

class CurlClient final : public HttpClient {
 public:
  CurlClient(const Environment& environment, std::stop_token stop) : stop_(std::move(stop)) {
    start_curl();
    easy_.reset(curl_easy_init());
    multi_.reset(curl_multi_init());
    const auto value = [&](const char* lower, const char* upper) {
      for (const char* name : {lower, upper}) {
        const auto found = environment.find(name);
        if (found != environment.end()) return found->second;
      }
      return std::string();
    };
    const std::string all = value("all_proxy", "ALL_PROXY");
    // HTTP_PROXY in capitals is what a CGI server sets from a request's header: libcurl does not read it either.
    http_proxy_ = value("http_proxy", "http_proxy");
    https_proxy_ = value("https_proxy", "HTTPS_PROXY");
    if (http_proxy_.empty()) http_proxy_ = all;
    if (https_proxy_.empty()) https_proxy_ = all;
    no_proxy_ = value("no_proxy", "NO_PROXY");
    certificates_ = value("SSL_CERT_FILE", "SSL_CERT_FILE");
  }

  tl::expected<HttpResponse, HttpFailure> send(const HttpRequest& request) override {
    HttpRequest step = request;
    for (int followed = 0;; ++followed) {
      auto response = exchange(step);
      if (!response) return response;
      const int status = response->status;
      const bool moved = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
      const auto location = header(response->headers, "location");
      if (request.redirects == 0 || !moved || !location) return response;
      if (followed == request.redirects) {
        return tl::unexpected(HttpFailure{true, false, fmt::format("more than {} redirects", request.redirects)});
      }
      Url target(step.url);
      const std::string before = origin_of(step.url);
      if (!target.set(*location)) {
        return tl::unexpected(HttpFailure{true, false, "it redirects to something that is not a URL"});
      }
      const std::string next = target.part(CURLUPART_URL);
      if (before.starts_with("https:") && !next.starts_with("https:")) {
        return tl::unexpected(HttpFailure{true, false, "it redirects from https to " + target.part(CURLUPART_SCHEME)});
      }
      step.url = next;
      if (origin_of(next) != before) {
        std::erase_if(step.headers, [](const auto& field) {
          return same_name(field.first, "authorization") || same_name(field.first, "cookie");
        });
      }
      if (status == 303 && step.method != "HEAD") {
        step.method = "GET";
        step.body.clear();
        step.file.reset();
        std::erase_if(step.headers, [](const auto& field) { return same_name(field.first, "content-type"); });
      }
    }
  }

 private:
  tl::expected<HttpResponse, HttpFailure> exchange(const HttpRequest& request) {
    if (stop_.stop_requested()) return tl::unexpected(HttpFailure{false, true, "interrupted"});
    Exchange exchange{.request = request};
    const bool is_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (request.file) {
      exchange.source.reset(std::fopen(request.file->file.c_str(), "rbe"));
      if (!exchange.source || !rewind_source(exchange, 0)) {
        return tl::unexpected(HttpFailure{false, false, "reading the file to send: " + text_of(errno)});
      }
    }
    const auto headers = list_of(request);
    CURL* easy = easy_.get();
    curl_easy_reset(easy);
    set_common(request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
    if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request.file) {
      curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.file->size));
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
      curl_easy_setopt(easy, CURLOPT_READDATA, &exchange);
      curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
      curl_easy_setopt(easy, CURLOPT_SEEKDATA, &exchange);
    } else if (is_body) {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    if (request.method != "HEAD") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());

    const CURLcode code = perform();
    if (exchange.target && std::fclose(exchange.target.release()) != 0) exchange.write_error = errno;
    auto result = judge(exchange, code);
    if (!exchange.part.empty()) {
      std::error_code error;
      if (result) fs::rename(exchange.part, request.into, error);
      if (!result || error) fs::remove(exchange.part, error);
    } else if (result && !request.into.empty() && result->status / 100 == 2) {  // a whole answer of no bytes
      if (!open_target(exchange)) return tl::unexpected(HttpFailure{true, false, "writing: " + text_of(errno)});
      exchange.target.reset();
      std::error_code error;
      fs::rename(exchange.part, request.into, error);
    }
    return result;
  }

  void set_common(const HttpRequest& request) {
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // what is signed is what is sent
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "offshoot");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!certificates_.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, certificates_.c_str());
    curl_easy_setopt(easy, CURLOPT_PROXY, (request.url.starts_with("https:") ? https_proxy_ : http_proxy_).c_str());
    curl_easy_setopt(easy, CURLOPT_NOPROXY, no_proxy_.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_within.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.within.count()));
    if (request.within.count() == 0) {
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1024L);
      curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.silent_for.count()));
    }
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
    if (request.fresh_connection || only_once(request.method)) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (request.fresh_connection) curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  }

  static std::unique_ptr<curl_slist, FreeList> list_of(const HttpRequest& request) {
    std::unique_ptr<curl_slist, FreeList> list;
    const auto add = [&](const std::string& line) {
      curl_slist* longer = curl_slist_append(list.get(), line.c_str());
      if (longer != nullptr) {
        static_cast<void>(list.release());
        list.reset(longer);
      }
    };
    bool typed = false;
    for (const auto& [name, value] : request.headers) {
      // A line break in a value would be a header of its own.
      if (value.find_first_of("\r\n") != std::string::npos || name.find_first_of("\r\n:") != std::string::npos)
        continue;
      typed = typed || same_name(name, "content-type");
      add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    }
    if (!typed) add("Content-Type:");  // libcurl would call every body a form
    return list;
  }

  /// Runs what is set up to its end, or until `stop_` is asked for.
  CURLcode perform() {
    CURLM* multi = multi_.get();
    curl_multi_add_handle(multi, easy_.get());
    const std::stop_callback wake(stop_, [multi] { curl_multi_wakeup(multi); });
    CURLcode code = CURLE_OK;
    bool done = false;
    while (!done) {
      int running = 0;
      if (curl_multi_perform(multi, &running) != CURLM_OK) code = CURLE_FAILED_INIT, done = true;
      int more = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi, &more)) {
        if (message->msg == CURLMSG_DONE) code = message->data.result, done = true;
      }
      if (!done && stop_.stop_requested()) code = CURLE_ABORTED_BY_CALLBACK, done = true;
      if (!done) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    curl_multi_remove_handle(multi, easy_.get());
    return code;
  }

  tl::expected<HttpResponse, HttpFailure> judge(Exchange& exchange, CURLcode code) {
    const HttpRequest& request = exchange.request;
    long sent_bytes = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &sent_bytes);
    const auto fail = [&](std::string why) {
      return tl::unexpected(HttpFailure{sent_bytes > 0, code == CURLE_ABORTED_BY_CALLBACK, std::move(why),
                                        code == CURLE_OPERATION_TIMEDOUT});
    };
    if (exchange.too_long) return fail(fmt::format("the answer is longer than {} bytes", request.most_bytes));
    if (exchange.write_error != 0) return fail("writing the answer to a file: " + text_of(exchange.write_error));
    if (code != CURLE_OK) return fail(why_of(code, request, sent_bytes > 0));
    if (!exchange.headers_whole) return fail("the answer was cut off inside its headers");
    const int status = exchange.response.status;
    const bool bodiless = request.method == "HEAD" || status == 204 || status == 304;
    if (!bodiless && !exchange.chunked && !exchange.measured) {
      return fail("the answer does not say where it ends, so it may have been cut off");
    }
    return std::move(exchange.response);
  }

  [[nodiscard]] std::string why_of(CURLcode code, const HttpRequest& request, bool sent) const {
    switch (code) {
      case CURLE_ABORTED_BY_CALLBACK:
        return "interrupted";
      case CURLE_COULDNT_RESOLVE_HOST:
        return fmt::format("the name '{}' is not known", Url(request.url).part(CURLUPART_HOST));
      case CURLE_COULDNT_RESOLVE_PROXY:
        return "the proxy's name is not known";
      case CURLE_COULDNT_CONNECT: {
        long number = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &number);
        return number != 0 ? text_of(static_cast<int>(number)) : "no connection";
      }
      case CURLE_OPERATION_TIMEDOUT:
        if (!sent) return fmt::format("no connection within {}", in_words(request.connect_within));
        if (request.within.count() == 0) return fmt::format("nothing came for {} s", request.silent_for.count());
        return fmt::format("no answer within {}", in_words(request.within));
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
        return "the server's certificate is not trusted";
      case CURLE_GOT_NOTHING:
        return "the connection was closed before an answer came";
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
        return "the connection was reset";
      case CURLE_PARTIAL_FILE:
        return "the answer was cut off";
      case CURLE_URL_MALFORMAT:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return "the address is not an http or https URL";
      default: {
        std::string text = curl_easy_strerror(code);
        if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
        return text;
      }
    }
  }

  static std::string text_of(int number) {
    std::string text = std::generic_category().message(number);
    if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return text;
  }

  std::stop_token stop_;
  std::unique_ptr<CURL, CloseEasy> easy_;
  std::unique_ptr<CURLM, CloseMulti> multi_;
  std::string http_proxy_;
  std::string https_proxy_;
  std::string no_proxy_;
  std::string certificates_;
};

}  // namespace

std::optional<std::string> header(const HttpHeaders& headers, std::string_view name) {
  const auto found = std::ranges::find_if(headers, [&](const auto& field) { return same_name(field.first, name); });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

std::unique_ptr<HttpClient> curl_client(const Environment& environment, std::stop_token stop) {
  return std::make_unique<CurlClient>(environment, std::move(stop));
}

std::string without_secrets(std::string_view url) {
  const Url parts(url);
  if (!parts.ok()) return "a malformed address";
  const std::string port = parts.part(CURLUPART_PORT);
  return fmt::format("{}://{}{}{}", parts.part(CURLUPART_SCHEME), parts.part(CURLUPART_HOST),
                     port.empty() ? "" : ":" + port, parts.part(CURLUPART_PATH));
}

std::string origin_of(std::string_view url) {
  const Url parts(url);
  if (!parts.ok()) return {};
  std::string host = parts.part(CURLUPART_HOST);
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string port = parts.part(CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  return fmt::format("{}://{}{}", parts.part(CURLUPART_SCHEME), host, port.empty() ? "" : ":" + port);
}

std::optional<Instant> parse_http_date(const std::string& text) {
  const std::time_t time = curl_getdate(text.c_str(), nullptr);
  if (time < 0) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::from_time_t(time));
}

}  // namespace offshoot::io
