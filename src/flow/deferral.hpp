// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/plan.hpp"
#include "state/manifest.hpp"

namespace offshoot::flow {

/// What production has, by unique id: where a node is built there.
using ProductionRelations = std::map<std::string, RelationName>;

/// Decides, for each relation that a planned node reads and the plan does not build, where it is read: in production.
/// What production does not have is added to the plan, with the reason `missing_in_production`, and so is what that
/// reads in turn; what cannot be built is named in `unreadable`. Ephemeral models are looked through: they are compiled
/// into their readers. The plan stays sorted.
void defer_or_add(Plan& plan, const state::Manifest& head, const ProductionRelations& production);

/// The sources that planned nodes read, those of ephemeral models in between included, each with its readers: unique
/// ids of planned nodes.
std::map<std::string, std::vector<std::string>> sources_read(const Plan& plan, const state::Manifest& head);

}  // namespace offshoot::flow
