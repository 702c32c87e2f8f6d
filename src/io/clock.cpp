// SPDX-License-Identifier: Apache-2.0
#include "io/clock.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

namespace offshoot::io {

Instant now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

std::string rfc3339(Instant instant) {
  const std::time_t time = std::chrono::system_clock::to_time_t(instant);
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec);
}

bool parse_rfc3339(const std::string& text, Instant& instant) {
  std::tm utc{};
  int read = 0;
  const int fields = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                                 &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &read);
  if (fields != 6 || static_cast<std::size_t>(read) != text.size()) return false;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  instant = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::from_time_t(::timegm(&utc)));
  return rfc3339(instant) == text;
}

}  // namespace offshoot::io
