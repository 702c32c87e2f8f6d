// SPDX-License-Identifier: Apache-2.0
#include "flow/branches.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>

#include "branch/folders.hpp"
#include "branch/names.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

/// Where the target's DuckDB file lies, and so its branches; absent = the target is no DuckDB file.
Result<std::optional<fs::path>> folder_of_files(const Context& context, const ProjectAtHand& at_hand,
                                                dbt::Session& session) {
  const auto* output = at_hand.profile.output(at_hand.target);
  if (output == nullptr || output->type.value != "duckdb") return std::optional<fs::path>{};
  std::string path = output->path.value.value_or("");
  if (!output->path.value) {
    // Only dbt can render it.
    const auto head = provide_head(context, at_hand, session);
    if (!head) return tl::unexpected(head.error());
    const auto parsed = session.parse({head->at, context.scratch / "target", "head"});
    if (!parsed) return tl::unexpected(parsed.error());
    path = parsed->credentials.path;
  }
  if (path.empty() || path == ":memory:" || path.starts_with("md:")) return std::optional<fs::path>{};
  return std::optional((at_hand.folder / path).parent_path());
}

void add(branch::Listing& to, branch::Listing&& from) {
  std::ranges::move(from.branches, std::back_inserter(to.branches));
  std::ranges::move(from.left, std::back_inserter(to.left));
}

}  // namespace

std::set<std::string> names_in_use(const dbt::Profile& profile) {
  std::set<std::string> names;
  for (const auto& output : profile.outputs) {
    if (output.schema.value) names.insert(branch::folded(*output.schema.value));
    if (output.path.value) names.insert(branch::folded(fs::path(*output.path.value).stem().string()));
  }
  return names;
}

BranchSearch::BranchSearch(const Context& context, ProjectAtHand at_hand, std::unique_ptr<dbt::Session> session)
    : context_(&context),
      at_hand_(std::move(at_hand)),
      session_(std::move(session)),
      ours_{context.settings.branch.prefix, context.origin.repository_id, names_in_use(at_hand_.profile)},
      warehouse_{at_hand_.profile.file.parent_path(), at_hand_.profile.name, at_hand_.target} {}

Result<BranchSearch> BranchSearch::begin(const Context& context) {
  auto at_hand = look_at_project(context);
  if (!at_hand) return tl::unexpected(at_hand.error());
  auto session = start_dbt(context, *at_hand);
  if (!session) return tl::unexpected(session.error());
  return BranchSearch(context, std::move(*at_hand), std::move(*session));
}

Result<branch::Listing> BranchSearch::find() {
  branch::Listing found;
  const auto folder = folder_of_files(*context_, at_hand_, *session_);
  if (!folder) return tl::unexpected(folder.error());
  if (*folder) {
    auto files =
        branch::list_files(**folder, at_hand_.profile, at_hand_.target, context_->scratch / "marks", ours_, *session_);
    if (!files) return tl::unexpected(files.error());
    add(found, std::move(*files));
    // Versions of production that a deploy has kept lie beside production's own file: usually the same folder.
    add(found, branch::list_folders(**folder, ours_));
  }
  // A DuckDB file that is not there has no schemas, and asking would make it.
  const auto* output = at_hand_.profile.output(at_hand_.target);
  const fs::path own_file = *folder ? at_hand_.folder / output->path.value.value_or("") : fs::path();
  if (!*folder || fs::is_regular_file(own_file)) {
    auto schemas = branch::list_schemas(warehouse_, ours_, *session_);
    if (!schemas) return tl::unexpected(schemas.error());
    add(found, std::move(*schemas));
  }
  return found;
}

}  // namespace offshoot::flow
