// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"

namespace offshoot::branch {

/// The longest name that a branch may have, and the bytes that PostgreSQL keeps of any name (the rest it cuts silently,
/// so that two long names become one schema).
inline constexpr std::size_t longest_branch_name = 40;
inline constexpr std::size_t longest_identifier = 63;

/// The name of a branch in the warehouse: `<prefix>_pr_<number>` for a pull request, else `<prefix>_b_<slug>_<hash8>`
/// of the git branch's name. Distinct refs get distinct names; no byte of a ref reaches the warehouse unchecked.
/// Always matches ^[a-z][a-z0-9_]{0,39}$ (requirement E1).
Result<std::string> branch_name(std::string_view prefix, int pull_request, std::string_view ref);

/// Whether `name` is one that `branch_name` could have made with this prefix.
bool is_branch_name(std::string_view name, std::string_view prefix);

/// Whether `schema` is the branch's own (`<branch>`), or a custom schema of it (`<branch>_<custom>`). Compared without
/// regard to case, as warehouses fold names.
bool belongs_to(std::string_view schema, std::string_view branch);

/// ASCII lower case.
std::string folded(std::string_view name);

}  // namespace offshoot::branch
