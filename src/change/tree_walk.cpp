// SPDX-License-Identifier: Apache-2.0
#include "change/tree_walk.hpp"

#include <fmt/format.h>

#include "change/git.hpp"

namespace offshoot::change {

namespace {

constexpr int max_depth = 200;
using Visit = std::function<Result<bool>(const TreeEntry&)>;

Result<void> walk(git_repository* repository, const git_tree* tree, const std::string& folder, int depth,
                  const Visit& visit) {
  if (depth > max_depth) {
    return failed(ExitStatus::refused, "reading a tree from git",
                  fmt::format("folders are nested deeper than {} levels", max_depth));
  }
  for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
    const std::string name = git_tree_entry_name(entry);
    const TreeEntry here{folder.empty() ? name : fmt::format("{}/{}", folder, name), name,
                         git_tree_entry_filemode(entry), *git_tree_entry_id(entry)};
    const Result<bool> enter = visit(here);
    if (!enter) return tl::unexpected(enter.error());
    if (here.mode != GIT_FILEMODE_TREE || !*enter) continue;
    git_tree* below = nullptr;
    if (const int code = git_tree_lookup(&below, repository, &here.id); code < 0) {
      return tl::unexpected(git_failure(repository, code, fmt::format("reading the folder '{}' from git", here.path)));
    }
    const GitTree owned(below);
    if (auto done = walk(repository, below, here.path, depth + 1, visit); !done) return done;
  }
  return {};
}

}  // namespace

Result<void> walk_tree(git_repository* repository, const git_tree* tree, const Visit& visit) {
  return walk(repository, tree, "", 0, visit);
}

}  // namespace offshoot::change
