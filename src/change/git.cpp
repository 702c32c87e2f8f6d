// SPDX-License-Identifier: Apache-2.0
#include "change/git.hpp"

#include <fmt/format.h>

#include <array>

namespace offshoot::change {

namespace {

constexpr const char* more_history =
    "set fetch-depth: 2 for a pull request's merge commit, fetch-depth: 0 for any other head (actions/checkout)";

}  // namespace

std::string git_message() {
  const git_error* error = git_error_last();
  return error != nullptr && error->message != nullptr ? error->message : "libgit2 gave no reason";
}

Failed git_failure(git_repository* repository, int code, std::string doing) {
  if (code == GIT_ENOTFOUND && git_repository_is_shallow(repository) == 1) {
    return Failed{ExitStatus::usage, std::move(doing),
                  "the clone is shallow and lacks what is needed: " + git_message(), more_history, std::nullopt};
  }
  std::string hint =
      code == GIT_ENOTFOUND
          ? "a partial clone lacks the content of files: clone without --filter (actions/checkout: filter)"
          : "";
  return Failed{ExitStatus::could_not_run, std::move(doing), git_message(), std::move(hint), std::nullopt};
}

std::string hex(const git_oid& id) {
  std::array<char, GIT_OID_HEXSZ + 1> text{};
  git_oid_tostr(text.data(), text.size(), &id);
  return text.data();
}

Commit to_commit(git_commit* commit) {
  const char* summary = git_commit_summary(commit);
  return Commit{hex(*git_commit_id(commit)), hex(*git_commit_tree_id(commit)), summary != nullptr ? summary : ""};
}

Result<GitCommit> lookup_commit(git_repository* repository, const git_oid& id) {
  git_commit* commit = nullptr;
  if (const int code = git_commit_lookup(&commit, repository, &id); code < 0) {
    return tl::unexpected(git_failure(repository, code, fmt::format("reading commit {}", hex(id))));
  }
  return GitCommit(commit);
}

Result<GitTree> tree_of(git_repository* repository, const Commit& commit) {
  git_oid id;
  git_tree* tree = nullptr;
  int code = git_oid_fromstr(&id, commit.tree_sha.c_str());
  if (code == 0) code = git_tree_lookup(&tree, repository, &id);
  if (code < 0) {
    return tl::unexpected(git_failure(repository, code, fmt::format("reading the tree of commit {}", commit.sha)));
  }
  return GitTree(tree);
}

Result<std::string> blob_bytes(git_repository* repository, const git_oid& id, std::string_view path) {
  git_blob* blob = nullptr;
  if (const int code = git_blob_lookup(&blob, repository, &id); code < 0) {
    return tl::unexpected(git_failure(repository, code, fmt::format("reading '{}' from git", path)));
  }
  const GitBlob owned(blob);
  const auto size = static_cast<std::size_t>(git_blob_rawsize(blob));
  return size == 0 ? std::string() : std::string(static_cast<const char*>(git_blob_rawcontent(blob)), size);
}

}  // namespace offshoot::change
