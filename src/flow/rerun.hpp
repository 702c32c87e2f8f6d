// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// What is left of a run: nodes that failed, were skipped or never ran, and the models that failed tests are on
/// (requirement K3). By unique id.
std::set<std::string> left_of(const Run& run);

struct Rerun {
  Run run{};
  std::string commands{};  ///< for the log that the runner reads, as an Announcement has them
};

/// Goes on where the run `id` of check or deploy failed, from the store alone: the same commit, which must be checked
/// out, in the same place. Everything that ended well there is left as it is. A `ref` that is not empty must be that
/// commit.
Rerun from_failure(const Context& context, const std::string& id, const std::string& ref = {});

}  // namespace offshoot::flow
