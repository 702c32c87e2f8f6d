// SPDX-License-Identifier: Apache-2.0
#include "github/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "app/version.hpp"
#include "io/json.hpp"

namespace offshoot::github {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds between_writes = 1s;
constexpr milliseconds between_comments = 3s;
constexpr milliseconds without_a_word = 60s;  // a limit that does not say how long
constexpr milliseconds longest_request = 60s;
constexpr milliseconds settling = 3s;  // before what may still be under way is looked for
constexpr int most_redirects = 5;
constexpr int most_pages = 40;

/// A number of a header; absent where it is none.
std::optional<long long> number_of(const io::HttpHeaders& headers, std::string_view name) {
  const auto text = io::header(headers, name);
  if (!text || text->empty() || text->size() > 15) return std::nullopt;
  if (text->find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoll(*text);
}

/// GitHub's own words in an error, on one line.
std::string message_of(const std::string& body) {
  const auto json = io::parse_json(body, "");
  if (!json || !json->is_object()) return {};
  std::string message = json->value("message", Json()).is_string() ? (*json)["message"].get<std::string>() : "";
  const Json errors = json->value("errors", Json());
  if (errors.is_array() && !errors.empty() && errors[0].is_object() && errors[0].value("message", Json()).is_string()) {
    message += ": " + errors[0]["message"].get<std::string>();
  }
  std::ranges::replace_if(message, [](unsigned char c) { return c < 0x20; }, ' ');
  return message.substr(0, 200);
}

bool is_limit(const io::HttpResponse& response) {
  if (response.status == 429) return true;
  if (response.status != 403) return false;
  return io::header(response.headers, "retry-after") || number_of(response.headers, "x-ratelimit-remaining") == 0 ||
         message_of(response.body).find("rate limit") != std::string::npos;
}

std::string words_of(const io::HttpResponse& response) {
  const std::string message = message_of(response.body);
  return message.empty() ? fmt::format("HTTP {}", response.status)
                         : fmt::format("HTTP {}, {}", response.status, message);
}

std::string in_words(milliseconds duration) {
  const auto whole = std::chrono::ceil<seconds>(duration).count();
  return whole < 120 ? fmt::format("{} s", whole) : fmt::format("{} min", (whole + 59) / 60);
}

}  // namespace

std::string next_page(const std::string& link) {
  for (std::size_t at = 0; (at = link.find('<', at)) != std::string::npos;) {
    const std::size_t close = link.find('>', at);
    if (close == std::string::npos) return {};
    const std::size_t end = std::min(link.find('<', close), link.size());
    const std::string parameters = link.substr(close + 1, end - close - 1);
    if (parameters.find("rel=\"next\"") != std::string::npos) return link.substr(at + 1, close - at - 1);
    at = end;
  }
  return {};
}

std::optional<milliseconds> asked_to_wait(const io::HttpHeaders& headers, io::Instant now) {
  const auto date = io::header(headers, "date");
  const io::Instant there = date ? io::parse_http_date(*date).value_or(now) : now;
  if (const auto after = io::retry_after(headers, there)) return std::max<milliseconds>(*after, 1s);
  const auto reset = number_of(headers, "x-ratelimit-reset");
  if (number_of(headers, "x-ratelimit-remaining") != 0 || !reset) return std::nullopt;
  return std::max<milliseconds>(io::Instant(seconds(*reset)) - there, 1s);
}

Client::Client(Access access, io::HttpClient& http, io::Pauses& pauses, ClientOptions options)
    : access_(std::move(access)),
      http_(&http),
      pauses_(pauses),
      options_(std::move(options)),
      patience_(options_.patience) {}

void Client::carry_on(io::HttpClient& http, ClientOptions options) {
  http_ = &http;
  options_ = std::move(options);
  patience_ = options_.patience;
}

std::int64_t Client::id_of(const Json& object) {
  if (!object.is_object()) return 0;
  const auto id = object.find("id");
  return id != object.end() && id->is_number_integer() && *id > 0 ? id->get<std::int64_t>() : 0;
}

std::string Client::url_of(const std::string& path) const {
  return access_.api_url + (path.starts_with("./") ? "/repos/" + access_.repository + path.substr(1) : path);
}

bool Client::is_ours(const std::string& url) const {
  return !io::origin_of(url).empty() && io::origin_of(url) == io::origin_of(access_.api_url);
}

std::optional<milliseconds> Client::time_left() const {
  if (!options_.until) return std::nullopt;
  return std::max<milliseconds>(*options_.until - pauses_.now(), 0ms);
}

bool Client::wait_for_turn(Pace pace) {
  milliseconds turn = pauses_.now();
  if (last_write_) turn = std::max(turn, *last_write_ + between_writes);
  if (pace == Pace::comment && last_comment_) turn = std::max(turn, *last_comment_ + between_comments);
  const milliseconds missing = turn - pauses_.now();
  return missing <= 0ms || wait(missing);
}

/// One request over the wire, and what is known when no answer came.
tl::expected<io::HttpResponse, Client::Attempt> Client::exchange(const Request& request) {
  const auto gives_up = [](Refusal::Kind kind, std::string why) {
    return tl::unexpected(Attempt{.refusal = {.kind = kind, .why = std::move(why)}});
  };
  if (requests_ >= options_.most_requests) {
    return gives_up(Refusal::Kind::unavailable, fmt::format("{} requests are enough for one run", requests_));
  }
  const auto left = time_left();
  if (left && *left <= 0ms) return gives_up(Refusal::Kind::unavailable, "there was no time left");
  ++requests_;
  io::HttpRequest wire{.method = request.method,
                       .url = request.url,
                       .headers = {{"Accept", "application/vnd.github+json"},
                                   {"X-GitHub-Api-Version", "2022-11-28"},
                                   {"User-Agent", std::string("offshoot/") + app::version},
                                   {"Authorization", "Bearer " + access_.token}},
                       .body = request.body,
                       .within = std::min(left.value_or(longest_request), longest_request),
                       .redirects = most_redirects};
  if (!request.body.empty()) wire.headers.emplace_back("Content-Type", "application/json");
  auto response = http_->send(wire);
  if (request.writes()) {
    last_write_ = pauses_.now();
    if (request.pace == Pace::comment) last_comment_ = last_write_;
  }
  if (response) return std::move(*response);
  const io::HttpFailure& failure = response.error();
  const bool unknown = failure.sent && request.method == "POST";
  if (unknown) return gives_up(Refusal::Kind::unknown, failure.why);
  if (failure.stopped) return gives_up(Refusal::Kind::stopped, failure.why);
  return tl::unexpected(
      Attempt{.next = Attempt::Next::try_again, .refusal = {.kind = Refusal::Kind::unavailable, .why = failure.why}});
}

Client::Attempt Client::judge(const Request& request, const io::HttpResponse& response) const {
  using Next = Attempt::Next;
  using Kind = Refusal::Kind;
  const bool creates = request.method == "POST";
  const int status = response.status;
  const auto ended = [&](Next next, Kind kind, std::string why) {
    return Attempt{.next = next,
                   .reply = {.status = status, .headers = response.headers},
                   .refusal = {.kind = kind, .status = status, .why = std::move(why)}};
  };
  const auto broke = [&](std::string why) {
    return ended(creates ? Next::give_up : Next::try_again, creates ? Kind::unknown : Kind::unavailable,
                 std::move(why));
  };
  if (status >= 200 && status < 300) {
    Attempt attempt = ended(Next::take, Kind::unavailable, "");
    if (!request.is_answer) return attempt;
    auto json = io::parse_json(response.body, "");
    if (!json || !request.is_answer(*json)) return broke("the answer is not the one that was asked for");
    attempt.reply.body = std::move(*json);
    return attempt;
  }
  if (is_limit(response)) return ended(Next::wait_as_told, Kind::unavailable, words_of(response));
  if (status >= 500 || status == 408) return broke(words_of(response));
  const bool forbidden = status == 401 || status == 403 || status == 404;
  return ended(Next::give_up, forbidden ? Kind::forbidden : Kind::invalid, words_of(response));
}

Client::Attempt Client::attempt(const Request& request) {
  if (request.writes() && !wait_for_turn(request.pace)) {
    return {.refusal = {.kind = Refusal::Kind::stopped, .why = "the run is being stopped"}};
  }
  const auto response = exchange(request);
  return response ? judge(request, *response) : response.error();
}

std::optional<Refusal> Client::wait_after(const Attempt& attempt, int number) {
  const bool limited = attempt.next == Attempt::Next::wait_as_told;
  const auto doubled = [&](milliseconds first) { return first * (1 << std::min(number - 1, 3)); };
  milliseconds pause{};
  if (limited) {
    pause = asked_to_wait(attempt.reply.headers, io::now()).value_or(doubled(without_a_word));
  } else {
    pause = milliseconds(static_cast<long long>(static_cast<double>(doubled(1s).count()) * pauses_.chance()));
  }
  const milliseconds room = std::min(patience_, time_left().value_or(patience_));
  if (number >= options_.tries || pause > room) {
    Refusal last = attempt.refusal;
    if (limited) last.why += fmt::format("; it asks to wait {}", in_words(pause));
    return last;
  }
  patience_ -= pause;
  if (!wait(pause)) return Refusal{.kind = Refusal::Kind::stopped, .why = "the run is being stopped"};
  return std::nullopt;
}

Answer<Client::Reply> Client::send(const Request& request) {
  for (int number = 1;; ++number) {
    Attempt tried = attempt(request);
    if (tried.next == Attempt::Next::take) return std::move(tried.reply);
    if (tried.next == Attempt::Next::give_up) return tl::unexpected(std::move(tried.refusal));
    if (auto end = wait_after(tried, number)) return tl::unexpected(std::move(*end));
  }
}

Answer<Json> Client::get(const std::string& path) {
  return send({.method = "GET", .url = url_of(path), .is_answer = [](const Json& body) { return body.is_object(); }})
      .map([](Reply reply) { return std::move(reply.body); });
}

Answer<std::vector<Json>> Client::list(const std::string& path, const std::string& key, Pages pages) {
  const auto items_of = [&key](const Json& body) { return key.empty() ? body : body.value(key, Json()); };
  const auto is_list = [&](const Json& body) {
    if (!key.empty() && !body.is_object()) return false;
    const Json items = items_of(body);
    return items.is_array() && std::ranges::all_of(items, [](const Json& item) { return id_of(item) > 0; });
  };
  std::vector<Json> all;
  std::string url = url_of(path);
  for (int page = 0; !url.empty(); ++page) {
    if (page == most_pages) {
      return tl::unexpected(Refusal{.why = fmt::format("the list has more than {} pages", most_pages)});
    }
    if (!is_ours(url)) return tl::unexpected(Refusal{.kind = Refusal::Kind::invalid, .why = "a page lies elsewhere"});
    auto reply = send({.method = "GET", .url = url, .is_answer = is_list});
    if (!reply) return tl::unexpected(std::move(reply.error()));
    for (Json& item : reply->body.is_array() ? reply->body : reply->body[key]) all.push_back(std::move(item));
    if (pages == Pages::first) break;
    url = next_page(io::header(reply->headers, "link").value_or(""));
  }
  return all;
}

Answer<Client::Created> Client::create(const std::string& path, const Json& body, Pace pace, const Find& find) {
  const Request request{.method = "POST",
                        .url = url_of(path),
                        .body = io::to_line(body),
                        .pace = pace,
                        .is_answer = [](const Json& answer) { return id_of(answer) > 0; }};
  for (int number = 1;; ++number) {
    auto reply = send(request);
    if (reply) return Created{std::move(reply->body), number > 1};
    if (reply.error().kind != Refusal::Kind::unknown) return tl::unexpected(std::move(reply.error()));
    const Attempt unknown{.next = Attempt::Next::try_again, .refusal = reply.error()};
    if (auto end = wait_after(unknown, number)) return tl::unexpected(std::move(*end));
    if (!wait(std::min(settling, time_left().value_or(settling)))) return tl::unexpected(reply.error());
    auto found = find();
    if (!found) return tl::unexpected(reply.error());
    if (*found) return Created{std::move(**found), number > 1};
  }
}

Answer<Json> Client::change(const std::string& path, const Json& body, std::int64_t id) {
  return send({.method = "PATCH",
               .url = url_of(path),
               .body = io::to_line(body),
               .is_answer = [id](const Json& answer) { return id_of(answer) == id; }})
      .map([](Reply reply) { return std::move(reply.body); });
}

Answer<void> Client::remove(const std::string& path) {
  const auto reply = send({.method = "DELETE", .url = url_of(path)});
  if (reply || reply.error().status == 404) return {};
  return tl::unexpected(reply.error());
}

}  // namespace offshoot::github
