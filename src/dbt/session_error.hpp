// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace offshoot::dbt {

/// The error of a reply of the session's driver ({"kind", "message", "node", "file", "line"}) as ours: the kind decides
/// the exit status and the hint.
Failed session_error(const std::string& doing, const nlohmann::json& error);

/// The same for a kind and a message alone.
Failed session_error(const std::string& doing, std::string_view kind, std::string message);

/// The kind that dbt's words on its standard output point to, in the driver's terms.
std::string_view kind_of_message(std::string_view message);

/// What was cut short by a signal to us.
Failed interrupted(const std::string& doing);

/// The last lines of a log, for a hint; empty where there is none.
std::string last_lines(const std::filesystem::path& log, int lines = 10);

/// Texts and numbers of an untrusted JSON object; of another type is as if absent.
std::string text_of(const nlohmann::json& object, const char* key);
double number_of(const nlohmann::json& object, const char* key);
bool flag_of(const nlohmann::json& object, const char* key);
/// The value itself; a null where it is absent.
const nlohmann::json& value_of(const nlohmann::json& object, const char* key);

}  // namespace offshoot::dbt
