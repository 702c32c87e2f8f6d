// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "flow/context.hpp"
#include "flow/planning.hpp"
#include "flow/publishing.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// Runs Elementary's report on the branch where the project has its package. The session must have released the
/// warehouse. Never decides the verdict.
Outcome<Quality> report_quality(const Context& context, const ProjectAtHand& at_hand, const Planned& planned,
                                const Run& run, std::vector<Artifact>& artifacts);

}  // namespace offshoot::flow
