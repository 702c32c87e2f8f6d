// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "report/budget.hpp"
#include "report/digest.hpp"
#include "report/links.hpp"
#include "report/verdict.hpp"

namespace offshoot::report {

/// A run and what is needed to tell it. The run has to outlive it.
struct Telling {
  explicit Telling(const Run& of) : run(of), digest(of), links(of), verdict(report::verdict(of)) {}
  const Run& run;
  Digest digest;
  Links links;
  Verdict verdict;
};

/// Each function gives the sections of one subject, in their order; those that have nothing to say are left out or
/// empty. The comment puts all of them together, a check run those of its own subject.

/// What stopped the run, with the state of every stage. Empty where nothing did.
std::vector<Section> stop_sections(const Telling& telling);
/// Notes on the run as a whole.
std::vector<Section> note_sections(const Telling& telling);
/// Nodes that did not end well.
std::vector<Section> trouble_sections(const Telling& telling);
/// What the linters found, and did not look at.
std::vector<Section> lint_sections(const Telling& telling);
/// What a deploy or a rollback did to production.
std::vector<Section> deployment_sections(const Telling& telling);
/// What was planned and built, and why; what is gone, read from production, not proven; how to do it by hand.
std::vector<Section> plan_sections(const Telling& telling);
/// What dbt said beside the nodes' results.
std::vector<Section> message_sections(const Telling& telling);
/// Stages, how they ended and how long they took.
std::vector<Section> time_sections(const Telling& telling);

}  // namespace offshoot::report
