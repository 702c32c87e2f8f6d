// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace offshoot {

/// dbt's statuses of a node, and the two that dbt does not report itself.
enum class NodeStatus {
  success,      ///< a model, seed or snapshot was built
  pass,         ///< a test passed
  warn,         ///< a test found rows and its severity is warn
  fail,         ///< a test found rows
  error,        ///< the warehouse or the compiler refused it
  skipped,      ///< dbt skipped it because of something above it
  no_op,        ///< nothing to do for it (exposures, saved queries)
  not_run,      ///< the plan holds it and dbt never ran it; `message` says why
  unaccounted,  ///< the plan holds it and dbt said nothing of it: never green
};

/// A number that the adapter reports of a node, under its own name: "bytes_billed", "slot_ms".
struct Reported {
  std::string what{};
  double amount = 0;
  bool operator==(const Reported&) const = default;
};

/// How one planned node ended.
struct NodeResult {
  std::string unique_id{};
  NodeStatus status = NodeStatus::unaccounted;
  std::string message{};    ///< dbt's words; untrusted text
  double seconds = 0;       ///< execution time as dbt says
  long long failures = -1;  ///< rows that a test found; -1 = not a test, or not known
  long long rows_affected = -1;
  std::string relation{};  ///< rendered name in the branch, where it has one
  std::string query{};     ///< compiled SQL of what failed: for a test, the query that returns the failing rows
  std::vector<Reported> reported{};  ///< sorted by name; what it cost, as far as the adapter tells
  bool operator==(const NodeResult&) const = default;
};

/// A warning or error that dbt said, not of one node's result.
struct DbtMessage {
  std::string level{};  ///< "warn", "error"
  std::string code{};   ///< dbt's event code, "I071"
  std::string message{};
  bool operator==(const DbtMessage&) const = default;
};

/// What `dbt build` did with the plan. Failing nodes are findings, not an error of the stage.
struct Build {
  std::vector<NodeResult> results{};  ///< one for each planned node that executes, sorted by unique_id
  std::vector<DbtMessage> messages{};
  double seconds = 0;
  bool operator==(const Build&) const = default;
};

}  // namespace offshoot
