// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dbt/environment.hpp"
#include "io/files.hpp"

namespace offshoot::dbt {
namespace {

namespace fs = std::filesystem;

class EnvironmentTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(folder_); }
  fs::path write(const fs::path& path, const std::string& text = "#!/bin/sh\n") {
    EXPECT_TRUE(io::write_file(root() / path, text, 0755));
    return root() / path;
  }
  /// A virtual environment as far as its files tell.
  fs::path make_venv(const std::string& name, bool with_dbt = true) {
    write(name + "/bin/python");
    write(name + "/pyvenv.cfg", "home = /usr\n");
    if (!with_dbt) return root() / name;
    write(name + "/bin/dbt", "#!" + (root() / name / "bin/python").string() + "\n");
    write(name + "/lib/python3.11/site-packages/dbt/cli/main.py", "");
    return root() / name;
  }
  Result<DbtEnvironment> find(io::Environment environment = {}, std::string setting = "auto") {
    environment.try_emplace("PATH", (root() / "nothing").string());
    return find_dbt({std::move(setting), root() / "project", root(), std::move(environment)});
  }
  [[nodiscard]] const fs::path& root() const { return folder_->path(); }
  Result<io::TemporaryFolder> folder_ = io::TemporaryFolder::make("test");
};

TEST_F(EnvironmentTest, TheSettingWins) {
  const auto venv = make_venv("tools");
  make_venv(".venv");
  for (const std::string& setting : {std::string("tools"), std::string("tools/bin/python"), venv.string()}) {
    const auto found = find({}, setting);
    ASSERT_TRUE(found) << setting;
    EXPECT_EQ(found->python, venv / "bin/python");
    EXPECT_EQ(found->command, venv / "bin/dbt");
    EXPECT_EQ(found->found_by, "dbt.python");
  }
  EXPECT_NE(find({}, "no/such").error().why.find("'no/such'"), std::string::npos);
}

TEST_F(EnvironmentTest, ActiveEnvironmentsComeBeforeFolders) {
  const auto active = make_venv("active");
  const auto own = make_venv("project/.venv");
  EXPECT_EQ(find({{"VIRTUAL_ENV", active.string()}})->bin, active / "bin");
  EXPECT_EQ(find({{"CONDA_PREFIX", active.string()}})->found_by, "CONDA_PREFIX");
  EXPECT_EQ(find()->bin, own / "bin");
  EXPECT_EQ(find()->found_by, ".venv of the project");
  EXPECT_TRUE(find()->has_runner);
}

TEST_F(EnvironmentTest, OneWithoutDbtIsPassedOver) {
  const auto bare = make_venv("bare", false);
  const auto found = find({{"VIRTUAL_ENV", bare.string()}});
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().why.find("bare (VIRTUAL_ENV) has no dbt"), std::string::npos);
  const auto venv = make_venv("venv");
  EXPECT_EQ(find({{"VIRTUAL_ENV", bare.string()}})->bin, venv / "bin");
}

TEST_F(EnvironmentTest, TheCommandsFirstLineNamesTheInterpreter) {
  const auto venv = make_venv("somewhere");
  const auto python = venv / "bin/python";
  write("path/dbt", "#!" + python.string() + "\nimport dbt\n");
  EXPECT_EQ(find({{"PATH", (root() / "path").string()}})->python, python);
  EXPECT_EQ(find({{"PATH", (root() / "path").string()}})->found_by, "dbt on PATH");
  write("path/dbt", "#!/bin/sh\n'''exec' \"" + python.string() + "\" \"$0\" \"$@\"\n' '''\n");
  EXPECT_EQ(find({{"PATH", (root() / "path").string()}})->python, python);
  write("path/dbt", "#!/usr/bin/env python3\n");
  EXPECT_EQ(find({{"PATH", (root() / "path").string() + ":" + (venv / "bin").string()}})->python, "");
  write("somewhere/bin/python3");
  EXPECT_EQ(find({{"PATH", (root() / "path").string() + ":" + (venv / "bin").string()}})->python, venv / "bin/python3");
}

TEST_F(EnvironmentTest, AShimOrABinaryIsOnlyACommand) {
  write("path/dbt", "#!/usr/bin/env bash\nexec pyenv exec dbt\n");
  auto found = find({{"PATH", (root() / "path").string()}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->python, "");
  EXPECT_EQ(found->command, root() / "path/dbt");
  write("path/dbt", std::string("\x7f") + "ELF");
  EXPECT_FALSE(find({{"PATH", (root() / "path").string()}})->has_runner);
}

TEST_F(EnvironmentTest, APythonOnPathServesIfItHasDbt) {
  write("opt/bin/python3");
  EXPECT_FALSE(find({{"PATH", (root() / "opt/bin").string()}}));
  write("opt/lib/python3.12/site-packages/dbt/cli/main.py", "");
  EXPECT_EQ(find({{"PATH", (root() / "opt/bin").string()}})->found_by, "python3 on PATH");
}

TEST(ChildEnvironment, D1_IsAnAllowlist) {
  const io::Environment ours{{"PATH", "/bin"},
                             {"HOME", "/root"},
                             {"LC_ALL", "C"},
                             {"RUNNER_TRACKING_ID", "r"},
                             {"GITHUB_TOKEN", "canary"},
                             {"GH_TOKEN", "canary"},
                             {"INPUT_TOKEN", "canary"},
                             {"ACTIONS_RUNTIME_TOKEN", "canary"},
                             {"ACTIONS_ID_TOKEN_REQUEST_URL", "canary"},
                             {"GITHUB_OUTPUT", "canary"},
                             {"GITHUB_STEP_SUMMARY", "canary"},
                             {"AWS_SECRET_ACCESS_KEY", "canary"},
                             {"UNRELATED", "canary"},
                             {"DBT_ENV_SECRET_OTHER", "canary"},
                             {"DBT_TARGET", "canary"},
                             {"DBT_DEFER", "canary"},
                             {"DBT_PARTIAL_PARSE", "true"},
                             {"PGPASSWORD", "pg"},
                             {"SHOP_PASSWORD", "shop"}};
  const auto plain = child_environment(ours, {}, {}, "duckdb");
  for (const auto& [name, value] : plain) EXPECT_NE(value, "canary") << name;
  EXPECT_EQ(plain.at("RUNNER_TRACKING_ID"), "r");
  EXPECT_EQ(plain.at("LC_ALL"), "C");
  EXPECT_EQ(plain.at("DBT_PARTIAL_PARSE"), "true");
  EXPECT_EQ(plain.at("DBT_SEND_ANONYMOUS_USAGE_STATS"), "false");
  EXPECT_EQ(plain.at("DO_NOT_TRACK"), "1");
  EXPECT_FALSE(plain.contains("PGPASSWORD"));
  EXPECT_TRUE(child_environment(ours, {}, {}, "postgres").contains("PGPASSWORD"));
  EXPECT_EQ(child_environment(ours, {"SHOP_PASSWORD"}, {}, "").at("SHOP_PASSWORD"), "shop");
  EXPECT_TRUE(child_environment(ours, {}, {"UNRELATED"}, "").contains("UNRELATED"));
}

TEST(ChildEnvironment, D1_NothingLetsTheRunnersTokensThrough) {
  const io::Environment ours{
      {"GITHUB_TOKEN", "t"}, {"ACTIONS_X", "t"}, {"INPUT_A", "t"}, {"AWS_X", "a"}, {"FINE", "f"}};
  const std::vector<std::string> all{"GITHUB_TOKEN", "ACTIONS_X", "INPUT_A"};
  const std::set<std::string> read{"GITHUB_TOKEN", "ACTIONS_X", "INPUT_A", "AWS_X", "FINE"};
  const auto theirs = child_environment(ours, read, all, "duckdb");
  for (const auto& [name, value] : theirs) EXPECT_NE(value, "t") << name;
  EXPECT_FALSE(theirs.contains("AWS_X"));
  EXPECT_TRUE(theirs.contains("FINE"));
  EXPECT_EQ(withheld_names(ours, read, all),
            (std::vector<std::string>{"ACTIONS_X", "AWS_X", "GITHUB_TOKEN", "INPUT_A"}));
  EXPECT_TRUE(child_environment(ours, {}, {"AWS_X"}, "").contains("AWS_X"));
}

TEST(ChildEnvironment, ToolsFindDbtFirst) {
  EXPECT_EQ(with_bin_first({{"PATH", "/usr/bin"}}, "/v/bin").at("PATH"), "/v/bin:/usr/bin");
  EXPECT_EQ(with_bin_first({}, "/v/bin").at("PATH"), "/v/bin");
  EXPECT_TRUE(with_bin_first({}, "").empty());
}

}  // namespace
}  // namespace offshoot::dbt
