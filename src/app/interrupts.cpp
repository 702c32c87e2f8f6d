// SPDX-License-Identifier: Apache-2.0
#include "app/interrupts.hpp"

#include <unistd.h>

#include <csignal>
#include <ctime>

namespace offshoot::app {

namespace {

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
  while (!ended.stop_requested()) {
    const int number = ::sigtimedwait(&set, nullptr, &moment);
    if (number <= 0) continue;
    if (signal_.load() != 0) ::_exit(128 + number);
    signal_ = number;
    stop_.request_stop();
  }
}

}  // namespace offshoot::app
