// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "dbt/dbt_log.hpp"
#include "dbt/session.hpp"
#include "io/process.hpp"

namespace offshoot::dbt {

using Arguments = std::vector<std::string>;

void append(Arguments& arguments, std::initializer_list<std::string> more);

/// What every dbt command is given. An empty profile or target is dbt's own choice.
Arguments command_arguments(const std::string& command, const std::filesystem::path& project_dir,
                            const std::filesystem::path& profiles_dir, const std::string& profile,
                            const std::string& target);

/// The same for a user's project, with its variables.
Arguments project_arguments(const std::string& command, const ProjectAt& at);

/// dbt as a command that is started for each request. All that it says goes to one log as well.
class DbtCommand {
 public:
  explicit DbtCommand(const SessionOptions& options);

  /// Runs dbt to its end. Any exit status is a value; a signal, an interruption and the limit of time are errors.
  Result<io::Output> run(Arguments arguments, const std::string& doing);
  /// Runs dbt with JSON logs; any exit status but 0 is an error.
  Result<DbtLog> succeed(Arguments arguments, const std::string& doing);
  /// The value that a command logs behind OFFSHOOT_RESULT.
  Result<nlohmann::json> result_of(Arguments arguments, const std::string& doing);
  /// The unique ids that `dbt ls` lists for arguments that select.
  Result<std::set<std::string>> list(const ProjectAt& at, const Arguments& selection, const std::string& doing);
  /// The versions of dbt and its adapters.
  Result<Ready> versions();

  /// Why a run ended as it did, in dbt's words.
  static std::string reason_of(const io::Output& output);

  [[nodiscard]] const std::filesystem::path& log() const { return log_; }
  /// Where dbt puts its own log files.
  [[nodiscard]] std::filesystem::path log_folder() const { return options_.scratch / "logs"; }
  /// Stops the command that runs, and lets no other start.
  void interrupt() { stop_.request_stop(); }

 private:
  const SessionOptions& options_;
  std::filesystem::path log_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> linked_;
};

}  // namespace offshoot::dbt
