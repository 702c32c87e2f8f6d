// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <csignal>

#include "report/verdict.hpp"

namespace offshoot::report {
namespace {

const std::string model = "model.shop.fct_orders";
const std::string test = "test.shop.unique_fct_orders_id.abc";

offshoot::Run passing() {
  offshoot::Run run{};
  run.change = Change{};
  run.plan = Plan{.nodes = {{.unique_id = model, .resource_type = "model", .name = "fct_orders"},
                            {.unique_id = test, .resource_type = "test", .name = "unique", .depends_on = {model}}}};
  run.branch = Branch{};
  run.build = Build{.results = {{.unique_id = model, .status = NodeStatus::success},
                                {.unique_id = test, .status = NodeStatus::pass}}};
  run.lint = Lint{};
  return run;
}

offshoot::Run with(NodeStatus status) {
  offshoot::Run run = passing();
  run.build.finished()->results[0].status = status;
  return run;
}

Failed stopped(ExitStatus status) { return {.status = status, .doing = "doing it", .why = "because"}; }

TEST(Verdict, M1_AGoodBuildPasses) {
  EXPECT_EQ(verdict(passing()), (Verdict{ExitStatus::passed, Conclusion::passed, "1 model built, 1 test passed"}));
}

TEST(Verdict, M1_EachBadStatusOfANodeIsAFinding) {
  for (const NodeStatus status :
       {NodeStatus::fail, NodeStatus::error, NodeStatus::unaccounted, NodeStatus::not_run, NodeStatus::skipped}) {
    EXPECT_EQ(verdict(with(status)).status, ExitStatus::findings) << static_cast<int>(status);
  }
  EXPECT_EQ(verdict(with(NodeStatus::error)).headline, "1 model did not build");
  EXPECT_EQ(verdict(with(NodeStatus::skipped)).headline, "1 node skipped");
  EXPECT_EQ(verdict(with(NodeStatus::unaccounted)).headline, "1 node not run");
}

TEST(Verdict, M1_AWarningPasses) {
  offshoot::Run run = passing();
  run.build.finished()->results[1].status = NodeStatus::warn;
  EXPECT_EQ(verdict(run).status, ExitStatus::passed);
  EXPECT_EQ(verdict(run).headline, "1 model built, 1 test passed, 1 warning");
  EXPECT_EQ(verdict(with(NodeStatus::no_op)).status, ExitStatus::passed);
}

TEST(Verdict, M2_APlannedNodeOfWhichDbtSaidNothingIsNeverGreen) {
  offshoot::Run run = passing();
  run.build.finished()->results.pop_back();
  EXPECT_EQ(verdict(run).status, ExitStatus::findings);
  run.build.finished()->results.clear();
  EXPECT_EQ(verdict(run).headline, "2 nodes not run");
}

TEST(Verdict, AnEphemeralModelAndAnExposureNeedNoResult) {
  offshoot::Run run = passing();
  run.plan.finished()->nodes.push_back(
      {.unique_id = "model.shop.eph", .resource_type = "model", .materialized = "ephemeral"});
  run.plan.finished()->nodes.push_back({.unique_id = "exposure.shop.board", .resource_type = "exposure"});
  EXPECT_EQ(verdict(run).status, ExitStatus::passed);
}

TEST(Verdict, ABadResultOutsideThePlanCounts) {
  offshoot::Run run = passing();
  run.build.finished()->results.push_back({.unique_id = "model.shop.other", .status = NodeStatus::error});
  EXPECT_EQ(verdict(run).status, ExitStatus::findings);
}

TEST(Verdict, M1_LintFailsOnChangedLinesWhereTheSettingsSaySo) {
  offshoot::Run run = passing();
  run.lint = Lint{.findings = {{.path = "a.sql", .on_changed_line = false}}};
  EXPECT_EQ(verdict(run).status, ExitStatus::passed);
  run.lint.finished()->findings[0].on_changed_line = true;
  EXPECT_EQ(verdict(run), (Verdict{ExitStatus::findings, Conclusion::findings, "1 lint finding"}));
  run.policy.lint_fails = false;
  EXPECT_EQ(verdict(run).status, ExitStatus::passed);
}

TEST(Verdict, ALinterThatBrokeDecidesWhereItsFindingsWould) {
  offshoot::Run run = passing();
  run.lint = stopped(ExitStatus::could_not_run);
  EXPECT_EQ(verdict(run).status, ExitStatus::could_not_run);
  run.policy.lint_fails = false;
  EXPECT_EQ(verdict(run).status, ExitStatus::passed);
  run.lint = stopped(ExitStatus::refused);
  EXPECT_EQ(verdict(run).status, ExitStatus::refused);
}

TEST(Verdict, ElementaryNeverDecides) {
  offshoot::Run run = passing();
  run.quality = stopped(ExitStatus::could_not_run);
  EXPECT_EQ(verdict(run).status, ExitStatus::passed);
}

TEST(Verdict, M1_TheGravestFailedStageDecides) {
  offshoot::Run run = with(NodeStatus::error);
  run.lint = stopped(ExitStatus::could_not_run);
  EXPECT_EQ(verdict(run).status, ExitStatus::could_not_run);
  run.build = stopped(ExitStatus::locked);
  EXPECT_EQ(verdict(run).status, ExitStatus::locked);
  run.plan = stopped(ExitStatus::usage);
  EXPECT_EQ(verdict(run).status, ExitStatus::usage);
  run.branch = stopped(ExitStatus::refused);
  EXPECT_EQ(verdict(run), (Verdict{ExitStatus::refused, Conclusion::refused, "Refused for safety: doing it"}));
}

TEST(Verdict, M2_AFailedStageIsNeverGreen) {
  offshoot::Run run = passing();
  run.branch = stopped(ExitStatus::passed);
  EXPECT_EQ(verdict(run).status, ExitStatus::could_not_run);
  run.branch = stopped(ExitStatus::findings);
  EXPECT_EQ(verdict(run), (Verdict{ExitStatus::findings, Conclusion::findings, "doing it: because"}));
}

TEST(Verdict, M1_AnInterruptionWinsOverAll) {
  offshoot::Run run = with(NodeStatus::error);
  run.plan = stopped(ExitStatus::refused);
  run.interrupted_by = SIGINT;
  EXPECT_EQ(static_cast<int>(verdict(run).status), 130);
  run.interrupted_by = SIGTERM;
  EXPECT_EQ(static_cast<int>(verdict(run).status), 143);
  run.interrupted_by = 0;
  run.lint = stopped(ExitStatus::terminated);
  EXPECT_EQ(static_cast<int>(verdict(run).status), 143);
  run = passing();
  run.build = stopped(ExitStatus::interrupted);
  EXPECT_EQ(verdict(run).headline, "Interrupted before anything was built");
}

TEST(Verdict, M2_NothingToBuildIsSaidWithTheReason) {
  offshoot::Run run = passing();
  run.change = Change{.files = {{.path = "README.md"}}};
  run.build = Skipped{"nothing to build"};
  run.plan = Plan{.idle_files = {{"README.md", "documentation"}, {"docs/x.md", "documentation"}}};
  EXPECT_EQ(verdict(run),
            (Verdict{ExitStatus::passed, Conclusion::nothing_to_build, "Nothing to build: documentation"}));
  run.plan.finished()->idle_files.push_back({"a.sql", "comments and whitespace only"});
  EXPECT_EQ(verdict(run).headline, "Nothing to build: comments and whitespace only; documentation");
  run.plan.finished()->idle_files.push_back({"b.txt", "not part of the dbt project"});
  EXPECT_EQ(verdict(run).headline, "Nothing to build: 4 changed files select no node");
  run.plan = Plan{.removed = {{.unique_id = "model.shop.x"}}};
  EXPECT_EQ(verdict(run).headline, "Nothing to build: 1 node was removed");
  run.plan = Plan{};
  EXPECT_EQ(verdict(run).headline, "Nothing to build: no changed file selects a node");
  run.change = Change{};
  EXPECT_EQ(verdict(run).headline, "Nothing to build: no file changed");
}

TEST(Verdict, M2_APlanThatWasNotBuiltIsSaid) {
  offshoot::Run run = passing();
  run.build = Skipped{"a fork has no warehouse"};
  EXPECT_EQ(verdict(run), (Verdict{ExitStatus::passed, Conclusion::nothing_to_build,
                                   "2 nodes planned, none built: a fork has no warehouse"}));
}

TEST(Verdict, M2_AStageThatWasNeverReachedIsNotGreen) {
  EXPECT_EQ(verdict(offshoot::Run{}).status, ExitStatus::could_not_run);
  offshoot::Run run = passing();
  run.build = Outcome<Build>();
  EXPECT_EQ(verdict(run).headline, "Could not run: the run ended before the stage \"build\"");
  run = passing();
  run.lint = Outcome<Lint>();
  EXPECT_EQ(verdict(run).status, ExitStatus::could_not_run);
  run = passing();
  run.plan = Plan{};
  run.build = Outcome<Build>();
  EXPECT_EQ(verdict(run).status, ExitStatus::passed);
}

TEST(Verdict, I8_TheHeadlineFitsACommitStatus) {
  offshoot::Run run = passing();
  run.plan = Failed{.status = ExitStatus::usage, .doing = std::string(5000, 'x') + "\n\x1B[31m::error::"};
  EXPECT_LE(verdict(run).headline.size(), 140U);
  run.plan = Failed{.status = ExitStatus::usage, .doing = "a\n::error::b\x1B[31m"};
  EXPECT_EQ(verdict(run).headline, "Needs attention: a ::error::b");
}

}  // namespace
}  // namespace offshoot::report
