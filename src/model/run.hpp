// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/branch.hpp"
#include "model/build.hpp"
#include "model/change.hpp"
#include "model/deployment.hpp"
#include "model/lint.hpp"
#include "model/outcome.hpp"
#include "model/plan.hpp"
#include "model/quality.hpp"

namespace offshoot {

/// Where a run comes from. On a laptop most of it is empty.
struct Origin {
  std::string command{};        ///< "check", "deploy"
  std::string event{};          ///< GitHub's event name; empty outside Actions
  std::string repository{};     ///< "acme/shop"; empty where unknown
  std::string repository_id{};  ///< as in OwnerMark
  std::string ref{};            ///< the git branch's name; untrusted text
  int pull_request = 0;         ///< 0 = none
  std::string server_url{};     ///< "https://github.com"; empty outside GitHub
  std::string run_url{};        ///< the workflow run's page; empty outside Actions
  bool operator==(const Origin&) const = default;
};

/// What the settings call a failure, as it stood for this run.
struct Policy {
  bool lint_fails = true;     ///< lint.fail_on: error
  bool budget_fails = false;  ///< build.over_budget: fail
  bool operator==(const Policy&) const = default;
};

/// How long a stage took.
struct StageTime {
  std::string stage{};
  double seconds = 0;
  bool operator==(const StageTime&) const = default;
};

/// All of one run: what it was asked, how each stage ended. Written as run.json on every exit; the input of every
/// renderer. Verdict and rendering are pure functions of it.
struct Run {
  int version = 1;
  std::string offshoot_version{};
  std::string id{};       ///< "20261121T034501Z-1a2b3c4-1": sorts by time
  std::string started{};  ///< RFC 3339, UTC
  double seconds = 0;     ///< wall clock of the whole
  Origin origin{};
  Policy policy{};
  std::vector<std::string> notes{};  ///< sentences about the run as a whole: degraded paths, ignored settings

  Outcome<Change> change{};
  Outcome<Plan> plan{};
  Outcome<Branch> branch{};
  Outcome<Build> build{};
  Outcome<Lint> lint{};
  Outcome<Quality> quality{};
  Outcome<Deployment> deployment{};  ///< of deploy and rollback; of others not reached

  std::vector<std::string> over_budget{};  ///< "bytes_billed: 12 of 10"
  std::vector<StageTime> times{};
  int interrupted_by = 0;  ///< SIGINT or SIGTERM; 0 = not interrupted
  std::string kept_in{};   ///< where the run is kept, once it is: the one member that run.json does not hold
  bool operator==(const Run&) const = default;
};

}  // namespace offshoot
