// SPDX-License-Identifier: Apache-2.0
#include "app/runner_log.hpp"

#include <fmt/format.h>

#include <random>

namespace offshoot::app {

namespace {

std::string random_word() {
  std::random_device random;  // the kernel's
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace

CommandsStopped::CommandsStopped(std::ostream& commands) : commands_(commands) { stop(); }

CommandsStopped::~CommandsStopped() { commands_ << "::" << word_ << "::\n" << std::flush; }

void CommandsStopped::stop() {
  word_ = random_word();
  commands_ << "::stop-commands::" << word_ << '\n' << std::flush;
}

void CommandsStopped::tell(std::string_view commands) {
  commands_ << "::" << word_ << "::\n" << commands << std::flush;
  stop();
}

}  // namespace offshoot::app
