// SPDX-License-Identifier: Apache-2.0
#include "build/build.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <vector>

namespace offshoot::build {

namespace {

bool ended_well(NodeStatus status) {
  return status == NodeStatus::success || status == NodeStatus::pass || status == NodeStatus::warn ||
         status == NodeStatus::no_op;
}

/// Whether it is a unit test of a model that is not planned.
bool stands_alone(const PlannedNode& node, const std::set<std::string>& planned) {
  return node.resource_type == "unit_test" &&
         std::ranges::none_of(node.depends_on, [&](const std::string& model) { return planned.contains(model); });
}

/// The commands that together run the plan, one after the other.
std::vector<dbt::BuildRequest> commands_for(const BuildRequest& request) {
  dbt::BuildRequest build{.at = request.at,
                          .handle = request.handle,
                          .target_path = request.target_path,
                          .threads = request.settings.threads,
                          .fail_fast = request.settings.fail_fast,
                          .full_refresh = request.settings.full_refresh};
  for (const auto& deferred : request.plan.deferred) build.deferred.emplace(deferred.unique_id, deferred.relation);
  // `dbt build` runs a unit test only before its model; `dbt test` runs it alone.
  dbt::BuildRequest test = build;
  test.dbt_command = "test";
  test.full_refresh = false;

  std::set<std::string> planned;
  for (const auto& node : request.plan.nodes) planned.insert(node.unique_id);
  for (const auto& node : request.plan.nodes) {
    (stands_alone(node, planned) ? test : build).nodes.push_back(node.unique_id);
  }
  if (test.nodes.empty()) return {build};
  if (build.nodes.empty()) return {test};
  test.target_path /= "unit-tests";
  return {build, test};
}

void append(dbt::BuildOutput& all, dbt::BuildOutput&& more) {
  const auto add = [](auto& to, auto& from) { std::ranges::move(from, std::back_inserter(to)); };
  add(all.results, more.results);
  add(all.compiled_only, more.compiled_only);
  add(all.warnings, more.warnings);
  all.seconds += more.seconds;
  all.stopped = std::move(more.stopped);
}

/// dbt's words without the path of the temporary folder that it worked in.
void shorten_paths(std::string& message, const std::filesystem::path& target_path) {
  const std::string folder = target_path.string();
  for (auto at = message.find(folder); at != std::string::npos; at = message.find(folder, at)) {
    message.replace(at, folder.size(), "target");
  }
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
  dbt::BuildOutput all;
  for (const auto& command : commands_for(request)) {
    auto output = session.build(command, listener);
    if (!output && all.results.empty()) return output.error();
    if (!output) {
      all.stopped = output.error();
    } else {
      append(all, std::move(*output));
    }
    if (all.stopped) break;
  }
  Build build{account(request.plan, all), std::move(all.warnings), all.seconds};
  for (auto& result : build.results) shorten_paths(result.message, request.target_path);
  return build;
}

}  // namespace offshoot::build
