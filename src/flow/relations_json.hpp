// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "dbt/session.hpp"
#include "flow/deferral.hpp"
#include "model/outcome.hpp"

namespace offshoot::flow {

/// The relations as the JSON that the store keeps.
std::string to_json(const ProductionRelations& relations);

/// Reads what to_json wrote; `name` stands in errors.
Result<ProductionRelations> parse_relations(std::string_view text, const std::string& name);

/// Those of `resolved` that are relations.
ProductionRelations relations_of(const std::map<std::string, dbt::ResolvedNode>& resolved);

}  // namespace offshoot::flow
