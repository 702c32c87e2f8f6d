// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "io/process.hpp"
#include "model/change.hpp"
#include "model/lint.hpp"
#include "model/outcome.hpp"
#include "model/settings.hpp"

namespace offshoot::lint {

/// Whose head is linted. sqlfluff runs the code that the project's settings, or a comment in one of its files, name:
/// an untrusted head is linted with none of them (requirement D3).
enum class Trust { same_repository, untrusted };

/// Everything that one run of sqlfluff needs.
struct LintRequest {
  std::filesystem::path repository_root;  ///< absolute
  std::filesystem::path project_dir;      ///< of dbt_project.yml, absolute, inside the repository
  std::vector<ChangedFile> files{};
  LintSettings settings{};
  Trust trust = Trust::untrusted;
  std::filesystem::path sqlfluff;  ///< the program: a path, or a name on `environment`'s PATH
  io::Environment environment{};
  /// A folder with a profiles.yml for sqlfluff's dbt templater, which opens the warehouse and keeps it open. Its
  /// profile must not reach a file that the build holds: for DuckDB the target's output with `path: ":memory:"` and
  /// without `attach`, `plugins` and `secrets`; for a server the branch's profile as it is. Only a model that queries
  /// the warehouse while it is rendered notices the difference, and is then told as unlinted. Empty: the templater
  /// finds the profile as dbt does.
  std::filesystem::path profiles_dir{};
  std::optional<std::string> target{};  ///< of that profile; absent = its own default
  std::string vars = "{}";              ///< dbt's variables for the dbt templater: one JSON object
  std::string adapter{};                ///< dbt's adapter type; tells the dialect of an untrusted head
  std::stop_token stop{};
  std::chrono::milliseconds limit{std::chrono::minutes(30)};
};

/// What sqlfluff says about the changed SQL files of the project.
///
/// A finding on a line that was not changed stands in the value too, with `on_changed_line` false; with
/// `lint.sql: changed-files` each line of a changed file counts as changed, and so does what concerns a file as a
/// whole. Of an untrusted head only the few rules
/// that need neither the project's settings nor rendered SQL are asked, and all they find are warnings.
///
/// Skipped: linting is off, or no SQL file changed. Failed: sqlfluff is missing, broke, was stopped (status
/// interrupted) or took too long, or a file of an untrusted head gives sqlfluff orders (status refused).
Outcome<Lint> lint_sql(const LintRequest& request);

}  // namespace offshoot::lint
