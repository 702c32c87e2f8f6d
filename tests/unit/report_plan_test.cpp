// SPDX-License-Identifier: Apache-2.0
// The plan as a person reads it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "report/markdown.hpp"
#include "report/phrases.hpp"
#include "report/terminal.hpp"

namespace offshoot::report {
namespace {

PlannedNode model(const std::string& name, std::vector<std::string> parents, std::vector<Reason> reasons) {
  for (std::string& parent : parents) parent = "model.shop." + parent;
  return {.unique_id = "model.shop." + name,
          .resource_type = "model",
          .name = name,
          .file = "models/" + name + ".sql",
          .materialized = "table",
          .reasons = std::move(reasons),
          .depends_on = std::move(parents)};
}

Reason below(const std::vector<std::string>& names) {
  Reason reason{ReasonKind::upstream, names.front(), {}};
  for (const std::string& name : names) reason.path.push_back("model.shop." + name);
  return reason;
}

const Reason body{ReasonKind::body, "", {}};

/// The tree alone.
std::string tree_of(const std::vector<PlannedNode>& nodes) {
  const std::string all = selection_terminal(nodes, {}, {}, false);
  const std::string title = "what changed, and what follows\n";
  return all.substr(all.find(title) + title.size());
}

TEST(PlanTree, EachNodeStandsOnceAndNamesItsOtherCauses) {
  EXPECT_EQ(tree_of({model("a", {}, {body}), model("b", {}, {body}), model("c", {"a", "b"}, {below({"a"})}),
                     model("d", {"c"}, {below({"a", "c"})})}),
            "  ● a  model, table  SQL changed\n"
            "  └─ c  model, table  also below b\n"
            "     └─ d  model, table\n"
            "  ● b  model, table  SQL changed\n");
}

TEST(PlanTree, AMacroIsTheRootOfWhatItAloneChanges) {
  const Reason near{ReasonKind::macros, "money", {"macro.shop.money"}};
  const Reason far{ReasonKind::macros, "money", {"macro.shop.money", "macro.shop.price"}};
  const Reason other{ReasonKind::macros, "tax", {"macro.shop.tax"}};
  EXPECT_EQ(tree_of({model("a", {}, {near}), model("b", {"a"}, {far, other}), model("c", {}, {body, near})}),
            "  ● macro money  changed\n"
            "  ├─ a  model, table\n"
            "  └─ b  model, table  through price; also macro tax; also below a\n"
            "  ● c  model, table  SQL changed; macro money\n");
}

TEST(PlanTree, TestsStandBelowWhatTheyTest) {
  std::vector<PlannedNode> nodes{model("a", {}, {body}), model("b", {"a"}, {below({"a"})})};
  for (const char* name : {"t1", "t2", "t3", "t4"}) {
    nodes.push_back({.unique_id = fmt::format("test.shop.{}.0ad1", name),
                     .resource_type = "test",
                     .name = name,
                     .reasons = {{ReasonKind::test_of, "a", {"model.shop.a"}}},
                     .depends_on = {"model.shop.a"}});
  }
  EXPECT_EQ(tree_of(nodes),
            "  ● a  model, table  SQL changed\n"
            "  ├─ 4 tests: t1, t2, t3 and 1 more\n"
            "  └─ b  model, table\n");
}

TEST(PlanTree, WhatIsNotInThePlanIsSteppedOver) {
  EXPECT_EQ(tree_of({model("a", {}, {body}), model("c", {"gone"}, {below({"a", "gone"})}),
                     model("d", {"far"}, {below({"far"})})}),
            "  ● a  model, table  SQL changed\n"
            "  └─ c  model, table\n"
            "  ● far  changed\n"
            "  └─ d  model, table\n");
}

TEST(PlanTree, LongListsAndDeepWaysAreCutWithACount) {
  std::vector<PlannedNode> wide{model("a", {}, {body})};
  for (int i = 0; i < 50; ++i) wide.push_back(model(fmt::format("b{:02}", i), {"a"}, {below({"a"})}));
  const std::string tree = tree_of(wide);
  EXPECT_NE(tree.find("  ├─ b19  model, table\n  └─ … and 30 more\n"), std::string::npos) << tree;
  EXPECT_EQ(tree.find("b20"), std::string::npos);

  std::vector<PlannedNode> deep{model("n00", {}, {body})};
  std::vector<std::string> way{"n00"};
  for (int i = 1; i < 40; ++i) {
    deep.push_back(model(fmt::format("n{:02}", i), {way.back()}, {below(way)}));
    way.push_back(fmt::format("n{:02}", i));
  }
  EXPECT_NE(tree_of(deep).find("└─ … 27 more below"), std::string::npos) << tree_of(deep);
}

TEST(PlanTree, ReasonsThatLeadInACircleLoseNobody) {
  const std::string tree =
      tree_of({model("a", {"b"}, {below({"b"})}), model("b", {"a"}, {below({"a"})}), model("c", {}, {})});
  for (const char* name : {"a  model", "b  model", "c  model"}) {
    EXPECT_NE(tree.find(name), std::string::npos) << tree;
  }
}

TEST(PlanOnATerminal, WhatProductionLacksIsNotBelowWhatChanged) {
  Plan plan;
  plan.nodes = {model("a", {}, {{ReasonKind::missing_in_production, "b", {}}}), model("b", {"a"}, {body})};
  const std::string shown = plan_terminal(plan, false);
  EXPECT_TRUE(shown.starts_with("2 nodes to build: 1 changed, 0 below, 1 not in production, 0 tests\n")) << shown;
  EXPECT_NE(shown.find("read by what is built, and not to be had from production (1)\n  - a: read by b\n"),
            std::string::npos)
      << shown;
}

TEST(Verification, TheDifferenceIsToldWithBothLists) {
  EXPECT_EQ(difference_title({}), "dbt's own selection is the same");
  EXPECT_EQ(difference_title({{"a"}, {}}), "dbt's own selection differs: only offshoot selects 1 node");
  const Verified differs{{"model.shop.a"}, {"model.shop.b", "model.shop.c"}};
  EXPECT_EQ(difference_title(differs),
            "dbt's own selection differs: only dbt selects 2 nodes, only offshoot selects 1 node");
  offshoot::Run run;
  Plan plan;
  plan.verified = differs;
  run.plan = plan;
  for (const std::string& shown : {comment_markdown(run), terminal_summary(run, false)}) {
    EXPECT_NE(shown.find(difference_title(differs)), std::string::npos) << shown;
    for (const char* id : {"only offshoot: ", "model.shop.a", "only dbt: ", "model.shop.b", "model.shop.c"}) {
      EXPECT_NE(shown.find(id), std::string::npos) << id << "\n" << shown;
    }
  }
  run.plan.finished()->verified = Verified{};
  EXPECT_EQ(terminal_summary(run, false).find("own selection"), std::string::npos) << "no warning where all is well";
}

TEST(Unreadable, SaysWhereAndForWhom) {
  EXPECT_EQ(unreadable_words({"source.shop.raw.events",
                              {"prod", "raw", "events", "prod.raw.events"},
                              "it is not in the warehouse",
                              {"model.shop.a", "model.shop.b"}}),
            "it is not in the warehouse (prod.raw.events); read by a, b");
}

}  // namespace
}  // namespace offshoot::report
