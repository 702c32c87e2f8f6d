// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace offshoot {

enum class Isolation { schema, database };

/// The owner's mark that stands in the warehouse beside everything offshoot creates, and alone decides what `clean`
/// may drop. Serialized as one JSON object.
struct OwnerMark {
  int version = 1;
  std::string repository_id{};  ///< GitHub's number, or the root commit's sha where there is no GitHub
  std::string branch{};         ///< the checked name, e.g. "shop_pr_7"
  std::string ref{};            ///< the git branch's name; untrusted text, for people only
  int pull_request = 0;         ///< 0 = none
  std::string head{};           ///< sha that was last built
  std::string created{};        ///< RFC 3339, UTC
  std::string expires{};        ///< RFC 3339, UTC
  bool operator==(const OwnerMark&) const = default;
};

/// What a node that dbt adds rows to, an incremental model or a snapshot, began with in a branch: production's rows, or
/// what dbt finds.
struct Clone {
  std::string unique_id{};
  std::string relation{};      ///< production's, quoted as the adapter does
  std::string left_because{};  ///< why it was not cloned; empty = it was
  bool operator==(const Clone&) const = default;
};

/// An isolated deployment: what a pull request's build may write to, and nothing else.
struct Branch {
  std::string name{};  ///< ^[a-z][a-z0-9_]{0,39}$
  Isolation isolation = Isolation::schema;
  std::string adapter{};               ///< dbt's adapter type: "duckdb", "postgres"
  std::string database{};              ///< the warehouse database that holds it
  std::string path{};                  ///< DuckDB isolated by database: the branch's own file; else empty
  std::vector<std::string> schemas{};  ///< every schema that this run may write to, sorted
  OwnerMark mark{};
  bool reused = false;          ///< it existed before this run, with our mark
  std::vector<Clone> clones{};  ///< by this run, of what production has, sorted by unique id
  bool operator==(const Branch&) const = default;
};

}  // namespace offshoot
