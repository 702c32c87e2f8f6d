// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/plan.hpp"
#include "report/digest.hpp"

namespace offshoot::report {

/// A Mermaid flowchart (without its fence) of the planned nodes and what they read, coloured by how they ended. Of a
/// large plan it holds what failed, what changed and the nearest below. Empty where there is nothing to connect.
std::string lineage_diagram(const Plan& plan, const Digest& digest);

}  // namespace offshoot::report
