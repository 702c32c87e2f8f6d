// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "report/annotations.hpp"
#include "report/checks.hpp"
#include "report/mark.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"
#include "report_hostile.hpp"

namespace offshoot::report {
namespace {

using namespace report::tests;
using State = CheckReport::State;

offshoot::Run golden(const std::string& name) {
  return from_json(read(golden_folder / name / "run.json"), "run.json").value();
}

std::vector<State> states(const offshoot::Run& run, Reach reach) {
  std::vector<State> all;
  for (const CheckReport& report : check_reports(run, reach)) all.push_back(report.state);
  return all;
}

TEST(CheckReports, AStageThatWasNotReachedWaitsAndIsThenCancelled) {
  const offshoot::Run run{};
  EXPECT_EQ(states(run, Reach::under_way), std::vector(4, State::waiting));
  EXPECT_EQ(states(run, Reach::ended), std::vector(4, State::cancelled));
}

TEST(CheckReports, ASkippedOneSaysWhy) {
  const auto reports = check_reports(golden("docs-only"), Reach::ended);
  EXPECT_EQ(reports[1].state, State::skipped);
  EXPECT_EQ(reports[1].title, "skipped: nothing to build");
}

TEST(CheckReports, EachFailsForItsOwnReason) {
  EXPECT_EQ(states(golden("failing-test"), Reach::ended)[1], State::failure);
  EXPECT_EQ(states(golden("failing-test"), Reach::ended)[2], State::success);
  EXPECT_EQ(states(golden("lint-findings"), Reach::ended)[2], State::failure);
  EXPECT_EQ(states(golden("all-passed"), Reach::ended), std::vector(4, State::success));
  EXPECT_EQ(states(golden("refused"), Reach::ended)[1], State::failure) << "the branch was refused";
}

TEST(CheckReports, ElementaryNeverFails) {
  offshoot::Run run = golden("all-passed");
  run.quality = Failed{.doing = "running edr", .why = "it broke"};
  EXPECT_EQ(states(run, Reach::ended)[3], State::skipped);
}

TEST(Annotations, TheMostSevereComeFirstAndOnlyOnChangedLines) {
  offshoot::Run run = golden("lint-findings");
  const auto of_lint = annotations_of_lint(run);
  ASSERT_FALSE(of_lint.empty());
  for (const Annotation& annotation : of_lint) {
    const auto& findings = run.lint.finished()->findings;
    EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [&](const LintFinding& finding) {
      return finding.on_changed_line && finding.path == annotation.path && finding.line == annotation.first_line;
    }));
  }
  run.lint.finished()->findings.front().warning = true;
  const auto all = annotations(run);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const Annotation& a, const Annotation& b) {
    return static_cast<int>(a.level) < static_cast<int>(b.level);
  }));
}

TEST(Annotations, WhatDidNotBuildStandsAtItsFirstChangedLine) {
  const offshoot::Run run = golden("model-error");
  const auto found = annotations_of_build(run);
  ASSERT_FALSE(found.empty());
  for (const Annotation& annotation : found) {
    const auto& files = run.change.finished()->files;
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const ChangedFile& changed) { return changed.path == annotation.path; });
    ASSERT_NE(file, files.end());
    EXPECT_EQ(file->lines.front().first, annotation.first_line);
  }
}

TEST(Mark, I6_IsReadBackAsItWasWritten) {
  const CommentMark mark{"20261121T034501Z-500-1", std::string(40, 'a'), "0123456789abcdef"};
  const std::string comment = "text\n" + hidden_line(mark, "offshoot:v1") + "\n";
  EXPECT_EQ(read_mark(comment, "offshoot:v1"), mark);
  EXPECT_EQ(read_mark(comment, "offshoot:v1:12345678"), std::nullopt);
  EXPECT_EQ(read_mark(hidden_line(mark, "offshoot:v1:12345678"), "offshoot:v1"), std::nullopt);
  EXPECT_EQ(read_mark("hello", "offshoot:v1"), std::nullopt);
}

TEST(Mark, K8_LaterRunsAreToldByNumberAndAttempt) {
  EXPECT_TRUE(is_later_run("20261121T034501Z-1000-1", "20261121T040000Z-999-3"));
  EXPECT_TRUE(is_later_run("20261121T034501Z-999-2", "20261121T034501Z-999-1"));
  EXPECT_FALSE(is_later_run("20261121T034501Z-999-1", "20261121T034501Z-999-1"));
  EXPECT_FALSE(is_later_run("20261121T034501Z-1a2b3c4d-1", "20261121T034501Z-999-1"));
  EXPECT_FALSE(is_later_run("", "20261121T034501Z-999-1"));
}

TEST(Digest, I6_IsTheSameWhereOnlyTimesDiffer) {
  const offshoot::Run run = golden("failing-test");
  offshoot::Run again = run;
  again.id = "20261122T000000Z-501-1";
  again.started = "2026-11-22T00:00:00Z";
  again.seconds = 1000;
  again.times.clear();
  again.origin.run_url += "2";
  for (NodeResult& result : again.build.finished()->results) result.seconds = 99;
  EXPECT_EQ(mark_of(run).digest, mark_of(again).digest);
  again.change.finished()->head.sha = std::string(40, 'f');
  EXPECT_NE(mark_of(run).digest, mark_of(again).digest);
  offshoot::Run other = run;
  other.build.finished()->results.front().status = NodeStatus::error;
  EXPECT_NE(mark_of(run).digest, mark_of(other).digest);
}

}  // namespace
}  // namespace offshoot::report
