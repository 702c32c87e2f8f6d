// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offshoot::dbt {

/// The candidate that `name` was most likely meant to be; empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

/// "'a', 'b' and 'c'"; "none" for an empty list; at most `most` of them, then "and 7 more".
std::string quoted_list(const std::vector<std::string>& names, std::size_t most = 12);

}  // namespace offshoot::dbt
