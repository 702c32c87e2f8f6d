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

/// "dbt's own selection differs: 1 node only dbt selects, 2 nodes only offshoot", or that it is the same.
std::string difference_title(const Verified& verified);

/// Why a relation will not be found, where it was looked for, and who reads it. Untrusted text.
std::string unreadable_words(const Unreadable& unreadable);

/// "promoted from pr-7", or "built, because it is a view".
std::string promotion_words(const Promotion& promotion);

}  // namespace offshoot::report
