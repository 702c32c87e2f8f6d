// SPDX-License-Identifier: Apache-2.0
#include "flow/deploy_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "change/history.hpp"
#include "flow/base_state.hpp"
#include "flow/production.hpp"
#include "flow/stages.hpp"
#include "state/selection.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

std::string short_of(const std::string& sha) { return sha.substr(0, 7); }

/// What to compare the head with: the manifest of what is deployed, or one in which nothing exists.
struct Before {
  state::Manifest manifest;
  std::string origin;
  std::string note{};
  bool nothing = false;
};

Result<Before> before_of(const Context& context, const ProjectAtHand& at_production,
                         const change::Repository& repository, const WhatIsDeployed& deployed,
                         const fs::path& head_manifest, const std::string& dbt_version, dbt::Session& session) {
  std::string why = deployed.why_not.empty() ? "nothing is known to be deployed" : deployed.why_not;
  if (deployed.current) {
    auto manifest = state::Manifest::parse(deployed.manifest, "the manifest of what is deployed");
    if (manifest && manifest->dbt_version() == dbt_version) {
      return Before{std::move(*manifest), "kept by the deploy of " + short_of(deployed.current->sha)};
    }
    // Two versions of dbt do not compare: the deployed commit is parsed by the one at hand.
    const auto commit = repository.commit(deployed.current->sha);
    auto state =
        commit ? base_state(context, at_production, repository, *commit, session) : tl::unexpected(commit.error());
    if (state) {
      auto parsed = state::Manifest::read(state->manifest);
      if (!parsed) return tl::unexpected(parsed.error());
      return Before{std::move(*parsed), state->origin,
                    fmt::format("What is deployed was parsed again: it was deployed by dbt {}, and this is dbt {}.",
                                manifest ? manifest->dbt_version() : "?", dbt_version)};
    }
    if (context.stop.stop_requested()) return tl::unexpected(state.error());
    why = fmt::format("{} cannot be parsed by dbt {}: {}", short_of(deployed.current->sha), dbt_version,
                      state.error().why);
  }
  const auto empty = empty_state(context, head_manifest);
  if (!empty) return tl::unexpected(empty.error());
  auto manifest = state::Manifest::read(empty->manifest);
  if (!manifest) return tl::unexpected(manifest.error());
  return Before{std::move(*manifest), "nothing to compare with", fmt::format("Everything is built, for {}.", why),
                true};
}

/// Those of `ids` that the head still has and the settings do not exclude, as nodes of a plan.
Result<std::vector<PlannedNode>> owed_nodes(const std::set<std::string>& ids, const std::string& because,
                                            const BuildSettings& settings, const state::Manifest& head) {
  if (ids.empty()) return std::vector<PlannedNode>{};
  const auto all = state::select(head, head, {.select = "", .exclude = settings.exclude});
  if (!all) return tl::unexpected(all.error());
  std::vector<PlannedNode> nodes;
  for (auto& node : state::build_list(*all, head).nodes) {
    if (!ids.contains(node.unique_id)) continue;
    node.reasons = {{ReasonKind::requested, because, {}}};
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::set<std::string> ids_of(const std::vector<PlannedNode>& nodes) {
  std::set<std::string> ids;
  for (const auto& node : nodes) ids.insert(node.unique_id);
  return ids;
}

/// Of a run that failed. What it planned by a selection of its own is added.
Result<std::set<std::string>> keep_what_is_left(Plan& plan, const DeployOptions& options, const BuildSettings& settings,
                                                const std::set<std::string>& owed_before, const state::Manifest& head) {
  const auto before = plan.nodes.size();
  auto owed = ids_of(plan.nodes);
  owed.insert(owed_before.begin(), owed_before.end());
  std::erase_if(plan.nodes, [&](const PlannedNode& node) { return !options.only->contains(node.unique_id); });
  std::set<std::string> missing = *options.only;
  for (const auto& node : plan.nodes) missing.erase(node.unique_id);
  auto more = owed_nodes(missing, "the run that is gone on with", settings, head);
  if (!more) return tl::unexpected(more.error());
  for (auto& node : *more) {
    missing.erase(node.unique_id);
    plan.nodes.push_back(std::move(node));
  }
  if (!missing.empty()) {
    return failed(ExitStatus::usage, "going on with the run " + options.from_failure,
                  fmt::format("{} is left of it, and cannot be planned now", *missing.begin()),
                  "give the settings and variables that the run had, or deploy again");
  }
  std::ranges::sort(plan.nodes, {}, &PlannedNode::unique_id);
  plan.notes.push_back(fmt::format("{} of {} nodes are left of the run {}; the others ended well there.",
                                   plan.nodes.size(), std::max(before, plan.nodes.size()), options.from_failure));
  // What that run was not to build has changed all the same.
  std::erase_if(owed, [&](const std::string& id) { return options.done.contains(id) || options.only->contains(id); });
  return owed;
}

/// Adds what an earlier deploy left undone, and tells what this one leaves.
Result<std::set<std::string>> settle(Plan& plan, const DeployOptions& options, const BuildSettings& settings,
                                     const Before& before, const std::set<std::string>& owed_before,
                                     const ProjectAtHand& at_production, const state::Manifest& head) {
  if (options.only) return keep_what_is_left(plan, options, settings, owed_before, head);
  auto owed = owed_nodes(owed_before, "an earlier deploy, which did not end", settings, head);
  if (!owed) return tl::unexpected(owed.error());
  if (!options.selected_by_hand) {
    const auto planned = ids_of(plan.nodes);
    for (auto& node : *owed) {
      if (!planned.contains(node.unique_id)) plan.nodes.push_back(std::move(node));
    }
    std::ranges::sort(plan.nodes, {}, &PlannedNode::unique_id);
    return std::set<std::string>{};
  }
  BuildSettings usual = settings;
  usual.select = BuildSettings{}.select;
  const auto due = select_nodes(usual, Change{}, at_production, {}, before.manifest, head);
  if (!due) return tl::unexpected(due.error());
  auto left = ids_of(due->plan.nodes);
  left.merge(ids_of(*owed));
  for (const auto& node : plan.nodes) left.erase(node.unique_id);
  if (!left.empty()) {
    plan.notes.push_back(
        fmt::format("{} more nodes have changed since what is deployed; the next deploy builds them.", left.size()));
  }
  return left;
}

/// Where each node lies in production; of tests, where they keep what they found, if they do.
void place_in_production(Plan& plan, const state::Manifest& head) {
  for (auto& node : plan.nodes) {
    const state::Entry* entry = head.find_node(node.unique_id);
    if (entry == nullptr) continue;
    const auto info = head.info(*entry);
    if (info.relation_name.empty()) continue;
    node.relation = {info.database, info.schema, info.identifier, info.relation_name};
  }
}

/// Relations that no node of the head has any more.
std::vector<RelationName> without_owner(const std::vector<RemovedNode>& removed, const state::Manifest& before,
                                        const ProductionRelations& now) {
  const auto relations = relations_in(before);
  std::vector<RelationName> leaving;
  for (const auto& node : removed) {
    const auto found = relations.find(node.unique_id);
    const bool has_relation =
        node.resource_type == "model" || node.resource_type == "seed" || node.resource_type == "snapshot";
    if (found == relations.end() || !has_relation) continue;
    const bool taken = std::ranges::any_of(now, [&](const auto& other) { return other.second == found->second; });
    if (!taken) leaving.push_back(found->second);
  }
  return leaving;
}

}  // namespace

Result<Commit> committed_head(const change::Repository& repository) {
  auto head = repository.commit("HEAD");
  if (!head) return tl::unexpected(head.error());
  auto dirty = change::compare(repository, {.base = head->sha, .include_work_tree = true, .leave_out = {".offshoot"}});
  if (!dirty) return tl::unexpected(dirty.error());
  if (dirty->uncommitted) {
    return failed(ExitStatus::usage, "deploying " + short_of(head->sha),
                  "the work tree has changes that are not committed, first " + dirty->files.front().path,
                  "commit or stash them: production is built from a commit");
  }
  return head;
}

Result<Change> change_since_deployed(const change::Repository& repository, const Commit& head,
                                     const WhatIsDeployed& deployed) {
  if (!deployed.current) return Change{.head = head, .base = head, .base_is = "nothing known to be deployed"};
  const auto base = repository.commit(deployed.current->sha);
  if (!base) {
    return Change{.head = head,
                  .base = {deployed.current->sha, deployed.current->tree_sha, ""},
                  .base_is = "what is deployed, which is not in this clone"};
  }
  auto change = change::compare(repository, {.base = base->sha});
  if (!change || change->base.sha != base->sha) {
    return Change{.head = head, .base = *base, .base_is = "what is deployed, on another line of history"};
  }
  change->base_is = "what is deployed";
  return change;
}

namespace {

/// The newest commit of the default branch that the clone knows; absent where it knows no remote's.
std::optional<Commit> newest_on_remote(const change::Repository& repository) {
  const auto branch = repository.default_branch();
  if (!branch || !branch->ref.starts_with("refs/remotes/")) return std::nullopt;
  const auto tip = repository.commit(branch->ref);
  return tip ? std::optional(*tip) : std::nullopt;
}

}  // namespace

std::optional<Failed> why_not_in_production(const Context& context, const change::Repository& repository,
                                            const Commit& commit, const std::string& doing) {
  const auto refused = [&](std::string why, std::string hint) {
    return Failed{ExitStatus::refused, doing, std::move(why), std::move(hint), {}};
  };
  if (context.origin.event.starts_with("pull_request") || context.origin.event == "merge_group") {
    return refused(fmt::format("the event is {}", context.origin.event),
                   "production is built from the default branch: on push, or by workflow_dispatch");
  }
  const std::string& main = context.default_branch;
  if (!main.empty() && context.origin.ref != main) {
    return refused(fmt::format("'{}' is not the default branch, which is {}", context.origin.ref, main),
                   "merge first; another target than production takes any ref: see offshoot run");
  }
  const auto tip = newest_on_remote(repository);
  if (tip && change::holds(repository, *tip, commit.sha) == false) {
    return refused(fmt::format("it is not part of {}", repository.default_branch()->name),
                   "merge and push it first, or fetch");
  }
  return std::nullopt;
}

namespace {

enum class Relation { same, contained, newer, seems_older };

/// What the head is to what is deployed. A clone that does not hold that commit goes by what was kept of it.
Relation relation_to(const change::Repository& repository, const Commit& head, const Deployed& current) {
  if (current.sha == head.sha) return Relation::same;
  if (const auto commit = repository.commit(current.sha)) {
    const auto held = change::holds(repository, *commit, head.sha);
    if (held) return *held ? Relation::contained : Relation::newer;
  }
  if (std::ranges::find(current.history, head.sha) != current.history.end()) return Relation::contained;
  const auto made = change::time_of(repository, head);
  io::Instant deployed_made;
  const bool older = made && io::parse_rfc3339(current.committed, deployed_made) && *made < deployed_made;
  return older ? Relation::seems_older : Relation::newer;
}

}  // namespace

NotDeployed why_not_deploy(const Context& context, const DeployOptions& options, const change::Repository& repository,
                           const Commit& head, const WhatIsDeployed& deployed) {
  const auto tip = newest_on_remote(repository);
  if (tip && tip->sha != head.sha && change::holds(repository, *tip, head.sha) == true) {
    return {.because = fmt::format("{} is superseded: {} is at {}, which contains it", short_of(head.sha),
                                   repository.default_branch()->name, short_of(tip->sha))};
  }
  if (!deployed.current) return {};
  const std::string current = short_of(deployed.current->sha);
  const bool wants_more = !deployed.owed.empty() || options.selected_by_hand || context.settings.build.full_refresh;
  switch (relation_to(repository, head, *deployed.current)) {
    case Relation::same:
      if (wants_more) return {};
      return {.because = "already contained: production is at " + current};
    case Relation::contained:
      return {.because = fmt::format("already contained: production is at {}, which contains {}", current,
                                     short_of(head.sha))};
    case Relation::seems_older:
      return {.refused =
                  Failed{ExitStatus::refused,
                         "deploying " + short_of(head.sha),
                         fmt::format("it is older than what is deployed, {}, which this clone does not hold", current),
                         "fetch more of the history (fetch-depth: 0); to go back, see offshoot rollback",
                         {}}};
    case Relation::newer:
      break;
  }
  return {};
}

Result<DeployPlan> plan_deploy(const Context& context, const DeployOptions& options,
                               const change::Repository& repository, const Change& change, const ProjectAtHand& at_hand,
                               const WhatIsDeployed& deployed, dbt::Session& session) {
  ProjectAtHand at_production = at_hand;
  at_production.target = *at_hand.production;
  DeployPlan made;
  auto head_project = provide_head(context, at_production, session);
  if (!head_project) return tl::unexpected(head_project.error());
  made.planned.at = std::move(head_project->at);
  made.planned.handle = "production";
  const auto parsed = session.parse({made.planned.at, context.scratch / "target", made.planned.handle});
  if (!parsed) return tl::unexpected(parsed.error());
  made.planned.manifest = parsed->manifest;
  made.adapter = parsed->adapter_type;
  made.credentials = parsed->credentials;
  if (made.adapter == "duckdb" && !made.credentials.path.empty()) {
    std::error_code error;
    made.production_file = fs::weakly_canonical(at_hand.folder / made.credentials.path, error);
  }
  const auto head = state::Manifest::read(parsed->manifest);
  if (!head) return tl::unexpected(head.error());

  if (options.state_only) {
    made.planned.plan = idle_plan(at_hand, {});
    made.planned.plan.dbt_started = true;
    return made;
  }

  const auto before = before_of(context, at_production, repository, deployed, parsed->manifest,
                                std::string(head->dbt_version()), session);
  if (!before) return tl::unexpected(before.error());
  const auto relevance = weigh(context, repository, change, at_production);
  const BuildSettings& settings = context.settings.build;
  auto selected = select_nodes(settings, change, at_production, relevance, before->manifest, *head);
  if (!selected) return tl::unexpected(selected.error());
  Plan& plan = selected->plan;
  plan.base_state = before->origin;
  if (before->nothing) {
    plan.notes.clear();  // compared with nothing, all macros are new: no news to anyone
    plan.removed.clear();
  }
  for (const auto& note : {before->note, head_project->note}) {
    if (!note.empty()) plan.notes.insert(plan.notes.begin(), note);
  }
  DeployOptions usable = options;
  if (options.only && deployed.owed_by != options.from_failure) {
    plan.notes.push_back(
        fmt::format("Everything is built: what the run {} built is not in production any more.", options.from_failure));
    usable.only.reset();
  }
  auto owed = settle(plan, usable, settings, *before, deployed.owed, at_production, *head);
  if (!owed) return tl::unexpected(owed.error());
  made.owed = std::move(*owed);

  const auto production = production_itself(at_production, *head, parsed->credentials);
  if (auto there = defer_to_what_exists(context, at_production, plan, *head, production, std::nullopt, session);
      !there) {
    return tl::unexpected(there.error());
  }
  place_in_production(plan, *head);
  if (context.settings.deploy.drop_removed) {
    made.leaving = without_owner(plan.removed, before->manifest, relations_in(*head));
  }
  list_unproven(plan, *head);
  plan.production = {"this deploy", "", change.head.sha, ""};
  made.planned.plan = std::move(plan);
  return made;
}

}  // namespace offshoot::flow
