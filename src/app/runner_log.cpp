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

CommandsStopped::CommandsStopped(std::ostream& commands) : commands_(commands) { commands_ << stop() << std::flush; }

CommandsStopped::~CommandsStopped() { commands_ << "::" << word_ << "::\n" << std::flush; }

std::string CommandsStopped::stop() {
  word_ = random_word();
  return "::stop-commands::" + word_ + "\n";
}

void CommandsStopped::tell(std::string_view commands) {
  const std::lock_guard lock(mutex_);
  std::string text = fmt::format("::{}::\n{}", word_, commands);
  // In one piece, so that no line of another thread's gets between.
  commands_ << text.append(stop()) << std::flush;
}

}  // namespace offshoot::app
