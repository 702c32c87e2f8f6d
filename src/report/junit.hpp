// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/run.hpp"

namespace offshoot::report {

/// What was built and tested, as JUnit's XML: a suite of the tests and one of the models, seeds and snapshots, a case
/// for each planned node that executes. A failed test is a failure with the query that returns its rows, what the
/// warehouse refused or nobody heard of is an error, what did not run is skipped and says why. Where nothing was built,
/// there is no case. A pure function: the same run gives the same bytes.
std::string junit(const Run& run);

}  // namespace offshoot::report
