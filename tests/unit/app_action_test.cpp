// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "app/action.hpp"
#include "app/inputs.hpp"
#include "github/step.hpp"
#include "io/files.hpp"
#include "io/yaml.hpp"

namespace offshoot::app {
namespace {

/// The text between two marks of a file; with UPDATE_GOLDEN it is first replaced by `wanted`.
std::string between(const std::string& path, const std::string& begin, const std::string& end,
                    const std::string& wanted) {
  auto text = io::read_file(path).value();
  const auto start = text.find(begin);
  EXPECT_NE(start, std::string::npos) << begin << " in " << path;
  const auto from = start + begin.size();
  const auto to = text.find(end, from);
  EXPECT_NE(to, std::string::npos) << end << " in " << path;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    text.replace(from, to - from, wanted);
    EXPECT_TRUE(io::write_file(path, text));
    return wanted;
  }
  return text.substr(from, to - from);
}

constexpr auto action_file = OFFSHOOT_SOURCE_DIR "/action.yml";

TEST(ActionFile, InputsOutputsAndVariablesAreTheTables) {
  const auto part = [](const std::string& name, const std::string& indent, const std::string& wanted) {
    EXPECT_EQ(between(action_file, indent + "# <" + name + ">\n", indent + "# </" + name + ">", wanted), wanted);
  };
  part("inputs", "  ", action_inputs_yaml());
  part("outputs", "  ", action_outputs_yaml());
  part("settings", "        ", action_environment_yaml());
}

TEST(ActionFile, TheDocumentationIsTheTables) {
  const auto wanted = "\n" + action_reference() + "\n";
  EXPECT_EQ(between(OFFSHOOT_SOURCE_DIR "/docs/github.md", "<!-- reference -->\n", "<!-- /reference -->", wanted),
            wanted);
}

TEST(ActionFile, EveryInputReachesAStep) {
  const auto text = io::read_file(action_file).value();
  for (const auto& input : action_inputs()) {
    EXPECT_NE(text.find("inputs." + input.name + " "), std::string::npos) << input.name;
  }
  const auto yaml = io::parse_yaml(text, "action.yml");
  ASSERT_TRUE(yaml);
  EXPECT_EQ((*yaml)["inputs"].size(), action_inputs().size());
  EXPECT_EQ((*yaml)["outputs"].size(), github::outputs_table().size());
}

TEST(ActionFile, EverySettingIsAnInput) {
  std::set<std::string> variables;
  for (const auto& input : action_inputs()) variables.insert(input.variable);
  for (const auto& setting : settings_table()) {
    if (setting.key == "dbt.requirements") continue;
    if (setting.key == "dbt.python") continue;
    EXPECT_TRUE(variables.contains(environment_name(setting))) << setting.key;
  }
}

TEST(ActionFile, B1_NothingIsExpandedInAScript) {
  const auto yaml = io::parse_yaml(io::read_file(action_file).value(), "action.yml");
  ASSERT_TRUE(yaml);
  const YAML::Node steps = (*yaml)["runs"]["steps"];
  ASSERT_GT(steps.size(), 3U);
  for (const auto& step : steps) {
    if (!step["run"]) continue;
    EXPECT_EQ(step["run"].Scalar().find("${{"), std::string::npos) << step["name"].Scalar();
  }
}

TEST(ActionFile, K1_TheLastScriptIsReplacedByOffshoot) {
  const auto yaml = io::parse_yaml(io::read_file(action_file).value(), "action.yml");
  ASSERT_TRUE(yaml);
  std::string last;
  for (const auto& step : (*yaml)["runs"]["steps"]) {
    if (step["id"] && step["id"].Scalar() == "offshoot") last = step["run"].Scalar();
  }
  EXPECT_NE(last.find("exec \"$OFFSHOOT\" auto"), std::string::npos) << last;
  EXPECT_NE(last.rfind("exec "), std::string::npos);
  EXPECT_EQ(last.find('\n', last.rfind("exec ")), last.size() - 1);
}

TEST(ActionFile, H2_EveryActionIsPinnedByCommit) {
  const auto yaml = io::parse_yaml(io::read_file(action_file).value(), "action.yml");
  ASSERT_TRUE(yaml);
  for (const auto& step : (*yaml)["runs"]["steps"]) {
    if (!step["uses"]) continue;
    const auto uses = step["uses"].Scalar();
    const auto at = uses.find('@');
    ASSERT_NE(at, std::string::npos) << uses;
    EXPECT_EQ(uses.substr(at + 1).size(), 40U) << uses;
  }
}

}  // namespace
}  // namespace offshoot::app
