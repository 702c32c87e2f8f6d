// SPDX-License-Identifier: Apache-2.0
#include "flow/deploy.hpp"

#include <algorithm>

#include "change/history.hpp"
#include "flow/base_state.hpp"
#include "flow/bringing.hpp"
#include "flow/deploy_plan.hpp"
#include "flow/deploy_queue.hpp"
#include "flow/ending.hpp"
#include "flow/memory.hpp"
#include "flow/review.hpp"
#include "flow/stages.hpp"

namespace offshoot::flow {

namespace {

constexpr std::size_t most_commits = 50;
constexpr std::size_t most_history = 500;

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
Result<WhatIsDeployed> settled(ProductionLock& lock, const Beginning& beginning, Run& run) {
  if (auto claimed = claim(lock); !claimed) return tl::unexpected(claimed.error());
  auto finished = finish_what_was_begun(lock, beginning.at_production, *beginning.session);
  if (!finished) return tl::unexpected(finished.error());
  if (!finished->empty()) run.notes.push_back(std::move(*finished));
  // What a runner's cache has brought along may be older than production, and would hide what has to be built.
  if (!lock.context().store_lasts) return WhatIsDeployed{.why_not = "the store does not outlast the runner"};
  return what_is_deployed(lock.context(), lock.target());
}

/// Our turn with production, or why another deploy does it.
struct Turn {
  std::unique_ptr<ProductionLock> lock{};
  std::vector<std::string> contains{};  ///< see DeployQueue
  std::optional<std::string> because{};
};

/// Waits. Meanwhile a merge that contains this one may come to wait as well; then that one goes on alone.
Result<Turn> wait_for_our_turn(const Context& context, const DeployOptions& options, const Beginning& beginning,
                               const Commit& head) {
  const std::string& target = beginning.at_production.target;
  const bool like_any_other =
      !options.state_only && !options.only && !options.selected_by_hand && !context.settings.build.full_refresh;
  DeployQueue queue(context, target);
  auto superseded = Result<std::optional<std::string>>{};
  if (like_any_other) superseded = queue.enter(beginning.repository, head);
  if (!superseded) return tl::unexpected(superseded.error());
  if (*superseded) return Turn{.because = std::move(*superseded)};
  auto lock = ProductionLock::take(context, target, "deploy of " + head.sha.substr(0, 7), *beginning.session);
  if (like_any_other) superseded = queue.leave(head);
  if (!lock) return tl::unexpected(lock.error());
  if (!superseded) return tl::unexpected(superseded.error());
  if (*superseded) return Turn{.because = std::move(*superseded)};
  return Turn{.lock = std::move(*lock), .contains = queue.contains()};
}

std::string made_at(const change::Repository& repository, const Commit& head) {
  const auto made = change::time_of(repository, head);
  return made ? io::rfc3339(*made) : "";
}

/// Commits that production contains once `head` is deployed.
std::vector<std::string> history_of(std::vector<std::string> contains, const WhatIsDeployed& deployed,
                                    const Commit& head) {
  const auto add = [&](const std::string& sha) {
    if (contains.size() < most_history && std::ranges::find(contains, sha) == contains.end()) contains.push_back(sha);
  };
  add(head.sha);
  if (deployed.current) std::ranges::for_each(deployed.current->history, add);
  return contains;
}

/// Decides on the newest state whether to deploy at all, and deploys.
void deploy_in_turn(const Context& context, const DeployOptions& options, const Beginning& beginning,
                    const Commit& head, const Turn& turn, Announcement& announcement, Run& run,
                    std::vector<Artifact>& artifacts) {
  ProductionLock& lock = *turn.lock;
  const auto deployed = settled(lock, beginning, run);
  run.change = deployed ? change_since_deployed(beginning.repository, head, *deployed)
                        : Result<Change>(tl::unexpected(deployed.error()));
  const Change* change = run.change.finished();
  if (change == nullptr) return;
  auto not_deployed = why_not_deploy(context, options, beginning.repository, head, *deployed);
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
  auto refused = options.state_only ? std::nullopt : weigh_review(context, head, plan->planned.plan, run);
  if (refused) {
    run.build = Skipped{"refused"};
    run.deployment = std::move(*refused);
    return;
  }
  bring({context, beginning.at_production, head, *deployed, *plan,
         announced(context, options, beginning, head, *deployed), made_at(beginning.repository, head),
         history_of(turn.contains, *deployed, head), *beginning.session, lock},
        run, artifacts);
  if (run.deployment.finished() == nullptr) return;
  // Pull requests compare with this commit next.
  const auto state = base_state(context, beginning.at_hand, beginning.repository, head, *beginning.session);
  if (!state) run.notes.push_back("The state that branches compare with could not be kept: " + state.error().why);
}

/// Where the lease went to another in the middle: that is how this run ended, and what it may have built since then is
/// built again.
void look_for_loss(const Context& context, ProductionLock& lock, Run& run) {
  if (run.deployment.finished() != nullptr || context.stop.stop_requested()) return;
  auto lost = lock.lost();
  if (const auto ours = lost ? Result<void>{} : lock.still_ours(); !ours && ours.error().status == ExitStatus::locked) {
    lost = ours.error();
  }
  if (!lost) return;
  const Plan* plan = run.plan.finished();
  const bool built_in_place = plan != nullptr && context.settings.deploy.mode == "in-place" && !run.build.skipped();
  if (run.change.failure() != nullptr) run.change = *lost;
  if (run.plan.failure() != nullptr) run.plan = *lost;
  if (run.build.failure() != nullptr) run.build = *lost;
  run.deployment = *lost;
  if (!built_in_place) return;
  std::set<std::string> nodes;
  for (const auto& node : plan->nodes) nodes.insert(node.unique_id);
  if (auto added = add_owed(context, lock.target(), nodes); !added) {
    run.notes.push_back("What this run built could not be noted: " + added.error().why);
  }
}

void wait_and_deploy(const Context& context, const DeployOptions& options, const Beginning& beginning,
                     Announcement& announcement, Run& run, std::vector<Artifact>& artifacts) {
  const auto head = committed_head(beginning.repository);
  if (!head) {
    run.change = head.error();
    return;
  }
  run.change = Change{.head = *head, .base = *head, .base_is = "not looked at"};
  if (auto refused =
          why_not_in_production(context, beginning.repository, *head, "deploying " + head->sha.substr(0, 7))) {
    skip_all(run, "refused");
    run.deployment = std::move(*refused);
    return;
  }
  const auto turn = wait_for_our_turn(context, options, beginning, *head);
  if (!turn) {
    skip_all(run, "it was not our turn");
    run.deployment = turn.error();
    return;
  }
  if (turn->because) return skip_all(run, *turn->because);
  deploy_in_turn(context, options, beginning, *head, *turn, announcement, run, artifacts);
  look_for_loss(context, *turn->lock, run);
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
    wait_and_deploy(context, options, *beginning, announcement, run, artifacts);
  } else {
    run.change = beginning.error();
  }
  conclude(context, watch, artifacts, announcement, &Announcement::deploy_ended, run);
  return run;
}

}  // namespace offshoot::flow
