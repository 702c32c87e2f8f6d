// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>

#include "branch/lifecycle.hpp"
#include "dbt/profiles.hpp"
#include "dbt/session.hpp"
#include "flow/context.hpp"
#include "flow/project_at_hand.hpp"

namespace offshoot::flow {

/// Schemas and databases that profiles.yml names for any target: never a branch's (requirement E3, condition 2).
std::set<std::string> names_in_use(const dbt::Profile& profile);

/// Finds this repository's branches by their owners' marks in the warehouse, never by the store.
class BranchSearch {
 public:
  /// Starts dbt. `context` must outlive the search.
  static Result<BranchSearch> begin(const Context& context);

  /// All branches in the target's warehouse and beside its file, and the versions of production that deploys have kept
  /// there (see is_beside_production).
  Result<branch::Listing> find();

  [[nodiscard]] const dbt::WarehouseAt& warehouse() const { return warehouse_; }
  [[nodiscard]] dbt::Session& session() const { return *session_; }

 private:
  BranchSearch(const Context& context, ProjectAtHand at_hand, std::unique_ptr<dbt::Session> session);

  const Context* context_;
  ProjectAtHand at_hand_;
  std::unique_ptr<dbt::Session> session_;
  branch::DropContext ours_;
  dbt::WarehouseAt warehouse_;
};

}  // namespace offshoot::flow
