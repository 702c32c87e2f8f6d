// SPDX-License-Identifier: Apache-2.0
// Each folder of tests/golden/report holds a run.json and what a reader gets of it. UPDATE_GOLDEN=1 rewrites the
// latter; a person reads the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "report/junit.hpp"
#include "report/markdown.hpp"
#include "report/render.hpp"
#include "report/run_json.hpp"
#include "report/sarif.hpp"
#include "report/terminal.hpp"
#include "report/verdict.hpp"
#include "report_hostile.hpp"

namespace offshoot::report {
namespace {

using namespace report::tests;

void expect_golden(const fs::path& path, const std::string& actual) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << actual;
  EXPECT_EQ(read(path), actual) << path;
}

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(golden_folder)) {
    if (fs::exists(entry.path() / "run.json")) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static fs::path file(const std::string& name) { return golden_folder / GetParam() / name; }

  void SetUp() override {
    Result<offshoot::Run> run = from_json(read(file("run.json")), "run.json");
    ASSERT_TRUE(run) << run.error().why;
    run_ = std::move(*run);
  }

  offshoot::Run run_;
};

TEST_P(Golden, RunJsonIsWrittenAsItWasRead) { expect_golden(file("run.json"), to_json(run_)); }

TEST_P(Golden, Comment) { expect_golden(file("comment.md"), without_digest(comment_markdown(run_))); }

TEST_P(Golden, Sarif) { expect_golden(file("lint.sarif"), sarif(run_)); }

TEST_P(Golden, Junit) { expect_golden(file("tests.xml"), junit(run_)); }

TEST_P(Golden, Terminal) { expect_golden(file("terminal.txt"), terminal_summary(run_, false)); }

TEST_P(Golden, PlanOnATerminal) {
  if (const Plan* plan = run_.plan.finished()) expect_golden(file("plan.txt"), plan_terminal(*plan, false));
}

TEST_P(Golden, M4_TheSameRunGivesTheSameBytes) {
  EXPECT_EQ(comment_markdown(run_), comment_markdown(offshoot::Run(run_)));
  EXPECT_EQ(terminal_summary(run_, true), terminal_summary(offshoot::Run(run_), true));
  EXPECT_EQ(verdict(run_), verdict(offshoot::Run(run_)));
}

INSTANTIATE_TEST_SUITE_P(Report, Golden, testing::ValuesIn(cases()), [](const auto& one) {
  std::string name = one.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(Render, KnowsItsFormats) {
  const offshoot::Run run{};
  EXPECT_EQ(*render(run, "markdown", false), comment_markdown(run));
  EXPECT_EQ(*render(run, "terminal", true), terminal_summary(run, true));
  EXPECT_EQ(*render(run, "json", false), to_json(run));
  const Result<std::string> other = render(run, "pdf", false);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().status, ExitStatus::usage);
}

}  // namespace
}  // namespace offshoot::report
