// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace offshoot::io {

using Instant = std::chrono::sys_seconds;

/// The wall clock. Tests set `OFFSHOOT_NOW` in the environment that main reads; see app/.
Instant now();
/// "2026-11-21T03:45:01Z"
std::string rfc3339(Instant instant);
/// Reads what rfc3339 writes; anything else is an error.
bool parse_rfc3339(const std::string& text, Instant& instant);

/// Seconds since it was made, by the steady clock.
class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace offshoot::io
