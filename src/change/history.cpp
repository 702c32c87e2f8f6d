// SPDX-License-Identifier: Apache-2.0
#include "change/history.hpp"

#include "change/git.hpp"

namespace offshoot::change {

namespace {

std::optional<git_oid> oid_of(const std::string& sha) {
  git_oid id;
  if (sha.size() != GIT_OID_HEXSZ || git_oid_fromstr(&id, sha.c_str()) != 0) return std::nullopt;
  return id;
}

}  // namespace

std::optional<bool> holds(const Repository& repository, const Commit& commit, const std::string& sha) {
  if (commit.sha == sha) return true;
  git_repository* git = repository.handle().repository.get();
  const auto newer = oid_of(commit.sha);
  const auto older = oid_of(sha);
  if (!newer || !older || !lookup_commit(git, *older)) return std::nullopt;
  const int code = git_graph_descendant_of(git, &*newer, &*older);
  if (code == 1) return true;
  if (code < 0 || repository.is_shallow()) return std::nullopt;
  return false;
}

Stretch first_parents_since(const Repository& repository, const Commit& head, const std::string& since,
                            std::size_t most) {
  Stretch stretch;
  git_repository* git = repository.handle().repository.get();
  auto id = oid_of(head.sha);
  const auto end = oid_of(since);
  while (id && stretch.commits.size() < most) {
    if (end && git_oid_equal(&*id, &*end) == 1) {
      stretch.whole = true;
      return stretch;
    }
    const auto commit = lookup_commit(git, *id);
    if (!commit) return stretch;
    // A commit that the end descends from is no news either: the end was merged into the branch.
    if (end && git_graph_descendant_of(git, &*end, &*id) == 1) {
      stretch.whole = true;
      return stretch;
    }
    stretch.commits.push_back(to_commit(commit->get()));
    if (!end || git_commit_parentcount(commit->get()) == 0) return stretch;
    id = *git_commit_parent_id(commit->get(), 0);
  }
  return stretch;
}

std::optional<io::Instant> time_of(const Repository& repository, const Commit& commit) {
  const auto id = oid_of(commit.sha);
  if (!id) return std::nullopt;
  const auto found = lookup_commit(repository.handle().repository.get(), *id);
  if (!found) return std::nullopt;
  return io::Instant(std::chrono::seconds(git_commit_time(found->get())));
}

std::vector<Commit> first_parents(const Repository& repository, const Commit& head, std::size_t most) {
  std::vector<Commit> commits;
  auto id = oid_of(head.sha);
  while (id && commits.size() < most) {
    const auto commit = lookup_commit(repository.handle().repository.get(), *id);
    if (!commit) break;  // where a shallow clone ends
    commits.push_back(to_commit(commit->get()));
    if (git_commit_parentcount(commit->get()) == 0) break;
    id = *git_commit_parent_id(commit->get(), 0);
  }
  return commits;
}

}  // namespace offshoot::change
