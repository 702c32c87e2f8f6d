// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/run.hpp"

namespace offshoot::report {

/// What the lint found as a SARIF 2.1.0 log: one run of the linter, with a result for each finding. Those on changed
/// lines have the level that they have in the verdict, the others are notes. A lint that broke is a run that did not
/// succeed; where none was begun, the log holds no run. A pure function: the same run gives the same bytes.
std::string sarif(const Run& run);

}  // namespace offshoot::report
