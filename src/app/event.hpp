// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/process.hpp"
#include "model/outcome.hpp"

namespace offshoot::app {

/// A pull request, as an event or GitHub's API tells of it. Names and labels are untrusted text.
struct PullRequest {
  int number = 0;
  bool open = true;
  bool merged = false;
  bool draft = false;
  std::string head_sha{};  ///< 40 hex digits; empty where nothing tells it
  std::string head_ref{};
  std::string base_ref{};
  std::string base_sha{};
  std::optional<std::int64_t> head_repository_id{};  ///< absent: the head's repository is gone
  std::optional<std::int64_t> base_repository_id{};
  std::vector<std::string> labels{};
  bool operator==(const PullRequest&) const = default;
};

/// A fork is told by ids: names can be taken over, and a repository that is gone was one (requirement A3).
bool is_from_fork(const PullRequest& pull_request);

/// A comment on an issue or a pull request. All of it is untrusted.
struct Comment {
  int number = 0;  ///< of the issue or pull request
  bool on_pull_request = false;
  std::string author{};
  bool by_bot = false;
  std::string body{};
  std::int64_t id = 0;
  bool operator==(const Comment&) const = default;
};

/// What GitHub says has happened. Only what offshoot decides by.
struct Event {
  std::string name{};    ///< "pull_request"; GITHUB_EVENT_NAME
  std::string action{};  ///< "opened"; empty for events that have none
  std::string default_branch{};
  std::string ref{};       ///< of a push or a dispatch: "refs/heads/main"
  bool deleted = false;    ///< a push that removed its ref
  std::string base_sha{};  ///< of a merge group
  std::string label{};     ///< the one that `labeled` is about
  std::optional<PullRequest> pull_request{};
  std::optional<Comment> comment{};
  std::map<std::string, std::string> inputs{};  ///< of a dispatch, as text
  /// Of a workflow_run: the id of the repository whose commit the first workflow ran on; absent: it is gone.
  std::optional<std::int64_t> run_head_repository_id{};
  std::optional<std::int64_t> repository_id{};
  bool operator==(const Event&) const = default;
};

/// A pull request as GitHub's API describes it.
PullRequest pull_request_of(const nlohmann::json& value);

/// Reads a payload of GitHub's; `name` is the event's. A payload without what its event must have is an error: nothing
/// is guessed of where code comes from.
Result<Event> read_event(std::string_view name, std::string_view payload);

/// The event of this job, from GITHUB_EVENT_NAME and the file GITHUB_EVENT_PATH. Absent outside Actions.
Result<std::optional<Event>> event_of_job(const io::Environment& environment);

}  // namespace offshoot::app
