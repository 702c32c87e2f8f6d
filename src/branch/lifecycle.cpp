// SPDX-License-Identifier: Apache-2.0
#include "branch/lifecycle.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "branch/mark.hpp"
#include "branch/names.hpp"

namespace offshoot::branch {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* file_ending = ".duckdb";

std::string status_of(const json& answer) { return answer.is_object() ? answer.value("status", "") : ""; }

Failed foreign(const std::string& what) {
  return {ExitStatus::refused,
          "creating the branch",
          fmt::format("'{}' exists and does not bear this branch's mark", what),
          "it was not made by offshoot for this repository and branch, and is left alone: rename it, or set "
          "branch.prefix to another name",
          {}};
}

Result<void> create_schemas(Branch& branch, const dbt::WarehouseAt& at, dbt::Session& session) {
  const auto answer = session.macro(at, "create_branch", {{"schemas", branch.schemas}, {"mark", to_json(branch.mark)}});
  if (!answer) return tl::unexpected(answer.error());
  if (status_of(*answer) != "ready") return tl::unexpected(foreign(answer->value("schema", branch.name)));
  branch.reused = !answer->at("kept").empty();
  return {};
}

Result<void> create_file(Branch& branch, const dbt::WarehouseAt& at, dbt::Session& session) {
  std::error_code error;
  if (fs::is_symlink(branch.path, error)) return tl::unexpected(foreign(branch.path));
  const bool fresh = !fs::exists(branch.path, error);
  const auto answer = session.macro(at, "create_database_mark", {{"mark", to_json(branch.mark)}, {"fresh", fresh}});
  if (!answer) return tl::unexpected(answer.error());
  const std::string status = status_of(*answer);
  if (status != "created" && status != "kept") return tl::unexpected(foreign(branch.path));
  branch.reused = status == "kept";
  return {};
}

/// What stands in a mark's place, read.
std::optional<OwnerMark> mark_in(const json& value) {
  auto mark = parse_mark(value);
  return mark ? std::optional(std::move(*mark)) : std::nullopt;
}

}  // namespace

Result<void> create(Branch& branch, const dbt::WarehouseAt& at, dbt::Session& session) {
  return branch.isolation == Isolation::schema ? create_schemas(branch, at, session) : create_file(branch, at, session);
}

Result<Listing> list_schemas(const dbt::WarehouseAt& at, const DropContext& context, dbt::Session& session) {
  const auto answer = session.macro(at, "list_branches", {{"prefix", context.prefix + "_"}});
  if (!answer) return tl::unexpected(answer.error());
  Listing listing;
  std::map<std::string, Found> by_branch;
  for (const auto& row : *answer) {
    const Marked marked{row.value("schema", ""), mark_in(row.value("mark", json()))};
    if (const auto reason = why_not_drop(marked, context)) {
      listing.left.push_back(*reason);
      continue;
    }
    Found& found = by_branch[marked.mark->branch];
    found.mark = *marked.mark;
    found.schemas.push_back(marked.name);
  }
  for (auto& [name, found] : by_branch) listing.branches.push_back(std::move(found));
  return listing;
}

Result<Listing> list_files(const fs::path& folder, const dbt::Profile& profile, const std::string& target,
                           const fs::path& scratch, const DropContext& context, dbt::Session& session) {
  Listing listing;
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    // A symbolic link is followed nowhere: neither to read a mark nor to remove a file.
    const bool is_file = it->is_regular_file(error) && !it->is_symlink(error);
    if (is_file && path.extension() == file_ending && is_branch_name(path.stem().string(), context.prefix)) {
      files.push_back(path);
    }
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    const fs::path profiles_dir = scratch / ("profile-" + file.stem().string());
    if (auto written = dbt::write_profile(profile, target, dbt::OtherFile{file.string(), {}}, profiles_dir); !written) {
      return tl::unexpected(written.error());
    }
    const auto mark = session.macro({profiles_dir, profile.name, target}, "read_database_mark", json::object());
    if (!mark) {
      listing.left.push_back(fmt::format("'{}' cannot be read: {}", file.filename().string(), mark.error().why));
      continue;
    }
    const Marked marked{file.stem().string(), mark_in(*mark)};
    if (const auto reason = why_not_drop(marked, context)) {
      listing.left.push_back(*reason);
    } else {
      listing.branches.push_back({*marked.mark, {}, file});
    }
  }
  return listing;
}

Result<void> drop(const Found& branch, const dbt::WarehouseAt& at, dbt::Session& session) {
  const std::string doing = "dropping " + branch.mark.branch;
  if (!branch.file.empty()) {
    for (const char* ending : {"", ".wal"}) {
      const std::string path = branch.file.string() + ending;
      if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return failed(ExitStatus::could_not_run, doing, std::generic_category().message(errno));
      }
    }
    return {};
  }
  const auto answer = session.macro(at, "drop_branch", {{"schemas", branch.schemas}, {"mark", to_json(branch.mark)}});
  if (!answer) return tl::unexpected(answer.error());
  const std::string status = status_of(*answer);
  if (status == "dropped") return {};
  if (status == "refused") {
    std::string needed_by;
    for (const auto& dependent : answer->value("dependents", json::array())) {
      needed_by += fmt::format("\n  {}.{} ({})", dependent.value("schema", ""), dependent.value("name", ""),
                               dependent.value("type", ""));
    }
    return failed(ExitStatus::refused, doing, "something outside of the branch needs it:" + needed_by,
                  "drop or change these first; offshoot never cascades");
  }
  return failed(ExitStatus::refused, doing, "its mark has changed since it was looked at", "run clean again");
}

}  // namespace offshoot::branch
