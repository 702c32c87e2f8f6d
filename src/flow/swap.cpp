// SPDX-License-Identifier: Apache-2.0
#include "flow/swap.hpp"

#include <fmt/format.h>

#include "branch/mark.hpp"
#include "branch/names.hpp"

namespace offshoot::flow {

namespace {

/// A space, which no git branch's name may hold.
constexpr std::string_view deploy_ref = "deploy of ";

}  // namespace

Result<Branch> place_beside(const Context& context, const std::string& target) {
  Branch place;
  const std::string ref = fmt::format("{}{} by {}", deploy_ref, target, context.run_id);
  auto name = branch::branch_name(context.settings.branch.prefix, 0, ref);
  if (!name) return tl::unexpected(name.error());
  place.name = std::move(*name);
  place.mark = {.repository_id = context.origin.repository_id,
                .branch = place.name,
                .ref = ref,
                .created = io::rfc3339(context.started),
                .expires = io::rfc3339(context.started + context.settings.deploy.keep)};
  return place;
}

bool is_beside_production(const OwnerMark& mark) { return mark.ref.starts_with(deploy_ref); }

bool is_beside_production(const OwnerMark& mark, const std::string& target) {
  return mark.ref.starts_with(fmt::format("{}{} by ", deploy_ref, target));
}

std::string beside_which_production(const OwnerMark& mark) {
  const auto end = mark.ref.rfind(" by ");
  if (!is_beside_production(mark) || end == std::string::npos || end < deploy_ref.size()) return "";
  return mark.ref.substr(deploy_ref.size(), end - deploy_ref.size());
}

Result<std::map<std::string, std::string>> copy_from_branch(
    const Branch& branch, const std::map<std::string, RelationName>& in_branch, const Plan& beside,
    const dbt::WarehouseAt& at, dbt::Session& session,
    const std::function<std::string(const std::string&)>& schema_beside_of) {
  nlohmann::json copies = nlohmann::json::array();
  for (const auto& node : beside.nodes) {
    const auto found = in_branch.find(node.unique_id);
    if (found == in_branch.end()) continue;
    copies.push_back({{"id", node.unique_id},
                      {"schema", found->second.schema},
                      {"name", found->second.identifier},
                      {"to", schema_beside_of(node.relation.schema)},
                      {"to_name", node.relation.identifier},
                      {"goes_on", node.resource_type == "seed"}});
  }
  const auto answer = session.macro(
      at, "promote_relations",
      {{"copies", std::move(copies)}, {"mark", branch::to_json(branch.mark)}, {"database", branch.database}});
  if (!answer) return tl::unexpected(answer.error());
  if (answer->value("status", "") != "copied") {
    return failed(ExitStatus::could_not_run, "copying from the branch " + branch.name,
                  answer->value("why", "it is not there any more"));
  }
  std::map<std::string, std::string> left;
  for (const auto& row : answer->at("left")) left.emplace(row.value("id", ""), row.value("why", ""));
  return left;
}

bool can_be_exchanged(const std::string& adapter) { return adapter == "postgres" || adapter == "duckdb"; }

Result<std::unique_ptr<Swap>> stage(const Context& context, const ProjectAtHand& at_production, const DeployPlan& plan,
                                    const Commit& head, dbt::Session& session) {
  for (const auto& node : plan.planned.plan.nodes) {
    const bool elsewhere = !node.relation.rendered.empty() &&
                           branch::folded(node.relation.database) != branch::folded(plan.credentials.database);
    if (node.resource_type == "function" || elsewhere) {
      return failed(ExitStatus::usage, "building beside production",
                    fmt::format("{} {}", node.unique_id, elsewhere ? "lies in another database" : "is a function"),
                    "only tables and views of production's own database can be exchanged: set deploy.mode to in-place");
    }
  }
  if (!can_be_exchanged(plan.adapter)) {
    return failed(ExitStatus::usage, "building beside production",
                  fmt::format("deploy.mode: {} is not to be had with {}", context.settings.deploy.mode, plan.adapter),
                  "it works with PostgreSQL and DuckDB: set deploy.mode to in-place");
  }
  return plan.adapter == "duckdb" ? stage_file(context, at_production, plan, session)
                                  : stage_schemas(context, at_production, plan, head, session);
}

}  // namespace offshoot::flow
