// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace offshoot::app {

/// Turns SIGINT and SIGTERM into a stop request (requirement K2). The first asks everything to stop; the second ends
/// the process at once, and the children with it. To be made before any other thread, so that none of them takes a
/// signal.
class Interrupts {
 public:
  Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() = default;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  /// Asked for a little before a process that was interrupted has to be gone: ends what is still on its way.
  [[nodiscard]] std::stop_token late_token() const { return late_.get_token(); }
  /// The first signal that came; 0 = none.
  [[nodiscard]] int signal() const { return signal_.load(); }

 private:
  void wait(const std::stop_token& ended);
  std::stop_source stop_;
  std::stop_source late_;
  std::atomic<int> signal_{0};
  std::jthread waiter_;
};

}  // namespace offshoot::app
