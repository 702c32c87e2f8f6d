// SPDX-License-Identifier: Apache-2.0
#include "report/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "report/annotations.hpp"
#include "report/budget.hpp"
#include "report/escape.hpp"
#include "report/sections.hpp"
#include "report/words.hpp"

namespace offshoot::report {
namespace {

using State = CheckReport::State;

constexpr std::size_t longest_title = 200;
constexpr std::size_t longest_summary = 60'000;

void append(std::vector<Section>& to, std::vector<Section> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

/// One check after the other. A title is plain text, a summary markdown.
class Reports {
 public:
  Reports(const Run& run, Reach reach) : run_(run), reach_(reach), telling_(run) {}

  [[nodiscard]] CheckReport plan() const {
    if (run_.change.failure() != nullptr) return *from_outcome("plan", run_.change);
    if (auto stopped = from_outcome("plan", run_.plan)) return std::move(*stopped);
    const Plan& plan = *run_.plan.finished();
    const Digest& digest = telling_.digest;
    const std::string title = plan.nodes.empty()
                                  ? telling_.verdict.headline
                                  : counted(digest.objects + digest.tests, "node to build", "nodes to build");
    return {.name = "plan",
            .state = State::success,
            .title = one_line(title, longest_title),
            .summary = summary(plan_sections(telling_))};
  }

  [[nodiscard]] CheckReport build() const {
    if (run_.branch.failure() != nullptr) return *from_outcome("build", run_.branch);
    if (auto stopped = from_outcome("build", run_.build)) return std::move(*stopped);
    const Digest& digest = telling_.digest;
    const bool good = digest.failures.empty() && digest.undone.empty();
    std::vector<Section> sections = trouble_sections(telling_);
    append(sections, message_sections(telling_));
    return {.name = "build",
            .state = good          ? State::success
                     : cut_short() ? State::cancelled
                                   : State::failure,
            .title = fmt::format("{} of {} built, {} of {} passed", digest.objects_built,
                                 digest.objects_counted(digest.objects), digest.tests_passed,
                                 counted(digest.tests, "test", "tests")),
            .summary = summary(sections)};
  }

  [[nodiscard]] CheckReport lint() const {
    if (auto stopped = from_outcome("lint", run_.lint)) return std::move(*stopped);
    const std::size_t found = telling_.digest.lint_here.size();
    const bool fails = found > 0 && run_.policy.lint_fails;
    return {.name = "lint",
            .state = fails ? State::failure : State::success,
            .title = found == 0 ? counted(run_.lint.finished()->files.size(), "file", "files") + " clean"
                                : counted(found, "finding", "findings") + " on changed lines",
            .summary = summary(lint_sections(telling_))};
  }

  /// Elementary never decides: what went wrong with it is told and does not fail.
  [[nodiscard]] CheckReport quality() const {
    if (auto stopped = from_outcome("quality", run_.quality)) {
      if (stopped->state == State::failure) stopped->state = State::skipped;
      return std::move(*stopped);
    }
    return {.name = "quality", .state = State::success, .title = "Elementary's report is kept", .summary = summary({})};
  }

 private:
  [[nodiscard]] bool cut_short() const { return telling_.verdict.conclusion == Conclusion::interrupted; }

  /// How a stage without a value ended; absent for one with a value.
  template <class T>
  [[nodiscard]] std::optional<CheckReport> from_outcome(std::string name, const Outcome<T>& outcome) const {
    if (const Failed* failure = outcome.failure()) {
      const bool interrupted = failure->status == ExitStatus::interrupted || failure->status == ExitStatus::terminated;
      std::string summary = fmt::format("**{}**: {}\n", text(failure->doing), text(failure->why, 1000));
      if (!failure->hint.empty()) summary += fmt::format("\n→ {}\n", text(failure->hint, 600));
      return CheckReport{.name = std::move(name),
                         .state = interrupted ? State::cancelled : State::failure,
                         .title = one_line(failure->doing + ": " + failure->why, longest_title),
                         .summary = std::move(summary)};
    }
    const Skipped* skipped = outcome.skipped();
    if (skipped == nullptr) return std::nullopt;
    if (*skipped == Skipped{"not reached"}) {
      if (reach_ == Reach::under_way) return CheckReport{.name = std::move(name)};
      return CheckReport{.name = std::move(name),
                         .state = State::cancelled,
                         .title = "not reached",
                         .summary = "The run ended before it.\n"};
    }
    return CheckReport{.name = std::move(name),
                       .state = State::skipped,
                       .title = one_line("skipped: " + skipped->because, longest_title),
                       .summary = fmt::format("Skipped: {}\n", text(skipped->because))};
  }

  /// GitHub shows nothing of a check without a summary, so it is never empty.
  [[nodiscard]] std::string summary(const std::vector<Section>& sections) const {
    const std::string so_far = reach_ == Reach::ended ? text(telling_.verdict.headline) : "Done; the run goes on.";
    return so_far + "\n" + fit(sections, longest_summary);
  }

  const Run& run_;
  Reach reach_;
  Telling telling_;
};

}  // namespace

std::vector<CheckReport> check_reports(const Run& run, Reach reach) {
  const Reports reports(run, reach);
  std::vector<CheckReport> all{reports.plan(), reports.build(), reports.lint(), reports.quality()};
  for (CheckReport& report : all) {
    if (report.state == State::waiting) continue;
    if (report.name == "plan") report.annotations = annotations_of_stages(run);
    if (report.name == "build") report.annotations = annotations_of_build(run);
    if (report.name == "lint") report.annotations = annotations_of_lint(run);
  }
  return all;
}

}  // namespace offshoot::report
