// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "change/sql_tokens.hpp"

namespace offshoot::change {

/// Makes the gaps beside Jinja as simple as they may be. Where two literals can meet across Jinja, or in what it
/// prints, a newline may join them, and so counts. Elsewhere whitespace is only there or not: what touches a word or a
/// sign comes and goes with it. `tags` has the tag of each token that is one.
void simplify_gaps(std::vector<Token>& list, const std::vector<const Tag*>& tags);

}  // namespace offshoot::change
