// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/plan.hpp"
#include "report/paint.hpp"

namespace offshoot::report {

/// What changed, and below each change what follows from it, a node a line, each node once: one with several causes
/// stands below the nearest and names the others. Tests stand below what they test. Long lists are cut, with a count.
/// Nodes that are in only because production lacks them are left out.
std::string plan_tree(const std::vector<const PlannedNode*>& nodes, const Paint& paint);

}  // namespace offshoot::report
