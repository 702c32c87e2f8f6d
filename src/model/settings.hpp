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
  bool fail_fast = false;
  std::optional<int> threads;  ///< absent = the profile's own
  bool full_refresh = false;
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
  std::string mode = "in-place";
  std::chrono::minutes lock{30};
  bool operator==(const DeploySettings&) const = default;
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
  std::string comment_when = "always";
  std::vector<std::string> pass_env{};
  bool operator==(const Settings&) const = default;
};

}  // namespace offshoot
