// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/build.hpp"
#include "model/outcome.hpp"

namespace offshoot::dbt {

/// A run_results.json, of dbt's schema versions 4 to 6 (dbt 1.0 to 1.12).
struct RunResults {
  int schema_version = 0;
  std::string dbt_version;
  std::string invocation_id;
  std::vector<NodeResult> results{};  ///< sorted by unique_id
  double seconds = 0;
};

/// Reads one. What is none (a manifest, another version, other JSON) is an error that says what it is instead.
Result<RunResults> read_run_results(const std::filesystem::path& path);

/// dbt's word for a status; absent: not one of dbt's.
std::optional<NodeStatus> parse_status(std::string_view word);

/// One entry of `results` of a run_results.json, or of the session's build. Fields of another type than expected are
/// as if absent.
NodeResult parse_node_result(const nlohmann::json& entry);

}  // namespace offshoot::dbt
