// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "change/compare.hpp"
#include "change/repository.hpp"
#include "flow/context.hpp"
#include "flow/project_at_hand.hpp"
#include "io/clock.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// A run that has just begun.
Run begin(const Context& context);

/// Fills in what is known at the end: how long it took, and whether it was interrupted.
void end(const Context& context, const io::Stopwatch& watch, Run& run);

/// Does one stage and notes how long it took.
template <class Stage>
auto timed(Run& run, std::string name, Stage&& stage) {
  const io::Stopwatch watch;
  auto outcome = std::forward<Stage>(stage)();
  run.times.push_back({std::move(name), watch.seconds()});
  return outcome;
}

/// The repository that the flow is about.
Result<change::Repository> open_repository(const Context& context);

/// What differs between base and head.
Result<Change> find_change(const Context& context, const change::Repository& repository);

/// Which changed files can alter a relation, and why the others cannot.
change::Relevance weigh(const Context& context, const change::Repository& repository, const Change& change,
                        const ProjectAtHand& at_hand);

/// Whether there is anything to lint.
bool will_lint(const Context& context, const Change& change);

/// Whether sqlfluff renders this project through dbt, and so needs its packages.
bool lint_needs_dbt(const ProjectAtHand& at_hand, const Context& context);

/// Runs the linters on the changed files.
Outcome<Lint> lint_change(const Context& context, const Change& change, const ProjectAtHand& at_hand);

}  // namespace offshoot::flow
