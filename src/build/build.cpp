// SPDX-License-Identifier: Apache-2.0
#include "build/build.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace offshoot::build {

namespace {

bool ended_well(NodeStatus status) {
  return status == NodeStatus::success || status == NodeStatus::pass || status == NodeStatus::warn ||
         status == NodeStatus::no_op;
}

}  // namespace

std::vector<NodeResult> account(const Plan& plan, const dbt::BuildOutput& output) {
  std::map<std::string, NodeResult> reported;
  for (const auto& result : output.results) reported.insert_or_assign(result.unique_id, result);
  for (const auto& unique_id : output.compiled_only) {
    reported.try_emplace(unique_id, NodeResult{.unique_id = unique_id, .status = NodeStatus::no_op});
  }

  std::vector<NodeResult> results;
  std::set<std::string> planned;
  for (const auto& node : plan.nodes) {
    planned.insert(node.unique_id);
    const auto found = reported.find(node.unique_id);
    if (found != reported.end()) {
      results.push_back(found->second);
    } else {
      const std::string why = output.stopped ? "dbt ended before it: " + output.stopped->why : "dbt did not report it";
      results.push_back({.unique_id = node.unique_id, .status = NodeStatus::unaccounted, .message = why});
    }
  }
  for (const auto& [unique_id, result] : reported) {
    if (!planned.contains(unique_id) && !ended_well(result.status)) results.push_back(result);
  }
  std::ranges::sort(results, {}, &NodeResult::unique_id);
  return results;
}

Outcome<Build> build_plan(const BuildRequest& request, dbt::Session& session, const dbt::BuildListener& listener) {
  dbt::BuildRequest command{.at = request.at,
                            .handle = request.handle,
                            .target_path = request.target_path,
                            .threads = request.settings.threads,
                            .fail_fast = request.settings.fail_fast,
                            .full_refresh = request.settings.full_refresh};
  for (const auto& node : request.plan.nodes) command.nodes.push_back(node.unique_id);
  for (const auto& deferred : request.plan.deferred) command.deferred.emplace(deferred.unique_id, deferred.relation);
  auto output = session.build(command, listener);
  if (!output) return output.error();
  return Build{account(request.plan, *output), std::move(output->warnings), output->seconds};
}

}  // namespace offshoot::build
