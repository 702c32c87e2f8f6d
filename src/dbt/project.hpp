// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/outcome.hpp"

namespace offshoot::dbt {

/// One package that packages.yml, dependencies.yml or package-lock.yml names.
struct Package {
  enum class Kind { local, hub, git, tarball, other };
  Kind kind = Kind::other;
  std::string source;   ///< the folder, "dbt-labs/dbt_utils", the git or tarball address; as written, Jinja included
  std::string version;  ///< one exact version or revision as written; empty where there is none, or a range
  std::string name;     ///< the project's name, where the file gives it; else empty
  bool operator==(const Package&) const = default;
};

/// What a dbt_project.yml and the package files beside it say. Nothing is rendered: a value that holds Jinja is kept
/// as its text.
struct Project {
  std::filesystem::path folder;  ///< absolute
  std::string name;
  std::string profile;  ///< may be Jinja; empty = none is named
  std::vector<std::string> model_paths{};
  std::vector<std::string> seed_paths{};
  std::vector<std::string> snapshot_paths{};
  std::vector<std::string> test_paths{};
  std::vector<std::string> analysis_paths{};
  std::vector<std::string> macro_paths{};
  std::vector<std::string> function_paths{};
  std::vector<std::string> docs_paths{};  ///< default: all the above
  std::vector<std::string> asset_paths{};
  std::vector<std::string> clean_targets{};
  std::string packages_install_path;  ///< relative to `folder`, or absolute
  std::string target_path;            ///< relative to `folder`, or absolute
  std::vector<std::string> require_dbt_version{};
  std::optional<bool> compare_more_unrendered_values;  ///< flags.state_modified_compare_more_unrendered_values; absent
                                                       ///< = not set: false before dbt 1.12, true from then on
  std::string packages_file;        ///< "packages.yml", "dependencies.yml" where one names packages; else empty
  std::vector<Package> packages{};  ///< what that file names
  bool has_lock = false;            ///< there is a package-lock.yml
  std::vector<Package> locked{};    ///< what the lock names
  bool operator==(const Project&) const = default;

  /// The folders of local packages that lock or package file name, relative to `folder`, as written.
  [[nodiscard]] std::vector<std::string> local_packages() const;
};

/// Reads the dbt project in `folder`. Where there is no dbt_project.yml, the hint names the folders below that have
/// one.
Result<Project> read_project(const std::filesystem::path& folder);

/// Folders with a dbt_project.yml at most three levels below `folder` (hidden ones, installed packages and the like
/// left out), relative to it, sorted.
std::vector<std::filesystem::path> find_projects(const std::filesystem::path& folder);

}  // namespace offshoot::dbt
