// SPDX-License-Identifier: Apache-2.0
#include "change/base.hpp"

#include <fmt/format.h>

#include "change/git.hpp"

namespace offshoot::change {

namespace {

/// A commit to start from, as a person calls it.
struct Named {
  Commit commit;
  std::string name;
};

std::string doing_of(const std::string& name) { return fmt::format("comparing with {}", name); }

class Chooser {
 public:
  Chooser(const Repository& repository, git_commit* head, const CompareRequest& request, bool uncommitted)
      : repository_(repository),
        git_(repository.handle().repository.get()),
        head_(head),
        request_(request),
        uncommitted_(uncommitted) {}

  Result<Base> choose() const {
    const auto target = merge_target();
    if (!target) return tl::unexpected(target.error());
    const std::optional<Named>& named = *target;
    if (is_merge_of_pull_request(named)) return first_parent("first parent of the merge commit");
    if (!named) return first_parent("first parent, for want of a default branch");
    return request_.base ? merge_base_with(*named) : since_default_branch(*named);
  }

 private:
  /// The base that was given, else the default branch; absent when there is neither. A base that only an event names
  /// may be missing from the clone: the merge commit's first parent does as well.
  Result<std::optional<Named>> merge_target() const {
    if (request_.base) {
      auto commit = given_base(*request_.base);
      if (commit) return Named{std::move(*commit), *request_.base};
      if (request_.base_of_pull_request && may_be_merge_of_pull_request()) return std::nullopt;
      return tl::unexpected(commit.error());
    }
    const auto branch = repository_.default_branch();
    if (!branch) return std::nullopt;
    return repository_.commit(branch->ref).map([&](Commit commit) {
      return std::optional(Named{std::move(commit), branch->name});
    });
  }

  /// A pull request's base branch is origin's; a name given by hand is read as git reads it.
  Result<Commit> given_base(const std::string& name) const {
    if (request_.base_of_pull_request) {
      if (auto commit = repository_.commit("refs/remotes/origin/" + name)) return commit;
    }
    return repository_.commit(name);
  }

  /// Whether HEAD merges the head of a pull request into its base, and not the base into the head.
  bool is_merge_of_pull_request(const std::optional<Named>& target) const {
    if (!may_be_merge_of_pull_request()) return false;
    if (request_.base && !request_.base_of_pull_request) return false;
    if (request_.expected_head || !target) return true;
    return !is_part_of(*git_commit_parent_id(head_, 1), *target) ||
           is_part_of(*git_commit_parent_id(head_, 0), *target);
  }

  bool may_be_merge_of_pull_request() const {
    if (git_commit_parentcount(head_) != 2) return false;
    return !request_.expected_head || hex(*git_commit_parent_id(head_, 1)) == *request_.expected_head;
  }

  bool is_part_of(const git_oid& commit, const Named& tip) const {
    const git_oid tip_id = oid(tip.commit);
    return git_oid_equal(&commit, &tip_id) == 1 || git_graph_descendant_of(git_, &tip_id, &commit) == 1;
  }

  static git_oid oid(const Commit& commit) {
    git_oid id;
    git_oid_fromstr(&id, commit.sha.c_str());
    return id;
  }

  Result<Base> base_at(const git_oid& id, std::string is) const {
    return lookup_commit(git_, id).map(
        [&](const GitCommit& commit) { return Base{to_commit(commit.get()), std::move(is)}; });
  }

  Result<Base> first_parent(std::string is) const {
    if (git_commit_parentcount(head_) == 0) {
      return failed(ExitStatus::usage, doing_of("the first parent of HEAD"), "HEAD is the first commit",
                    "give a base, or commit once more");
    }
    return base_at(*git_commit_parent_id(head_, 0), std::move(is));
  }

  Result<Base> since_default_branch(const Named& branch) const {
    const bool head_is_in_it = is_part_of(*git_commit_id(head_), branch);
    if (!head_is_in_it) return merge_base_with(branch);
    if (uncommitted_) return Base{to_commit(head_), "HEAD: only what is not committed is compared"};
    return first_parent(fmt::format("first parent: HEAD is part of {}", branch.name));
  }

  Result<Base> merge_base_with(const Named& target) const {
    const git_oid target_id = oid(target.commit);
    git_oid base;
    const int code = git_merge_base(&base, git_, git_commit_id(head_), &target_id);
    if (code == 0) return base_at(base, fmt::format("merge base with {}", target.name));
    if (!repository_.is_shallow()) {
      return failed(ExitStatus::usage, doing_of(target.name),
                    code == GIT_ENOTFOUND ? "it has no commit in common with HEAD" : git_message(),
                    "give a base that HEAD descends from");
    }
    if (request_.base) return Base{target.commit, fmt::format("{} itself: the clone is shallow", target.name)};
    return failed(ExitStatus::usage, doing_of(target.name), "no merge base in a shallow clone",
                  "set fetch-depth: 0 (actions/checkout), or give a base");
  }

  const Repository& repository_;
  git_repository* git_;
  git_commit* head_;
  const CompareRequest& request_;
  bool uncommitted_;
};

}  // namespace

Result<Base> choose_base(const Repository& repository, git_commit* head, const CompareRequest& request,
                         bool uncommitted) {
  return Chooser(repository, head, request, uncommitted).choose();
}

}  // namespace offshoot::change
