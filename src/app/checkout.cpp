// SPDX-License-Identifier: Apache-2.0
#include "app/checkout.hpp"

#include <fmt/format.h>

#include <system_error>
#include <vector>

namespace offshoot::app {

namespace fs = std::filesystem;

namespace {

std::string variable(const io::Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// The first of these that the clone has.
std::optional<Commit> first_of(const change::Repository& repository, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (name.empty()) continue;
    if (auto commit = repository.commit(name)) return *commit;
  }
  return std::nullopt;
}

/// HEAD's first parent, where HEAD is the merge commit that GitHub made of this head.
std::optional<Commit> base_of_merge(const change::Repository& repository, const std::string& head_sha) {
  const auto second = repository.commit("HEAD^2");
  if (!second || head_sha.empty() || second->sha != head_sha) return std::nullopt;
  return first_of(repository, {"HEAD^1"});
}

std::string on_origin(const std::string& branch) { return branch.empty() ? "" : "refs/remotes/origin/" + branch; }

Result<std::optional<Commit>> for_open(const change::Repository& repository, const PullRequest& pull_request) {
  if (auto commit = base_of_merge(repository, pull_request.head_sha)) return commit;
  if (auto commit = first_of(repository, {on_origin(pull_request.base_ref), pull_request.base_sha})) return commit;
  return failed(
      ExitStatus::usage, "reading the settings of the base",
      repository.is_shallow() ? "the shallow clone has no commit of the base" : "the clone has no commit of the base",
      "set fetch-depth: 2 at actions/checkout, which takes the merge commit and its parents");
}

}  // namespace

change::TrustOwner trust_in_owner(const io::Environment& environment, const fs::path& folder) {
  if (variable(environment, "GITHUB_ACTIONS") != "true") return change::TrustOwner::no;
  std::error_code error;
  const fs::path workspace = fs::canonical(variable(environment, "GITHUB_WORKSPACE"), error);
  if (error) return change::TrustOwner::no;
  for (fs::path at = fs::canonical(folder, error); !error && at.has_relative_path(); at = at.parent_path()) {
    if (fs::exists(fs::symlink_status(at / ".git", error))) {
      return at == workspace ? change::TrustOwner::yes : change::TrustOwner::no;
    }
  }
  return change::TrustOwner::no;
}

Result<std::optional<Commit>> deciding_commit(const change::Repository& repository, const Event& event,
                                              const std::optional<PullRequest>& pull_request) {
  if (pull_request) return for_open(repository, *pull_request);
  if (event.name == "merge_group") return first_of(repository, {event.base_sha, "HEAD^1"});
  return std::optional<Commit>{};
}

Result<std::optional<Commit>> commit_of_default_branch(const change::Repository& repository, const Event& event) {
  if (auto commit = first_of(repository, {on_origin(event.default_branch)})) return commit;
  if (event.pull_request) {
    if (auto commit = base_of_merge(repository, event.pull_request->head_sha)) return commit;
    if (auto commit = first_of(repository, {event.pull_request->base_sha})) return commit;
  }
  return failed(ExitStatus::refused, "reading the settings", "the clone has no commit of the default branch",
                "check out the default branch when the pull request was closed; the workflow of offshoot init does");
}

}  // namespace offshoot::app
