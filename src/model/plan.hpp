// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace offshoot {

/// Why a node is in the plan. The first eight are dbt's own checks of `state:modified`.
enum class ReasonKind {
  added,                   ///< not in the base manifest
  body,                    ///< the SQL, Python or seed data
  configs,                 ///< a setting; the detail has key, old and new value
  relation,                ///< database, schema or alias
  persisted_descriptions,  ///< a description that persist_docs writes to the warehouse
  macros,                  ///< a macro it reaches; `path` is the way to it
  contract,                ///< a contract; the detail says whether it breaks
  properties,              ///< fqn, access, latest_version, deprecation_date, or a field of another resource type
  upstream,                ///< a modified node above it; `path` is the shortest way from that node
  test_of,                 ///< a test on a node of the plan
  missing_in_production,   ///< a node of the plan reads it and production does not have it
  requested,               ///< named by a selector that is not about state
};

/// One reason, as data. Text is untrusted (it quotes the project).
struct Reason {
  ReasonKind kind = ReasonKind::body;
  std::string detail{};             ///< "materialized: view -> table", "cents_to_money", "fct_sales"; may be empty
  std::vector<std::string> path{};  ///< unique ids, from the cause to (and without) this node
  bool operator==(const Reason&) const = default;
};

/// Where a relation lies in the warehouse.
struct RelationName {
  std::string database{};
  std::string schema{};
  std::string identifier{};
  std::string rendered{};  ///< quoted as the adapter does: "shop"."ci_serving"."fct_sales"
  bool operator==(const RelationName&) const = default;
};

/// A node to build, with all reasons why.
struct PlannedNode {
  std::string unique_id{};
  std::string resource_type{};  ///< dbt's word: model, seed, snapshot, test, unit_test, …
  std::string name{};
  std::string file{};          ///< original_file_path: relative to its package's folder
  std::string materialized{};  ///< config.materialized; empty where there is none
  RelationName relation{};     ///< in the branch; empty until the branch's names are known, and for what has none
  std::vector<Reason> reasons{};
  std::vector<std::string> depends_on{};  ///< unique ids of direct parents, planned or not
  bool operator==(const PlannedNode&) const = default;
};

/// A node of the base that the head no longer has.
struct RemovedNode {
  std::string unique_id{};
  std::string resource_type{};
  std::string file{};
  std::string because{};  ///< "deleted", "disabled", "renamed to model.shop.dim_customers"
  bool operator==(const RemovedNode&) const = default;
};

/// A changed file that selects nothing, and why: "documentation", "comments and whitespace only", …
struct IdleFile {
  std::string path{};
  std::string because{};
  bool operator==(const IdleFile&) const = default;
};

/// A relation that is read from production because the plan does not build it.
struct Deferred {
  std::string unique_id{};
  RelationName relation{};
  bool operator==(const Deferred&) const = default;
};

/// What is deferred to, and how sure that is.
struct Production {
  std::string source{};      ///< "dbt.production_state", "offshoot deploy", "base commit", or "none"
  std::string assumption{};  ///< "assuming main at 1a2b3c4 is deployed"; empty when it is known
  std::string sha{};         ///< the deployed commit, where known
  std::string run{};         ///< the run that deployed it, where known: two deploys of one commit differ in it
  bool operator==(const Production&) const = default;
};

/// What could not be proven to stay in the branch before it runs, and is left to the warehouse's grants.
struct Unproven {
  std::string unique_id{};
  std::string what{};  ///< "post-hook", "run_query", "Python model"
  bool operator==(const Unproven&) const = default;
};

/// A node that dbt selects and the plan does not, since only comments and whitespace changed.
struct LeftOut {
  std::string unique_id{};
  std::string because{};  ///< "only its comments and whitespace changed", "below stg_orders, …"
  bool operator==(const LeftOut&) const = default;
};

/// What the plan reads and will not find: production does not have it, and it cannot be built in the branch.
struct Unreadable {
  std::string unique_id{};
  RelationName relation{};             ///< where it would be read; empty where it has no place
  std::string because{};               ///< "it is not in the warehouse", "its file is empty, so dbt does not build it"
  std::vector<std::string> read_by{};  ///< unique ids of planned nodes
  bool operator==(const Unreadable&) const = default;
};

/// How dbt's own selection compares with ours: unique ids, sorted. Both empty = they are the same.
struct Verified {
  std::vector<std::string> only_here{};
  std::vector<std::string> only_dbt{};
  bool operator==(const Verified&) const = default;
};

/// How a deploy in mode promote brings a model, seed or snapshot to production.
struct Promotion {
  std::string unique_id{};
  std::string from{};     ///< copied from there: "pr-7", or a branch's name; empty = it is built
  std::string because{};  ///< why it is built
  bool operator==(const Promotion&) const = default;
};

/// Everything that `check` is going to build, and why.
struct Plan {
  std::vector<PlannedNode> nodes{};    ///< sorted by unique_id
  std::vector<PlannedNode> unbuilt{};  ///< selected, and not executed by dbt: sources, ephemeral models, …; sorted
  std::vector<LeftOut> left_out{};     ///< sorted by unique_id
  std::vector<RemovedNode> removed{};
  std::vector<IdleFile> idle_files{};
  std::vector<Deferred> deferred{};
  std::vector<Unreadable> unreadable{};  ///< sorted by unique_id
  Production production{};
  std::vector<Promotion> promotions{};  ///< sorted by unique_id; empty in other modes than promote
  std::vector<Unproven> unproven{};
  std::vector<std::string> notes{};    ///< sentences for the report: fallbacks, dbt's blind spots
  std::optional<Verified> verified{};  ///< absent = dbt was not asked
  std::string base_state{};            ///< "from the store", "parsed from a1b2c3d", "not needed"
  std::string project_dir{};           ///< of the dbt project, relative to the repository's root; "." for the root
  bool dbt_started = false;
  bool operator==(const Plan&) const = default;
};

}  // namespace offshoot
