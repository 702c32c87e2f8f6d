// SPDX-License-Identifier: Apache-2.0
#include "flow/by_hand.hpp"

#include <fmt/format.h>

#include "dbt/packages.hpp"
#include "flow/bringing.hpp"
#include "flow/building.hpp"
#include "flow/deploy_plan.hpp"
#include "flow/deployed.hpp"
#include "flow/ending.hpp"
#include "flow/planning.hpp"
#include "flow/production.hpp"
#include "flow/stages.hpp"
#include "state/selection.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

/// The commit to build, and whether it is the one that is checked out.
struct Chosen {
  Commit commit{};
  bool checked_out = true;
};

Result<Chosen> choose(const change::Repository& repository, const std::string& ref) {
  const auto head = repository.commit("HEAD");
  if (!head) return tl::unexpected(head.error());
  if (ref.empty()) return Chosen{*head};
  const auto commit = repository.commit(ref);
  if (!commit) return tl::unexpected(commit.error());
  return Chosen{*commit, commit->sha == head->sha};
}

/// The project of that commit: the work tree's, or one that is written for this.
Result<dbt::ProjectAt> project_of(const Context& context, const change::Repository& repository, const Chosen& chosen,
                                  const ProjectAtHand& at_hand, dbt::Session& session, Run& run) {
  if (chosen.checked_out) {
    auto head = provide_head(context, at_hand, session);
    if (!head) return tl::unexpected(head.error());
    if (!head->note.empty()) run.notes.push_back(head->note);
    return std::move(head->at);
  }
  const fs::path tree = context.scratch / "ref";
  if (auto exported = repository.export_tree(chosen.commit, tree); !exported) return tl::unexpected(exported.error());
  const auto project = dbt::read_project(tree / at_hand.in_repository);
  if (!project) return tl::unexpected(project.error());
  dbt::ProjectAt at = neutral(context, at_hand, at_hand.target);
  at.project_dir = project->folder;
  const auto packages = dbt::provide_packages(
      *project, {at, context.settings.dbt.deps, context.cache, context.scratch / "ref-packages"}, session);
  if (!packages) return tl::unexpected(packages.error());
  at.packages_install_path = packages->install_path;
  return at;
}

/// What the selection names, all of the project where there is none.
Result<Planned> plan_by_hand(const Context& context, const ProjectAtHand& at_hand, dbt::ProjectAt at,
                             dbt::Session& session) {
  Planned planned;
  planned.at = std::move(at);
  planned.handle = "chosen";
  const auto parsed = session.parse({planned.at, context.scratch / "target", planned.handle});
  if (!parsed) return tl::unexpected(parsed.error());
  planned.manifest = parsed->manifest;
  const auto manifest = state::Manifest::read(parsed->manifest);
  if (!manifest) return tl::unexpected(manifest.error());
  const BuildSettings& settings = context.settings.build;
  // There is nothing to compare with: a selection by state means everything.
  const std::string select = settings.select == BuildSettings{}.select ? "" : settings.select;
  const auto selection = state::select(*manifest, *manifest, {.select = select, .exclude = settings.exclude});
  if (!selection) return tl::unexpected(selection.error());
  planned.plan.nodes = state::build_list(*selection, *manifest).nodes;
  planned.plan.project_dir = at_hand.in_repository;
  planned.plan.production = {"none", "", "", ""};
  planned.plan.base_state = "not needed";
  planned.plan.dbt_started = true;
  const auto relations = relations_in(*manifest);
  for (auto& node : planned.plan.nodes) {
    if (const auto found = relations.find(node.unique_id); found != relations.end()) node.relation = found->second;
  }
  list_unproven(planned.plan, *manifest);
  return planned;
}

/// Notes what a build of `commit` in production leaves in another version than what is deployed.
Result<void> note_in_production(ProductionLock& lock, const Commit& commit, const Plan& plan) {
  auto deployed = what_is_deployed(lock.context(), lock.target());
  if (!deployed) return tl::unexpected(deployed.error());
  if (!deployed->current || deployed->current->sha == commit.sha) return {};
  for (const auto& node : plan.nodes) deployed->owed.insert(node.unique_id);
  return note_owed(lock, deployed->owed);
}

/// Takes production's lease, and settles what a run before left in the middle.
Result<std::unique_ptr<ProductionLock>> hold_production(const Context& context, const ProjectAtHand& at_production,
                                                        const Commit& commit, dbt::Session& session, Run& run) {
  auto lock =
      ProductionLock::take(context, at_production.target, "build by hand of " + commit.sha.substr(0, 7), session);
  if (!lock) return lock;
  if (auto claimed = claim(**lock); !claimed) return tl::unexpected(claimed.error());
  auto finished = finish_what_was_begun(**lock, at_production, session);
  if (!finished) return tl::unexpected(finished.error());
  if (!finished->empty()) run.notes.push_back(std::move(*finished));
  return lock;
}

void build_chosen(const Context& context, const ByHandOptions& options, Run& run, std::vector<Artifact>& artifacts) {
  const auto repository = open_repository(context);
  const auto chosen = repository ? choose(*repository, options.ref) : tl::unexpected(repository.error());
  if (!chosen) {
    run.change = chosen.error();
    return;
  }
  run.change = Change{.head = chosen->commit, .base = chosen->commit, .base_is = "the commit itself"};
  const auto at_hand = look_at_project(context);
  const bool in_production = at_hand && at_hand->production == at_hand->target;
  if (in_production) {
    if (auto refused = why_not_in_production(context, *repository, chosen->commit, "building in production")) {
      run.plan = std::move(*refused);
      run.build = Skipped{"refused"};
      return;
    }
  }
  auto session = at_hand ? start_dbt(context, *at_hand) : tl::unexpected(at_hand.error());
  auto planned = timed(run, "plan", [&]() -> Result<Planned> {
    if (!session) return tl::unexpected(session.error());
    context.progress.stage("Parsing");
    auto at = project_of(context, *repository, *chosen, *at_hand, **session, run);
    if (!at) return tl::unexpected(at.error());
    return plan_by_hand(context, *at_hand, std::move(*at), **session);
  });
  if (!planned) {
    run.plan = planned.error();
    run.build = Skipped{"there is no plan"};
    return;
  }
  run.plan = planned->plan;
  if (planned->plan.nodes.empty()) {
    run.build = Skipped{"nothing to build"};
    return;
  }
  std::unique_ptr<ProductionLock> lock;
  if (in_production) {
    auto held = hold_production(context, *at_hand, chosen->commit, **session, run);
    const auto noted = held ? note_in_production(**held, chosen->commit, planned->plan) : tl::unexpected(held.error());
    if (!noted) {
      run.build = noted.error();
      return;
    }
    lock = std::move(*held);
  }
  run.build = timed(run, "build", [&] { return build_planned(context, *planned, **session, artifacts); });
  if (const auto lost = lock ? lock->lost() : std::nullopt) run.build = *lost;
}

}  // namespace

Run run_by_hand(const Context& context, Announcement& announcement, const ByHandOptions& options) {
  const io::Stopwatch watch;
  Run run = begin(context);
  std::vector<Artifact> artifacts;
  run.branch = Skipped{"built in the target itself"};
  run.lint = Skipped{"a run by hand does not lint"};
  run.quality = Skipped{"there is no branch to report on"};
  build_chosen(context, options, run, artifacts);
  conclude(context, watch, artifacts, announcement, &Announcement::run_ended, run);
  return run;
}

}  // namespace offshoot::flow
