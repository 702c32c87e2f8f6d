// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/branch.hpp"
#include "model/outcome.hpp"
#include "model/plan.hpp"

namespace offshoot::branch {

/// A node that would write outside the branch.
struct Escape {
  std::string unique_id;
  RelationName relation;
  std::string mend;  ///< what its author can do about it
};

/// Which of these relations lie outside the branch: in another database, or (isolation by schema) in a schema that is
/// neither the branch's nor a custom schema of it; or under a name so long that the warehouse would cut it.
std::vector<Escape> escapes(const Branch& branch, const std::map<std::string, RelationName>& relations);

/// The proof of isolation, before the first statement runs: nothing, or a refusal (exit 5) that names the nodes and
/// how to mend them.
Result<void> prove_isolation(const Branch& branch, const std::map<std::string, RelationName>& relations);

/// Every schema that these relations need, and the branch's own; sorted, each once.
std::vector<std::string> schemas_of(const Branch& branch, const std::map<std::string, RelationName>& relations);

}  // namespace offshoot::branch
