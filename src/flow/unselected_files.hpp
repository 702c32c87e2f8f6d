// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/plan.hpp"
#include "state/manifest.hpp"
#include "state/selection.hpp"

namespace offshoot::flow {

/// Those of the `relevant` files from which nothing got selected and nothing is gone, and why, in the same order.
/// `project_dir` is relative to the repository's root.
std::vector<IdleFile> unselected_files(const std::vector<std::string>& relevant, const std::string& project_dir,
                                       const state::Selection& selection, const state::Manifest& base,
                                       const state::Manifest& head);

}  // namespace offshoot::flow
