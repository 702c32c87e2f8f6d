// SPDX-License-Identifier: Apache-2.0
#include "flow/clones.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "branch/names.hpp"
#include "flow/elementary.hpp"
#include "flow/stages.hpp"
#include "io/json.hpp"
#include "report/digest.hpp"

namespace offshoot::flow {

namespace {

/// Whether dbt makes the model from nothing, as `should_full_refresh` of its own macros has it: the model's setting
/// comes before the flag.
bool is_built_from_nothing(const Settings& settings, const state::Manifest& head, const state::Entry& entry) {
  const auto config = io::parse_json(head.raw(entry, state::Field::config), "reading a manifest");
  if (config && config->is_object()) {
    const auto full_refresh = config->find("full_refresh");
    if (full_refresh != config->end() && full_refresh->is_boolean()) return full_refresh->get<bool>();
  }
  return settings.build.full_refresh;
}

bool adds_rows(const Settings& settings, const PlannedNode& node, const state::Manifest& head) {
  if (node.resource_type == "snapshot") return true;
  const state::Entry* entry = head.find_node(node.unique_id);
  return node.resource_type == "model" && node.materialized == "incremental" && entry != nullptr &&
         !is_built_from_nothing(settings, head, *entry);
}

/// Whether one statement can read the relation and write to the branch.
bool can_be_read_in(const Branch& branch, const RelationName& relation) {
  return branch.adapter == "duckdb" || branch::folded(relation.database) == branch::folded(branch.database);
}

}  // namespace

ProductionRelations what_to_clone(const Settings& settings, const Plan& plan, const Branch& branch,
                                  const state::Manifest& head, const ProductionRelations& production) {
  ProductionRelations found;
  if (settings.branch.incremental != "clone") return found;
  for (const auto& node : plan.nodes) {
    const auto there = production.find(node.unique_id);
    if (there == production.end() || is_of_elementary(node.unique_id) || !adds_rows(settings, node, head)) continue;
    if (can_be_read_in(branch, there->second)) found.emplace(*there);
  }
  return found;
}

Result<void> clone_from_production(const Context& context, const Planned& planned, const dbt::WarehouseAt& warehouse,
                                   dbt::Session& session, Run& run) {
  nlohmann::json copies = nlohmann::json::array();
  for (const auto& node : planned.plan.nodes) {
    const auto found = planned.to_clone.find(node.unique_id);
    if (found == planned.to_clone.end()) continue;
    copies.push_back({{"id", node.unique_id},
                      {"database", found->second.database},
                      {"schema", found->second.schema},
                      {"name", found->second.identifier},
                      {"to", node.relation.schema},
                      {"to_name", node.relation.identifier}});
  }
  if (copies.empty()) return {};
  context.progress.stage("Copying production's rows of " + report::counted(copies.size(), "table", "tables"));
  const auto answer =
      timed(run, "clone", [&] { return session.macro(warehouse, "clone_relations", {{"copies", std::move(copies)}}); });
  if (!answer) {
    Failed failure = answer.error();
    failure.doing = "copying production's rows into the branch";
    if (failure.hint.empty()) failure.hint = "set branch.incremental to rebuild to check without them";
    return tl::unexpected(std::move(failure));
  }
  std::map<std::string, std::string> left_because;  // of each that production has; empty = it was cloned
  for (const auto& id : answer->at("cloned")) left_because.emplace(id.get<std::string>(), "");
  for (const auto& row : answer->at("left")) left_because.emplace(row.value("id", ""), row.value("why", ""));
  for (const auto& [unique_id, relation] : planned.to_clone) {
    const auto one = left_because.find(unique_id);
    if (one == left_because.end()) continue;
    run.branch.finished()->clones.push_back({unique_id, relation.rendered, one->second});
    if (one->second.empty()) continue;
    run.notes.push_back(
        fmt::format("{} did not begin with production's rows: {}.", report::short_name(unique_id), one->second));
  }
  return {};
}

}  // namespace offshoot::flow
