// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace offshoot {

/// How dbt is found and called. See docs/settings.md for each key.
struct DbtSettings {
  std::string project = ".";              ///< folder of dbt_project.yml, relative to the repository's root
  std::string profiles = "auto";          ///< folder of profiles.yml; auto = as dbt finds it
  std::string target{};                   ///< empty = the profile's own default
  std::string production = "auto";        ///< target; auto = an output named prod or production
  std::string production_state = "auto";  ///< auto, a path
  std::string python = "auto";            ///< the interpreter of the dbt environment
  std::string requirements = "auto";
  std::string deps = "auto";  ///< auto, never
  std::string vars = "{}";    ///< one JSON object
  bool operator==(const DbtSettings&) const = default;
};

struct BranchSettings {
  std::string isolate = "auto";  ///< auto = database for a DuckDB file, else schema
  std::string prefix = "offshoot";
  std::chrono::hours keep{24 * 7};
  std::string incremental = "clone";  ///< clone, rebuild
  bool operator==(const BranchSettings&) const = default;
};

struct BuildSettings {
  std::string select = "state:modified+";
  std::string exclude{};
  bool skip_formatting = true;
  bool verify = false;
  bool fail_fast = false;
  std::optional<int> threads;  ///< absent = the profile's own
  bool full_refresh = false;
  std::string budget = "{}";         ///< one JSON object: what a build may cost at most
  std::string over_budget = "warn";  ///< warn, fail
  bool operator==(const BuildSettings&) const = default;
};

struct LintSettings {
  std::string sql = "changed-lines";  ///< changed-lines, changed-files, off
  std::string python = "none";
  std::string fail_on = "error";  ///< error, never
  bool operator==(const LintSettings&) const = default;
};

struct CompareSettings {
  std::string data = "none";
  int examples = 0;
  bool operator==(const CompareSettings&) const = default;
};

struct DeploySettings {
  std::string mode = "in-place";         ///< in-place, swap, promote
  std::chrono::minutes lock{30};         ///< how long a deploy waits for another, and an exchange for readers
  std::chrono::hours keep{24 * 7};       ///< how long the version before stays to be rolled back to
  std::chrono::hours promote_within{6};  ///< how old may be what a promoted relation read from outside its branch
  bool drop_removed = false;
  std::string review = "say";  ///< off, say, require
  bool operator==(const DeploySettings&) const = default;
};

struct GitHubSettings {
  std::string checks = "auto";       ///< auto = where the token may, off
  std::string deployments = "auto";  ///< auto = where the token may, off
  bool operator==(const GitHubSettings&) const = default;
};

/// Which pull requests are looked at, and how.
struct EventSettings {
  std::string drafts = "check";      ///< check, skip
  std::string label{};               ///< only pull requests with this label; empty = all
  std::string skip_label{};          ///< none with this one; empty = there is no such label
  std::vector<std::string> paths{};  ///< only changes that touch one of these; empty = all
  bool operator==(const EventSettings&) const = default;
};

/// All settings of one run, after defaults, file, environment and flags.
struct Settings {
  DbtSettings dbt{};
  BranchSettings branch{};
  BuildSettings build{};
  LintSettings lint{};
  CompareSettings compare{};
  std::string elementary = "auto";  ///< auto, off
  DeploySettings deploy{};
  std::string store = ".offshoot";
  std::chrono::hours store_keep{24 * 90};  ///< how long runs and states stay in it
  std::string comment_when = "always";     ///< always, on-findings, never
  GitHubSettings github{};
  EventSettings events{};
  std::string mode = "full";  ///< full, diff-only
  std::vector<std::string> pass_env{};
  bool operator==(const Settings&) const = default;
};

}  // namespace offshoot
