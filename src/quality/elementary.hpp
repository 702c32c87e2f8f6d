// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "io/process.hpp"
#include "model/outcome.hpp"
#include "model/quality.hpp"

namespace offshoot::quality {

/// Everything that one `edr report` needs.
struct ElementaryRequest {
  std::filesystem::path edr;          ///< the program: a path, or a name on `environment`'s PATH
  std::filesystem::path project_dir;  ///< of the dbt project whose branch was built, absolute
  /// Folder of a profiles.yml with a profile named `elementary`; its output `target` is the branch, and its schema the
  /// one of the branch in which Elementary's own models were built. edr opens the warehouse: whoever built the branch
  /// must have released it.
  std::filesystem::path profiles_dir;
  std::string target;
  io::Environment environment{};
  std::filesystem::path output_folder;  ///< gets the page, and nothing else
  /// A folder with the dbt packages `elementary` and `dbt_utils`, which the small dbt project inside edr needs. Absent:
  /// the project's own dbt_packages.
  std::optional<std::filesystem::path> packages{};
  std::chrono::milliseconds limit{std::chrono::minutes(10)};
  std::stop_token stop{};
};

/// The page's name in the output folder; `Quality::report` is this.
inline constexpr const char* page_name = "elementary.html";

/// Runs `edr report` on the branch and keeps its page. Nothing is written beside the output folder and the warehouse is
/// only read; edr asks no other server than the warehouse (no telemetry, no version check, no `dbt deps`). Every way to
/// end without a page is Failed, with a hint; it is told and never fails a check.
Outcome<Quality> elementary_report(const ElementaryRequest& request);

/// True when the dbt project in `project_dir` uses Elementary's dbt package: it is installed, locked or asked for.
bool has_elementary(const std::filesystem::path& project_dir);

}  // namespace offshoot::quality
