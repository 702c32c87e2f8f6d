// SPDX-License-Identifier: Apache-2.0
#include "flow/kept.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "branch/folders.hpp"
#include "branch/lifecycle.hpp"
#include "branch/names.hpp"
#include "flow/branches.hpp"
#include "flow/swap.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

dbt::WarehouseAt warehouse_of(const ProjectAtHand& at_hand) {
  return {at_hand.profile.file.parent_path(), at_hand.profile.name, at_hand.target};
}

namespace {

/// Under this name a file that was to become production's is found by nobody who still wants to make it that.
fs::path out_of_reach(const Kept& kept) { return kept.staged + ".fenced"; }

/// DuckDB: the file that was built is taken away from who built it. Of a rollback, whose file must stay, the folder in
/// which it would keep the version before.
Result<void> fence_file(const Deployed& version) {
  const Kept& kept = *version.kept;
  std::error_code error;
  if (!fs::exists(kept.staged, error)) return {};
  if (version.mode == "rollback") {
    const fs::path place = fs::path(kept.file).parent_path().parent_path() / kept.branch;
    return fs::exists(place, error) ? branch::drop_folder(place) : Result<void>{};
  }
  fs::rename(kept.staged, out_of_reach(kept), error);
  if (!error || error == std::errc::no_such_file_or_directory) return {};  // gone: it was quicker
  return failed(ExitStatus::could_not_run, "putting away " + kept.staged, error.message());
}

/// PostgreSQL: the schemas are dropped, in a transaction that waits for an exchange that is under way.
Result<void> fence_schemas(const ProjectAtHand& at_production, const Deployed& version, const std::string& repository,
                           dbt::Session& session) {
  const auto answer = session.macro(warehouse_of(at_production), "drop_unfinished_place",
                                    {{"repository_id", repository}, {"branch", version.kept->branch}});
  if (!answer) return tl::unexpected(answer.error());
  if (answer->value("status", "") != "refused") return {};
  return failed(ExitStatus::refused, "dropping what a run that ended left beside production",
                fmt::format("something reads the schemas of {}", version.kept->branch),
                "drop it first; offshoot never cascades");
}

}  // namespace

Result<bool> has_happened(const ProjectAtHand& at_production, const Deployed& version, dbt::Session& session) {
  if (!version.kept) return false;
  std::error_code error;
  if (!version.kept->file.empty()) {
    return fs::exists(fs::path(version.kept->staged).parent_path(), error) &&
           !fs::exists(version.kept->staged, error) && !fs::exists(out_of_reach(*version.kept), error);
  }
  const auto rows = session.macro(warehouse_of(at_production), "list_branches", {{"prefix", version.kept->branch}});
  if (!rows) return tl::unexpected(rows.error());
  return std::ranges::any_of(*rows, [&](const nlohmann::json& row) {
    const auto mark = row.find("mark");
    return mark != row.end() && mark->is_object() && mark->value("head", "") == version.sha;
  });
}

Result<bool> has_happened_for_good(const ProjectAtHand& at_production, const Deployed& version,
                                   const std::string& repository, dbt::Session& session) {
  if (!version.kept) return false;
  auto fenced =
      version.kept->file.empty() ? fence_schemas(at_production, version, repository, session) : fence_file(version);
  if (!fenced) return tl::unexpected(fenced.error());
  return has_happened(at_production, version, session);
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
    if (!is_beside_production(one.mark, at_production.target)) continue;
    if (!over && needed.contains(one.mark.branch)) continue;
    auto dropped =
        one.file.empty() ? branch::drop(one, warehouse_of(at_production), session) : branch::drop_folder(one.file);
    if (!dropped) notes.push_back(fmt::format("{}: {}", dropped.error().doing, dropped.error().why));
  }
  return notes;
}

}  // namespace offshoot::flow
