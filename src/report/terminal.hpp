// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/run.hpp"

namespace offshoot::report {

/// What a person reads at the end of a run: verdict, failures, counts, where to look. Text from the project holds no
/// control character, and no line of it is a workflow command of GitHub's runner.
std::string terminal_summary(const Run& run, bool colour);

/// What `check` would build and why: nodes grouped by how they got in, files that select nothing, what is deferred.
std::string plan_terminal(const Plan& plan, bool colour);

}  // namespace offshoot::report
