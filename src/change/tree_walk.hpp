// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <git2.h>

#include <functional>
#include <string>

#include "model/outcome.hpp"

namespace offshoot::change {

/// One entry of a tree, on the way through it.
struct TreeEntry {
  std::string path;  ///< from the tree's root
  std::string name;
  git_filemode_t mode = GIT_FILEMODE_UNREADABLE;
  git_oid id{};
};

/// Visits a tree with all below it, a folder before what it holds; deeper than 200 levels is refused. The visitor's
/// false for a folder leaves out what is in it.
Result<void> walk_tree(git_repository* repository, const git_tree* tree,
                       const std::function<Result<bool>(const TreeEntry&)>& visit);

}  // namespace offshoot::change
