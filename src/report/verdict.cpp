// SPDX-License-Identifier: Apache-2.0
#include "report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <set>

#include "report/digest.hpp"
#include "report/escape.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t longest_headline = 140;  // of a commit status on GitHub

struct Gravity {
  ExitStatus status;
  Conclusion conclusion;
  std::string_view words;
};

/// The statuses of a failed stage, the gravest first.
constexpr std::array<Gravity, 4> gravest{{
    {ExitStatus::refused, Conclusion::refused, "Refused for safety"},
    {ExitStatus::usage, Conclusion::usage, "Needs attention"},
    {ExitStatus::locked, Conclusion::locked, "Not run"},
    {ExitStatus::could_not_run, Conclusion::could_not_run, "Could not run"},
}};

Verdict judged(ExitStatus status, Conclusion conclusion, std::string_view headline) {
  return {status, conclusion, one_line(headline, longest_headline)};
}

std::string built_so_far(const Digest& digest) {
  return fmt::format("{} of {} built", digest.objects_built, digest.objects_counted(digest.objects));
}

/// The signal that ended the run, as it says itself or as a stage that stopped for it says; 0 = none.
int interrupted_by(const Run& run, const Digest& digest) {
  if (run.interrupted_by != 0) return run.interrupted_by;
  for (const StageRow& stage : digest.stages) {
    if (stage.failure == nullptr) continue;
    if (stage.failure->status == ExitStatus::interrupted) return SIGINT;
    if (stage.failure->status == ExitStatus::terminated) return SIGTERM;
  }
  return 0;
}

Verdict interrupted(const Run& run, const Digest& digest, int signal) {
  const bool terminated = signal == SIGTERM;
  const bool built = run.build.finished() != nullptr;
  return judged(terminated ? ExitStatus::terminated : ExitStatus::interrupted, Conclusion::interrupted,
                built ? "Interrupted: " + built_so_far(digest) : "Interrupted before anything was built");
}

bool decides(const StageRow& stage, const Policy& policy) {
  if (stage.failure == nullptr || stage.name == "quality") return false;
  return stage.name != "lint" || policy.lint_fails || stage.failure->status == ExitStatus::refused;
}

/// Statuses that no failed stage can mean are taken as "could not run": never green.
ExitStatus gravity_of(const Failed& failure) {
  const bool known = std::any_of(gravest.begin(), gravest.end(),
                                 [&](const Gravity& gravity) { return gravity.status == failure.status; });
  return known || failure.status == ExitStatus::findings ? failure.status : ExitStatus::could_not_run;
}

const Failed* failure_of(const Digest& digest, const Policy& policy, ExitStatus status) {
  for (const StageRow& stage : digest.stages) {
    if (decides(stage, policy) && gravity_of(*stage.failure) == status) return stage.failure;
  }
  return nullptr;
}

/// The stage that the run should have come to and did not. Absent where all is well.
const StageRow* not_reached(const Run& run, const Digest& digest) {
  const Skipped never = Skipped{"not reached"};
  for (const StageRow& stage : digest.stages) {
    const bool needed = stage.name == "change" || stage.name == "plan" || stage.name == "lint" ||
                        (stage.name == "build" && run.plan.finished() != nullptr && digest.objects + digest.tests > 0);
    if (needed && stage.skipped != nullptr && *stage.skipped == never) return &stage;
  }
  return nullptr;
}

std::string findings_headline(const Run& run, const Digest& digest) {
  std::vector<std::string> parts;
  const auto add = [&](std::size_t count, std::string_view one, std::string_view many) {
    if (count > 0) parts.push_back(counted(count, one, many));
  };
  if (digest.objects_errored > 0) parts.push_back(digest.objects_counted(digest.objects_errored) + " did not build");
  add(digest.tests_errored, "test could not run", "tests could not run");
  add(digest.tests_failed, "test failed", "tests failed");
  add(digest.skipped, "node skipped", "nodes skipped");
  const auto undone =
      static_cast<std::size_t>(std::count_if(digest.undone.begin(), digest.undone.end(), [](const Trouble& trouble) {
        return trouble.result->status != NodeStatus::skipped;
      }));
  add(undone, "node not run", "nodes not run");
  if (run.policy.lint_fails) add(digest.lint_here.size(), "lint finding", "lint findings");
  if (run.policy.budget_fails && !run.over_budget.empty()) parts.emplace_back("over budget");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string reasons_of_idleness(const Run& run, const Plan& plan) {
  const Change* change = run.change.finished();
  if (change != nullptr && change->files.empty()) return "no file changed";
  std::set<std::string> reasons;
  for (const IdleFile& file : plan.idle_files) reasons.insert(file.because);
  if (!plan.removed.empty()) return counted(plan.removed.size(), "node was removed", "nodes were removed");
  if (reasons.empty()) return "no changed file selects a node";
  if (reasons.size() > 2) {
    return counted(plan.idle_files.size(), "changed file selects no node", "changed files select no node");
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

std::string passed_headline(const Digest& digest) {
  std::vector<std::string> parts;
  if (digest.objects > 0) parts.push_back(digest.objects_counted(digest.objects_built) + " built");
  if (digest.tests > 0) parts.push_back(counted(digest.tests_passed, "test passed", "tests passed"));
  if (!digest.warnings.empty()) parts.push_back(counted(digest.warnings.size(), "warning", "warnings"));
  return fmt::format("{}", fmt::join(parts, ", "));
}

Verdict green(const Run& run, const Digest& digest) {
  const Deployment* deployment = run.deployment.finished();
  if (const Change* change = run.change.finished();
      change != nullptr && deployment != nullptr && deployment->mode == "rollback") {
    return judged(ExitStatus::passed, Conclusion::passed, "Production is back at " + short_sha(change->head.sha));
  }
  if (deployment != nullptr && deployment->mode == "state-only") {
    return judged(ExitStatus::passed, Conclusion::nothing_to_build, "Recorded what is deployed; nothing was built");
  }
  if (run.build.finished() != nullptr && digest.objects + digest.tests > 0) {
    return judged(ExitStatus::passed, Conclusion::passed, passed_headline(digest));
  }
  std::string why;
  if (const Plan* plan = run.plan.finished(); plan == nullptr) {
    why = "Nothing was built: no plan was made";
    if (const Skipped* skipped = run.plan.skipped()) why = "Nothing was built: " + skipped->because;
  } else if (digest.objects + digest.tests == 0) {
    why = "Nothing to build: " + reasons_of_idleness(run, *plan);
  } else {
    why = counted(digest.objects + digest.tests, "node", "nodes") + " planned, none built";
    if (const Skipped* skipped = run.build.skipped()) why += ": " + skipped->because;
  }
  return judged(ExitStatus::passed, Conclusion::nothing_to_build, why);
}

}  // namespace

Verdict verdict(const Run& run) {
  const Digest digest(run);
  if (const int signal = interrupted_by(run, digest); signal != 0) return interrupted(run, digest, signal);
  for (const Gravity& gravity : gravest) {
    if (const Failed* failure = failure_of(digest, run.policy, gravity.status)) {
      return judged(gravity.status, gravity.conclusion, fmt::format("{}: {}", gravity.words, failure->doing));
    }
  }
  if (const StageRow* stage = not_reached(run, digest)) {
    return judged(ExitStatus::could_not_run, Conclusion::could_not_run,
                  fmt::format("Could not run: the run ended before the stage \"{}\"", stage->name));
  }
  if (const std::string findings = findings_headline(run, digest); !findings.empty()) {
    return judged(ExitStatus::findings, Conclusion::findings, findings);
  }
  if (const Failed* failure = failure_of(digest, run.policy, ExitStatus::findings)) {
    return judged(ExitStatus::findings, Conclusion::findings, failure->doing + ": " + failure->why);
  }
  return green(run, digest);
}

}  // namespace offshoot::report
