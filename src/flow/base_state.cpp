// SPDX-License-Identifier: Apache-2.0
#include "flow/base_state.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "dbt/packages.hpp"
#include "flow/relations_json.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "store/transfer.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

/// The objects that a kept state consists of. The last is written last: where it is, the others are.
constexpr const char* manifest_name = "manifest.json";
constexpr const char* partial_parse_name = "partial_parse.msgpack";
constexpr const char* production_name = "production.json";

/// Everything in the repository that dbt reads of the project: its folder, and what its paths lead to outside of it.
std::vector<std::string> places_of(const change::ProjectLayout& layout) {
  std::vector<std::string> places{layout.project_dir};
  const auto add = [&](const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      const fs::path place = (fs::path(layout.project_dir) / path).lexically_normal();
      if (place.is_relative() && *place.begin() != "..") places.push_back(place.generic_string());
    }
  };
  for (const auto* paths :
       {&layout.model_paths, &layout.macro_paths, &layout.seed_paths, &layout.snapshot_paths, &layout.test_paths,
        &layout.analysis_paths, &layout.function_paths, &layout.docs_paths, &layout.local_packages}) {
    add(*paths);
  }
  places.insert(places.end(), layout.linked_places.begin(), layout.linked_places.end());
  return places;
}

/// A key of all that the base's manifest depends on.
Result<std::string> state_key(const Context& context, const ProjectAtHand& at_hand,
                              const change::Repository& repository, const Commit& base, dbt::Session& session) {
  const auto ready = session.ready();
  if (!ready) return tl::unexpected(ready.error());
  const auto places = places_of(layout_of(context, at_hand, repository, base));
  const auto trees = repository.tree_key(base, places);
  if (!trees) return tl::unexpected(trees.error());
  const auto profiles = io::read_file(at_hand.profile.file);
  if (!profiles) return tl::unexpected(profiles.error());
  const nlohmann::json parts{{"trees", *trees},
                             {"dbt", ready->dbt_version},
                             {"adapters", ready->adapters},
                             {"profiles", io::sha256_hex(*profiles)},
                             {"target", at_hand.target},
                             {"production", at_hand.production.value_or("")},
                             {"vars", context.settings.dbt.vars},
                             {"environment", io::sha256_hex(io::to_line(nlohmann::json(at_hand.child_environment)))}};
  return io::sha256_hex(io::to_line(parts));
}

/// Whether nobody but who may write to the default branch decided what this run reads; by hand, whoever runs it.
bool of_default_branch(const Context& context) {
  const std::string& event = context.origin.event;
  if (event.empty() || event == "schedule") return true;
  return (event == "push" || event == "workflow_dispatch") && context.origin.ref == context.default_branch;
}

class KeptState {
 public:
  KeptState(const Context& context, const std::string& key)
      : context_(context), prefix_(context.origin.repository_id + "/state/base/" + key + "/") {}

  /// Copies the kept state into `folder`; absent = it is not kept.
  Result<std::optional<BaseState>> fetch(const fs::path& folder) const {
    const auto production = context_.store.get(prefix_ + production_name);
    if (!production) return tl::unexpected(production.error());
    if (!*production) return std::optional<BaseState>{};
    auto relations = parse_relations(**production, prefix_ + production_name);
    if (!relations) return tl::unexpected(relations.error());
    const auto fetched =
        store::fetch_files(context_.store, {{prefix_ + manifest_name, folder / manifest_name, {}},
                                            {prefix_ + partial_parse_name, folder / partial_parse_name, {}}});
    if (!fetched) return tl::unexpected(fetched.error());
    if (!*fetched) return std::optional<BaseState>{};
    return std::optional(
        BaseState{folder / manifest_name, folder / partial_parse_name, std::move(*relations), "from the store"});
  }

  /// Keeps a state. Failing to is no error of the run: the next run parses again. In a store that others read, only
  /// runs of the default branch do: dbt loads what is kept, and in a pull request its author made it (requirement C3).
  void keep(const BaseState& state) const {
    if (context_.store.shared() && !of_default_branch(context_)) return;
    if (!store::put_files(context_.store, {{prefix_ + manifest_name, state.manifest, {}},
                                           {prefix_ + partial_parse_name, state.partial_parse_file, {}}})) {
      return;
    }
    context_.store.put(prefix_ + production_name, to_json(state.production));
  }

 private:
  const Context& context_;
  std::string prefix_;
};

/// The base commit in a work tree of its own, parsed.
Result<BaseState> parse_base(const Context& context, const ProjectAtHand& at_hand, const change::Repository& repository,
                             const Commit& base, dbt::Session& session) {
  const fs::path tree = context.scratch / "base";
  if (auto exported = repository.export_tree(base, tree); !exported) return tl::unexpected(exported.error());
  const auto project = dbt::read_project(tree / at_hand.in_repository);
  if (!project) return tl::unexpected(project.error());
  auto at = neutral(context, at_hand, at_hand.target);
  at.project_dir = project->folder;
  const auto packages = dbt::provide_packages(
      *project, {at, context.settings.dbt.deps, context.cache, context.scratch / "base-packages"}, session);
  if (!packages) return tl::unexpected(packages.error());
  at.packages_install_path = packages->install_path;

  const fs::path target_path = context.scratch / "base-target";
  const auto parsed = session.parse({at, target_path, "base"});
  if (!parsed) return tl::unexpected(parsed.error());
  BaseState state{
      parsed->manifest, target_path / partial_parse_name, {}, "parsed from " + base.sha.substr(0, 7), packages->note};
  if (at_hand.production) {
    at.target = *at_hand.production;
    const auto resolved = session.resolve({at, "base", "base-production"});
    if (!resolved) return tl::unexpected(resolved.error());
    state.production = relations_of(resolved->nodes);
  }
  session.forget("base");
  session.forget("base-production");
  return state;
}

}  // namespace

Result<BaseState> base_state(const Context& context, const ProjectAtHand& at_hand, const change::Repository& repository,
                             const Commit& base, dbt::Session& session) {
  const auto key = state_key(context, at_hand, repository, base, session);
  if (!key) return tl::unexpected(key.error());
  const KeptState kept(context, *key);
  // What the store cannot give whole is parsed again: never "nothing changed" for want of a base.
  if (auto found = kept.fetch(context.scratch / "base-state"); found && *found) return std::move(**found);
  auto parsed = parse_base(context, at_hand, repository, base, session);
  if (parsed) kept.keep(*parsed);
  return parsed;
}

Result<BaseState> empty_state(const Context& context, const fs::path& head_manifest) {
  const auto bytes = io::read_file(head_manifest);
  if (!bytes) return tl::unexpected(bytes.error());
  nlohmann::json metadata;
  try {
    metadata = nlohmann::json::parse(*bytes).at("metadata");
  } catch (const nlohmann::json::exception& error) {
    return failed(ExitStatus::could_not_run, "reading " + head_manifest.string(), error.what());
  }
  nlohmann::json empty{{"metadata", metadata}};
  for (const char* key :
       {"nodes", "sources", "macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled", "parent_map",
        "child_map", "group_map", "saved_queries", "semantic_models", "unit_tests"}) {
    empty[key] = nlohmann::json::object();
  }
  const fs::path path = context.scratch / "empty-state" / manifest_name;
  if (auto written = io::write_file(path, io::to_line(empty), 0600); !written) return tl::unexpected(written.error());
  return BaseState{path, {}, {}, "cannot be parsed"};
}

}  // namespace offshoot::flow
