// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "model/run.hpp"

namespace offshoot::report {

/// The only links of a comment: to places of the repository itself, made from checked parts. Where a part is missing
/// or odd, there is no link.
class Links {
 public:
  explicit Links(const Run& run);

  /// Where a file of the head is, at a line; 0 = none. `path` is relative to the repository's root.
  [[nodiscard]] std::string file(const std::string& path, int line = 0) const;
  [[nodiscard]] std::string commit(const std::string& sha) const;
  /// The workflow run's page.
  [[nodiscard]] const std::string& run() const { return run_; }
  /// Where a node's file is, as far as it lies in the project itself and not in one of its packages; else empty.
  [[nodiscard]] std::string node_file(const PlannedNode& node) const;

 private:
  std::string repository_;  ///< "https://github.com/acme/shop"
  std::string run_;
  std::string head_;
  std::string project_dir_;
  std::set<std::string> own_packages_;  ///< dbt packages that hold changed files of this repository
};

/// The path, relative to the repository's root, of a file of the dbt project in `project_dir`.
std::string repository_path(const std::string& project_dir, const std::string& file);

}  // namespace offshoot::report
