// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "report/progress.hpp"

namespace offshoot::report {
namespace {

const std::string orders = "model.shop.fct_orders";

/// A progress display, what it wrote, and the time by its clock.
struct Stage {
  explicit Stage(ProgressOptions options)
      : progress(std::make_unique<Progress>([this](std::string_view text) { shown += text; }, [this] { return now; },
                                            options)) {}

  std::string shown;
  double now = 0;
  std::unique_ptr<Progress> progress;
};

/// What a terminal shows after all: knows the two sequences that Progress uses.
std::string screen(const std::string& written) {
  std::vector<std::string> rows{""};
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '\x1B') {
      const std::size_t end = written.find_first_of("FJm", i);
      if (written[end] == 'F') {
        rows.resize(rows.size() - std::stoul(written.substr(i + 2, end - i - 2)));
        rows.back().clear();
      }
      i = end;
    } else if (written[i] == '\n') {
      rows.emplace_back();
    } else {
      rows.back() += written[i];
    }
  }
  std::string out;
  for (const std::string& row : rows) out += row + "\n";
  return out;
}

TEST(Progress, WithoutATerminalEachEventIsOneLine) {
  Stage stage({});
  stage.progress->expect(2);
  stage.progress->stage("build");
  stage.progress->node_started(orders);
  stage.progress->tick();
  stage.progress->node_finished({.unique_id = orders, .status = NodeStatus::success, .seconds = 1.25});
  stage.progress->node_finished({.unique_id = "test.shop.unique_orders.abc",
                                 .status = NodeStatus::fail,
                                 .message = "Got 3 results\nsecond",
                                 .seconds = 0.1});
  stage.progress->note("waiting");
  stage.progress.reset();
  EXPECT_EQ(stage.shown,
            "▸ build\n"
            "  … model fct_orders\n"
            "  ✓ 1/2 model fct_orders built 1.2 s\n"
            "  ✗ 2/2 test unique_orders failed 0.1 s: Got 3 results second\n"
            "  waiting\n");
}

TEST(Progress, OnATerminalRunningNodesHaveLiveLines) {
  Stage stage({.terminal = true});
  stage.progress->stage("build");
  stage.progress->node_started(orders);
  stage.progress->node_started("model.shop.dim_dates");
  stage.now = 2.5;
  stage.progress->tick();
  EXPECT_EQ(screen(stage.shown), "▸ build\n  ⋯ model fct_orders  2.5 s\n  ⋯ model dim_dates  2.5 s\n\n");
  stage.progress->node_finished({.unique_id = orders, .status = NodeStatus::success, .seconds = 2});
  EXPECT_EQ(screen(stage.shown), "▸ build\n  ✓ model fct_orders built 2.0 s\n  ⋯ model dim_dates  2.5 s\n\n");
  stage.progress.reset();
  EXPECT_EQ(screen(stage.shown), "▸ build\n  ✓ model fct_orders built 2.0 s\n\n");
}

TEST(Progress, LiveLinesFitTheTerminal) {
  Stage stage({.terminal = true, .width = 16, .height = 3});
  for (int i = 0; i < 9; ++i) stage.progress->node_started("model.shop.a_very_long_name_" + std::to_string(i));
  EXPECT_EQ(screen(stage.shown), "  ⋯ model a_ve…\n  ⋯ model a_ve…\n  … and 7 more\n\n");
}

TEST(Progress, B4_WhatTheProjectSaysIsNoCommandAndHasNoControls) {
  for (const bool terminal : {false, true}) {
    Stage stage({.terminal = terminal});
    stage.progress->stage("::error::x");
    stage.progress->note("::error::x\r##[error]y\x1B[31m");
    stage.progress->node_started("::error::x\n##[error]");
    stage.progress->node_finished(
        {.unique_id = "::error::x\n##[error]", .status = NodeStatus::error, .message = "a\n::error::x\n##[error]"});
    // Of live lines as well, which are gone from the screen by now.
    EXPECT_EQ(stage.shown.find("##["), std::string::npos);
    const std::string shown = screen(stage.shown);
    EXPECT_EQ(shown.find("\n::"), std::string::npos);
    EXPECT_EQ(shown.find("\n  ::"), std::string::npos);
    EXPECT_EQ(shown.find('\r'), std::string::npos);
    EXPECT_EQ(shown.find("[31m"), std::string::npos);
  }
}

TEST(Progress, IsSafeToCallFromSeveralThreads) {
  Stage stage({.terminal = true});
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&stage, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::string id = "model.shop.m" + std::to_string(thread) + "_" + std::to_string(i);
        stage.progress->node_started(id);
        stage.progress->node_finished({.unique_id = id, .status = NodeStatus::success});
      }
    });
  }
  threads.clear();
  stage.progress.reset();
  const std::string shown = screen(stage.shown);
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 201);
}

TEST(Progress, ColoursOnlyWhereAsked) {
  Stage plain({});
  plain.progress->node_finished({.unique_id = orders, .status = NodeStatus::success});
  EXPECT_EQ(plain.shown.find('\x1B'), std::string::npos);
  Stage coloured({.colour = true});
  coloured.progress->node_finished({.unique_id = orders, .status = NodeStatus::success});
  EXPECT_NE(coloured.shown.find("\x1B[32m✓\x1B[0m"), std::string::npos);
}

}  // namespace
}  // namespace offshoot::report
