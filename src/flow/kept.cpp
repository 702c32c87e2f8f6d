// SPDX-License-Identifier: Apache-2.0
#include "flow/kept.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "branch/folders.hpp"
#include "branch/lifecycle.hpp"
#include "branch/names.hpp"
#include "flow/clean.hpp"
#include "flow/swap.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

dbt::WarehouseAt warehouse_of(const ProjectAtHand& at_hand) {
  return {at_hand.profile.file.parent_path(), at_hand.profile.name, at_hand.target};
}

Result<bool> has_happened(const ProjectAtHand& at_production, const Deployed& version, dbt::Session& session) {
  if (!version.kept) return false;
  std::error_code error;
  if (!version.kept->file.empty()) {
    return fs::exists(fs::path(version.kept->staged).parent_path(), error) && !fs::exists(version.kept->staged, error);
  }
  const auto rows = session.macro(warehouse_of(at_production), "list_branches", {{"prefix", version.kept->branch}});
  if (!rows) return tl::unexpected(rows.error());
  return std::ranges::any_of(*rows, [&](const nlohmann::json& row) {
    const auto mark = row.find("mark");
    return mark != row.end() && mark->is_object() && mark->value("head", "") == version.sha;
  });
}

std::vector<std::string> sweep_beside(const Context& context, const ProjectAtHand& at_production,
                                      const std::string& production_file, dbt::Session& session) {
  std::vector<std::string> notes;
  const auto versions = kept_versions(context, at_production.target);
  if (!versions) return {"Older versions of production were not swept: " + versions.error().why};
  std::set<std::string> needed;
  for (const auto& version : *versions) {
    if (version.kept) needed.insert(version.kept->branch);
  }
  const branch::DropContext ours{context.settings.branch.prefix, context.origin.repository_id,
                                 names_in_use(at_production.profile)};
  branch::Listing found;
  if (!production_file.empty()) {
    found = branch::list_folders(fs::path(production_file).parent_path(), ours);
  } else if (auto schemas = branch::list_schemas(warehouse_of(at_production), ours, session)) {
    found = std::move(*schemas);
  } else {
    return {"Older versions of production were not swept: " + schemas.error().why};
  }
  for (const auto& one : found.branches) {
    const bool over = branch::expired(one.mark, context.started);
    if (!is_beside_production(one.mark) || (!over && needed.contains(one.mark.branch))) continue;
    auto dropped =
        one.file.empty() ? branch::drop(one, warehouse_of(at_production), session) : branch::drop_folder(one.file);
    if (!dropped) notes.push_back(fmt::format("{}: {}", dropped.error().doing, dropped.error().why));
  }
  return notes;
}

}  // namespace offshoot::flow
