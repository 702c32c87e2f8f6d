// SPDX-License-Identifier: Apache-2.0
#include "flow/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <memory>

#include "branch/lifecycle.hpp"
#include "flow/building.hpp"
#include "flow/clones.hpp"
#include "flow/costs.hpp"
#include "flow/elementary.hpp"
#include "flow/leases.hpp"
#include "flow/planning.hpp"
#include "flow/publishing.hpp"
#include "flow/review.hpp"
#include "flow/stages.hpp"

namespace offshoot::flow {

namespace {

constexpr const char* nothing_to_build = "nothing to build";
constexpr const char* another_runs = "the branch is another run's";

/// Marks the stages after planning as skipped for one reason.
void skip_the_rest(Run& run, const std::string& because) {
  run.branch = Skipped{because};
  run.build = Skipped{because};
  run.quality = Skipped{because};
}

/// What is known before dbt is started.
struct Beginning {
  Result<change::Repository> repository;
  Result<ProjectAtHand> at_hand;
  change::Relevance relevance{};
};

/// Opens the repository, finds the change, and weighs it.
Beginning look(const Context& context, Run& run) {
  Beginning beginning{open_repository(context), tl::unexpected(Failed{})};
  run.change = timed(run, "change", [&] {
    return beginning.repository ? find_change(context, *beginning.repository)
                                : Result<Change>(tl::unexpected(beginning.repository.error()));
  });
  const Change* change = run.change.finished();
  if (change == nullptr) return beginning;
  const bool trusted = context.head_trust == HeadTrust::trusted;
  beginning.at_hand = trusted ? look_at_project(context) : look_at_untrusted_project(context);
  if (beginning.at_hand) {
    run.notes.insert(run.notes.end(), beginning.at_hand->notes.begin(), beginning.at_hand->notes.end());
    beginning.relevance = weigh(context, *beginning.repository, *change, *beginning.at_hand);
  } else {
    run.plan = beginning.at_hand.error();
  }
  return beginning;
}

/// dbt, started, with the head's packages in place.
struct Dbt {
  std::unique_ptr<dbt::Session> session;
  Head head{};
};

Result<Dbt> start(const Context& context, const ProjectAtHand& at_hand) {
  auto session = start_dbt(context, at_hand);
  if (!session) return tl::unexpected(session.error());
  auto head = provide_head(context, at_hand, **session);
  if (!head) return tl::unexpected(head.error());
  return Dbt{std::move(*session), std::move(*head)};
}

/// Of a run that failed. What ended well there is still in the branch, and is read from it.
Result<void> keep_what_is_left(Plan& plan, const CheckOptions& options) {
  const auto before = plan.nodes.size();
  for (const auto& id : *options.only) {
    if (std::ranges::find(plan.nodes, id, &PlannedNode::unique_id) != plan.nodes.end()) continue;
    return failed(ExitStatus::usage, "going on with the run " + options.from_failure,
                  fmt::format("{} is left of it, and is not planned now", id),
                  "give the settings and variables that the run had, or check again");
  }
  std::erase_if(plan.nodes, [&](const PlannedNode& node) { return !options.only->contains(node.unique_id); });
  plan.notes.push_back(fmt::format("{} of {} nodes are left of the run {}; the others ended well there.",
                                   plan.nodes.size(), before, options.from_failure));
  return {};
}

/// The branch's lease; none where the store does not answer, which a note says.
Result<std::unique_ptr<BranchLock>> hold_branch(const Context& context, const std::string& branch, const Change& change,
                                                dbt::Session& session, Run& run) {
  auto lock = BranchLock::take(context, branch, "check of " + change.head.sha.substr(0, 7), session);
  if (lock || lock.error().status == ExitStatus::locked || context.stop.stop_requested()) return lock;
  run.notes.push_back(
      fmt::format("Nothing keeps another run from dropping or building {} meanwhile: {}.", branch, lock.error().why));
  return std::unique_ptr<BranchLock>();
}

/// The part of a check that needs dbt: plan, branch, build, reports.
void plan_and_build(const Context& context, const CheckOptions& options, Beginning& beginning, Dbt& dbt,
                    Announcement& announcement, Run& run, std::vector<Artifact>& artifacts) {
  auto planned = timed(run, "plan", [&] {
    return make_plan(context, *beginning.repository, *run.change.finished(), *beginning.at_hand, dbt.head,
                     beginning.relevance, *dbt.session);
  });
  const auto kept = planned && options.only ? keep_what_is_left(planned->plan, options) : Result<void>{};
  if (!planned || !kept) {
    run.plan = planned ? kept.error() : planned.error();
    return skip_the_rest(run, "there is no plan");
  }
  run.plan = planned->plan;
  announcement.stages_ended(run);
  if (planned->plan.nodes.empty()) return skip_the_rest(run, nothing_to_build);

  const auto lock = hold_branch(context, planned->branch.name, *run.change.finished(), *dbt.session, run);
  if (!lock) {
    skip_the_rest(run, another_runs);
    run.branch = lock.error();
    return;
  }
  const dbt::WarehouseAt warehouse{planned->at.profiles_dir, planned->at.profile, planned->at.target};
  context.progress.stage("Creating the branch " + planned->branch.name);
  const auto created = timed(run, "branch", [&] { return branch::create(planned->branch, warehouse, *dbt.session); });
  if (!created) {
    skip_the_rest(run, "there is no branch");
    run.branch = created.error();
    return;
  }
  run.branch = planned->branch;
  // From here the branch exists: every way out must report it.

  if (auto cloned = clone_from_production(context, *planned, warehouse, *dbt.session, run); !cloned) {
    run.build = cloned.error();
    run.quality = Skipped{"nothing was built"};
    return;
  }
  run.build = timed(run, "build", [&] { return build_planned(context, *planned, *dbt.session, artifacts); });
  if (auto lost = *lock && !context.stop.stop_requested() ? (*lock)->lost() : std::nullopt) {
    run.build = std::move(*lost);
    run.quality = Skipped{another_runs};
    return;
  }
  announcement.stages_ended(run);
  dbt.session->release();
  run.quality =
      timed(run, "quality", [&] { return report_quality(context, *beginning.at_hand, *planned, run, artifacts); });
}

/// A lint that runs beside the rest.
class Linting {
 public:
  void start(const Context& context, const Change& change, const ProjectAtHand& at_hand) {
    outcome_ = std::async(std::launch::async, [&, this] {
      const io::Stopwatch watch;
      auto outcome = lint_change(context, change, at_hand);
      seconds_ = watch.seconds();
      return outcome;
    });
  }
  /// Waits for its end.
  void finish(Run& run) {
    if (!outcome_.valid()) return;
    run.lint = outcome_.get();
    run.times.push_back({"lint", seconds_});
  }

 private:
  std::future<Outcome<Lint>> outcome_;
  double seconds_ = 0;
};

/// Everything after the change is known.
void check_change(const Context& context, const CheckOptions& options, Beginning& beginning, Announcement& announcement,
                  Run& run, std::vector<Artifact>& artifacts) {
  const bool builds = !beginning.relevance.relevant.empty();
  const bool lints = options.lint && will_lint(context, *run.change.finished());
  const bool lint_needs_packages =
      lints && lint_needs_dbt(*beginning.at_hand, context) && !has_own_packages(*beginning.at_hand);
  std::optional<Result<Dbt>> dbt;
  if (builds || lint_needs_packages) dbt = start(context, *beginning.at_hand);

  Linting linting;
  if (options.lint) {
    linting.start(context, *run.change.finished(), *beginning.at_hand);
  } else {
    run.lint = Skipped{"switched off"};
  }
  if (!builds) {
    run.plan = idle_plan(*beginning.at_hand, std::move(beginning.relevance.idle));
    skip_the_rest(run, nothing_to_build);
  } else if (!*dbt) {
    run.plan = dbt->error();
    skip_the_rest(run, "there is no plan");
  } else {
    plan_and_build(context, options, beginning, **dbt, announcement, run, artifacts);
  }
  linting.finish(run);
}

/// A head that is not trusted: what git alone tells of it, and where no secret is at hand, the lint that runs none of
/// its code. Nothing is built.
void look_without_running(const Context& context, const CheckOptions& options, const Beginning& beginning, Run& run) {
  const bool sandboxed = context.head_trust == HeadTrust::sandboxed;
  const std::string because = sandboxed ? "the head comes from another repository, so none of its code is run"
                                        : "mode is diff-only, so no code of the project is run";
  const auto& [relevant, idle] = beginning.relevance;
  skip_the_rest(run, because);
  if (relevant.empty()) {
    run.plan = idle_plan(*beginning.at_hand, idle);
  } else {
    run.plan = Skipped{because};
    run.notes.push_back(
        fmt::format("By git alone, {} of {} changed files may alter what dbt builds: {}{}.", relevant.size(),
                    relevant.size() + idle.size(),
                    fmt::join(relevant.begin(), relevant.begin() + std::min<long>(20, std::ssize(relevant)), ", "),
                    relevant.size() > 20 ? ", …" : ""));
  }
  if (!sandboxed || !options.lint) {
    run.lint = Skipped{options.lint ? because : "switched off"};
  } else if (::geteuid() == 0) {
    // Requirement D2: root reads the environment of any process, whatever it is told.
    run.lint = Skipped{"a head from another repository is not linted by root"};
  } else {
    run.lint = timed(run, "lint", [&] { return lint_change(context, *run.change.finished(), *beginning.at_hand); });
  }
}

}  // namespace

Run check(const Context& context, Announcement& announcement, const CheckOptions& options) {
  const io::Stopwatch watch;
  Run run = begin(context);
  std::vector<Artifact> artifacts;
  Beginning beginning = look(context, run);
  if (beginning.at_hand && context.head_trust != HeadTrust::trusted) {
    look_without_running(context, options, beginning, run);
  } else if (beginning.at_hand) {
    check_change(context, options, beginning, announcement, run, artifacts);
  }
  weigh_costs(context, run);
  end(context, watch, run);
  // From here nothing changes the verdict: it only has to arrive.
  publish(context, run, artifacts);
  keep_review(context, run);
  announcement.conclude(run, run.kept_in);
  run.notes.insert(run.notes.end(), announcement.notes().begin(), announcement.notes().end());
  return run;
}

Run plan(const Context& context) {
  const io::Stopwatch watch;
  Run run = begin(context);
  Beginning beginning = look(context, run);
  skip_the_rest(run, "only the plan was asked for");
  run.lint = Skipped{"only the plan was asked for"};
  if (beginning.at_hand && context.head_trust != HeadTrust::trusted) {
    look_without_running(context, {.lint = false}, beginning, run);
  } else if (beginning.at_hand && beginning.relevance.relevant.empty()) {
    run.plan = idle_plan(*beginning.at_hand, std::move(beginning.relevance.idle));
  } else if (beginning.at_hand) {
    auto dbt = start(context, *beginning.at_hand);
    auto planned = dbt ? make_plan(context, *beginning.repository, *run.change.finished(), *beginning.at_hand,
                                   dbt->head, beginning.relevance, *dbt->session)
                       : tl::unexpected(dbt.error());
    run.plan = planned ? Outcome<Plan>(std::move(planned->plan)) : Outcome<Plan>(planned.error());
  }
  end(context, watch, run);
  return run;
}

Run lint(const Context& context) {
  const io::Stopwatch watch;
  Run run = begin(context);
  const Beginning beginning = look(context, run);
  skip_the_rest(run, "only the lint was asked for");
  if (beginning.at_hand && context.head_trust != HeadTrust::trusted) {
    look_without_running(context, {}, beginning, run);
  } else if (beginning.at_hand) {
    run.plan = Skipped{"only the lint was asked for"};
    run.lint = lint_change(context, *run.change.finished(), *beginning.at_hand);
  }
  end(context, watch, run);
  return run;
}

}  // namespace offshoot::flow
