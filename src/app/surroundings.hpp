// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "app/app.hpp"
#include "app/commands.hpp"
#include "app/interrupts.hpp"
#include "app/runner_log.hpp"
#include "flow/context.hpp"
#include "io/files.hpp"
#include "report/progress.hpp"
#include "store/store.hpp"

namespace offshoot::app {

/// What a flow's Context points into, kept while the flow runs.
class Surroundings {
 public:
  /// Reads repository, settings, event and store for the command of that name.
  static Result<std::unique_ptr<Surroundings>> make(const Invocation& invocation, const Options& options,
                                                    const std::string& command);
  /// The settings that decide what to do about an event: the base's, where it is about a pull request.
  static Result<Settings> deciding_settings(const Invocation& invocation, const Options& options);
  /// Commands to GitHub's runner; outside of its jobs nothing.
  void tell_runner(std::string_view commands) {
    if (commands_) commands_->tell(commands);
  }
  [[nodiscard]] const flow::Context& context() const { return *context_; }

 private:
  Surroundings(const Invocation& invocation, io::TemporaryFolder scratch);
  /// Keeps a secret that was got on the way out of all that leaves, the runner's log included (requirement C1).
  void learn(const Invocation& invocation, const std::string& secret);
  std::optional<CommandsStopped> commands_;  ///< in a job of GitHub's: none is taken from the log
  Interrupts interrupts_;
  io::TemporaryFolder scratch_;
  io::Stopwatch watch_;
  report::Progress progress_;
  std::mutex learning_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<flow::Context> context_;
};

}  // namespace offshoot::app
