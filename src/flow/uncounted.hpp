// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "change/compare.hpp"
#include "model/change.hpp"
#include "model/plan.hpp"
#include "state/manifest.hpp"

namespace offshoot::flow {

/// Settings that changed and that no manifest holds, so that dbt counts no node as changed by them, a sentence each:
/// variables of dbt_project.yml (with who reads them and is not planned), profiles.yml, variables in a .env file, whose
/// values are never told.
std::vector<std::string> uncounted_settings(const Change& change, const change::ReadBytes& base,
                                            const change::ReadBytes& head, const state::Manifest& manifest,
                                            const Plan& plan);

}  // namespace offshoot::flow
