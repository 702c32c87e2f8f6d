// SPDX-License-Identifier: Apache-2.0
#include "dbt/session.hpp"

#include "dbt/session_files.hpp"
#include "embedded/dbt_files.hpp"
#include "io/files.hpp"

namespace offshoot::dbt {

Result<SessionFiles> write_session_files(const std::filesystem::path& folder) {
  for (const auto& [path, bytes] : embedded::dbt_files) {
    if (auto written = io::write_file(folder / path, bytes, 0600); !written) return tl::unexpected(written.error());
  }
  return SessionFiles{folder / "session" / "session.py", folder / "project"};
}

Result<std::unique_ptr<Session>> start_session(const SessionOptions& options) {
  if (!options.dbt.python.empty() && options.dbt.has_runner) return start_runner_session(options);
  if (!options.dbt.command.empty()) return start_command_line_session(options);
  return failed(ExitStatus::usage, "starting dbt", "the environment has neither dbt's Python package nor its command",
                "install dbt-core and your adapter, or set dbt.python");
}

}  // namespace offshoot::dbt
