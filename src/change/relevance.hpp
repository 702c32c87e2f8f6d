// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "change/compare.hpp"
#include "change/lexer.hpp"
#include "model/change.hpp"
#include "model/plan.hpp"

namespace offshoot::change {

/// Where dbt reads a project, as its dbt_project.yml says. Paths are relative to the project's folder unless said
/// otherwise, and may lead out of it ("../shared_macros").
struct ProjectLayout {
  std::string project_dir = ".";  ///< relative to the repository's root; "." for the root
  std::vector<std::string> model_paths{"models"};
  std::vector<std::string> macro_paths{"macros"};
  std::vector<std::string> seed_paths{"seeds"};
  std::vector<std::string> snapshot_paths{"snapshots"};
  std::vector<std::string> test_paths{"tests"};
  std::vector<std::string> analysis_paths{"analyses"};
  std::vector<std::string> function_paths{"functions"};
  std::vector<std::string> docs_paths{};   ///< empty = all folders above, as in dbt
  std::vector<std::string> asset_paths{};  ///< only copied beside the documentation
  std::string packages_install_path = "dbt_packages";
  std::string target_path = "target";
  std::string log_path = "logs";
  std::vector<std::string> local_packages{};  ///< folders of `local:` packages
  std::vector<std::string> profiles_dirs{};   ///< folders of profiles.yml other than the project's, from the root
  std::vector<std::string> linked_places{};   ///< what Repository::linked_places found, from the root
};

struct RelevanceOptions {
  Dialect dialect = Dialect::unknown;
  bool skip_formatting = true;  ///< a change of comments and whitespace alone is idle
};

/// The changed files, parted: each is in one of the two lists, in the order of the change.
struct Relevance {
  std::vector<std::string> relevant{};  ///< may alter what dbt builds; whenever in doubt
  std::vector<IdleFile> idle{};         ///< cannot, and why
  bool operator==(const Relevance&) const = default;
};

/// Which files of the change may alter the dbt project at all.
Relevance relevance(const Change& change, const ProjectLayout& layout, const ReadBytes& base, const ReadBytes& head,
                    const RelevanceOptions& options);

}  // namespace offshoot::change
