// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dbt/session.hpp"
#include "model/plan.hpp"
#include "model/settings.hpp"

namespace offshoot::flow {

/// What only one of two sorted lists of unique ids holds.
Verified differences(const std::vector<std::string>& here, const std::vector<std::string>& dbt);

/// Asks dbt for its own selection between the manifest kept under "head" and the base's, and compares it with
/// `as_dbt`, which counts formatting as dbt does. What stops dbt is an error.
Result<Verified> verify(const BuildSettings& settings, const dbt::ProjectAt& at,
                        const std::filesystem::path& base_manifest, const std::vector<std::string>& as_dbt,
                        dbt::Session& session);

}  // namespace offshoot::flow
