// SPDX-License-Identifier: Apache-2.0
#include "flow/elementary.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "branch/names.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "quality/elementary.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view models_of_elementary = "model.elementary.";

/// The schema of the branch in which Elementary's models live; empty = they were not placed.
std::string schema_of_elementary(const dbt::Resolved& resolved) {
  const auto first = resolved.nodes.lower_bound(std::string(models_of_elementary));
  return first != resolved.nodes.end() && first->first.starts_with(models_of_elementary) ? first->second.relation.schema
                                                                                         : "";
}

/// Writes the profile `elementary` that edr asks for: the branch's output, in the schema of Elementary's models.
Result<void> write_edr_profile(const Planned& planned, const fs::path& folder) {
  const fs::path file = planned.at.profiles_dir / "profiles.yml";
  const auto bytes = io::read_file(file);
  if (!bytes) return tl::unexpected(bytes.error());
  try {
    // write_profile wrote it, as JSON.
    const auto profiles = nlohmann::ordered_json::parse(*bytes);
    auto output = profiles.at(planned.at.profile).at("outputs").at(planned.at.target);
    output["schema"] = planned.elementary_schema;
    const nlohmann::ordered_json elementary{
        {"elementary", {{"target", planned.at.target}, {"outputs", {{planned.at.target, std::move(output)}}}}}};
    return io::write_file(folder / "profiles.yml", io::to_line(elementary), 0600);
  } catch (const nlohmann::json::exception& error) {
    return failed(ExitStatus::could_not_run, "writing edr's profile", error.what());
  }
}

}  // namespace

bool wants_elementary(const Context& context, const ProjectAtHand& at_hand) {
  return context.settings.elementary != "off" && quality::has_elementary(at_hand.folder);
}

bool is_of_elementary(const std::string& unique_id) { return unique_id.starts_with(models_of_elementary); }

Result<ElementaryModels> elementary_models(const state::Manifest& head, const dbt::Resolved& resolved,
                                           const Branch& branch, const dbt::WarehouseAt& warehouse,
                                           dbt::Session& session) {
  ElementaryModels models;
  models.schema = schema_of_elementary(resolved);
  if (models.schema.empty()) return models;
  std::set<std::string> existing;
  std::error_code error;
  // Asking a DuckDB file that is not there would make it.
  if (branch.path.empty() || fs::exists(branch.path, error)) {
    const auto found = session.list_relations(warehouse, {{branch.database, models.schema}});
    if (!found) return tl::unexpected(found.error());
    for (const auto& relation : *found) existing.insert(branch::folded(relation.identifier));
  }
  for (const auto& [unique_id, node] : resolved.nodes) {
    if (!is_of_elementary(unique_id) || node.relation.rendered.empty() ||
        existing.contains(branch::folded(node.relation.identifier))) {
      continue;
    }
    const state::Entry* entry = head.find_node(unique_id);
    if (entry == nullptr) continue;
    const auto info = head.info(*entry);
    models.missing.push_back({.unique_id = unique_id,
                              .resource_type = info.resource_type,
                              .name = info.name,
                              .file = info.original_file_path,
                              .materialized = info.materialized,
                              .relation = node.relation,
                              .reasons = {{ReasonKind::requested, "Elementary's own, once per branch", {}}},
                              .depends_on = info.depends_on_nodes});
  }
  return models;
}

Outcome<Quality> report_quality(const Context& context, const ProjectAtHand& at_hand, const Planned& planned,
                                const Run& run, std::vector<Artifact>& artifacts) {
  if (context.settings.elementary == "off") return Skipped{"switched off"};
  if (!wants_elementary(context, at_hand)) return Skipped{"the project does not have Elementary's package"};
  if (run.build.finished() == nullptr) return Skipped{"the build did not finish"};
  if (context.stop.stop_requested()) return Skipped{"interrupted"};
  if (planned.elementary_schema.empty()) return Skipped{"Elementary's models are disabled"};
  context.progress.stage("Elementary's report");
  const fs::path profiles_dir = context.scratch / "edr-profile";
  if (auto written = write_edr_profile(planned, profiles_dir); !written) return written.error();
  const fs::path folder = context.scratch / "elementary";
  const auto packages = context.environment.find("OFFSHOOT_ELEMENTARY_PACKAGES");
  auto outcome = quality::elementary_report(
      {.edr = at_hand.dbt.bin / "edr",
       .project_dir = at_hand.folder,
       .profiles_dir = profiles_dir,
       .target = planned.at.target,
       .environment = at_hand.child_environment,
       .output_folder = folder,
       .packages = packages == context.environment.end() ? std::nullopt : std::optional<fs::path>(packages->second),
       .stop = context.stop});
  if (outcome.finished() != nullptr) artifacts.push_back({quality::page_name, folder / quality::page_name});
  return outcome;
}

}  // namespace offshoot::flow
