// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/run.hpp"

namespace offshoot::report {

/// What a person reads at the end of a run: verdict, failures, counts, where to look. Text from the project holds no
/// control character, and no line of it is a workflow command of GitHub's runner.
std::string terminal_summary(const Run& run, bool colour);

/// What `check` would build and why: a tree of what changed and what follows, files that select nothing, what is
/// deferred.
std::string plan_terminal(const Plan& plan, bool colour);

/// What is selected and why, as such a tree, what is gone, and notes.
std::string selection_terminal(const std::vector<PlannedNode>& selected, const std::vector<RemovedNode>& gone,
                               const std::vector<std::string>& said, bool colour);

}  // namespace offshoot::report
