// SPDX-License-Identifier: Apache-2.0
#include "flow/rerun.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "flow/check.hpp"
#include "flow/deploy.hpp"
#include "flow/deployed.hpp"
#include "flow/memory.hpp"
#include "flow/stages.hpp"
#include "report/run_json.hpp"
#include "store/runs.hpp"

namespace offshoot::flow {

namespace {

bool ended_well(NodeStatus status) {
  return status == NodeStatus::success || status == NodeStatus::pass || status == NodeStatus::warn ||
         status == NodeStatus::no_op;
}

Result<Run> kept_run(const Context& context, const std::string& id) {
  const auto found = store::find_run(context.store, context.origin.repository_id, id);
  if (!found) return tl::unexpected(found.error());
  const std::string doing = fmt::format("looking for the run '{}'", id);
  if (!*found) {
    if (auto remembered = needs_memory(context, doing); !remembered) return tl::unexpected(remembered.error());
    return failed(
        ExitStatus::usage, doing, "it is not in the store " + context.store.location(""),
        "give the id that the run's summary shows, and the store that it was kept in; offshoot runs lists them");
  }
  const auto bytes = store::file_of(context.store, **found, "run.json");
  if (!bytes) return tl::unexpected(bytes.error());
  return report::from_json(*bytes, "run.json of " + (*found)->index.id);
}

/// Why the run cannot be gone on with; absent = it can.
std::optional<Failed> why_not(const Run& before, const Commit& head) {
  const std::string doing = "going on with the run " + before.id;
  const auto no = [&](std::string why, std::string hint) {
    return Failed{ExitStatus::usage, doing, std::move(why), std::move(hint), {}};
  };
  const Change* change = before.change.finished();
  if (before.origin.command != "check" && before.origin.command != "deploy") {
    return no(fmt::format("it is a run of '{}'", before.origin.command),
              "runs of check and deploy can be gone on with");
  }
  if (change == nullptr || before.plan.finished() == nullptr || before.build.finished() == nullptr) {
    return no("it ended before anything was built", fmt::format("run offshoot {} again", before.origin.command));
  }
  if (change->uncommitted) return no("it was of changes that are not committed", "run offshoot check again");
  if (change->head.sha != head.sha) {
    return no(fmt::format("it was of {}, and {} is checked out", change->head.sha.substr(0, 7), head.sha.substr(0, 7)),
              "check out " + change->head.sha);
  }
  return std::nullopt;
}

Rerun go_on(const Context& context, const Run& before, const std::set<std::string>& left) {
  Context again = context;
  again.origin.command = before.origin.command;
  if (before.origin.command == "deploy") {
    Announcement announcement(again);
    std::set<std::string> done;
    for (const auto& node : before.plan.finished()->nodes) {
      if (!left.contains(node.unique_id)) done.insert(node.unique_id);
    }
    Run run = deploy(again, announcement, {.from_failure = before.id, .only = left, .done = std::move(done)});
    return {std::move(run), announcement.commands()};
  }
  again.origin.pull_request = before.origin.pull_request;
  again.origin.ref = before.origin.ref;
  again.base = before.change.finished()->base.sha;
  again.base_of_pull_request = false;
  Announcement announcement(again);
  Run run = check(again, announcement, {.lint = false, .from_failure = before.id, .only = left});
  return {std::move(run), announcement.commands()};
}

}  // namespace

std::set<std::string> left_of(const Run& run) {
  std::set<std::string> left;
  const Plan* plan = run.plan.finished();
  const Build* build = run.build.finished();
  if (plan == nullptr || build == nullptr) return left;
  for (const auto& node : plan->nodes) {
    const auto result = std::ranges::find(build->results, node.unique_id, &NodeResult::unique_id);
    if (result != build->results.end() && ended_well(result->status)) continue;
    left.insert(node.unique_id);
    const bool is_test = node.resource_type == "test" || node.resource_type == "unit_test";
    const bool failed_test =
        result != build->results.end() && (result->status == NodeStatus::fail || result->status == NodeStatus::error);
    if (!is_test || !failed_test) continue;
    for (const auto& other : plan->nodes) {
      if (std::ranges::find(node.depends_on, other.unique_id) != node.depends_on.end()) left.insert(other.unique_id);
    }
  }
  return left;
}

Rerun from_failure(const Context& context, const std::string& id, const std::string& ref) {
  Run run = begin(context);
  const auto stop = [&](Failed failure) {
    run.change = std::move(failure);
    return Rerun{run};
  };
  const auto before = kept_run(context, id);
  if (!before) return stop(before.error());
  const auto repository = open_repository(context);
  const auto head = repository ? repository->commit("HEAD") : tl::unexpected(repository.error());
  if (!head) return stop(head.error());
  if (auto failure = why_not(*before, *head)) return stop(std::move(*failure));
  const auto wanted = ref.empty() ? head : repository->commit(ref);
  if (!wanted) return stop(wanted.error());
  if (wanted->sha != head->sha) {
    return stop({ExitStatus::usage,
                 "going on with the run " + id,
                 fmt::format("it was of {}, and '{}' is {}", head->sha.substr(0, 7), ref, wanted->sha.substr(0, 7)),
                 "leave --ref out",
                 {}});
  }
  const auto left = left_of(*before);
  if (left.empty()) {
    run.change = *before->change.finished();
    const Skipped nothing{"nothing is left of the run " + id + ": everything ended well"};
    run.plan = nothing;
    run.build = nothing;
    run.lint = nothing;
    return {std::move(run)};
  }
  return go_on(context, *before, left);
}

}  // namespace offshoot::flow
