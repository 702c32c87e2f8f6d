// SPDX-License-Identifier: Apache-2.0
#include "flow/check.hpp"

#include <future>

#include "branch/lifecycle.hpp"
#include "flow/building.hpp"
#include "flow/elementary.hpp"
#include "flow/planning.hpp"
#include "flow/publishing.hpp"
#include "flow/stages.hpp"

namespace offshoot::flow {

namespace {

constexpr const char* nothing_to_build = "nothing to build";

/// Marks the stages after planning as skipped for one reason.
void skip_the_rest(Run& run, const std::string& because) {
  run.branch = Skipped{because};
  run.build = Skipped{because};
  run.quality = Skipped{because};
}

/// The part of a check that needs dbt: plan, branch, build, reports. Lint runs beside it.
void plan_and_build(const Context& context, const change::Repository& repository, const ProjectAtHand& at_hand,
                    std::vector<IdleFile> idle_files, Run& run, std::vector<Artifact>& artifacts) {
  const Change& change = *run.change.finished();
  auto session = start_dbt(context, at_hand);
  if (!session) {
    run.plan = session.error();
    return skip_the_rest(run, "there is no plan");
  }
  auto planned = timed(run, "plan", [&] {
    return make_plan(context, repository, change, at_hand, std::move(idle_files), **session);
  });
  if (!planned) {
    run.plan = planned.error();
    return skip_the_rest(run, "there is no plan");
  }
  run.plan = planned->plan;
  if (planned->plan.nodes.empty()) return skip_the_rest(run, nothing_to_build);

  const dbt::WarehouseAt warehouse{planned->at.profiles_dir, planned->at.profile, planned->at.target};
  context.progress.stage("Creating the branch " + planned->branch.name);
  const auto created =
      timed(run, "branch", [&] { return branch::create(planned->branch, warehouse, **session); });
  if (!created) {
    skip_the_rest(run, "there is no branch");
    run.branch = created.error();
    return;
  }
  run.branch = planned->branch;
  // From here the branch exists: every way out must report it.

  run.build = timed(run, "build", [&] { return build_planned(context, *planned, **session, artifacts); });
  (*session)->release();
  run.quality = timed(run, "quality", [&] { return report_quality(context, at_hand, *planned, run, artifacts); });
}

}  // namespace

Run check(const Context& context, const CheckOptions& options) {
  const io::Stopwatch watch;
  Run run = begin(context);
  std::vector<Artifact> artifacts;

  const auto repository = open_repository(context);
  const auto at_hand = repository ? look_at_project(context) : tl::unexpected(repository.error());
  run.change = timed(run, "change", [&] {
    return at_hand ? find_change(context, *repository) : Result<Change>(tl::unexpected(at_hand.error()));
  });
  if (const Change* change = run.change.finished()) {
    auto relevance = weigh(context, *repository, *change, *at_hand);
    std::future<Outcome<Lint>> linting;
    const io::Stopwatch lint_watch;
    double lint_seconds = 0;
    if (options.lint) {
      linting = std::async(std::launch::async, [&] {
        auto outcome = lint_change(context, *change, *at_hand);
        lint_seconds = lint_watch.seconds();
        return outcome;
      });
    } else {
      run.lint = Skipped{"switched off"};
    }
    if (relevance.relevant.empty()) {
      run.plan = idle_plan(*at_hand, std::move(relevance.idle));
      skip_the_rest(run, nothing_to_build);
    } else {
      plan_and_build(context, *repository, *at_hand, std::move(relevance.idle), run, artifacts);
    }
    if (linting.valid()) {
      run.lint = linting.get();
      run.times.push_back({"lint", lint_seconds});
    }
  }
  end(context, watch, run);
  // From here nothing changes the verdict: it only has to arrive.
  if (auto published = publish(context, run, artifacts); !published) {
    run.notes.push_back("The run could not be kept: " + published.error().why);
  }
  return run;
}

Run plan(const Context& context) {
  const io::Stopwatch watch;
  Run run = begin(context);
  const auto repository = open_repository(context);
  const auto at_hand = repository ? look_at_project(context) : tl::unexpected(repository.error());
  run.change = at_hand ? find_change(context, *repository) : Result<Change>(tl::unexpected(at_hand.error()));
  if (const Change* change = run.change.finished()) {
    auto relevance = weigh(context, *repository, *change, *at_hand);
    if (relevance.relevant.empty()) {
      run.plan = idle_plan(*at_hand, std::move(relevance.idle));
    } else if (auto session = start_dbt(context, *at_hand); !session) {
      run.plan = session.error();
    } else {
      auto planned = make_plan(context, *repository, *change, *at_hand, std::move(relevance.idle), **session);
      if (planned) {
        run.plan = std::move(planned->plan);
      } else {
        run.plan = planned.error();
      }
    }
  }
  skip_the_rest(run, "only the plan was asked for");
  run.lint = Skipped{"only the plan was asked for"};
  end(context, watch, run);
  return run;
}

Run lint(const Context& context) {
  const io::Stopwatch watch;
  Run run = begin(context);
  const auto repository = open_repository(context);
  const auto at_hand = repository ? look_at_project(context) : tl::unexpected(repository.error());
  run.change = at_hand ? find_change(context, *repository) : Result<Change>(tl::unexpected(at_hand.error()));
  run.plan = Skipped{"only the lint was asked for"};
  skip_the_rest(run, "only the lint was asked for");
  if (const Change* change = run.change.finished()) run.lint = lint_change(context, *change, *at_hand);
  end(context, watch, run);
  return run;
}

}  // namespace offshoot::flow
