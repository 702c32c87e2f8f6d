// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace offshoot::flow {

/// Unique ids by the names under which compiled SQL reads them, as the adapter renders them.
using NamesInSql = std::map<std::string, std::string, std::less<>>;

/// The SQL with each of these names replaced by its unique id, so that the same model compiled for two places compares.
/// Absent where that cannot be said: a name stands inside a text or the name of a column, which the model would store,
/// or the SQL quotes in a way that is not followed here (dollar quotes, backslashes).
std::optional<std::string> without_places(std::string_view sql, const NamesInSql& names);

}  // namespace offshoot::flow
