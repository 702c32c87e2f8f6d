// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace offshoot::flow {

/// Whether a file of that name is one of dbt's own artifacts.
bool is_dbt_artifact(std::string_view name);

/// One of dbt's artifacts without the values of `metadata.env`, `args.vars` and `args.env` in it (requirement C3): dbt
/// writes the variables that it was given into them. All else stays byte for byte.
Result<std::string> redacted_artifact(const std::string& json);

}  // namespace offshoot::flow
