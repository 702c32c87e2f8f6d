// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "flow/context.hpp"
#include "model/run.hpp"
#include "state/manifest.hpp"
#include "store/runs.hpp"

namespace offshoot::flow {

/// A check that built the very tree of a commit in a branch, all of it well, as the store tells of it.
struct CheckedBuild {
  Run run;                   ///< with change, plan, branch and build finished
  state::Manifest manifest;  ///< the project as it was parsed for it
  store::FoundRun kept;      ///< where the rest of it is
  /// What people call its branch: "pr-7", else the branch's name.
  [[nodiscard]] std::string name() const;
};

/// The newest check of the commit's tree, or why it is of no use: there was none, it did not pass, its head was not
/// trusted without a person's approval, it is no longer kept. Error: a sentence's second half, "no check of this tree
/// is known". Nothing is asked of the warehouse.
tl::expected<CheckedBuild, std::string> checked_build_of(const Context& context, const Commit& head);

/// The SQL to which that check compiled a node; absent = it is not kept.
std::optional<std::string> compiled_in(const Context& context, const CheckedBuild& check, const state::NodeInfo& node);

/// The name under dbt's folder of compiled SQL.
std::string compiled_name(const state::NodeInfo& node);

}  // namespace offshoot::flow
