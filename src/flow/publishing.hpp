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

/// Keeps the run: run.json, comment.md, report.md (the comment without GitHub's limit), lint.sarif, tests.xml, dbt.log
/// and the artifacts, several at once, and index.json last. Of dbt's artifacts and log, the variables and the
/// environment that dbt wrote into them are taken out; of an interrupted run, only its own files are kept. Notes in the
/// run where that is; what cannot be kept becomes a note of it, and never hides its result.
void publish(const Context& context, Run& run, const std::vector<Artifact>& artifacts);

}  // namespace offshoot::flow
