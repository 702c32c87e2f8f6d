// SPDX-License-Identifier: Apache-2.0
#include "app/checkout.hpp"

#include <fmt/format.h>

#include <ostream>
#include <regex>
#include <system_error>
#include <utility>
#include <vector>

#include "change/fetch.hpp"
#include "io/files.hpp"

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

/// HEAD's parents, base and head, where HEAD is the merge commit that GitHub made of this head; empty where it is not.
std::vector<std::string> parents_of_merge(const change::Repository& repository, const std::string& head_sha) {
  auto parents = change::parents_of_head(repository);
  const bool merges_it = parents && parents->size() == 2 && !head_sha.empty() && (*parents)[1] == head_sha;
  return merges_it ? std::move(*parents) : std::vector<std::string>{};
}

/// HEAD's first parent, where HEAD is the merge commit that GitHub made of this head.
std::optional<Commit> base_of_merge(const change::Repository& repository, const std::string& head_sha) {
  const auto parents = parents_of_merge(repository, head_sha);
  return parents.empty() ? std::nullopt : first_of(repository, {parents[0]});
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

/// Where the job's repository lies; absent where the runner does not say, or gave us no token.
std::optional<change::Upstream> upstream_of(const io::Environment& environment) {
  static const std::regex name("[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+");
  const std::string repository = variable(environment, "GITHUB_REPOSITORY");
  const std::string server = variable(environment, "GITHUB_SERVER_URL");
  const std::string token = variable(environment, "GITHUB_TOKEN");
  if (server.empty() || token.empty() || !std::regex_match(repository, name)) return std::nullopt;
  return change::Upstream{fmt::format("{}/{}", server, repository), token};
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

Result<void> provide_base(const change::Repository& repository, const Event& event,
                          const std::optional<PullRequest>& pull_request, const io::Environment& environment,
                          std::ostream& log) {
  // Of a fork nothing is started, and what else comes without a merge commit of GitHub's has its own words.
  if (event.name != "pull_request" || !pull_request || is_from_fork(*pull_request)) return {};
  if (!repository.is_shallow()) return {};
  const auto parents = parents_of_merge(repository, pull_request->head_sha);
  if (parents.empty() || repository.commit(parents[0])) return {};
  const auto upstream = upstream_of(environment);
  if (!upstream || !io::find_program("git", environment)) return {};
  log << fmt::format("the clone lacks the base {}: fetching it; fetch-depth: 2 at actions/checkout spares that\n",
                     parents[0].substr(0, 12))
      << std::flush;
  const auto scratch = io::TemporaryFolder::make("base");
  if (!scratch) return tl::unexpected(scratch.error());
  return change::fetch_commit(repository, parents[0], *upstream, scratch->path(), environment);
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
