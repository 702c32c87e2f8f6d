// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/outcome.hpp"

namespace offshoot::app {

/// An environment variable that the dbt project reads through env_var().
struct ReadName {
  std::string name;
  bool required = false;  ///< read without a default somewhere
  bool operator==(const ReadName&) const = default;
};

/// What `init` knows about a repository. Paths are relative to its root and '/'-separated.
struct InitRequest {
  std::string project_dir = ".";                  ///< folder of dbt_project.yml
  std::string project_name{};                     ///< dbt's name of the project
  std::string profiles_dir{};                     ///< folder of profiles.yml; empty = not in the repository
  std::string adapter{};                          ///< dbt's adapter type; empty = not known
  std::string default_target{};                   ///< the profile's own; empty = not known
  std::string target{};                           ///< for branches, where the profile's own is production's
  bool has_production = false;                    ///< the profile has an output named prod or production
  std::string requirements = "requirements.txt";  ///< what pip installs the dbt environment from
  bool new_requirements = true;                   ///< that file is to be written: the repository has none
  bool has_sqlfluff = true;                       ///< sqlfluff stands in it
  std::string default_branch = "main";
  std::vector<ReadName> variables{};  ///< sorted by name
  std::string version{};              ///< this offshoot's, "0.1.0"; the caller's to fill
  std::string action_sha{};           ///< commit of the action that the workflow uses, 40 hex digits
  bool comments = false;              ///< also the workflow for orders by comment, and for forks
  std::string aws_role{};             ///< role to log in to by OIDC; empty = none
  std::string aws_region{};
};

/// A file that `init` proposes. Whether an existing one stays is the caller's decision.
struct InitFile {
  std::string path;  ///< relative to the repository's root
  std::string text;
};

/// Finds the dbt project under `repo_root`, its adapter, and the variables it reads, without running anything.
/// `project` picks one of several projects: a folder relative to the root; empty = there is only one.
Result<InitRequest> look_around(const std::filesystem::path& repo_root, const std::string& project = {});

/// offshoot.yml, the workflow, and a requirements file where the repository has none.
Result<std::vector<InitFile>> init_files(const InitRequest& request);

/// What a person has to do after the files are written, one sentence each.
std::vector<std::string> next_steps(const InitRequest& request);

}  // namespace offshoot::app
