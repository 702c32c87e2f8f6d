// SPDX-License-Identifier: Apache-2.0
#include "flow/planning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "branch/isolation.hpp"
#include "branch/names.hpp"
#include "change/lexer.hpp"
#include "flow/base_state.hpp"
#include "flow/clones.hpp"
#include "flow/elementary.hpp"
#include "flow/production.hpp"
#include "flow/relations_json.hpp"
#include "flow/uncounted.hpp"
#include "flow/unselected_files.hpp"
#include "flow/verification.hpp"
#include "state/manifest.hpp"
#include "state/selection.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

/// The head and the base, parsed alike.
struct Sides {
  dbt::Parsed head;
  BaseState base;
  bool base_is_empty = false;  ///< for the base commit cannot be parsed
  std::vector<std::string> notes;
};

Result<Sides> parse_sides(const Context& context, const change::Repository& repository, const Change& change,
                          const ProjectAtHand& at_hand, const Head& head_project, dbt::Session& session) {
  Sides sides;
  if (!head_project.note.empty()) sides.notes.push_back(head_project.note);
  auto base = base_state(context, at_hand, repository, change.base, session);
  const fs::path target_path = context.scratch / "head-target";
  auto head = session.parse({.at = head_project.at,
                             .target_path = target_path,
                             .handle = "head",
                             .partial_parse_file = base ? base->partial_parse_file : fs::path(),
                             .keep_partial_parse = false});
  if (!head) return tl::unexpected(head.error());
  sides.head = std::move(*head);
  if (!base) {
    if (context.stop.stop_requested() || base.error().status == ExitStatus::could_not_run) {
      return tl::unexpected(base.error());
    }
    sides.notes.push_back(fmt::format("Everything is built, for the base commit {} cannot be parsed: {}",
                                      change.base.sha.substr(0, 7), base.error().why));
    base = empty_state(context, sides.head.manifest);
    if (!base) return tl::unexpected(base.error());
    sides.base_is_empty = true;
  }
  sides.base = std::move(*base);
  if (!sides.base.note.empty()) sides.notes.push_back(sides.base.note);
  return sides;
}

bool compare_more_unrendered_values(const ProjectAtHand& at_hand, const std::string& dbt_version) {
  const bool on_by_default = !dbt_version.starts_with("1.8.") && !dbt_version.starts_with("1.9.") &&
                             !dbt_version.starts_with("1.10.") && !dbt_version.starts_with("1.11.");
  return at_hand.project.compare_more_unrendered_values.value_or(on_by_default);
}

/// Whether only comments and whitespace differ, where the settings say that these do not count.
state::SameCode same_code(const BuildSettings& settings, const std::string& adapter) {
  if (!settings.skip_formatting) return {};
  return [dialect = change::dialect_of(adapter)](std::string_view before, std::string_view after) {
    return change::compare_sql(before, after, dialect) == change::Sameness::same;
  };
}

/// Tells which files changed, for those of the project's own package by their path, for others by its end.
state::FileChanged file_changed(const Change& change, const ProjectAtHand& at_hand) {
  const std::string folder = at_hand.in_repository == "." ? "" : at_hand.in_repository + "/";
  return [&change, folder, own = at_hand.project.name](std::string_view package, std::string_view path) {
    const std::string end = "/" + std::string(path);
    return std::ranges::any_of(change.files, [&](const ChangedFile& file) {
      return package == own ? file.path == folder + std::string(path) : ("/" + file.path).ends_with(end);
    });
  };
}

Result<Branch> name_branch(const Context& context, const Change& change, const dbt::Parsed& head,
                           const fs::path& folder) {
  auto name = branch::branch_name(context.settings.branch.prefix, context.origin.pull_request, context.origin.ref);
  if (!name) return tl::unexpected(name.error());
  const bool is_file = head.adapter_type == "duckdb" && !head.credentials.path.empty() &&
                       head.credentials.path != ":memory:" && !head.credentials.path.starts_with("md:");
  const std::string& isolate = context.settings.branch.isolate;
  if (isolate == "database" && !is_file) {
    return failed(ExitStatus::usage, "isolating the branch",
                  fmt::format("branch.isolate: database is not to be had with {} here", head.adapter_type),
                  "set branch.isolate to schema: a branch could not read production from another database");
  }
  Branch branch;
  branch.name = *name;
  branch.isolation = isolate == "database" || (isolate == "auto" && is_file) ? Isolation::database : Isolation::schema;
  branch.adapter = head.adapter_type;
  branch.database = head.credentials.database;
  if (branch.isolation == Isolation::database) {
    branch.database = *name;
    branch.path = (folder / head.credentials.path).parent_path() / (*name + ".duckdb");
  }
  branch.mark = {.repository_id = context.origin.repository_id,
                 .branch = *name,
                 .ref = context.origin.ref,
                 .pull_request = context.origin.pull_request,
                 .head = change.head.sha,
                 .created = io::rfc3339(context.started),
                 .expires = io::rfc3339(context.started + context.settings.branch.keep)};
  return branch;
}

/// The profile under which the branch is built: the target's own but for where it writes.
dbt::ProfileChange branch_profile(const Branch& branch, const std::vector<dbt::ReadOnlyDatabase>& attached) {
  if (branch.isolation == Isolation::database) return dbt::OtherFile{branch.path, attached};
  return dbt::OtherSchema{branch.name, attached};
}

/// Adds those that the plan does not hold yet.
void add_nodes(Plan& plan, std::vector<PlannedNode> nodes) {
  std::set<std::string> planned;
  for (const auto& node : plan.nodes) planned.insert(node.unique_id);
  for (auto& node : nodes) {
    if (!planned.contains(node.unique_id)) plan.nodes.push_back(std::move(node));
  }
  std::ranges::sort(plan.nodes, {}, &PlannedNode::unique_id);
}

/// Fills in where each planned node goes, and returns those that go somewhere.
std::map<std::string, RelationName> place_nodes(Plan& plan, const dbt::Resolved& resolved) {
  std::map<std::string, RelationName> placed;
  for (auto& node : plan.nodes) {
    const auto found = resolved.nodes.find(node.unique_id);
    if (found == resolved.nodes.end() || found->second.relation.rendered.empty()) continue;
    node.relation = found->second.relation;
    placed.emplace(node.unique_id, node.relation);
  }
  return placed;
}

/// dbt's own selection, or why it could not be asked: no reason to stop.
void verify_plan(Plan& plan, Result<Verified> verified) {
  if (verified) {
    plan.verified = std::move(*verified);
  } else {
    plan.notes.push_back("dbt's own selection could not be asked for: " + verified.error().why);
  }
}

}  // namespace

Result<Selected> select_nodes(const BuildSettings& settings, const Change& change, const ProjectAtHand& at_hand,
                              const change::Relevance& relevance, const state::Manifest& base,
                              const state::Manifest& head) {
  auto selection =
      state::select(base, head,
                    {.select = settings.select,
                     .exclude = settings.exclude,
                     .compare_more_unrendered_values = compare_more_unrendered_values(at_hand, head.dbt_version()),
                     .same_code = same_code(settings, head.adapter_type()),
                     .file_changed = file_changed(change, at_hand)});
  if (!selection) return tl::unexpected(selection.error());
  auto list = state::build_list(*selection, head);
  Plan plan;
  plan.nodes = std::move(list.nodes);
  plan.unbuilt = std::move(list.unbuilt);
  plan.left_out = std::move(selection->left_out);
  plan.idle_files = unselected_files(relevance.relevant, at_hand.in_repository, *selection, base, head);
  plan.idle_files.insert(plan.idle_files.end(), relevance.idle.begin(), relevance.idle.end());
  std::ranges::sort(plan.idle_files, {}, &IdleFile::path);
  plan.removed = std::move(selection->removed);
  plan.notes = std::move(selection->notes);
  plan.notes.insert(plan.notes.end(), list.notes.begin(), list.notes.end());
  plan.project_dir = at_hand.in_repository;
  plan.dbt_started = true;
  return Selected{std::move(plan), std::move(selection->as_dbt)};
}

void list_unproven(Plan& plan, const state::Manifest& head) {
  for (const auto& entry : head.nodes()) {
    if (!plan.nodes.empty() && entry.unique_id.starts_with("operation.")) {
      plan.unproven.push_back({std::string(entry.unique_id), "hook of the whole run"});
    }
  }
  for (const auto& planned : plan.nodes) {
    const state::Entry* entry = head.find_node(planned.unique_id);
    if (entry == nullptr) continue;
    const auto node = head.info(*entry);
    const std::string code = head.text(*entry, state::Field::raw_code);
    if (node.pre_hook) plan.unproven.push_back({planned.unique_id, "pre-hook"});
    if (node.post_hook) plan.unproven.push_back({planned.unique_id, "post-hook"});
    if (node.language == "python") plan.unproven.push_back({planned.unique_id, "Python model"});
    if (code.find("run_query") != std::string::npos || code.find("call statement") != std::string::npos) {
      plan.unproven.push_back({planned.unique_id, "run_query"});
    }
  }
}

Plan idle_plan(const ProjectAtHand& at_hand, std::vector<IdleFile> idle_files) {
  Plan plan;
  plan.idle_files = std::move(idle_files);
  plan.project_dir = at_hand.in_repository;
  plan.base_state = "not needed";
  return plan;
}

Result<Planned> make_plan(const Context& context, const change::Repository& repository, const Change& change,
                          const ProjectAtHand& at_hand, const Head& head_project, const change::Relevance& relevance,
                          dbt::Session& session) {
  context.progress.stage("Parsing base and head");
  auto sides = parse_sides(context, repository, change, at_hand, head_project, session);
  if (!sides) return tl::unexpected(sides.error());

  const auto manifests = state::read_both(sides->base.manifest, sides->head.manifest);
  if (!manifests) return tl::unexpected(manifests.error());
  const state::Manifest* base = &manifests->base;
  const state::Manifest* head = &manifests->head;
  auto selected = select_nodes(context.settings.build, change, at_hand, relevance, *base, *head);
  if (!selected) return tl::unexpected(selected.error());
  Plan& plan = selected->plan;
  plan.base_state = sides->base.origin;
  if (sides->base_is_empty) {
    // Compared with nothing, all macros are new: no news to anyone.
    plan.notes.clear();
  } else {
    const auto settings = uncounted_settings(change, change::base_reader(repository, change),
                                             change::head_reader(repository, change), *head, plan);
    plan.notes.insert(plan.notes.end(), settings.begin(), settings.end());
  }
  plan.notes.insert(plan.notes.begin(), sides->notes.begin(), sides->notes.end());
  if (context.settings.build.verify) {
    verify_plan(plan, verify(context.settings.build, head_project.at, sides->base.manifest, selected->as_dbt, session));
  }

  auto branch = name_branch(context, change, sides->head, at_hand.folder);
  if (!branch) return tl::unexpected(branch.error());

  auto production =
      look_at_production(context, at_hand, change, head_project.at, sides->head, sides->base.production, session);
  if (!production) return tl::unexpected(production.error());
  plan.production = production->known;
  plan.notes.insert(plan.notes.end(), production->notes.begin(), production->notes.end());
  const auto sources_database =
      branch->isolation == Isolation::database ? production->sources_database : std::optional<std::string>();
  if (auto deferred = defer_to_what_exists(context, at_hand, plan, *head, *production, sources_database, session);
      !deferred) {
    return tl::unexpected(deferred.error());
  }
  list_unproven(plan, *head);
  // From here the plan's nodes are known; what is open is where they go.

  Planned planned{std::move(plan), std::move(*branch), head_project.at, "branch", sides->head.manifest};
  planned.at.profiles_dir = context.scratch / "branch-profile";
  if (auto written = dbt::write_profile(at_hand.profile, at_hand.target,
                                        branch_profile(planned.branch, production->attached), planned.at.profiles_dir);
      !written) {
    return tl::unexpected(written.error());
  }
  const auto resolved = session.resolve({planned.at, "head", planned.handle, sources_database});
  if (!resolved) return tl::unexpected(resolved.error());
  if (wants_elementary(context, at_hand) && !planned.plan.nodes.empty()) {
    auto models = elementary_models(*head, *resolved, planned.branch,
                                    {planned.at.profiles_dir, planned.at.profile, planned.at.target}, session);
    if (!models) return tl::unexpected(models.error());
    planned.elementary_schema = std::move(models->schema);
    add_nodes(planned.plan, std::move(models->missing));
  }
  const auto placed = place_nodes(planned.plan, *resolved);
  planned.branch.schemas = branch::schemas_of(planned.branch, placed);
  if (auto proven = branch::prove_isolation(planned.branch, placed); !proven) return tl::unexpected(proven.error());
  planned.to_clone = what_to_clone(context.settings, planned.plan, planned.branch, *head, production->relations);
  return planned;
}

}  // namespace offshoot::flow
