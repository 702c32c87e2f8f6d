// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offshoot::io {

/// The candidate that `word` was most likely meant to be; empty when none is near: more than a third of its letters, or
/// four, would be wrong.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// "'a', 'b' and 'c'"; "none" for an empty list; at most `most` of them, then "and 7 more".
std::string quoted_list(const std::vector<std::string>& names, std::size_t most = 12);

}  // namespace offshoot::io
