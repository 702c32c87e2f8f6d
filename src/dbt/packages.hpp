// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dbt/project.hpp"
#include "dbt/session.hpp"
#include "model/outcome.hpp"

namespace offshoot::dbt {

/// How the packages of one side (head or base) are to be had.
struct PackagesRequest {
  ProjectAt at;                 ///< the side; `packages_install_path` is not read
  std::string deps = "auto";    ///< dbt.deps: auto, never
  std::filesystem::path cache;  ///< installed packages are kept in `<cache>/packages/<key of the lock>`
  std::filesystem::path
      links;  ///< a folder of this side's own, made when its local packages are put beside cached ones
};

struct Packages {
  std::filesystem::path install_path{};  ///< for ProjectAt; empty = the project's own folder serves
  std::string found;   ///< "none named", "dbt_packages matches package-lock.yml", "the cache", "dbt deps"
  std::string note{};  ///< a sentence for the report; empty = nothing to say
};

/// Whether the folder with installed packages holds what `project`'s lock (or package file) names: absent = it does,
/// else why not. Hub packages count by version, git packages by presence: dbt leaves no trace of their revision.
std::optional<std::string> why_not_installed(const Project& project, const std::filesystem::path& install_path);

/// Whether the lock was made for another package file, as far as plain text tells; absent = it fits.
std::optional<std::string> why_lock_is_stale(const Project& project);

/// Gives a side what its own lock names: its own installed packages where they match, else from the cache or by
/// `dbt deps`. Local packages always come from the side's own tree.
Result<Packages> provide_packages(const Project& project, const PackagesRequest& request, Session& session);

}  // namespace offshoot::dbt
