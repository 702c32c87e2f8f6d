// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dbt/session.hpp"
#include "model/build.hpp"
#include "model/outcome.hpp"
#include "model/plan.hpp"
#include "model/settings.hpp"

namespace offshoot::build {

/// A plan to be built in a branch that exists.
struct BuildRequest {
  const Plan& plan;
  dbt::ProjectAt at;                  ///< the head under the branch's profile
  std::string handle;                 ///< the manifest with the branch's names
  std::filesystem::path target_path;  ///< gets run_results.json and the compiled SQL
  BuildSettings settings{};
};

/// Runs `dbt build` over exactly the plan's nodes, `dbt test` over unit tests whose model is not among them, and
/// accounts for each of them: what dbt does not mention is `unaccounted`, and so never green (requirement K3). Failing
/// nodes are findings in a finished value; the stage fails only where dbt could not run at all.
Outcome<Build> build_plan(const BuildRequest& request, dbt::Session& session, const dbt::BuildListener& listener);

/// One result for each planned node, sorted by unique_id: dbt's own where it reported one. Results that are not the
/// plan's (hooks) are kept only if they did not end well.
std::vector<NodeResult> account(const Plan& plan, const dbt::BuildOutput& output);

}  // namespace offshoot::build
