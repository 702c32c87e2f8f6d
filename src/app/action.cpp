// SPDX-License-Identifier: Apache-2.0
#include "app/action.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/inputs.hpp"
#include "github/step.hpp"

namespace offshoot::app {

namespace {

/// Settings that the action has under a name of its own.
bool has_own_name(std::string_view key) { return key == "dbt.python" || key == "dbt.requirements"; }

std::string without_backquotes(std::string_view text) {
  std::string result(text);
  std::erase(result, '`');
  return result;
}

/// A YAML scalar between double quotes.
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::vector<ActionInput> action_inputs() {
  std::vector<ActionInput> inputs{
      {"python", "", "Python of the dbt environment, or the folder of a virtual environment.", ""},
      {"requirements", "", "Lock (uv.lock) or requirements file that the dbt environment is made from.", ""},
      {"adapter", "", "dbt adapter to install where the repository has no such file: duckdb, postgres, …", ""},
      {"dbt-version", "", "Version of dbt-core to install beside that adapter: 1.11.", ""},
      {"binary", "", "An offshoot that is on the runner already, instead of the one of this version.", ""},
      {"github-token", "${{ github.token }}", "Token for the comment, checks and deployments.", "GITHUB_TOKEN"},
      {"keep-store", "true", "Whether a store in a folder is kept in the runner's cache. Nothing relies on it.", ""},
  };
  for (const auto& setting : settings_table()) {
    if (has_own_name(setting.key)) continue;
    inputs.push_back({input_name(setting), "", without_backquotes(setting.about), environment_name(setting)});
  }
  return inputs;
}

std::string action_inputs_yaml() {
  std::string yaml;
  for (const auto& input : action_inputs()) {
    yaml += fmt::format("  {}:\n    description: {}\n    required: false\n    default: {}\n", input.name,
                        in_quotes(input.about), in_quotes(input.fallback));
  }
  return yaml;
}

std::string action_outputs_yaml() {
  std::string yaml;
  for (const auto& output : github::outputs_table()) {
    yaml += fmt::format("  {0}:\n    description: {1}\n    value: ${{{{ steps.offshoot.outputs.{0} }}}}\n", output.name,
                        in_quotes(without_backquotes(output.about)));
  }
  return yaml;
}

std::string action_environment_yaml() {
  std::string yaml;
  for (const auto& input : action_inputs()) {
    if (!input.variable.empty()) yaml += fmt::format("        {}: ${{{{ inputs.{} }}}}\n", input.variable, input.name);
  }
  return yaml;
}

std::string action_reference() {
  std::string table = "| input | default | for |\n| --- | --- | --- |\n";
  for (const auto& input : action_inputs()) {
    table += fmt::format("| `{}` | {} | {} |\n", input.name,
                         input.fallback.empty() ? std::string("empty") : "`" + input.fallback + "`", input.about);
  }
  table += "\n| output | holds |\n| --- | --- |\n";
  for (const auto& output : github::outputs_table()) table += fmt::format("| `{}` | {} |\n", output.name, output.about);
  return table;
}

}  // namespace offshoot::app
