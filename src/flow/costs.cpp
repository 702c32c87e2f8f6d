// SPDX-License-Identifier: Apache-2.0
#include "flow/costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "io/json.hpp"
#include "report/run_json.hpp"
#include "store/runs.hpp"

namespace offshoot::flow {

namespace {

constexpr std::size_t most_runs_looked_at = 50;
constexpr std::size_t most_nodes_named = 5;
constexpr double worth_saying = 5;  // seconds

bool same_kind(const Run& run, const store::RunIndex& other) {
  return other.id != run.id && other.command == run.origin.command && other.ref == run.origin.ref &&
         other.pull_request == run.origin.pull_request;
}

/// The newest run before this one that did the same and built; absent where none is found among the newest.
std::optional<Run> run_before(const Context& context, const Run& run) {
  const auto runs = store::newest_runs(context.store, run.origin.repository_id, most_runs_looked_at);
  if (!runs) return std::nullopt;
  for (const auto& index : *runs) {
    if (!same_kind(run, index)) continue;
    const store::FoundRun found{store::run_folder(run.origin.repository_id, index.started, index.id), index};
    const auto bytes = store::file_of(context.store, found, "run.json");
    if (!bytes) return std::nullopt;
    auto other = report::from_json(*bytes, index.id);
    if (other && other->build.finished() != nullptr) return std::move(*other);
  }
  return std::nullopt;
}

/// Nodes that took far longer than before.
void note_slower(const Run& before, const Build& build, Run& run) {
  std::map<std::string, double> earlier;
  for (const auto& result : before.build.finished()->results) {
    if (result.status == NodeStatus::success) earlier.emplace(result.unique_id, result.seconds);
  }
  std::vector<std::pair<double, std::string>> slower;
  for (const auto& result : build.results) {
    const auto found = earlier.find(result.unique_id);
    if (found == earlier.end() || result.status != NodeStatus::success) continue;
    if (result.seconds < 2 * found->second || result.seconds - found->second < worth_saying) continue;
    slower.emplace_back(result.seconds - found->second,
                        fmt::format("{} took {:.0f} s, and {:.0f} s in the run {}.", result.unique_id, result.seconds,
                                    found->second, before.id));
  }
  std::ranges::sort(slower, std::ranges::greater());
  if (slower.size() > most_nodes_named) slower.resize(most_nodes_named);
  for (auto& [difference, sentence] : slower) run.notes.push_back(std::move(sentence));
}

void weigh_budget(const Context& context, const Build& build, Run& run) {
  const auto budget = io::parse_json(context.settings.build.budget, "reading build.budget");
  if (!budget || !budget->is_object()) return;
  const auto totals = total_costs(build);
  for (const auto& limit : budget->items()) {
    const auto found = totals.find(limit.key());
    if (found == totals.end()) {
      run.notes.push_back(fmt::format("build.budget limits {}, which nothing of this build reports.", limit.key()));
    } else if (found->second > limit.value().get<double>()) {
      run.over_budget.push_back(
          fmt::format("{}: {:.0f} of {:.0f}", limit.key(), found->second, limit.value().get<double>()));
      run.notes.push_back("Over budget: " + run.over_budget.back() + ".");
    }
  }
}

}  // namespace

std::map<std::string, double> total_costs(const Build& build) {
  std::map<std::string, double> totals{{"seconds", 0.0}, {"rows", 0.0}};
  for (const auto& result : build.results) {
    totals["seconds"] += result.seconds;
    if (result.rows_affected > 0) totals["rows"] += static_cast<double>(result.rows_affected);
    for (const auto& one : result.reported) totals[one.what] += one.amount;
  }
  return totals;
}

void weigh_costs(const Context& context, Run& run) {
  const Build* build = run.build.finished();
  if (build == nullptr) return;
  run.policy.budget_fails = context.settings.build.over_budget == "fail";
  weigh_budget(context, *build, run);
  if (const auto before = run_before(context, run)) note_slower(*before, *build, run);
}

}  // namespace offshoot::flow
