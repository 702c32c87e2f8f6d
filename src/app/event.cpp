// SPDX-License-Identifier: Apache-2.0
#include "app/event.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::app {

namespace {

using Json = nlohmann::json;

constexpr std::uintmax_t largest_payload = 32U << 20;  // GitHub's own limit is 25 MB

/// What stands under a key; null where there is nothing.
const Json& at(const Json& value, std::string_view key) {
  static const Json nothing;
  if (!value.is_object()) return nothing;
  const auto found = value.find(key);
  return found == value.end() ? nothing : *found;
}

std::string text(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

bool yes(const Json& value) { return value.is_boolean() && value.get<bool>(); }

std::optional<std::int64_t> whole_number(const Json& value) {
  return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

int number(const Json& value) {
  const auto found = whole_number(value);
  return found && *found > 0 && *found < 1'000'000'000 ? static_cast<int>(*found) : 0;
}

/// An input of a dispatch, which GitHub gives as text, or as what its type says.
std::string input(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string() : io::to_line(value);
}

bool is_sha(std::string_view sha) {
  return sha.size() == 40 && sha.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string sha(const Json& value) {
  auto found = text(value);
  return is_sha(found) ? found : std::string();
}

Comment comment_of(const Json& payload) {
  const Json& comment = at(payload, "comment");
  const Json& issue = at(payload, "issue");
  const Json& user = at(comment, "user");
  return {.number = number(at(issue, "number")),
          .on_pull_request = at(issue, "pull_request").is_object(),
          .author = text(at(user, "login")),
          .by_bot = text(at(user, "type")) != "User",
          .body = text(at(comment, "body")),
          .id = whole_number(at(comment, "id")).value_or(0)};
}

/// What is missing in a payload, so that nothing can be decided by it; empty = nothing.
std::string_view missing_in(const Event& event) {
  const bool about_pull_request = event.name == "pull_request" || event.name == "pull_request_target";
  if (about_pull_request && (!event.pull_request || event.pull_request->number == 0)) return "pull_request";
  if (about_pull_request && event.pull_request->head_sha.empty()) return "pull_request.head.sha";
  if (event.name == "push" && event.ref.empty()) return "ref";
  if (event.name == "merge_group" && event.base_sha.empty()) return "merge_group.base_sha";
  if (event.name == "issue_comment" && (!event.comment || event.comment->number == 0)) return "issue";
  return {};
}

std::string variable(const io::Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

PullRequest pull_request_of(const Json& value) {
  PullRequest pull_request;
  pull_request.number = number(at(value, "number"));
  pull_request.open = text(at(value, "state")) == "open";
  pull_request.merged = yes(at(value, "merged"));
  pull_request.draft = yes(at(value, "draft"));
  const Json& head = at(value, "head");
  const Json& base = at(value, "base");
  pull_request.head_sha = sha(at(head, "sha"));
  pull_request.head_ref = text(at(head, "ref"));
  pull_request.base_ref = text(at(base, "ref"));
  pull_request.base_sha = sha(at(base, "sha"));
  pull_request.head_repository_id = whole_number(at(at(head, "repo"), "id"));
  pull_request.base_repository_id = whole_number(at(at(base, "repo"), "id"));
  if (const Json& labels = at(value, "labels"); labels.is_array()) {
    for (const auto& label : labels) pull_request.labels.push_back(text(at(label, "name")));
  }
  return pull_request;
}

bool is_from_fork(const PullRequest& pull_request) {
  return !pull_request.head_repository_id || pull_request.head_repository_id != pull_request.base_repository_id;
}

Result<Event> read_event(std::string_view name, std::string_view payload) {
  const auto json = io::parse_json(payload, "reading the event");
  if (!json) return tl::unexpected(json.error());
  Event event;
  event.name = name;
  event.action = text(at(*json, "action"));
  const Json& repository = at(*json, "repository");
  event.default_branch = text(at(repository, "default_branch"));
  event.repository_id = whole_number(at(repository, "id"));
  event.ref = text(at(*json, "ref"));
  event.deleted = yes(at(*json, "deleted"));
  event.base_sha = sha(at(at(*json, "merge_group"), "base_sha"));
  event.label = text(at(at(*json, "label"), "name"));
  event.run_head_repository_id = whole_number(at(at(at(*json, "workflow_run"), "head_repository"), "id"));
  if (const Json& found = at(*json, "pull_request"); found.is_object()) event.pull_request = pull_request_of(found);
  if (at(*json, "comment").is_object() && at(*json, "issue").is_object()) event.comment = comment_of(*json);
  if (const Json& inputs = at(*json, "inputs"); inputs.is_object()) {
    for (const auto& [key, value] : inputs.items()) event.inputs.emplace(key, input(value));
  }
  if (const auto missing = missing_in(event); !missing.empty()) {
    return failed(ExitStatus::usage, "reading the event", fmt::format("{} has no {}", name, missing),
                  "GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are set by GitHub: leave them as they are");
  }
  return event;
}

Result<std::optional<Event>> event_of_job(const io::Environment& environment) {
  if (variable(environment, "GITHUB_ACTIONS") != "true") return std::optional<Event>{};
  const std::string name = variable(environment, "GITHUB_EVENT_NAME");
  const std::string path = variable(environment, "GITHUB_EVENT_PATH");
  if (name.empty() || path.empty()) return std::optional<Event>{};
  const auto bytes = io::read_file(path, largest_payload);
  if (!bytes) return tl::unexpected(bytes.error());
  return read_event(name, *bytes).map([](Event event) { return std::optional(std::move(event)); });
}

}  // namespace offshoot::app
