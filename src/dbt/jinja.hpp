// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "io/process.hpp"

namespace offshoot::dbt {

/// The names that a file's text reads through `env_var('NAME')`, wherever they stand: also in comments, for a name too
/// many does no harm.
std::set<std::string> env_var_names(std::string_view text);

/// Whether dbt would render it.
bool has_jinja(std::string_view text);

/// What dbt would render `text` to, for the one kind of Jinja that almost every profile holds: `{{ env_var('NAME') }}`
/// and `{{ env_var('NAME', 'default') }}`, also amid other text. Absent for any other Jinja, or a variable not set.
std::optional<std::string> render_env_vars(std::string_view text, const io::Environment& environment);

}  // namespace offshoot::dbt
