// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// A file to keep beside the run's own: an artifact of the allowlist of requirement C3. Of a folder, all files in it
/// whose names may be keys are kept.
struct Artifact {
  std::string name;            ///< "manifest.json", "compiled"
  std::filesystem::path file;  ///< where it is now
};

/// Where a run's files are kept: `<repository id>/runs/<date>/<run>`.
std::string run_folder(const Run& run);

/// Keeps run.json, comment.md and the artifacts, several at once, and index.json last. Of dbt's artifacts the variables
/// and the environment that dbt wrote into them are taken out. Returns where the run is kept. What cannot be kept is
/// told, and never hides the run's own result.
Result<std::string> publish(const Context& context, const Run& run, const std::vector<Artifact>& artifacts);

}  // namespace offshoot::flow
