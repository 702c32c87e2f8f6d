// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "io/process.hpp"
#include "model/outcome.hpp"

namespace offshoot::flow {

/// Whether a file of that name is one of dbt's own artifacts.
bool is_dbt_artifact(std::string_view name);

/// One of dbt's artifacts without the values of `metadata.env`, `args.vars` and `args.env` in it (requirement C3): dbt
/// writes the variables that it was given into them. All else stays byte for byte.
Result<std::string> redacted_artifact(const std::string& json);

/// dbt's log without the values of its variables (`vars` is one JSON object) and of the variables of the environment
/// whose names begin with DBT_ENV_CUSTOM_ENV_: dbt writes them into it, and into the SQL that it logs.
std::string redacted_log(std::string_view log, const std::string& vars, const io::Environment& environment);

}  // namespace offshoot::flow
