// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <git2.h>

#include <filesystem>
#include <memory>
#include <string>

#include "change/repository.hpp"
#include "model/outcome.hpp"

namespace offshoot::change {

template <auto Free>
struct GitFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

template <class T, auto Free>
using GitOwned = std::unique_ptr<T, GitFree<Free>>;

using GitRepository = GitOwned<git_repository, git_repository_free>;
using GitObject = GitOwned<git_object, git_object_free>;
using GitCommit = GitOwned<git_commit, git_commit_free>;
using GitTree = GitOwned<git_tree, git_tree_free>;
using GitBlob = GitOwned<git_blob, git_blob_free>;
using GitEntry = GitOwned<git_tree_entry, git_tree_entry_free>;
using GitIndex = GitOwned<git_index, git_index_free>;
using GitReference = GitOwned<git_reference, git_reference_free>;
using GitConfig = GitOwned<git_config, git_config_free>;
using GitDiff = GitOwned<git_diff, git_diff_free>;
using GitPatch = GitOwned<git_patch, git_patch_free>;

/// libgit2 wants to be told of each user.
class GitLibrary {
 public:
  GitLibrary() { git_libgit2_init(); }
  GitLibrary(GitLibrary&&) = delete;
  GitLibrary(const GitLibrary&) = delete;
  GitLibrary& operator=(GitLibrary&&) = delete;
  GitLibrary& operator=(const GitLibrary&) = delete;
  ~GitLibrary() { git_libgit2_shutdown(); }
};

struct Repository::Handle {
  GitLibrary library;
  GitRepository repository;
  std::filesystem::path root;
};

/// What libgit2 said last on this thread.
std::string git_message();

/// The failure of a call of libgit2 that returned `code`. A missing object is explained by a shallow or partial clone
/// where the repository is one.
Failed git_failure(git_repository* repository, int code, std::string doing);

std::string hex(const git_oid& id);
Commit to_commit(git_commit* commit);

Result<GitCommit> lookup_commit(git_repository* repository, const git_oid& id);
Result<GitTree> tree_of(git_repository* repository, const Commit& commit);
Result<std::string> blob_bytes(git_repository* repository, const git_oid& id, std::string_view path);

}  // namespace offshoot::change
