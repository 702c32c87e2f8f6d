// SPDX-License-Identifier: Apache-2.0
#include "flow/costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "io/json.hpp"
#include "report/run_json.hpp"

namespace offshoot::flow {

namespace {

constexpr std::size_t most_runs_read = 10;
constexpr int most_days_back = 14;
constexpr std::size_t most_nodes_named = 5;
constexpr double worth_saying = 5;  // seconds

bool same_kind(const Run& run, const Run& other) {
  return other.id != run.id && other.origin.command == run.origin.command && other.origin.ref == run.origin.ref &&
         other.origin.pull_request == run.origin.pull_request && other.build.finished() != nullptr;
}

/// The newest run before this one that did the same; absent where none is found among the newest.
std::optional<Run> run_before(const Context& context, const Run& run) {
  std::size_t read = 0;
  for (int day = 0; day < most_days_back && read < most_runs_read; ++day) {
    const std::string date = io::rfc3339(context.started - std::chrono::days(day)).substr(0, 10);
    auto keys = context.store.list(fmt::format("{}/runs/{}/", run.origin.repository_id, date));
    if (!keys) return std::nullopt;
    std::ranges::reverse(*keys);
    for (const auto& key : *keys) {
      if (!key.ends_with("/run.json") || read >= most_runs_read) continue;
      ++read;
      const auto bytes = context.store.get(key);
      if (!bytes || !*bytes) continue;
      auto other = report::from_json(**bytes, key);
      if (other && same_kind(run, *other)) return std::move(*other);
    }
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
    if (!limit.value().is_number()) {
      run.notes.push_back(fmt::format("build.budget: {} is no number.", limit.key()));
    } else if (found != totals.end() && found->second > limit.value().get<double>()) {
      run.over_budget.push_back(
          fmt::format("{}: {:.0f} of {:.0f}", limit.key(), found->second, limit.value().get<double>()));
      run.notes.push_back("Over budget: " + run.over_budget.back() + ".");
    }
  }
}

}  // namespace

std::map<std::string, double> total_costs(const Build& build) {
  std::map<std::string, double> totals{{"seconds", 0.0}};
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
