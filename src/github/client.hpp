// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/http.hpp"
#include "io/retry.hpp"

namespace offshoot::github {

/// Where GitHub's API is, and what opens it. The token goes to the origin of `api_url` alone.
struct Access {
  std::string api_url = "https://api.github.com";  ///< of GITHUB_API_URL; without '/' at its end
  std::string token{};
  std::string repository{};  ///< "acme/shop"
};

/// Why GitHub did not do what it was asked.
struct Refusal {
  enum class Kind {
    forbidden,    ///< the token may not do it: 401, 403 without a limit, 404
    invalid,      ///< GitHub does not take the request as it is: the other 4xx
    unavailable,  ///< limits, errors of the server or the network, after all that may be tried
    unknown,      ///< a creation was sent and never answered: it may have been done
    stopped,      ///< the run is being stopped
  };
  Kind kind = Kind::unavailable;
  int status = 0;     ///< HTTP's; 0 = there was no answer
  std::string why{};  ///< a few words for people; GitHub's own among them
};

template <class T>
using Answer = tl::expected<T, Refusal>;

using Json = nlohmann::json;

/// How soon creations may follow one another.
enum class Pace {
  write,    ///< 1 s after any write
  comment,  ///< people are notified: also 3 s after the last such one
};

struct ClientOptions {
  int tries = 5;                                     ///< of one request
  int most_requests = 60;                            ///< in all
  std::chrono::milliseconds patience{600'000};       ///< all waiting for limits and after errors, together
  std::optional<std::chrono::milliseconds> until{};  ///< by now() of the pauses: after it nothing is begun
  std::stop_token stop{};
};

/// Speaks with GitHub's API as its rules for good clients ask: one request at a time, writes a second apart, limits
/// waited for exactly as told, errors of the server tried again later and later. An answer counts only when it is whole
/// JSON with the id that was asked for.
class Client {
 public:
  Client(Access access, io::HttpClient& http, io::Pauses& pauses, ClientOptions options = {});

  /// Paths begin with '/' and may hold a query; those that begin with "./" are below the repository.
  Answer<Json> get(const std::string& path);
  enum class Pages { all, first };
  /// The items of a list, page by page as `Link` leads; of an answer that is an object, the items under `key`.
  Answer<std::vector<Json>> list(const std::string& path, const std::string& key = {}, Pages pages = Pages::all);

  /// What is looked up before a creation that may have been done is asked for again.
  using Find = std::function<Answer<std::optional<Json>>()>;
  struct Created {
    Json object{};
    bool asked_twice = false;  ///< the first request may have been done late, after it was looked for
  };
  /// Creates an object. Where a request was sent and not answered, `find` tells whether it is there.
  Answer<Created> create(const std::string& path, const Json& body, Pace pace, const Find& find);
  /// Changes the object with this id.
  Answer<Json> change(const std::string& path, const Json& body, std::int64_t id);
  /// Deletes an object; one that is gone already is no refusal.
  Answer<void> remove(const std::string& path);
  /// Goes on over another connection with other limits: the last words of a run that was told to stop.
  void carry_on(io::HttpClient& http, ClientOptions options);
  /// Waits until a write may begin, so that what is read next is still true when it is written.
  void await_turn() { wait_for_turn(Pace::write); }

  [[nodiscard]] int requests() const { return requests_; }
  /// The number of this answer's object; 0 = it has none that is good.
  static std::int64_t id_of(const Json& object);

 private:
  struct Reply {
    int status = 0;
    io::HttpHeaders headers{};
    Json body{};
  };
  struct Request {
    std::string method{};
    std::string url{};
    std::string body{};
    Pace pace = Pace::write;
    std::function<bool(const Json&)> is_answer{};  ///< whether the body is what was asked for; empty = none is needed
    [[nodiscard]] bool writes() const { return method != "GET"; }
  };

  /// One try of a request, and what is to be done next.
  struct Attempt {
    enum class Next { take, give_up, wait_as_told, try_again };
    Next next = Next::give_up;
    Reply reply{};
    Refusal refusal{};
  };

  Answer<Reply> send(const Request& request);
  Attempt attempt(const Request& request);
  Attempt judge(const Request& request, const io::HttpResponse& response) const;
  tl::expected<io::HttpResponse, Attempt> exchange(const Request& request);
  /// Waits after an attempt that did not succeed; what it returns ends the request.
  std::optional<Refusal> wait_after(const Attempt& attempt, int number);
  bool wait_for_turn(Pace pace);
  bool wait(std::chrono::milliseconds duration) { return pauses_.wait(duration, options_.stop); }
  [[nodiscard]] std::optional<std::chrono::milliseconds> time_left() const;
  [[nodiscard]] std::string url_of(const std::string& path) const;
  [[nodiscard]] bool is_ours(const std::string& url) const;

  Access access_;
  io::HttpClient* http_;
  io::Pauses& pauses_;
  ClientOptions options_;
  int requests_ = 0;
  std::chrono::milliseconds patience_;
  std::optional<std::chrono::milliseconds> last_write_{};    ///< when it ended
  std::optional<std::chrono::milliseconds> last_comment_{};  ///< when it ended
};

/// The URL of `rel="next"` in a Link field; empty = this is the last page.
std::string next_page(const std::string& link);
/// How long the headers of a refusal ask to wait, as seen at `now`; absent where they say nothing. Times of the day are
/// read against the answer's own Date, so that a wrong clock of ours does not matter.
std::optional<std::chrono::milliseconds> asked_to_wait(const io::HttpHeaders& headers, io::Instant now);

}  // namespace offshoot::github
