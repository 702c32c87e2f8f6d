// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "flow/deploy_plan.hpp"
#include "flow/publishing.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// A commit that is to be brought to production, and what is needed for it.
struct Bringing {
  const Context& context;
  ProjectAtHand at_production;  ///< at production's target
  const Commit& head;
  const WhatIsDeployed& deployed;
  const DeployPlan& plan;
  Deployment deployment;             ///< as announced: who is in it
  std::string committed;             ///< when the head was made
  std::vector<std::string> history;  ///< what the head contains, as Deployed has it
  dbt::Session& session;
  ProductionLock& lock;
};

/// Builds the plan where production stands, or beside it and then exchanges the two, and records what is deployed then.
/// Fills in the run's branch, build and deployment.
void bring(Bringing bringing, Run& run, std::vector<Artifact>& artifacts);

/// Looks at an exchange that was begun by a run which did not come to record it, and which may only have been stopped:
/// where it has not happened it cannot happen any more. Returns a sentence where it had happened, and records it.
Result<std::string> finish_what_was_begun(ProductionLock& lock, const ProjectAtHand& at_production,
                                          dbt::Session& session);

}  // namespace offshoot::flow
