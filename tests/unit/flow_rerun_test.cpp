// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/costs.hpp"
#include "flow/rerun.hpp"

namespace offshoot::flow {
namespace {

offshoot::Run run_of(std::vector<PlannedNode> nodes, std::vector<NodeResult> results) {
  offshoot::Run run;
  Plan plan;
  plan.nodes = std::move(nodes);
  run.plan = std::move(plan);
  Build build;
  build.results = std::move(results);
  run.build = std::move(build);
  return run;
}

PlannedNode node(const std::string& id, std::vector<std::string> depends_on = {}) {
  return {.unique_id = id, .resource_type = id.substr(0, id.find('.')), .depends_on = std::move(depends_on)};
}

NodeResult result(const std::string& id, NodeStatus status) { return {.unique_id = id, .status = status}; }

TEST(LeftOf, K3_WhatEndedWellIsNotLeft) {
  const offshoot::Run run = run_of({node("model.s.a"), node("test.s.t", {"model.s.a"}), node("model.s.b")},
                                   {result("model.s.a", NodeStatus::success), result("test.s.t", NodeStatus::warn),
                                    result("model.s.b", NodeStatus::no_op)});
  EXPECT_TRUE(left_of(run).empty());
}

TEST(LeftOf, K3_WhatFailedWasSkippedOrNeverRanIs) {
  const offshoot::Run run =
      run_of({node("model.s.a"), node("model.s.b"), node("model.s.c"), node("model.s.d"), node("model.s.e")},
             {result("model.s.a", NodeStatus::error), result("model.s.b", NodeStatus::skipped),
              result("model.s.c", NodeStatus::not_run), result("model.s.d", NodeStatus::unaccounted)});
  EXPECT_EQ(left_of(run), (std::set<std::string>{"model.s.a", "model.s.b", "model.s.c", "model.s.d", "model.s.e"}));
}

TEST(LeftOf, K3_OfAFailedTestThePlannedModelsThatItIsOn) {
  const offshoot::Run run =
      run_of({node("model.s.a"), node("model.s.b"), node("test.s.t", {"model.s.a", "model.s.elsewhere"})},
             {result("model.s.a", NodeStatus::success), result("model.s.b", NodeStatus::success),
              result("test.s.t", NodeStatus::fail)});
  EXPECT_EQ(left_of(run), (std::set<std::string>{"model.s.a", "test.s.t"}));
}

TEST(LeftOf, K3_OfASkippedTestOnlyTheTest) {
  const offshoot::Run run = run_of({node("model.s.a"), node("test.s.t", {"model.s.a"})},
                                   {result("model.s.a", NodeStatus::success), result("test.s.t", NodeStatus::skipped)});
  EXPECT_EQ(left_of(run), (std::set<std::string>{"test.s.t"}));
}

TEST(LeftOf, ARunThatBuiltNothingLeavesNothing) { EXPECT_TRUE(left_of(offshoot::Run{}).empty()); }

TEST(TotalCosts, AddsUpWhatNodesTookAndWhatTheAdapterReports) {
  Build build;
  build.results = {{.unique_id = "model.s.a", .seconds = 1.5, .rows_affected = 10, .reported = {{"bytes_billed", 100}}},
                   {.unique_id = "model.s.b", .seconds = 2, .reported = {{"bytes_billed", 50}, {"slot_ms", 7}}}};
  EXPECT_EQ(total_costs(build),
            (std::map<std::string, double>{{"seconds", 3.5}, {"rows", 10}, {"bytes_billed", 150}, {"slot_ms", 7}}));
}

}  // namespace
}  // namespace offshoot::flow
