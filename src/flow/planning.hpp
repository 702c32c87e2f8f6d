// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "change/relevance.hpp"
#include "change/repository.hpp"
#include "dbt/session.hpp"
#include "flow/context.hpp"
#include "flow/project_at_hand.hpp"
#include "model/branch.hpp"
#include "model/change.hpp"
#include "model/plan.hpp"
#include "state/manifest.hpp"

namespace offshoot::flow {

/// A plan whose every name is known and proven to lie in the branch, and what is needed to build it.
struct Planned {
  Plan plan{};
  Branch branch{};                  ///< not yet created
  dbt::ProjectAt at{};              ///< the head under the branch's profile
  std::string handle;               ///< under which the session keeps the head with the branch's names
  std::filesystem::path manifest;   ///< the head's, as parsed
  std::string elementary_schema{};  ///< where the branch has Elementary's models; empty = it reports on nothing
  std::map<std::string, RelationName> to_clone{};  ///< see what_to_clone
};

/// What two manifests select, and the plan of it. Names and places are left open.
struct Selected {
  Plan plan;
  std::vector<std::string> as_dbt;  ///< unique ids that dbt is to select
};

/// Sets what two manifests say is to be built, and why; of the files that get nothing built, why not.
Result<Selected> select_nodes(const BuildSettings& settings, const Change& change, const ProjectAtHand& at_hand,
                              const change::Relevance& relevance, const state::Manifest& base,
                              const state::Manifest& head);

/// Lists code of the plan that can write anywhere, whatever its relation's name says.
void list_unproven(Plan& plan, const state::Manifest& head);

/// A change none of whose files can alter a relation: the plan that needs no dbt.
Plan idle_plan(const ProjectAtHand& at_hand, std::vector<IdleFile> idle_files);

/// Parses both sides, compares them, decides what to build and what to read from production, gives everything its name
/// in the branch, and proves that it stays there. Writes nothing to the warehouse.
Result<Planned> make_plan(const Context& context, const change::Repository& repository, const Change& change,
                          const ProjectAtHand& at_hand, const Head& head, const change::Relevance& relevance,
                          dbt::Session& session);

}  // namespace offshoot::flow
