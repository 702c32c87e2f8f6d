// SPDX-License-Identifier: Apache-2.0
#include "flow/production.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "branch/names.hpp"
#include "flow/deployed.hpp"
#include "store/s3_store.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

Result<void> take_manifest(ProductionAtHand& production, const Result<state::Manifest>& manifest, std::string source,
                           std::string sha = {}, std::string run = {}) {
  if (!manifest) return tl::unexpected(manifest.error());
  production.relations = relations_in(*manifest);
  production.known = {std::move(source), "", std::move(sha), std::move(run)};
  return {};
}

/// The manifest in a folder of a bucket, which need not be the store's.
Result<std::string> manifest_in_s3(const Context& context, const std::string& folder) {
  const auto bucket = store::open_s3(folder, context.environment, {.stop = context.stop, .learned = context.learned});
  if (!bucket) return tl::unexpected(bucket.error());
  auto bytes = (*bucket)->get("manifest.json");
  if (!bytes) return tl::unexpected(bytes.error());
  if (*bytes) return std::move(**bytes);
  return failed(ExitStatus::usage, "reading production's manifest",
                "there is none at " + (*bucket)->location("manifest.json"), "see dbt.production_state");
}

/// Fills in what is known of production, from the first place that knows.
Result<void> find_relations(const Context& context, const std::string& target, const Change& change,
                            const ProductionRelations& of_base, ProductionAtHand& production) {
  const std::string& setting = context.settings.dbt.production_state;
  if (setting.starts_with("s3://")) {
    const auto bytes = manifest_in_s3(context, setting);
    if (!bytes) return tl::unexpected(bytes.error());
    return take_manifest(production, state::Manifest::parse(*bytes, setting), "dbt.production_state");
  }
  if (setting != "auto") {
    fs::path path = context.repository_root / setting;
    if (fs::is_directory(path)) path /= "manifest.json";
    return take_manifest(production, state::Manifest::read(path), "dbt.production_state");
  }
  auto deployed = what_is_deployed(context, target);
  if (!deployed) {
    // Not the end of a check (requirement J6), but not silent either.
    production.notes.push_back("What is deployed could not be read from the store (" + deployed.error().why +
                               "), so the base commit is taken for it.");
  } else if (deployed->current) {
    return take_manifest(production,
                         state::Manifest::parse(std::move(deployed->manifest), "the manifest that deploy kept"),
                         "offshoot deploy", deployed->current->sha, deployed->current->run);
  }
  if (deployed && !deployed->why_not.empty()) {
    production.notes.push_back("What offshoot deploy kept of production is of no use: " + deployed->why_not + ".");
  }
  production.relations = of_base;
  production.known = {"base commit", fmt::format("assuming {} is deployed", change.base.sha.substr(0, 7)), "", ""};
  return {};
}

/// DuckDB: the files that a branch reads, which are attached to its own.
void attach_files(const ProjectAtHand& at_hand, const dbt::Credentials& target,
                  const std::optional<dbt::Credentials>& production_target, ProductionAtHand& production) {
  const auto exists = [&](const dbt::Credentials& credentials) {
    std::error_code error;
    return !credentials.path.empty() && fs::is_regular_file(at_hand.folder / credentials.path, error);
  };
  const auto attach = [&](const dbt::Credentials& credentials) {
    const std::string path = (at_hand.folder / credentials.path).lexically_normal();
    for (const auto& attached : production.attached) {
      if (attached.path == path) return;
    }
    production.attached.push_back({path, credentials.database});
  };
  if (exists(target)) {
    attach(target);
    production.sources_database = target.database;
  }
  if (!production_target) return;
  if (exists(*production_target)) {
    attach(*production_target);
    production.sources_database = production_target->database;
  } else if (!production_target->path.empty()) {
    production.relations.clear();
    production.notes.push_back(fmt::format("Production's file {} does not exist yet: all that the plan reads is built.",
                                           production_target->path));
  }
}

using Place = std::tuple<std::string, std::string, std::string>;  // database, schema, identifier, all folded

Place place_of(const std::string& database, const std::string& schema, const std::string& identifier) {
  return {branch::folded(database), branch::folded(schema), branch::folded(identifier)};
}

/// Asks the warehouse what exists, each schema once.
class Existing {
 public:
  Existing(dbt::Session& session, dbt::WarehouseAt at) : session_(session), at_(std::move(at)) {}

  /// `places`: whatever has a `relation`.
  template <class T>
  Result<void> look_into(const std::vector<T>& places) {
    std::vector<dbt::SchemaName> unseen;
    for (const auto& one : places) {
      if (seen_.emplace(branch::folded(one.relation.database), branch::folded(one.relation.schema)).second) {
        unseen.push_back({one.relation.database, one.relation.schema});
      }
    }
    if (unseen.empty()) return {};
    const auto found = session_.list_relations(at_, unseen);
    if (!found) return tl::unexpected(found.error());
    for (const auto& one : *found) relations_.insert(place_of(one.database, one.schema, one.identifier));
    return {};
  }

  [[nodiscard]] bool has(const RelationName& relation) const {
    return relations_.contains(place_of(relation.database, relation.schema, relation.identifier));
  }

 private:
  dbt::Session& session_;
  dbt::WarehouseAt at_;
  std::set<std::pair<std::string, std::string>> seen_;
  std::set<Place> relations_;
};

/// Whether dbt reads a source elsewhere than in a relation of its name: a file, a plugin.
bool is_read_elsewhere(const state::Manifest& head, const state::Entry& source) {
  for (const auto field : {state::Field::config, state::Field::unrendered_config}) {
    const std::string_view text = head.raw(source, field);
    for (const std::string_view key : {"\"external_location\"", "\"plugin\"", "\"formatter\""}) {
      if (text.find(key) != std::string_view::npos) return true;
    }
  }
  const std::string_view external = head.raw(source, state::Field::external);
  return !external.empty() && external != "null";
}

/// Names the sources that are not there. What the warehouse does not let this role list is not known to be missing.
void name_missing_sources(Plan& plan, const state::Manifest& head, const std::optional<std::string>& sources_database,
                          Existing& existing) {
  std::vector<Unreadable> sources;
  for (auto& [unique_id, readers] : sources_read(plan, head)) {
    const state::Entry& entry = *head.find_node(unique_id);
    if (is_read_elsewhere(head, entry)) continue;
    const auto node = head.info(entry);
    const bool moves = sources_database && head.text(entry, state::Field::unrendered_database).empty();
    sources.push_back({unique_id,
                       {moves ? *sources_database : node.database, node.schema, node.identifier, node.relation_name},
                       "it is not in the warehouse, as far as this role can see",
                       std::move(readers)});
    if (moves) {
      sources.back().relation.rendered = fmt::format("{}.{}.{}", *sources_database, node.schema, node.identifier);
    }
  }
  if (sources.empty() || !existing.look_into(sources)) return;
  for (auto& source : sources) {
    if (!existing.has(source.relation)) plan.unreadable.push_back(std::move(source));
  }
  std::ranges::sort(plan.unreadable, {}, &Unreadable::unique_id);
}

}  // namespace

ProductionRelations relations_in(const state::Manifest& manifest) {
  ProductionRelations relations;
  for (const auto& entry : manifest.nodes()) {
    const auto node = manifest.info(entry);
    if (node.relation_name.empty() || node.resource_type == "source" || node.resource_type == "test") continue;
    relations.emplace(node.unique_id, RelationName{node.database, node.schema, node.identifier, node.relation_name});
  }
  return relations;
}

ProductionAtHand production_itself(const ProjectAtHand& at_production, const state::Manifest& head,
                                   const dbt::Credentials& credentials) {
  ProductionAtHand production{.known = {"this deploy", "", "", ""}, .relations = relations_in(head)};
  if (head.adapter_type() == "duckdb") attach_files(at_production, credentials, credentials, production);
  production.notes.clear();  // that there is no file yet is no news to the deploy that makes it
  return production;
}

Result<ProductionAtHand> look_at_production(const Context& context, const ProjectAtHand& at_hand, const Change& change,
                                            const dbt::ProjectAt& head_at, const dbt::Parsed& head,
                                            const ProductionRelations& of_base, dbt::Session& session) {
  ProductionAtHand production;
  std::optional<dbt::Credentials> production_target;
  if (at_hand.production) {
    if (auto found = find_relations(context, *at_hand.production, change, of_base, production); !found) {
      return tl::unexpected(found.error());
    }
    dbt::ProjectAt at = head_at;
    at.target = *at_hand.production;
    const auto resolved = session.resolve({at, "head", "production"});
    if (!resolved) return tl::unexpected(resolved.error());
    production_target = resolved->credentials;
    session.forget("production");
  } else {
    production.known = {"none", "", "", ""};
    production.notes.emplace_back(
        "No production target is known, so all that the plan reads is built: set dbt.production to defer to it.");
  }
  if (head.adapter_type == "duckdb") {
    attach_files(at_hand, head.credentials, production_target, production);
  } else if (production_target && production_target->database != head.credentials.database) {
    production.relations.clear();
    production.notes.push_back(
        fmt::format("Production is in the database {}, which a branch in {} cannot read: all that the plan reads is "
                    "built. Let target and production share a database to defer.",
                    production_target->database, head.credentials.database));
  }
  return production;
}

Result<void> defer_to_what_exists(const Context& context, const ProjectAtHand& at_hand, Plan& plan,
                                  const state::Manifest& head, const ProductionAtHand& production,
                                  const std::optional<std::string>& sources_database, dbt::Session& session) {
  // A profile that reaches what a branch reaches, and nothing to write to.
  dbt::WarehouseAt at{at_hand.profile.file.parent_path(), at_hand.profile.name, at_hand.target};
  if (head.adapter_type() == "duckdb") {
    at.profiles_dir = context.scratch / "reading-profile";
    if (auto written = dbt::write_profile(at_hand.profile, at_hand.target,
                                          dbt::OtherFile{":memory:", production.attached}, at.profiles_dir);
        !written) {
      return written;
    }
  }
  Existing existing(session, at);
  ProductionRelations relations = production.relations;
  while (true) {
    Plan attempt = plan;
    defer_or_add(attempt, head, relations);
    if (auto looked = existing.look_into(attempt.deferred); !looked) return looked;
    const std::size_t before = relations.size();
    for (const auto& one : attempt.deferred) {
      if (!existing.has(one.relation)) relations.erase(one.unique_id);
    }
    if (relations.size() == before) {
      plan = std::move(attempt);
      name_missing_sources(plan, head, sources_database, existing);
      return {};
    }
  }
}

}  // namespace offshoot::flow
