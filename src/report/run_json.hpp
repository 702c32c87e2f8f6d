// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/run.hpp"

namespace offshoot::report {

/// The run as run.json: two spaces of indent, keys in the order of model/run.hpp, a newline at the end. The same run
/// gives the same bytes. Bytes that are not UTF-8 become U+FFFD; numbers that are not finite become 0.
/// docs/run.schema.json describes it.
std::string to_json(const Run& run);

/// Reads what to_json wrote, from anyone: each field must be there and of its type, enumerations are closed, keys that
/// are not known are ignored, and another version is an error that says so. `name` begins the error's message.
Result<Run> from_json(std::string_view text, const std::string& name);

/// The planned nodes alone, as an array of nodes as in run.json.
std::string plan_json(const Plan& plan);

/// What `offshoot state --json` prints: one line, {"selected": [...], "removed": [...], "notes": [...]}, with nodes as
/// in run.json.
std::string selection_json(const std::vector<PlannedNode>& selected, const std::vector<RemovedNode>& removed,
                           const std::vector<std::string>& notes);

}  // namespace offshoot::report
