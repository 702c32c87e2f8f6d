// SPDX-License-Identifier: Apache-2.0
#include "report/sarif.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "io/json.hpp"
#include "report/escape.hpp"

namespace offshoot::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_message = 3000;

/// "sqlfluff 4.4.0" in two.
Json driver_of(const std::string& tool) {
  const auto space = tool.find(' ');
  Json driver{{"name", tool.empty() ? "sqlfluff" : one_line(tool.substr(0, space))}};
  if (space != std::string::npos) driver["version"] = one_line(tool.substr(space + 1));
  driver["informationUri"] = "https://docs.sqlfluff.com";
  return driver;
}

Json message(std::string_view raw) {
  std::size_t cut = 0;
  std::string text = first_lines(raw, 30, longest_message, cut);
  return {{"text", text.empty() ? "no message" : text}};
}

Json file_location(const std::string& path) {
  return {{"artifactLocation", {{"uri", url_path(path)}, {"uriBaseId", "%SRCROOT%"}}}};
}

const char* level_of(const LintFinding& finding, const Policy& policy) {
  if (!finding.on_changed_line) return "note";
  return policy.lint_fails && !finding.warning ? "error" : "warning";
}

void add_findings(const Lint& lint, const Policy& policy, Json& run) {
  std::map<std::string, std::size_t> places;  // of rules in the list of them
  Json rules = Json::array();
  Json results = Json::array();
  for (const LintFinding& finding : lint.findings) {
    const auto [rule, is_new] = places.emplace(finding.rule, places.size());
    if (is_new) {
      Json one{{"id", one_line(finding.rule)}};
      if (!finding.name.empty()) one["name"] = one_line(finding.name);
      rules.push_back(std::move(one));
    }
    Json location = file_location(finding.path);
    location["region"] = {{"startLine", std::max(finding.line, 1)}, {"startColumn", std::max(finding.column, 1)}};
    results.push_back({{"ruleId", one_line(finding.rule)},
                       {"ruleIndex", rule->second},
                       {"level", level_of(finding, policy)},
                       {"message", message(finding.message)},
                       {"locations", Json::array({{{"physicalLocation", std::move(location)}}})},
                       {"properties", {{"onChangedLine", finding.on_changed_line}}}});
  }
  run["tool"]["driver"]["rules"] = std::move(rules);
  run["results"] = std::move(results);
}

Json notification(const char* level, const std::string& text) { return {{"level", level}, {"message", message(text)}}; }

Json invocation_of(const Lint& lint) {
  Json said = Json::array();
  for (const Unlinted& one : lint.unlinted) {
    Json note = notification("warning", "not linted: " + one.because);
    note["locations"] = Json::array({{{"physicalLocation", file_location(one.path)}}});
    said.push_back(std::move(note));
  }
  return {{"executionSuccessful", true}, {"toolExecutionNotifications", std::move(said)}};
}

Json invocation_of(const Failed& failure) {
  return {{"executionSuccessful", false},
          {"toolExecutionNotifications",
           Json::array({notification("error", fmt::format("{}: {}", failure.doing, failure.why))})}};
}

}  // namespace

std::string sarif(const Run& run) {
  const Lint* lint = run.lint.finished();
  const Failed* failure = run.lint.failure();
  Json runs = Json::array();
  if (lint != nullptr || failure != nullptr) {
    Json one{{"tool", {{"driver", driver_of(lint != nullptr ? lint->tool : "")}}},
             {"automationDetails", {{"id", "offshoot/lint/"}}},
             {"invocations", Json::array({lint != nullptr ? invocation_of(*lint) : invocation_of(*failure)})},
             {"columnKind", "unicodeCodePoints"},
             {"results", Json::array()}};
    if (lint != nullptr) add_findings(*lint, run.policy, one);
    runs.push_back(std::move(one));
  }
  return json_without_commands(io::to_line(Json{
             {"$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"},
             {"version", "2.1.0"},
             {"runs", std::move(runs)}})) +
         "\n";
}

}  // namespace offshoot::report
