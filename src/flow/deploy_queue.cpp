// SPDX-License-Identifier: Apache-2.0
#include "flow/deploy_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "change/history.hpp"
#include "io/json.hpp"

namespace offshoot::flow {

using nlohmann::json;

namespace {

constexpr std::size_t most_commits = 200;

/// What stands in the store: who waits last.
struct Waiting {
  std::string sha;
  std::string run;
  io::Instant until;  ///< it waits no longer: a run that was killed must not hold up others
  std::vector<std::string> contains;
};

std::optional<Waiting> parse(const std::string& bytes) {
  const auto entry = io::parse_json(bytes, "reading which deploy waits");
  if (!entry) return std::nullopt;
  try {
    Waiting waiting{entry->at("sha"), entry->at("run"), {}, entry->at("contains")};
    if (!io::parse_rfc3339(entry->at("until").get<std::string>(), waiting.until)) return std::nullopt;
    return waiting;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

DeployQueue::DeployQueue(const Context& context, const std::string& target)
    : context_(context), key_(context.origin.repository_id + "/locks/waiting-" + target + ".json") {}

Result<std::optional<std::string>> DeployQueue::superseded(const Commit& head) const {
  const auto bytes = context_.store.get(key_);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto newer = *bytes ? parse(**bytes) : std::nullopt;
  if (!newer || newer->run == context_.run_id || newer->until <= io::now() || newer->sha == head.sha) {
    return std::optional<std::string>{};
  }
  if (std::ranges::find(newer->contains, head.sha) == newer->contains.end()) return std::optional<std::string>{};
  return fmt::format("{} is superseded: the deploy of {} contains it and waits (run {})", head.sha.substr(0, 7),
                     newer->sha.substr(0, 7), newer->run);
}

Result<std::optional<std::string>> DeployQueue::enter(const change::Repository& repository, const Commit& head) {
  for (const auto& commit : change::first_parents(repository, head, most_commits)) contains_.push_back(commit.sha);
  auto newer = superseded(head);
  if (!newer || *newer) return newer;
  // A shallow clone holds two commits or three: what the one that waits contains, we contain as well.
  const auto bytes = context_.store.get(key_);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto before = *bytes ? parse(**bytes) : std::nullopt;
  if (before && std::ranges::find(contains_, before->sha) != contains_.end()) {
    for (const auto& sha : before->contains) {
      if (std::ranges::find(contains_, sha) == contains_.end()) contains_.push_back(sha);
    }
  }
  contains_.resize(std::min(contains_.size(), most_commits));
  const json entry{{"sha", head.sha},
                   {"run", context_.run_id},
                   {"until", io::rfc3339(io::now() + context_.settings.deploy.lock)},
                   {"contains", contains_}};
  if (auto entered = context_.store.put(key_, io::to_line(entry) + "\n"); !entered) {
    return tl::unexpected(entered.error());
  }
  return std::optional<std::string>{};
}

Result<std::optional<std::string>> DeployQueue::leave(const Commit& head) {
  auto newer = superseded(head);
  if (!newer || *newer) return newer;
  const auto bytes = context_.store.get(key_);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto entry = *bytes ? parse(**bytes) : std::nullopt;
  if (entry && entry->run == context_.run_id) {
    if (auto removed = context_.store.remove(key_); !removed) return tl::unexpected(removed.error());
  }
  return std::optional<std::string>{};
}

}  // namespace offshoot::flow
