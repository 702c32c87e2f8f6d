// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/process.hpp"
#include "model/outcome.hpp"

namespace offshoot::dbt {

/// The user's dbt environment.
struct DbtEnvironment {
  std::filesystem::path python;   ///< its interpreter; empty: dbt is only a command
  std::filesystem::path command;  ///< its `dbt`; empty: not found beside the interpreter
  std::filesystem::path bin;      ///< where dbt, sqlfluff and edr are looked for
  std::string found_by;           ///< "dbt.python", "VIRTUAL_ENV", ".venv of the project", "dbt on PATH", …
  bool has_runner = false;        ///< dbt's programmatic runner (dbt/cli/main.py) is in the interpreter's packages
  bool operator==(const DbtEnvironment&) const = default;
};

/// Where dbt is looked for.
struct DbtQuery {
  std::string python = "auto";  ///< dbt.python: an interpreter, the folder of a virtual environment, or auto
  std::filesystem::path project_folder;
  std::filesystem::path repository_root;
  io::Environment environment{};
};

/// Finds dbt as its user expects: dbt.python; the active VIRTUAL_ENV or CONDA_PREFIX; .venv or venv of the project or
/// the repository; `dbt` on PATH; a python3 on PATH that has dbt. Looks at files only and starts nothing.
Result<DbtEnvironment> find_dbt(const DbtQuery& query);

/// What a child may see of our environment (requirement D1): an allowlist. Never what steers the runner or names its
/// tokens (GITHUB_TOKEN, ACTIONS_*, INPUT_*, GITHUB_OUTPUT and friends), whoever asks for it; AWS_* only by `pass_env`.
/// Telemetry is off in it.
/// `read_names`: what the base's files read through env_var(). `adapter`: its documented variables are let through.
io::Environment child_environment(const io::Environment& ours, const std::set<std::string>& read_names,
                                  const std::vector<std::string>& pass_env, std::string_view adapter);

/// The names of `read_names` and `pass_env` that are set in `ours` and yet withheld by the rules above.
std::vector<std::string> withheld_names(const io::Environment& ours, const std::set<std::string>& read_names,
                                        const std::vector<std::string>& pass_env);

/// `environment` with `bin` first on PATH, for tools that start `dbt` by name.
io::Environment with_bin_first(io::Environment environment, const std::filesystem::path& bin);

}  // namespace offshoot::dbt
