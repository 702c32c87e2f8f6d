// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

#include "io/clock.hpp"
#include "io/http.hpp"

namespace offshoot::io {

/// Time for who waits: the machine's, or a test's own that passes at once.
class Pauses {
 public:
  Pauses() = default;
  Pauses(const Pauses&) = delete;
  Pauses& operator=(const Pauses&) = delete;
  virtual ~Pauses() = default;
  virtual std::chrono::milliseconds now() = 0;  ///< since some fixed point
  /// Waits. False: `stop` was asked for before the time was over.
  virtual bool wait(std::chrono::milliseconds time, std::stop_token stop) = 0;
  /// A number from 0 to 1, for jitter.
  virtual double chance() = 0;
};

/// The machine's own time. Lives as long as the program.
Pauses& real_pauses();

/// How often something is tried again, and how long is waited in between: a random part ("full jitter") of
/// `first`, doubled each time, up to `longest`.
struct RetryPolicy {
  int tries = 5;  ///< in all
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds longest{20'000};
  std::chrono::milliseconds in_all{600'000};  ///< a wait that would pass this is not begun
};

/// That something is to be tried again.
struct Again {
  std::chrono::milliseconds not_before{0};  ///< what the server asked for; waited in full
};

/// Tries until `judge` says that the result stands, the policy is used up or `stop` is asked for, and returns the last
/// result. `attempt(n)` gets the number of the try, from 0; `judge(result)` answers std::optional<Again>.
template <class Attempt, class Judge>
auto with_retries(const RetryPolicy& policy, Pauses& pauses, const std::stop_token& stop, Attempt&& attempt,
                  Judge&& judge) {
  const auto begun = pauses.now();
  auto longest = policy.first;
  for (int n = 0;; ++n) {
    auto result = attempt(n);
    const std::optional<Again> again = judge(std::as_const(result));
    if (!again || n + 1 >= policy.tries || stop.stop_requested()) return result;
    const auto jittered = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::duration<double, std::milli>(static_cast<double>(longest.count()) * pauses.chance()));
    const auto time = std::max(jittered, again->not_before);
    if (pauses.now() - begun + time > policy.in_all || !pauses.wait(time, stop)) return result;
    longest = std::min(longest * 2, policy.longest);
  }
}

/// How long an answer's Retry-After asks to wait, in seconds or as a date; `now` is the server's time where the answer
/// has a Date. Absent where there is none or it cannot be read.
std::optional<std::chrono::milliseconds> retry_after(const HttpHeaders& headers, Instant now);

}  // namespace offshoot::io
