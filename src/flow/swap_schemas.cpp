// SPDX-License-Identifier: Apache-2.0
// PostgreSQL: relations are built in schemas beside production's and exchanged in one transaction.
#include <fmt/format.h>

#include <map>
#include <thread>

#include "branch/isolation.hpp"
#include "branch/lifecycle.hpp"
#include "branch/mark.hpp"
#include "branch/names.hpp"
#include "flow/swap.hpp"
#include "io/files.hpp"

namespace offshoot::flow {

using nlohmann::json;

namespace {

constexpr auto doing_stage = "building beside production";
constexpr auto doing_exchange = "exchanging production for what was built";

/// Whether dbt goes on from the relation that is there, rather than from nothing.
bool goes_on(const PlannedNode& node) {
  return node.materialized != "table" && node.materialized != "view" && node.materialized != "materialized_view";
}

/// Everything that a list of rows names, as schema.name, with why.
std::string listed(const json& rows, const char* why) {
  std::string text;
  for (const auto& row : rows) {
    text += fmt::format("\n  {}.{}: {}", row.value("schema", ""), row.value("name", ""), row.value(why, ""));
  }
  return text;
}

std::vector<std::string> names_in(const json& answer, const char* key) {
  std::vector<std::string> names;
  for (const auto& row : answer.value(key, json::array())) {
    names.push_back(fmt::format("\"{}\".\"{}\"", row.value("schema", ""), row.value("name", "")));
  }
  return names;
}

class SchemaSwap final : public Swap {
 public:
  SchemaSwap(const Context& context, dbt::WarehouseAt at, std::string sha, dbt::Session& session)
      : context_(context), at_(std::move(at)), sha_(std::move(sha)), session_(session) {}

  Result<void> prepare(const DeployPlan& plan, Branch place) {
    planned_ = plan.planned;
    place.adapter = plan.adapter;
    place.database = plan.credentials.database;
    const auto placed = place_nodes(place.name, plan.leaving);
    place.schemas.clear();
    for (const auto& [schema, beside] : staging_) place.schemas.push_back(beside);
    for (const auto& [schema, beside] : kept_schemas_) place.schemas.push_back(beside);
    kept_.branch = place.name;
    kept_.until = place.mark.expires;

    planned_.handle = "staging";
    const auto resolved =
        session_.resolve({.at = planned_.at, .handle = "production", .as = planned_.handle, .placed = placed});
    if (!resolved) return tl::unexpected(resolved.error());
    std::map<std::string, RelationName> beside;
    for (const auto& [unique_id, schema] : placed) beside.emplace(unique_id, resolved->nodes.at(unique_id).relation);
    for (const auto& [unique_id, relation] : beside) names_.emplace(unique_id, relation.rendered);
    if (auto proven = branch::prove_isolation(place, beside); !proven) return proven;
    // From here nothing that the plan builds has production's name.

    if (auto created = branch::create(place, at_, session_); !created) return created;
    planned_.branch = std::move(place);
    return copy(plan);
  }

  [[nodiscard]] const Planned& planned() const override { return planned_; }
  [[nodiscard]] const Kept& kept() const override { return kept_; }
  [[nodiscard]] const std::map<std::string, std::string>& names_beside() const override { return names_; }

  Result<std::map<std::string, std::string>> copy_from(const Branch& branch,
                                                       const std::map<std::string, RelationName>& in_branch) override {
    return copy_from_branch(branch, in_branch, planned_.plan, at_, session_,
                            [&](const std::string& schema) { return staging_.at(schema); });
  }

  Result<Exchanged> exchange() override {
    json relations = json::array();
    for (const auto& one : kept_.relations) {
      relations.push_back({{"schema", one.schema},
                           {"name", one.identifier},
                           {"from", one.staged_in.empty() ? json() : json(one.staged_in)},
                           {"to", one.kept_in},
                           {"fresh", !copied_.contains({one.schema, one.identifier})}});
    }
    json kept = json::array();
    json staging = json::array();
    for (const auto& [schema, beside] : kept_schemas_) kept.push_back(beside);
    for (const auto& [schema, beside] : staging_) staging.push_back(beside);
    OwnerMark mark = planned_.branch.mark;
    mark.head = sha_;
    return exchange_relations(context_, at_,
                              {{"relations", std::move(relations)},
                               {"views", "create"},
                               {"mark", branch::to_json(mark)},
                               {"kept", std::move(kept)},
                               {"staging", std::move(staging)}},
                              session_);
  }

  Result<void> discard() override {
    return branch::drop({planned_.branch.mark, planned_.branch.schemas, {}}, at_, session_);
  }

 private:
  /// Gives every relation of the plan its place beside; returns the schema of each node.
  std::map<std::string, std::string> place_nodes(const std::string& branch, const std::vector<RelationName>& leaving) {
    std::map<std::string, std::string> placed;
    for (const auto& node : planned_.plan.nodes) {
      if (node.relation.rendered.empty()) continue;
      const std::string& schema = node.relation.schema;
      staging_.try_emplace(schema, schema_beside(branch, "", schema));
      kept_schemas_.try_emplace(schema, schema_beside(branch, "was_", schema));
      placed.emplace(node.unique_id, staging_.at(schema));
      kept_.relations.push_back({schema, node.relation.identifier, kept_schemas_.at(schema), staging_.at(schema)});
    }
    for (const auto& relation : leaving) {
      kept_schemas_.try_emplace(relation.schema, schema_beside(branch, "was_", relation.schema));
      kept_.relations.push_back({relation.schema, relation.identifier, kept_schemas_.at(relation.schema), ""});
    }
    return placed;
  }

  /// Copies what dbt goes on from.
  Result<void> copy(const DeployPlan& plan) {
    json copies = json::array();
    for (const auto& node : plan.planned.plan.nodes) {
      const bool anew = context_.settings.build.full_refresh && node.resource_type != "snapshot";
      if (node.relation.rendered.empty() || !goes_on(node) || node.resource_type == "test" || anew) continue;
      copies.push_back({{"schema", node.relation.schema},
                        {"name", node.relation.identifier},
                        {"to", staging_.at(node.relation.schema)}});
    }
    if (copies.empty()) return {};
    const auto answer = session_.macro(at_, "copy_relations", {{"copies", copies}});
    if (!answer) return tl::unexpected(answer.error());
    if (answer->value("status", "") != "copied") {
      return failed(
          ExitStatus::refused, doing_stage,
          "a copy would not be as the original, which has" + listed(answer->value("blockers", json()), "what"),
          "set deploy.mode to in-place, or take these away");
    }
    for (const auto& row : answer->at("copied")) {
      copied_.insert({row.value("schema", ""), row.value("name", "")});
    }
    return {};
  }

  const Context& context_;
  dbt::WarehouseAt at_;
  std::string sha_;
  dbt::Session& session_;
  Planned planned_{};
  Kept kept_{};
  std::map<std::string, std::string> names_{};         ///< rendered, by unique id
  std::map<std::string, std::string> staging_{};       ///< by production's schema
  std::map<std::string, std::string> kept_schemas_{};  ///< by production's schema
  std::set<std::pair<std::string, std::string>> copied_{};
};

}  // namespace

std::string schema_beside(const std::string& branch, std::string_view infix, const std::string& schema) {
  const std::string plain = fmt::format("{}_{}{}", branch, infix, schema);
  return plain.size() <= branch::longest_identifier
             ? plain
             : fmt::format("{}_{}{}", branch, infix, io::sha256_hex(schema).substr(0, 8));
}

Result<Exchanged> exchange_relations(const Context& context, const dbt::WarehouseAt& at, const json& arguments,
                                     dbt::Session& session) {
  const io::Stopwatch watch;
  const double limit = std::chrono::duration<double>(context.settings.deploy.lock).count();
  while (true) {
    const auto answer = session.macro(at, "exchange_relations", arguments);
    if (!answer) return tl::unexpected(answer.error());
    const std::string status = answer->value("status", "");
    if (status == "exchanged") return Exchanged{names_in(*answer, "exchanged"), names_in(*answer, "recreated")};
    if (status == "refused") {
      return failed(ExitStatus::refused, doing_exchange,
                    "something outside of the plan reads what would be exchanged:" +
                        listed(answer->value("dependents", json()), "why"),
                    "change or drop these first, or set deploy.mode to in-place; production is as it was");
    }
    if (status != "busy" || watch.seconds() > limit || context.stop.stop_requested()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  return failed(ExitStatus::could_not_run, doing_exchange,
                fmt::format("production has been read without a pause for {:.0f} s", watch.seconds()),
                "deploy at a quieter time, or set deploy.lock higher; production is as it was");
}

Result<std::unique_ptr<Swap>> stage_schemas(const Context& context, const ProjectAtHand& at_production,
                                            const DeployPlan& plan, const Commit& head, dbt::Session& session) {
  auto place = place_beside(context, at_production.target);
  if (!place) return tl::unexpected(place.error());
  auto swap = std::make_unique<SchemaSwap>(
      context,
      dbt::WarehouseAt{at_production.profile.file.parent_path(), at_production.profile.name, at_production.target},
      head.sha, session);
  if (auto prepared = swap->prepare(plan, std::move(*place)); !prepared) return tl::unexpected(prepared.error());
  return swap;
}

}  // namespace offshoot::flow
