// SPDX-License-Identifier: Apache-2.0
#include "report/junit.hpp"

#include <fmt/format.h>

#include <pugixml.hpp>
#include <sstream>

#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/links.hpp"

namespace offshoot::report {
namespace {

/// What a testsuite says of its cases.
struct Counts {
  int cases = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;
  double seconds = 0;

  void add(const Counts& other) {
    cases += other.cases;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    seconds += other.seconds;
  }
};

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name).set_value(value.c_str());
}

void set_counts(pugi::xml_node node, const Counts& counts) {
  node.append_attribute("tests").set_value(counts.cases);
  node.append_attribute("failures").set_value(counts.failures);
  node.append_attribute("errors").set_value(counts.errors);
  node.append_attribute("skipped").set_value(counts.skipped);
  set(node, "time", fmt::format("{:.3f}", counts.seconds));
}

void add_text(pugi::xml_node node, const std::string& raw) {
  if (!raw.empty()) node.append_child(pugi::node_pcdata).set_value(clean(raw).c_str());
}

/// What is told of a node that did not end well.
void add_ending(pugi::xml_node node, const char* name, const NodeResult& result) {
  const std::string word(status_word(result.status));
  pugi::xml_node ending = node.append_child(name);
  set(ending, "message", one_line(result.message.empty() ? word : result.message));
  set(ending, "type", word);
  add_text(ending, result.message + (result.query.empty() ? "" : "\n\n" + result.query));
}

Counts add_case(pugi::xml_node suite, const PlannedNode& planned, const NodeResult& result,
                const std::string& project_dir) {
  constexpr std::size_t longest = 1000;
  pugi::xml_node one = suite.append_child("testcase");
  set(one, "classname", one_line(planned.resource_type, longest));
  set(one, "name", one_line(short_name(planned.unique_id), longest));
  set(one, "file", one_line(repository_path(project_dir, planned.file), longest));
  set(one, "time", fmt::format("{:.3f}", result.seconds));
  Counts counts{.cases = 1, .seconds = result.seconds};
  switch (result.status) {
    case NodeStatus::fail:
      add_ending(one, "failure", result);
      counts.failures = 1;
      break;
    case NodeStatus::error:
    case NodeStatus::unaccounted:
      add_ending(one, "error", result);
      counts.errors = 1;
      break;
    case NodeStatus::skipped:
    case NodeStatus::not_run:
      add_ending(one, "skipped", result);
      counts.skipped = 1;
      break;
    case NodeStatus::warn:
      add_text(one.append_child("system-out"), "warn: " + result.message);
      break;
    case NodeStatus::success:
    case NodeStatus::pass:
    case NodeStatus::no_op:
      break;
  }
  return counts;
}

enum class Kind { tests, objects };

Counts add_suite(pugi::xml_node all, Kind kind, const Run& run, const Digest& digest) {
  const Plan& plan = *run.plan.finished();
  pugi::xml_node suite = all.append_child("testsuite");
  set(suite, "name", kind == Kind::tests ? "tests" : "models, seeds and snapshots");
  set(suite, "timestamp", one_line(run.started));
  Counts counts;
  for (const PlannedNode& node : plan.nodes) {
    if (!is_executed(node) || is_test(node) != (kind == Kind::tests)) continue;
    if (const NodeResult* result = digest.result(node.unique_id)) {
      counts.add(add_case(suite, node, *result, plan.project_dir));
    }
  }
  set_counts(suite, counts);
  return counts;
}

}  // namespace

std::string junit(const Run& run) {
  pugi::xml_document document;
  pugi::xml_node all = document.append_child("testsuites");
  set(all, "name", "offshoot " + one_line(run.id));
  Counts counts;
  if (run.plan.finished() != nullptr && run.build.finished() != nullptr) {
    const Digest digest(run);
    for (const Kind kind : {Kind::tests, Kind::objects}) counts.add(add_suite(all, kind, run, digest));
  }
  set_counts(all, counts);
  std::ostringstream text;
  document.save(text, "  ", pugi::format_default, pugi::encoding_utf8);
  return without_commands(text.str());
}

}  // namespace offshoot::report
