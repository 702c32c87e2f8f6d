// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace offshoot::change {

/// The symbolic links of a tree: path to target, as git keeps them.
using Links = std::map<std::string, std::string, std::less<>>;

/// Where a link of the tree leads.
struct LinkEnd {
  std::string path;               ///< the place, relative to the tree's root
  std::vector<std::string> by{};  ///< the other links on the way
};

/// Follows `link` through the tree's other links. Absent: it leads out of the tree, is absolute, or never ends.
std::optional<LinkEnd> follow(const Links& links, std::string_view link);

}  // namespace offshoot::change
