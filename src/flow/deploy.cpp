// SPDX-License-Identifier: Apache-2.0
#include "flow/deploy.hpp"

#include "change/history.hpp"
#include "flow/base_state.hpp"
#include "flow/bringing.hpp"
#include "flow/costs.hpp"
#include "flow/deploy_plan.hpp"
#include "flow/memory.hpp"
#include "flow/publishing.hpp"
#include "flow/stages.hpp"

namespace offshoot::flow {

namespace {

constexpr std::size_t most_commits = 50;

/// What is at hand before production is looked at.
struct Beginning {
  change::Repository repository;
  ProjectAtHand at_hand;
  ProjectAtHand at_production;
  std::unique_ptr<dbt::Session> session;
};

Result<Beginning> look(const Context& context) {
  auto repository = open_repository(context);
  if (!repository) return tl::unexpected(repository.error());
  auto at_hand = look_at_project(context);
  if (!at_hand) return tl::unexpected(at_hand.error());
  if (!at_hand->production) {
    return failed(ExitStatus::usage, "deploying", "no production target is known",
                  "set dbt.production to the target that is production");
  }
  auto session = start_dbt(context, *at_hand);
  if (!session) return tl::unexpected(session.error());
  ProjectAtHand at_production = *at_hand;
  at_production.target = *at_hand->production;
  return Beginning{std::move(*repository), std::move(*at_hand), std::move(at_production), std::move(*session)};
}

/// What this deploy brings, before it has done anything.
Deployment announced(const Context& context, const DeployOptions& options, const Beginning& beginning,
                     const Commit& head, const WhatIsDeployed& deployed) {
  Deployment deployment{.target = beginning.at_production.target,
                        .mode = options.state_only ? "state-only" : context.settings.deploy.mode};
  if (deployed.current) deployment.before = deployed.current->sha;
  auto stretch = change::first_parents_since(beginning.repository, head, deployment.before, most_commits);
  deployment.contains = std::move(stretch.commits);
  deployment.contains_more = !stretch.whole && deployed.current.has_value();
  return deployment;
}

void skip_all(Run& run, const std::string& because) {
  run.plan = Skipped{because};
  run.build = Skipped{because};
  run.deployment = Skipped{because};
}

/// What is deployed, once what an earlier run began is brought to its end.
Result<WhatIsDeployed> settled(const Context& context, const Beginning& beginning, Run& run) {
  auto finished = finish_what_was_begun(context, beginning.at_production, *beginning.session);
  if (!finished) return tl::unexpected(finished.error());
  if (!finished->empty()) run.notes.push_back(std::move(*finished));
  return what_is_deployed(context, beginning.at_production.target);
}

/// Decides on the newest state whether to deploy at all, and deploys.
void deploy_newest(const Context& context, const DeployOptions& options, const Beginning& beginning,
                   Announcement& announcement, Run& run, std::vector<Artifact>& artifacts) {
  const auto deployed = settled(context, beginning, run);
  run.change = deployed ? change_since_deployed(beginning.repository, *deployed)
                        : Result<Change>(tl::unexpected(deployed.error()));
  const Change* change = run.change.finished();
  if (change == nullptr) return;
  auto not_deployed = why_not_deploy(context, options, beginning.repository, change->head, *deployed);
  if (not_deployed.refused) {
    skip_all(run, "refused");
    run.deployment = std::move(*not_deployed.refused);
    return;
  }
  if (not_deployed.because) return skip_all(run, *not_deployed.because);
  announcement.deploy_begins(run);

  auto plan = timed(run, "plan", [&] {
    context.progress.stage("Parsing for production");
    return plan_deploy(context, options, beginning.repository, *change, beginning.at_hand, *deployed,
                       *beginning.session);
  });
  if (!plan) {
    skip_all(run, "there is no plan");
    run.plan = plan.error();
    return;
  }
  run.plan = plan->planned.plan;
  bring({context, beginning.at_production, change->head, *deployed, *plan,
         announced(context, options, beginning, change->head, *deployed), *beginning.session},
        run, artifacts);
  if (run.deployment.finished() == nullptr) return;
  // Pull requests compare with this commit next.
  const auto state = base_state(context, beginning.at_hand, beginning.repository, change->head, *beginning.session);
  if (!state) run.notes.push_back("The state that branches compare with could not be kept: " + state.error().why);
}

}  // namespace

Run deploy(const Context& context, Announcement& announcement, const DeployOptions& options) {
  const io::Stopwatch watch;
  Run run = begin(context);
  std::vector<Artifact> artifacts;
  run.lint = Skipped{"a deploy does not lint"};
  run.quality = Skipped{"a deploy has no branch to report on"};
  run.branch = Skipped{"a deploy has no branch"};

  if (auto forgotten = what_is_forgotten(context)) run.notes.push_back(std::move(*forgotten));
  const auto remembered = options.state_only ? needs_memory(context, "recording what is deployed") : Result<void>();
  const auto beginning = remembered ? look(context) : tl::unexpected(remembered.error());
  if (beginning) {
    deploy_newest(context, options, *beginning, announcement, run, artifacts);
  } else {
    run.change = beginning.error();
  }
  weigh_costs(context, run);
  end(context, watch, run);
  publish(context, run, artifacts);
  announcement.deploy_ended(run, run.kept_in);
  run.notes.insert(run.notes.end(), announcement.notes().begin(), announcement.notes().end());
  return run;
}

}  // namespace offshoot::flow
