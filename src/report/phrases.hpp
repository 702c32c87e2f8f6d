// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/plan.hpp"

namespace offshoot::report {

/// A reason in words: ours, then what they quote from the project, which has to be escaped.
struct Phrase {
  std::string words;
  std::string quoted;  ///< may be empty
};

/// The reasons of a node, its own before those of what stands above it, at most `limit`.
std::vector<Phrase> phrases(const PlannedNode& node, std::size_t limit);

}  // namespace offshoot::report
