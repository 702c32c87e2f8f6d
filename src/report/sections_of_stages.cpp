// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "report/deployment.hpp"
#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/phrases.hpp"
#include "report/sections.hpp"
#include "report/words.hpp"

namespace offshoot::report {
namespace {

/// The stages of a run, as tables.
class Stages {
 public:
  explicit Stages(const Telling& telling) : run_(telling.run), digest_(telling.digest), links_(telling.links) {}

  Section stopped() {
    Section section{.importance = 0, .share = 0.4};
    for (const StageRow& stage : digest_.stages) {
      if (stage.failure != nullptr) section.open += stop(*stage.failure);
    }
    section.open += "\n| stage | state | time | |\n| --- | --- | ---: | --- |\n";
    section.entries.push_back(rows());
    return section;
  }

  Section times() {
    return {.importance = 13,
            .share = 0.05,
            .open = unfold("Stages and times") + "| stage | state | time | result |\n| --- | --- | ---: | --- |\n",
            .entries = {rows() + slowest()},
            .close = std::string(fold_end)};
  }

 private:
  [[nodiscard]] std::string rows() const {
    std::string rows;
    for (const StageRow& stage : digest_.stages) rows += stage_row(stage);
    return rows;
  }

  /// A failed stage: what was being done, why it stopped, what to do.
  [[nodiscard]] std::string stop(const Failed& failure) const {
    std::size_t cut = 0;
    const std::string why = first_lines(failure.why, 20, 2000, cut);
    std::string out = fmt::format("\n**{}**", text(failure.doing, 200));
    if (why.find('\n') == std::string::npos) {
      out += fmt::format(": {}\n", text(why, 600));
    } else {
      out += "\n\n" + fenced(why + cut_mark(cut), "text");
    }
    if (failure.place) out += fmt::format("\n{}\n", place(*failure.place));
    if (!failure.hint.empty()) out += fmt::format("\n→ {}\n", text(failure.hint, 400));
    return out;
  }

  [[nodiscard]] std::string place(const Place& at) const {
    const std::string line = at.line > 0 ? fmt::format(":{}", at.line) : "";
    const std::string column = at.line > 0 && at.column > 0 ? fmt::format(":{}", at.column) : "";
    return linked(code(at.file + line + column), links_.file(at.file, at.line));
  }

  [[nodiscard]] std::string stage_row(const StageRow& stage) const {
    const std::string time = stage.seconds < 0 ? "" : duration(stage.seconds);
    if (stage.failure != nullptr) {
      return fmt::format("| {} | ❌ stopped | {} | see above |\n", stage.name, time);
    }
    if (stage.skipped != nullptr) {
      return fmt::format("| {} | ○ skipped | {} | {} |\n", stage.name, time, text(stage.skipped->because, 160));
    }
    return fmt::format("| {} | ✓ finished | {} | {} |\n", stage.name, time, stage_outcome(stage.name));
  }

  /// What a finished stage has to show, in a few words.
  [[nodiscard]] std::string stage_outcome(const std::string& stage) const {
    if (stage == "change") return outcome(run_.change.finished());
    if (stage == "plan") return outcome(run_.plan.finished());
    if (stage == "branch") return outcome(run_.branch.finished());
    if (stage == "build") return outcome(run_.build.finished());
    return stage == "lint" ? outcome(run_.lint.finished()) : outcome(run_.quality.finished());
  }

  [[nodiscard]] static std::string outcome(const Change* change) {
    return change == nullptr ? "" : counted(change->files.size(), "changed file", "changed files");
  }

  [[nodiscard]] std::string outcome(const Plan* plan) const {
    if (plan == nullptr) return {};
    const std::string base = plan->base_state.empty() ? "" : "; base " + text(plan->base_state, 80);
    const std::string verified = plan->verified ? "; " + difference_title(*plan->verified) : "";
    return counted(digest_.objects + digest_.tests, "node", "nodes") + base + verified;
  }

  [[nodiscard]] static std::string outcome(const Branch* branch) {
    if (branch == nullptr) return {};
    const std::string rows = rows_of_production(*branch);
    return fmt::format("{}, {}{}", cell_code(branch->name, 60), branch->reused ? "of an earlier run" : "new",
                       rows.empty() ? "" : "; " + rows);
  }

  [[nodiscard]] std::string outcome(const Build* build) const {
    if (build == nullptr) return {};
    return fmt::format("{} built, {}", digest_.objects_counted(digest_.objects_built),
                       counted(digest_.tests_passed, "test passed", "tests passed"));
  }

  [[nodiscard]] static std::string outcome(const Lint* lint) {
    if (lint == nullptr) return {};
    return fmt::format("{}, {}", text(lint->tool, 40), counted(lint->files.size(), "file", "files"));
  }

  [[nodiscard]] static std::string outcome(const Quality* quality) {
    if (quality == nullptr) return {};
    const std::string page = quality->report.empty() ? "" : ": " + cell_code(quality->report, 120);
    return text(quality->tool, 40) + page;
  }

  /// The nodes that took longest, where that is worth a look.
  [[nodiscard]] std::string slowest() const {
    const Build* build = run_.build.finished();
    if (build == nullptr) return {};
    std::vector<const NodeResult*> slow;
    for (const NodeResult& result : build->results) {
      if (result.seconds >= 1) slow.push_back(&result);
    }
    std::stable_sort(slow.begin(), slow.end(),
                     [](const NodeResult* a, const NodeResult* b) { return a->seconds > b->seconds; });
    if (slow.empty()) return {};
    slow.resize(std::min<std::size_t>(slow.size(), 5));
    std::vector<std::string> parts;
    parts.reserve(slow.size());
    for (const NodeResult* result : slow) {
      parts.push_back(fmt::format("{} {}", code(short_name(result->unique_id), 80), duration(result->seconds)));
    }
    return fmt::format("\nSlowest: {}\n", joined(parts, ", "));
  }

  const Run& run_;
  const Digest& digest_;
  const Links& links_;
};

}  // namespace

std::vector<Section> stop_sections(const Telling& telling) {
  const bool failed_stage = std::any_of(telling.digest.stages.begin(), telling.digest.stages.end(),
                                        [](const StageRow& stage) { return stage.failure != nullptr; });
  const Conclusion conclusion = telling.verdict.conclusion;
  const bool stopped = failed_stage || conclusion == Conclusion::could_not_run || conclusion == Conclusion::interrupted;
  return stopped ? std::vector{Stages(telling).stopped()} : std::vector<Section>();
}

std::vector<Section> deployment_sections(const Telling& telling) {
  const Deployment* deployment = telling.run.deployment.finished();
  if (deployment == nullptr) return {};
  Section section{.importance = 5, .share = 0.2, .one = "line", .many = "lines"};
  section.open = fmt::format("\n**{}**\n\n", text(deployment_title(*deployment), 160));
  for (const std::string& line : deployment_lines(*deployment)) {
    section.entries.push_back(fmt::format("- {}\n", text(line, 400)));
  }
  if (section.entries.empty()) section.entries.emplace_back("- nothing had to be built\n");
  return {std::move(section)};
}

std::vector<Section> time_sections(const Telling& telling) { return {Stages(telling).times()}; }

}  // namespace offshoot::report
