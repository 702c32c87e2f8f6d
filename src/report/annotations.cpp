// SPDX-License-Identifier: Apache-2.0
#include "report/annotations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/links.hpp"

namespace offshoot::report {
namespace {

using Level = Annotation::Level;

constexpr std::size_t longest_message = 3000;
constexpr std::size_t most_lines = 30;

std::string message_of(std::string_view raw) {
  std::size_t cut = 0;
  const std::string message = first_lines(raw, most_lines, longest_message, cut);
  return cut == 0 ? message : message + "\n…";
}

/// The first changed range of each file of the head that has one, by path.
std::map<std::string, LineRange> first_changes(const Run& run) {
  std::map<std::string, LineRange> found;
  const Change* change = run.change.finished();
  if (change == nullptr) return found;
  for (const ChangedFile& file : change->files) {
    if (!file.lines.empty()) found.emplace(file.path, file.lines.front());
  }
  return found;
}

Level level_of(NodeStatus status) { return status == NodeStatus::warn ? Level::warning : Level::error; }

void most_severe_first(std::vector<Annotation>& all) {
  std::ranges::stable_sort(all, {}, [](const Annotation& annotation) { return static_cast<int>(annotation.level); });
}

template <class T>
void add_place(const Outcome<T>& outcome, std::vector<Annotation>& all) {
  const Failed* failure = outcome.failure();
  if (failure == nullptr || !failure->place || failure->place->file.empty()) return;
  const int line = std::max(failure->place->line, 1);
  const std::string hint = failure->hint.empty() ? "" : "\n" + failure->hint;
  all.push_back({.path = failure->place->file,
                 .first_line = line,
                 .last_line = line,
                 .title = one_line(failure->doing, 200),
                 .message = message_of(failure->why + hint)});
}

}  // namespace

std::vector<Annotation> annotations_of_stages(const Run& run) {
  std::vector<Annotation> all;
  add_place(run.change, all);
  add_place(run.plan, all);
  add_place(run.branch, all);
  return all;
}

std::vector<Annotation> annotations_of_build(const Run& run) {
  const Plan* plan = run.plan.finished();
  if (plan == nullptr || run.build.finished() == nullptr) return {};
  const Digest digest(run);
  const auto changes = first_changes(run);
  std::vector<Annotation> all;
  const auto change_of = [&](const PlannedNode& node) {
    return changes.find(repository_path(plan->project_dir, node.file));
  };
  const auto add = [&](const Trouble& trouble) {
    if (trouble.node == nullptr) return;
    auto change = change_of(*trouble.node);
    for (const std::string& parent : trouble.node->depends_on) {  // a test's own file, else that of what it tests
      const PlannedNode* tested = is_test(*trouble.node) ? digest.node(parent) : nullptr;
      if (change == changes.end() && tested != nullptr) change = change_of(*tested);
    }
    if (change == changes.end()) return;  // the comment tells of it; it is not at a changed line
    const NodeResult& result = *trouble.result;
    std::string message = result.message;
    if (message.empty() && result.failures > 0) message = fmt::format("{} rows", result.failures);
    all.push_back(
        {.level = level_of(result.status),
         .path = change->first,
         .first_line = change->second.first,
         .last_line = change->second.last,
         .title = one_line(fmt::format("{}: {}", short_name(result.unique_id), status_word(result.status)), 200),
         .message = message_of(message.empty() ? status_word(result.status) : message)});
  };
  for (const Trouble& failure : digest.failures) add(failure);
  for (const Trouble& warning : digest.warnings) add(warning);
  most_severe_first(all);
  return all;
}

std::vector<Annotation> annotations_of_lint(const Run& run) {
  const Lint* lint = run.lint.finished();
  if (lint == nullptr) return {};
  std::vector<Annotation> all;
  for (const LintFinding& finding : lint->findings) {
    if (!finding.on_changed_line) continue;
    const bool fails = run.policy.lint_fails && !finding.warning;
    all.push_back({.level = fails ? Level::error : Level::warning,
                   .path = finding.path,
                   .first_line = finding.line,
                   .last_line = finding.line,
                   .title = one_line(finding.rule + (finding.name.empty() ? "" : " " + finding.name), 200),
                   .message = message_of(finding.message)});
  }
  most_severe_first(all);
  return all;
}

std::vector<Annotation> annotations(const Run& run) {
  std::vector<Annotation> all = annotations_of_stages(run);
  for (auto& more : {annotations_of_build(run), annotations_of_lint(run)})
    all.insert(all.end(), more.begin(), more.end());
  most_severe_first(all);
  return all;
}

}  // namespace offshoot::report
