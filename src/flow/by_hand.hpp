// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "flow/announce.hpp"
#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

struct ByHandOptions {
  std::string ref{};  ///< a ref or sha; empty = what is checked out
};

/// Builds a selection of any commit in a target, where it stands, as `dbt build` would, and keeps the run. In
/// production what was built from another commit than the deployed one is owed: the next deploy builds it again; a
/// commit that is not on the default branch is refused there.
Run run_by_hand(const Context& context, Announcement& announcement, const ByHandOptions& options);

}  // namespace offshoot::flow
