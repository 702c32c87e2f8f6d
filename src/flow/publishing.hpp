// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// A file to keep beside the run's own: an artifact of the allowlist of requirement C3.
struct Artifact {
  std::string name;            ///< "manifest.json"
  std::filesystem::path file;  ///< where it is now
};

/// Where a run's files are kept: `<repository id>/runs/<date>/<run>`.
std::string run_folder(const Run& run);

/// Keeps run.json, comment.md and the artifacts. Returns where run.json is. What cannot be kept is told, and never
/// hides the run's own result.
Result<std::string> publish(const Context& context, const Run& run, const std::vector<Artifact>& artifacts);

}  // namespace offshoot::flow
