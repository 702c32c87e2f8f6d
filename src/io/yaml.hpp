// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace offshoot::io {

/// Parses one untrusted YAML document within requirement G2's limits (1 MiB, depth 100, 100,000 nodes counted with
/// aliases expanded, no duplicate keys). `file` names it in errors, which carry line and column.
Result<YAML::Node> parse_yaml(std::string_view text, const std::string& file);

/// The document as JSON with YAML 1.1's core types (quoted scalars are always strings) and merge keys (`<<`) done, so
/// that it can be changed and written again as JSON, which is YAML. Strings are kept byte for byte; Jinja in them is
/// not touched.
nlohmann::ordered_json to_json(const YAML::Node& node);

}  // namespace offshoot::io
