// SPDX-License-Identifier: Apache-2.0
#include "io/retry.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <random>

namespace offshoot::io {

namespace {

class RealPauses final : public Pauses {
 public:
  std::chrono::milliseconds now() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }
  bool wait(std::chrono::milliseconds time, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, time, [] { return false; });
    return !stop.stop_requested();
  }
  double chance() override {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(random);
  }
};

}  // namespace

Pauses& real_pauses() {
  static RealPauses pauses;
  return pauses;
}

std::optional<std::chrono::milliseconds> retry_after(const HttpHeaders& headers, Instant now) {
  const auto value = header(headers, "retry-after");
  if (!value) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  if (error == std::errc{} && end == value->data() + value->size() && seconds >= 0) {
    return std::chrono::seconds(std::min<std::int64_t>(seconds, 86'400));
  }
  const auto until = parse_http_date(*value);
  if (!until) return std::nullopt;
  if (const auto date = header(headers, "date")) now = parse_http_date(*date).value_or(now);
  return std::max(std::chrono::milliseconds(0), std::chrono::milliseconds(*until - now));
}

}  // namespace offshoot::io
