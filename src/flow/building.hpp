// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "flow/context.hpp"
#include "flow/planning.hpp"
#include "flow/publishing.hpp"

namespace offshoot::flow {

/// Builds the plan in its branch, which exists, and shows it while it runs. What dbt left behind becomes artifacts.
Outcome<Build> build_planned(const Context& context, const Planned& planned, dbt::Session& session,
                             std::vector<Artifact>& artifacts);

}  // namespace offshoot::flow
