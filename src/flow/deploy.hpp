// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>

#include "flow/announce.hpp"
#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

struct DeployOptions {
  bool state_only = false;     ///< something else has deployed the head: only record that, and build nothing
  std::string from_failure{};  ///< the run that `only` is left of
  std::optional<std::set<std::string>> only{};  ///< of the plan, by unique id: what is left of a run that failed
  std::set<std::string> done{};                 ///< what ended well in that run, by unique id
  bool selected_by_hand = false;                ///< the selection is for this once: what else has changed stays owed
};

/// Brings production to the head commit: builds what has changed since what is deployed, and keeps the manifest, so
/// that the next deploy and branches know where production is. A commit that production already contains, or that a
/// newer one of its branch supersedes, is not deployed and passes. Refused: a commit that is not on the default branch,
/// and a work tree with uncommitted changes, for production is built from a commit.
Run deploy(const Context& context, Announcement& announcement, const DeployOptions& options = {});

}  // namespace offshoot::flow
