// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>

#include "flow/deploy.hpp"
#include "flow/deployed.hpp"
#include "flow/planning.hpp"
#include "model/deployment.hpp"

namespace offshoot::flow {

/// The commit that is checked out. A work tree that holds changes besides is refused with status usage.
Result<Commit> committed_head(const change::Repository& repository);

/// The commit to deploy, compared with the one that is deployed. Where that is not known, or is not in this clone, no
/// files are compared.
Result<Change> change_since_deployed(const change::Repository& repository, const Commit& head,
                                     const WhatIsDeployed& deployed);

/// Why nothing of this commit may be built in production (requirement L1): the event is a pull request's, or the commit
/// is not on the default branch. Absent: it may, or this clone cannot tell.
std::optional<Failed> why_not_in_production(const Context& context, const change::Repository& repository,
                                            const Commit& commit, const std::string& doing);

/// Why the head must not be deployed, or need not be.
struct NotDeployed {
  std::optional<Failed> refused{};       ///< it is older than what is deployed, for all that this clone knows
  std::optional<std::string> because{};  ///< production contains it, or a newer commit of the branch supersedes it
};
NotDeployed why_not_deploy(const Context& context, const DeployOptions& options, const change::Repository& repository,
                           const Commit& head, const WhatIsDeployed& deployed);

/// A plan for production itself.
struct DeployPlan {
  Planned planned{};                    ///< its branch is left empty
  std::string adapter{};                ///< dbt's adapter type
  dbt::Credentials credentials{};       ///< of production
  std::string production_file{};        ///< DuckDB: production's own; else empty
  std::vector<RelationName> leaving{};  ///< relations of removed models that are to be dropped; empty where none may be
  std::set<std::string> owed{};         ///< what stays to be built by a later deploy once this one has passed
};

/// What has changed since what is deployed, and what an earlier deploy left undone; everything where nothing is known
/// of production. Parsed for the production target. Writes nothing to the warehouse.
Result<DeployPlan> plan_deploy(const Context& context, const DeployOptions& options,
                               const change::Repository& repository, const Change& change, const ProjectAtHand& at_hand,
                               const WhatIsDeployed& deployed, dbt::Session& session);

}  // namespace offshoot::flow
