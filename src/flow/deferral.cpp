// SPDX-License-Identifier: Apache-2.0
#include "flow/deferral.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <set>

namespace offshoot::flow {

namespace {

/// Whether another node can read this one as a relation.
bool is_read_as_a_relation(const state::NodeInfo& node) {
  return node.resource_type == "model" || node.resource_type == "seed" || node.resource_type == "snapshot" ||
         node.resource_type == "function";
}

/// What the model under a unit test reads: the test learns the columns of its inputs there.
std::vector<std::string> inputs_of(const PlannedNode& unit_test, const state::Manifest& head) {
  std::vector<std::string> inputs;
  for (const auto& model : unit_test.depends_on) {
    const state::Entry* entry = head.find_node(model);
    if (entry != nullptr) std::ranges::move(head.info(*entry).depends_on_nodes, std::back_inserter(inputs));
  }
  return inputs;
}

PlannedNode planned(const state::NodeInfo& node, const std::string& reader) {
  return {.unique_id = node.unique_id,
          .resource_type = node.resource_type,
          .name = node.name,
          .file = node.original_file_path,
          .materialized = node.materialized,
          .relation = {},
          .reasons = {{ReasonKind::missing_in_production, reader, {}}},
          .depends_on = node.depends_on_nodes};
}

/// Planned nodes that read a node; those that read it through an ephemeral model are not looked for.
std::vector<std::string> readers_of(const std::string& unique_id, const Plan& plan) {
  std::vector<std::string> readers;
  for (const auto& node : plan.nodes) {
    if (std::ranges::find(node.depends_on, unique_id) != node.depends_on.end()) readers.push_back(node.unique_id);
  }
  return readers;
}

}  // namespace

void defer_or_add(Plan& plan, const state::Manifest& head, const ProductionRelations& production) {
  std::set<std::string> built;
  std::deque<std::pair<std::string, std::string>> to_look_at;  // a node that is read, and who reads it
  const auto look_at_parents = [&](const std::vector<std::string>& parents, const std::string& reader) {
    for (const auto& parent : parents) to_look_at.emplace_back(parent, reader);
  };
  for (const auto& node : plan.nodes) {
    built.insert(node.unique_id);
    look_at_parents(node.depends_on, node.name);
    if (node.resource_type == "unit_test") look_at_parents(inputs_of(node, head), node.name);
  }

  std::set<std::string> seen;
  while (!to_look_at.empty()) {
    const auto [unique_id, reader] = to_look_at.front();
    to_look_at.pop_front();
    const state::Entry* entry = head.find_node(unique_id);
    if (entry == nullptr || built.contains(unique_id) || !seen.insert(unique_id).second) continue;
    const auto node = head.info(*entry);
    if (!is_read_as_a_relation(node)) continue;
    if (node.materialized == "ephemeral") {
      look_at_parents(node.depends_on_nodes, reader);
    } else if (const auto there = production.find(unique_id); there != production.end()) {
      plan.deferred.push_back({unique_id, there->second});
    } else if (node.resource_type != "seed" && !node.has_code) {
      plan.unreadable.push_back({unique_id, {}, "its file is empty, so dbt does not build it", {}});
    } else {
      built.insert(unique_id);
      plan.nodes.push_back(planned(node, reader));
      look_at_parents(node.depends_on_nodes, node.name);
    }
  }
  std::ranges::sort(plan.nodes, {}, &PlannedNode::unique_id);
  std::ranges::sort(plan.deferred, {}, &Deferred::unique_id);
  for (auto& unreadable : plan.unreadable) unreadable.read_by = readers_of(unreadable.unique_id, plan);
  std::ranges::sort(plan.unreadable, {}, &Unreadable::unique_id);
}

std::map<std::string, std::vector<std::string>> sources_read(const Plan& plan, const state::Manifest& head) {
  std::map<std::string, std::vector<std::string>> sources;
  for (const auto& node : plan.nodes) {
    std::vector<std::string> to_look_at = node.depends_on;
    std::set<std::string> seen;
    while (!to_look_at.empty()) {
      const std::string unique_id = std::move(to_look_at.back());
      to_look_at.pop_back();
      const state::Entry* entry = head.find_node(unique_id);
      if (entry == nullptr || !seen.insert(unique_id).second) continue;
      if (entry->collection == state::Collection::sources) {
        sources[unique_id].push_back(node.unique_id);
      } else if (auto parent = head.info(*entry); parent.materialized == "ephemeral") {
        std::ranges::move(parent.depends_on_nodes, std::back_inserter(to_look_at));
      }
    }
  }
  return sources;
}

}  // namespace offshoot::flow
