// SPDX-License-Identifier: Apache-2.0
#include "app/interrupts.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>

namespace offshoot::app {

namespace {

/// After the first signal. The process has to be gone after seven seconds.
constexpr std::chrono::milliseconds late_after{5500};

sigset_t watched() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Interrupts::Interrupts() {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;  // a reader that has gone is an error of write(), not our end
  ::sigaction(SIGPIPE, &ignore, nullptr);
  waiter_ = std::jthread([this](const std::stop_token& ended) { wait(ended); });
}

void Interrupts::wait(const std::stop_token& ended) {
  const sigset_t set = watched();
  const timespec moment{0, 50'000'000};
  std::chrono::steady_clock::time_point late_at = std::chrono::steady_clock::time_point::max();
  while (!ended.stop_requested()) {
    const int number = ::sigtimedwait(&set, nullptr, &moment);
    if (std::chrono::steady_clock::now() >= late_at) late_.request_stop();
    if (number <= 0) continue;
    if (signal_.load() != 0) ::_exit(128 + number);
    signal_ = number;
    late_at = std::chrono::steady_clock::now() + late_after;
    stop_.request_stop();
  }
}

}  // namespace offshoot::app
