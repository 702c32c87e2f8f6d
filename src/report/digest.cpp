// SPDX-License-Identifier: Apache-2.0
#include "report/digest.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <set>

namespace offshoot::report {
namespace {

template <class T>
StageRow stage_row(std::string_view name, const Outcome<T>& outcome) {
  return {.name = std::string(name),
          .failure = outcome.failure(),
          .skipped = outcome.skipped(),
          .finished = outcome.finished() != nullptr};
}

/// The more a reader should see it first, the less.
int rank(NodeStatus status) {
  switch (status) {
    case NodeStatus::error:
      return 0;
    case NodeStatus::fail:
      return 1;
    case NodeStatus::unaccounted:
      return 2;
    case NodeStatus::not_run:
      return 3;
    default:
      return 4;
  }
}

bool comes_first(const Trouble& a, const Trouble& b) {
  const int by_rank = rank(a.result->status) - rank(b.result->status);
  return by_rank != 0 ? by_rank < 0 : a.result->unique_id < b.result->unique_id;
}

bool is_failure(NodeStatus status) { return status == NodeStatus::error || status == NodeStatus::fail; }

}  // namespace

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string rows_of_production(const Branch& branch) {
  std::size_t cloned = 0;
  for (const Clone& one : branch.clones) cloned += one.left_because.empty() ? 1 : 0;
  return cloned == 0 ? "" : "production's rows in " + counted(cloned, "table", "tables");
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::min(std::round(seconds), 1e9));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string short_sha(const std::string& sha) { return sha.substr(0, 7); }

std::string short_name(const std::string& unique_id) {
  const std::size_t type_end = unique_id.find('.');
  const std::size_t package_end = type_end == std::string::npos ? type_end : unique_id.find('.', type_end + 1);
  if (package_end == std::string::npos || package_end + 1 == unique_id.size()) return unique_id;
  const std::string rest = unique_id.substr(package_end + 1);
  const bool has_hash = unique_id.starts_with("test.");
  return has_hash ? rest.substr(0, rest.find('.')) : rest;
}

std::string_view status_word(NodeStatus status) {
  switch (status) {
    case NodeStatus::success:
      return "built";
    case NodeStatus::pass:
      return "passed";
    case NodeStatus::warn:
      return "warned";
    case NodeStatus::fail:
      return "failed";
    case NodeStatus::error:
      return "error";
    case NodeStatus::skipped:
      return "skipped";
    case NodeStatus::no_op:
      return "nothing to do";
    case NodeStatus::not_run:
      return "not run";
    case NodeStatus::unaccounted:
      return "no result from dbt";
  }
  return "?";
}

bool is_failing(NodeStatus status) {
  return is_failure(status) || status == NodeStatus::skipped || status == NodeStatus::not_run ||
         status == NodeStatus::unaccounted;
}

bool is_test(const PlannedNode& node) { return node.resource_type == "test" || node.resource_type == "unit_test"; }

bool is_executed(const PlannedNode& node) {
  const std::string& type = node.resource_type;
  if (node.materialized == "ephemeral") return false;
  return is_test(node) || type == "model" || type == "seed" || type == "snapshot" || type == "function";
}

bool is_changed(const PlannedNode& node) {
  return std::any_of(node.reasons.begin(), node.reasons.end(), [](const Reason& reason) {
    return reason.kind != ReasonKind::upstream && reason.kind != ReasonKind::test_of &&
           reason.kind != ReasonKind::missing_in_production;
  });
}

bool is_missing_in_production(const PlannedNode& node) {
  return std::any_of(node.reasons.begin(), node.reasons.end(),
                     [](const Reason& reason) { return reason.kind == ReasonKind::missing_in_production; });
}

Digest::Digest(const Run& run) {
  read_stages(run);
  if (const Plan* plan = run.plan.finished()) {
    for (const PlannedNode& node : plan->nodes) {
      nodes_.emplace(node.unique_id, &node);
      if (is_test(node)) {
        for (const std::string& parent : node.depends_on) tests_on_[parent].push_back(&node);
      }
      if (!is_executed(node)) continue;
      (is_test(node) ? tests : objects) += 1;
      if (node.resource_type == "model") ++models_only;
    }
  }
  if (const Build* build = run.build.finished()) {
    read_results(*build);
    read_troubles();
  }
  if (const Lint* lint = run.lint.finished()) read_lint(*lint);
}

void Digest::read_stages(const Run& run) {
  stages = {stage_row("change", run.change), stage_row("plan", run.plan), stage_row("branch", run.branch),
            stage_row("build", run.build),   stage_row("lint", run.lint), stage_row("quality", run.quality)};
  if (run.deployment != Outcome<Deployment>{}) stages.push_back(stage_row("deploy", run.deployment));
  for (StageRow& row : stages) {
    for (const StageTime& time : run.times) {
      if (time.stage == row.name) row.seconds = time.seconds;
    }
  }
}

void Digest::read_results(const Build& build) {
  for (const NodeResult& result : build.results) results_.emplace(result.unique_id, &result);
  for (const auto& [id, node] : nodes_) {
    if (is_executed(*node) && !results_.contains(id)) {
      unheard_.push_back({.unique_id = id, .status = NodeStatus::unaccounted, .message = "dbt said nothing of it"});
    }
  }
  for (const NodeResult& result : unheard_) results_.emplace(result.unique_id, &result);
}

void Digest::read_troubles() {
  std::map<const NodeResult*, std::vector<const PlannedNode*>> below;
  for (const auto& [id, result] : results_) {
    const PlannedNode* planned = node(id);
    const NodeStatus status = result->status;
    const bool good = status == NodeStatus::success || status == NodeStatus::pass || status == NodeStatus::warn;
    const bool test = planned != nullptr && is_test(*planned);
    if (test && good) ++tests_passed;
    if (!test && planned != nullptr && is_executed(*planned) && (good || status == NodeStatus::no_op)) ++objects_built;
    if (status == NodeStatus::error) ++(test ? tests_errored : objects_errored);
    if (status == NodeStatus::fail) ++tests_failed;
    if (status == NodeStatus::warn) warnings.push_back({.result = result, .node = planned});
    if (is_failure(status)) failures.push_back({.result = result, .node = planned});
    if (status == NodeStatus::not_run || status == NodeStatus::unaccounted) {
      undone.push_back({.result = result, .node = planned});
    }
    if (status != NodeStatus::skipped) continue;
    ++skipped;
    const NodeResult* cause = planned == nullptr ? nullptr : cause_of_skipping(*planned);
    if (cause == nullptr) {
      undone.push_back({.result = result, .node = planned});
    } else {
      below[cause].push_back(planned);
    }
  }
  for (Trouble& failure : failures) failure.skipped_below = below[failure.result];
  std::sort(failures.begin(), failures.end(), comes_first);
  std::sort(undone.begin(), undone.end(), comes_first);
}

void Digest::read_lint(const Lint& lint) {
  for (const LintFinding& finding : lint.findings) {
    if (finding.on_changed_line) {
      lint_here.push_back(&finding);
    } else {
      ++lint_elsewhere;
    }
  }
}

/// A unit test of its own that failed; else the nearest node above that failed, or that has a test which did: dbt
/// builds nothing below either.
const NodeResult* Digest::cause_of_skipping(const PlannedNode& skipped_node) const {
  for (const PlannedNode* test : tests_on(skipped_node.unique_id)) {
    const NodeResult* found = result(test->unique_id);
    if (test->resource_type == "unit_test" && found != nullptr && is_failure(found->status)) return found;
  }
  std::set<std::string> seen;
  std::deque<std::string> queue(skipped_node.depends_on.begin(), skipped_node.depends_on.end());
  while (!queue.empty()) {
    const std::string id = queue.front();
    queue.pop_front();
    if (!seen.insert(id).second) continue;
    std::vector<std::string> candidates{id};
    for (const PlannedNode* test : tests_on(id)) candidates.push_back(test->unique_id);
    for (const std::string& candidate : candidates) {
      const NodeResult* found = result(candidate);
      if (found != nullptr && is_failure(found->status)) return found;
    }
    if (const PlannedNode* planned = node(id)) {
      queue.insert(queue.end(), planned->depends_on.begin(), planned->depends_on.end());
    }
  }
  return nullptr;
}

const PlannedNode* Digest::node(const std::string& unique_id) const {
  const auto found = nodes_.find(unique_id);
  return found == nodes_.end() ? nullptr : found->second;
}

const NodeResult* Digest::result(const std::string& unique_id) const {
  const auto found = results_.find(unique_id);
  return found == results_.end() ? nullptr : found->second;
}

const std::vector<const PlannedNode*>& Digest::tests_on(const std::string& unique_id) const {
  static const std::vector<const PlannedNode*> none;
  const auto found = tests_on_.find(unique_id);
  return found == tests_on_.end() ? none : found->second;
}

std::string Digest::objects_counted(std::size_t count) const {
  return models_only == objects ? counted(count, "model", "models") : counted(count, "node", "nodes");
}

}  // namespace offshoot::report
