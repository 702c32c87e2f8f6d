// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/announcement.hpp"
#include "model/run.hpp"

namespace offshoot::report {

/// Whether the run goes on: a stage that was not reached yet is waiting, and is cancelled when it has ended.
enum class Reach { under_way, ended };

/// What the checks on a pull request say: plan, build, lint, quality, each on its own, with its reason when it was
/// skipped. A pure function.
std::vector<CheckReport> check_reports(const Run& run, Reach reach);

}  // namespace offshoot::report
