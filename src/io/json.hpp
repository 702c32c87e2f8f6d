// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace offshoot::io {

/// Parses one untrusted JSON document within requirement G1's limits (depth 256, no duplicate keys). `doing` begins
/// the error's message.
Result<nlohmann::json> parse_json(std::string_view text, std::string_view doing);

/// One line of JSON; bytes that are not UTF-8 become U+FFFD, so writing never throws.
std::string to_line(const nlohmann::json& value);
std::string to_line(const nlohmann::ordered_json& value);

}  // namespace offshoot::io
