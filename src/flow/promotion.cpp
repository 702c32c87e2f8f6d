// SPDX-License-Identifier: Apache-2.0
#include "flow/promotion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "flow/same_sql.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "report/digest.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

bool has_relation(const PlannedNode& node) {
  return node.resource_type == "model" || node.resource_type == "seed" || node.resource_type == "snapshot";
}

nlohmann::json value_of(const state::Manifest& manifest, const state::Entry& entry, state::Field field) {
  const std::string_view raw = manifest.raw(entry, field);
  const auto parsed = io::parse_json(raw, "reading a manifest");
  return parsed ? *parsed : nlohmann::json(raw);
}

/// What of the fields makes a relation what it is, beside its SQL, and is not the same in both manifests; empty =
/// nothing.
std::string differing_field(const state::Manifest& head, const state::Entry& here, const state::Manifest& checked,
                            const state::Entry& there) {
  using state::Field;
  constexpr std::array<std::pair<Field, const char*>, 6> fields{{{Field::config, "settings"},
                                                                 {Field::checksum, "file"},
                                                                 {Field::raw_code, "code"},
                                                                 {Field::columns, "columns"},
                                                                 {Field::description, "description"},
                                                                 {Field::constraints, "constraints"}}};
  for (const auto& [field, name] : fields) {
    if (value_of(head, here, field) != value_of(checked, there, field)) return name;
  }
  return {};
}

/// Whether code that dbt renders with a node may run statements: its own, and that of ephemeral models that it reads.
bool may_run_statements(const PromotionEvidence& evidence, const state::Entry& entry) {
  if (evidence.macros.may_run_statements(evidence.head.text(entry, state::Field::raw_code))) return true;
  return std::ranges::any_of(evidence.head.info(entry).depends_on_nodes, [&](const std::string& parent) {
    const state::Entry* read = evidence.head.find_node(parent);
    return read != nullptr && evidence.head.info(*read).materialized == "ephemeral" &&
           may_run_statements(evidence, *read);
  });
}

/// What building a node does in the warehouse that neither a copy nor its SQL tells of; empty = nothing.
std::string effect_of(const PromotionEvidence& evidence, const state::Entry& entry) {
  for (const auto& unproven : evidence.plan.unproven) {
    if (unproven.unique_id != entry.unique_id) continue;
    return fmt::format("it {} a {}", unproven.what == "Python model" ? "is" : "has", unproven.what);
  }
  return may_run_statements(evidence, entry) ? "it may run a statement while it is compiled" : "";
}

/// Why nothing at all can be promoted; empty = something might.
std::string unfit_as_a_whole(const PromotionEvidence& evidence) {
  const state::Manifest& head = evidence.head;
  const state::Manifest& checked = evidence.check.manifest;
  if (head.dbt_version() != checked.dbt_version() || head.adapter_type() != checked.adapter_type()) {
    return fmt::format("the branch was built by dbt {} for {}, and this is dbt {} for {}", checked.dbt_version(),
                       checked.adapter_type(), head.dbt_version(), head.adapter_type());
  }
  for (const auto& entry : head.nodes()) {
    if (entry.unique_id.starts_with("operation.")) return "the project has hooks of the whole run";
  }
  if (const auto& own = evidence.macros.in_place_of_dbts(); !own.empty()) {
    return fmt::format("the project makes relations in a way of its own: {}", own);
  }
  return {};
}

/// Weighs nodes one by one, each once.
class Judge {
 public:
  explicit Judge(const PromotionEvidence& evidence) : evidence_(evidence) {
    for (const auto& node : evidence.plan.nodes) planned_.emplace(node.unique_id, &node);
    for (const auto& node : evidence.check.run.plan.finished()->nodes) checked_.emplace(node.unique_id, &node);
    for (const auto& one : evidence.check.run.plan.finished()->deferred) deferred_.emplace(one.unique_id, &one);
    for (const auto& result : evidence.check.run.build.finished()->results) {
      if (result.status == NodeStatus::success) built_well_.insert(result.unique_id);
    }
    io::Instant begun;
    const bool known = io::parse_rfc3339(evidence.check.run.started, begun);
    old_ = !known || begun > evidence.now || evidence.now - begun > evidence.within;
  }

  /// Why the node is built; empty = it may be copied.
  std::string why_built(const PlannedNode& node) {
    const Standing& standing = stand(node.unique_id);
    if (!standing.why.empty()) return standing.why;
    if (node.resource_type != "seed" && node.materialized != "table") {
      return fmt::format("it is materialized as {}", node.materialized);
    }
    if (standing.reads_outside && old_) {
      return fmt::format("the branch read sources or production at {}, more than {} hours ago (deploy.promote_within)",
                         evidence_.check.run.started, evidence_.within.count());
    }
    return uncopyable(node);
  }

 private:
  /// Whether production would get what the branch has, if it were built now.
  struct Standing {
    std::string why{};           ///< why it might differ; empty = it is alike
    bool reads_outside = false;  ///< itself or through what it reads: sources, or relations of production
  };

  const Standing& stand(const std::string& unique_id) {
    const auto known = standings_.find(unique_id);
    if (known != standings_.end()) return known->second;
    standings_[unique_id].why = "it depends on itself";
    Standing standing = weigh(*planned_.at(unique_id));
    return standings_[unique_id] = std::move(standing);
  }

  Standing weigh(const PlannedNode& node) {
    const bool plain = node.resource_type == "seed" ||
                       (node.resource_type == "model" && (node.materialized == "table" || node.materialized == "view"));
    if (!plain) return {fmt::format("it is materialized as {}", node.materialized)};
    const auto checked = checked_.find(node.unique_id);
    if (checked == checked_.end() || !built_well_.contains(node.unique_id)) return {"the branch did not build it"};
    const state::Entry* here = evidence_.head.find_node(node.unique_id);
    const state::Entry* there = evidence_.check.manifest.find_node(node.unique_id);
    if (here == nullptr || there == nullptr) return {"it is not in both manifests"};
    if (auto field = differing_field(evidence_.head, *here, evidence_.check.manifest, *there); !field.empty()) {
      return {fmt::format("its {} is not the same in production", field)};
    }
    if (auto effect = effect_of(evidence_, *here); !effect.empty()) return {std::move(effect)};
    if (is_known_by_its_path(*here)) return {"its data is not compared: dbt knows so large a seed by its path"};
    Standing standing = weigh_parents(evidence_.head.info(*here));
    if (standing.why.empty() && node.resource_type != "seed") standing.why = differing_sql(node, *checked->second);
    return standing;
  }

  /// dbt takes no checksum of a large seed's data. The tree tells that of the project's own, but not of a package's.
  [[nodiscard]] bool is_known_by_its_path(const state::Entry& entry) const {
    const auto checksum = value_of(evidence_.head, entry, state::Field::checksum);
    return checksum.is_object() && checksum.value("name", "") == "path" &&
           evidence_.head.text(entry, state::Field::package_name) != evidence_.head.project_name();
  }

  Standing weigh_parents(const state::NodeInfo& node) {
    Standing standing;
    for (const auto& parent : node.depends_on_nodes) {
      Standing one = weigh_parent(parent);
      standing.reads_outside = standing.reads_outside || one.reads_outside;
      if (standing.why.empty()) standing.why = std::move(one.why);
    }
    return standing;
  }

  Standing weigh_parent(const std::string& unique_id) {
    const std::string name = report::short_name(unique_id);
    if (planned_.contains(unique_id)) {
      const Standing& parent = stand(unique_id);
      if (!parent.why.empty()) return {fmt::format("{}, which it reads, is not as in the branch", name)};
      return parent;
    }
    const state::Entry* entry = evidence_.head.find_node(unique_id);
    if (entry == nullptr) return {fmt::format("{}, which it reads, is not known", name)};
    if (entry->collection == state::Collection::sources) return {.reads_outside = true};
    const auto node = evidence_.head.info(*entry);
    if (node.materialized == "ephemeral") return weigh_parents(node);
    const auto deferred = deferred_.find(unique_id);
    if (deferred == deferred_.end()) return {fmt::format("{} was not read from production by the branch", name)};
    if (evidence_.owed.contains(unique_id)) return {fmt::format("an earlier deploy left {} undone", name)};
    if (deferred->second->relation.rendered != node.relation_name) {
      return {fmt::format("{} is elsewhere in production now", name)};
    }
    const std::string& read = evidence_.check.run.plan.finished()->production.run;
    if (read.empty() || read != evidence_.deployed_run) {
      return {fmt::format("production was deployed to since the branch read {} there", name)};
    }
    return {.reads_outside = true};
  }

  /// The node itself and what stands in its SQL under a name that offshoot gave: what it reads, through ephemeral
  /// models as well.
  void name_what_is_read(const std::string& unique_id, NamesInSql& here, NamesInSql& there) const {
    const state::Entry* entry = evidence_.head.find_node(unique_id);
    if (entry == nullptr || entry->collection == state::Collection::sources) return;
    const auto node = evidence_.head.info(*entry);
    if (node.materialized == "ephemeral") {
      for (const auto& parent : node.depends_on_nodes) name_what_is_read(parent, here, there);
      return;
    }
    const auto beside = evidence_.names_beside.find(unique_id);
    here.emplace(beside == evidence_.names_beside.end() ? node.relation_name : beside->second, unique_id);
    if (const auto found = checked_.find(unique_id); found != checked_.end()) {
      there.emplace(found->second->relation.rendered, unique_id);
    } else if (const auto deferred = deferred_.find(unique_id); deferred != deferred_.end()) {
      there.emplace(deferred->second->relation.rendered, unique_id);
    }
  }

  [[nodiscard]] std::string differing_sql(const PlannedNode& node, const PlannedNode& checked) const {
    const auto ours = evidence_.compiled.find(node.unique_id);
    const auto theirs = evidence_.compiled_in_check.find(node.unique_id);
    if (ours == evidence_.compiled.end() || theirs == evidence_.compiled_in_check.end()) {
      return "its compiled SQL is not known";
    }
    NamesInSql here;
    NamesInSql there;
    name_what_is_read(node.unique_id, here, there);
    for (const auto& parent : checked.depends_on) name_what_is_read(parent, here, there);
    const auto our_sql = without_places(ours->second, here);
    const auto their_sql = without_places(theirs->second, there);
    if (!our_sql || !their_sql) return "its compiled SQL may store the names of relations";
    return *our_sql == *their_sql ? "" : "its compiled SQL is not the same in production";
  }

  /// What a copy would not have; empty = nothing.
  [[nodiscard]] std::string uncopyable(const PlannedNode& node) const {
    const auto config = value_of(evidence_.head, *evidence_.head.find_node(node.unique_id), state::Field::config);
    const auto has = [&](const char* key) {
      const auto found = config.find(key);
      return found != config.end() && !found->is_null() && !found->empty();
    };
    if (!config.is_object()) return "its settings are not known";
    if (has("grants")) return "it has grants";
    const auto contract = config.find("contract");
    if (contract != config.end() && contract->is_object() && contract->value("enforced", false)) {
      return "it has a contract";
    }
    if (evidence_.head.adapter_type() == "duckdb" && has("indexes")) return "it has indexes";
    return {};
  }

  const PromotionEvidence& evidence_;
  std::map<std::string, const PlannedNode*> planned_{};
  std::map<std::string, const PlannedNode*> checked_{};
  std::map<std::string, const Deferred*> deferred_{};
  std::set<std::string> built_well_{};
  std::map<std::string, Standing> standings_{};
  bool old_ = true;
};

/// Compiles the models of which it matters, as they would be built, into `evidence`. Why that did not work; empty = it
/// did.
std::string compile(const Context& context, const Planned& planned, dbt::Session& session,
                    PromotionEvidence& evidence) {
  dbt::BuildRequest request{.at = planned.at,
                            .handle = planned.handle,
                            .target_path = context.scratch / "promotion-target",
                            .dbt_command = "compile",
                            .threads = context.settings.build.threads};
  for (const auto& one : evidence.plan.deferred) request.deferred.emplace(one.unique_id, one.relation);
  std::map<std::string, std::string> files;
  for (const auto& node : evidence.plan.nodes) {
    const bool matters = node.resource_type == "model" && (node.materialized == "table" || node.materialized == "view");
    const state::Entry* entry = evidence.head.find_node(node.unique_id);
    // What runs statements would run them here and once more when it is built.
    if (!matters || entry == nullptr || !effect_of(evidence, *entry).empty()) continue;
    const auto info = evidence.head.info(*entry);
    auto theirs = compiled_in(context, evidence.check, info);
    if (!theirs) continue;
    evidence.compiled_in_check.emplace(node.unique_id, std::move(*theirs));
    files.emplace(node.unique_id, compiled_name(info));
    request.nodes.push_back(node.unique_id);
  }
  if (request.nodes.empty()) return {};
  const auto output = session.build(request, [](const dbt::BuildEvent&) {});
  if (auto released = session.release(); !released) return released.error().why;
  if (!output) return output.error().why;
  if (output->stopped) return output->stopped->why;
  for (const auto& [unique_id, file] : files) {
    auto text = io::read_file(request.target_path / "compiled" / file);
    if (text) evidence.compiled.emplace(unique_id, std::move(*text));
  }
  return {};
}

}  // namespace

std::vector<Promotion> none_promoted(const Plan& plan, const std::string& because) {
  std::vector<Promotion> promotions;
  for (const auto& node : plan.nodes) {
    if (has_relation(node)) promotions.push_back({node.unique_id, "", because});
  }
  return promotions;
}

std::vector<Promotion> decide_promotions(const PromotionEvidence& evidence) {
  if (const auto why = unfit_as_a_whole(evidence); !why.empty()) return none_promoted(evidence.plan, why);
  std::vector<Promotion> promotions;
  Judge judge(evidence);
  for (const auto& node : evidence.plan.nodes) {
    if (!has_relation(node)) continue;
    auto why = judge.why_built(node);
    promotions.push_back({node.unique_id, why.empty() ? evidence.check.name() : "", std::move(why)});
  }
  return promotions;
}

Promotable look_for_promotable(const Context& context, const DeployPlan& plan, const WhatIsDeployed& deployed,
                               const Commit& head_commit, const Swap& swap, dbt::Session& session) {
  const Plan& wanted = plan.planned.plan;
  const auto none = [&](const std::string& because) {
    return Promotable{.promotions = none_promoted(wanted, because)};
  };
  if (context.settings.build.full_refresh) return none("a full refresh was asked for");
  std::error_code error;
  if (!plan.production_file.empty() && !fs::exists(plan.production_file, error)) {
    return none("production's file does not exist yet");
  }
  const auto check = checked_build_of(context, head_commit);
  if (!check) return none(check.error());
  const Branch& branch = *check->run.branch.finished();
  const bool is_file = branch.isolation == Isolation::database;
  if (plan.adapter == "duckdb" ? !is_file : is_file || branch.database != plan.credentials.database) {
    return none(fmt::format("the branch {} lies where production's login cannot read it", branch.name));
  }
  const auto head = state::Manifest::read(plan.planned.manifest);
  if (!head) return none(head.error().why);
  const std::string deployed_run = deployed.current ? deployed.current->run : "";
  PromotionEvidence evidence{.plan = wanted,
                             .head = *head,
                             .check = *check,
                             .deployed_run = deployed_run,
                             .owed = deployed.owed,
                             .names_beside = swap.names_beside(),
                             .now = context.started,
                             .within = context.settings.deploy.promote_within};
  if (const auto why = unfit_as_a_whole(evidence); !why.empty()) return none(why);
  if (const auto why = compile(context, swap.planned(), session, evidence); !why.empty()) {
    return none("the project could not be compiled for production: " + why);
  }
  Promotable promotable{.promotions = decide_promotions(evidence), .branch = branch};
  for (const auto& promotion : promotable.promotions) {
    if (promotion.from.empty()) continue;
    const auto& nodes = check->run.plan.finished()->nodes;
    promotable.in_branch.emplace(promotion.unique_id,
                                 std::ranges::find(nodes, promotion.unique_id, &PlannedNode::unique_id)->relation);
  }
  return promotable;
}

}  // namespace offshoot::flow
