// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "flow/context.hpp"
#include "flow/planning.hpp"
#include "flow/publishing.hpp"
#include "model/run.hpp"
#include "state/manifest.hpp"

namespace offshoot::flow {

/// Whether Elementary is to report on this project's branches.
bool wants_elementary(const Context& context, const ProjectAtHand& at_hand);

/// Whether a node is one of the models of Elementary's package.
bool is_of_elementary(const std::string& unique_id);

/// Elementary's own models in a branch.
struct ElementaryModels {
  std::string schema{};                ///< where they live; empty = the project has none that are enabled
  std::vector<PlannedNode> missing{};  ///< those that the branch does not have yet
};

/// Which models of Elementary's package the branch still needs: they are built once per branch, for the report reads
/// them.
Result<ElementaryModels> elementary_models(const state::Manifest& head, const dbt::Resolved& resolved,
                                           const Branch& branch, const dbt::WarehouseAt& warehouse,
                                           dbt::Session& session);

/// Runs Elementary's report on the branch where the project has its package. The session must have released the
/// warehouse. Never decides the verdict.
Outcome<Quality> report_quality(const Context& context, const ProjectAtHand& at_hand, const Planned& planned,
                                const Run& run, std::vector<Artifact>& artifacts);

}  // namespace offshoot::flow
