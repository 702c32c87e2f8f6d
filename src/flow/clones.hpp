// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "flow/context.hpp"
#include "flow/deferral.hpp"
#include "flow/planning.hpp"
#include "model/run.hpp"
#include "state/manifest.hpp"

namespace offshoot::flow {

/// What production is said to have of the planned nodes to which dbt adds rows, by unique id: of incremental models
/// that are not built from nothing, and of snapshots. So a check does what the merge will do. Elementary's own models
/// are left out: its report is to be about the branch. Empty where the settings say `branch.incremental: rebuild`.
ProductionRelations what_to_clone(const Settings& settings, const Plan& plan, const Branch& branch,
                                  const state::Manifest& head, const ProductionRelations& production);

/// Gives the branch, which exists, production's rows of what is to be cloned, whatever an earlier check left of it, and
/// notes in the run what each began with. What production does not have after all is left as it is.
Result<void> clone_from_production(const Context& context, const Planned& planned, const dbt::WarehouseAt& warehouse,
                                   dbt::Session& session, Run& run);

}  // namespace offshoot::flow
