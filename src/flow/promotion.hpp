// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "flow/checked_build.hpp"
#include "flow/deploy_plan.hpp"
#include "flow/macro_reach.hpp"
#include "flow/swap.hpp"
#include "model/plan.hpp"

namespace offshoot::flow {

/// What may be copied from a branch instead of being built.
struct Promotable {
  std::vector<Promotion> promotions{};  ///< of each model, seed and snapshot of the plan; sorted by unique_id
  Branch branch{};                      ///< as the check left it
  std::map<std::string, RelationName> in_branch{};  ///< by unique_id, of those to be copied
};

/// All that is compared. Compiled SQL by unique id; what is absent there is not promoted.
struct PromotionEvidence {
  const Plan& plan;  ///< of the deploy
  const state::Manifest& head;
  const CheckedBuild& check;
  const std::string& deployed_run;    ///< that brought what production is now; empty = not known
  const std::set<std::string>& owed;  ///< what production may hold in another version than that run brought
  const std::map<std::string, std::string>& names_beside;  ///< under which `compiled` reads what is built beside
  MacroReach macros{head};
  std::map<std::string, std::string> compiled{};
  std::map<std::string, std::string> compiled_in_check{};
  io::Instant now;
  std::chrono::hours within;
};

/// Decides node by node, conservatively. Promoted is a table or seed of which all of this holds: the check built it
/// well; its settings, data and compiled SQL are the same in production but for names; it has no hooks, grants or
/// contract, and no code that runs in the warehouse, also while it is compiled; whatever it reads is the same as in the
/// branch, that is, planned and alike in turn, or deferred by the check to the very version of production that is still
/// deployed; and sources or production were read less than `within` ago.
std::vector<Promotion> decide_promotions(const PromotionEvidence& evidence);

/// Looks for what can be promoted. Reads the store, and has dbt compile what would be built beside production, but not
/// what may write while it is compiled; asks nothing of the branch, which may be gone.
Promotable look_for_promotable(const Context& context, const DeployPlan& plan, const WhatIsDeployed& deployed,
                               const Commit& head, const Swap& swap, dbt::Session& session);

/// Nothing is promoted, for this one reason.
std::vector<Promotion> none_promoted(const Plan& plan, const std::string& because);

}  // namespace offshoot::flow
