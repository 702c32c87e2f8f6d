// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "state/compare.hpp"
#include "state/graph.hpp"
#include "state/manifest.hpp"
#include "state/selection.hpp"

namespace offshoot::state {

/// What differs between the two manifests and dbt's comparison does not count, a sentence each, with the file: macros
/// that no node's depends_on leads to (materializations, macros that name relations, macros that only a materialization
/// calls, that hooks call, that are passed as values), hooks of the whole run, seeds too large to hash. What can only
/// concern nodes of `selected` is not told.
std::vector<std::string> blind_spots(const Manifest& base, const Manifest& head, const Comparison& comparison,
                                     const NodeSet& selected, const FileChanged& file_changed);

/// "a, b and 3 more"; at most five names.
std::string some_of(const std::vector<std::string>& names);

}  // namespace offshoot::state
