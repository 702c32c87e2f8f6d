// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "model/branch.hpp"
#include "model/outcome.hpp"

namespace offshoot::branch {

/// The mark as the JSON object that stands in the warehouse.
nlohmann::json to_json(const OwnerMark& mark);

/// Reads a mark found in the warehouse: untrusted data. Anything that is not exactly a mark of this version is an
/// error, so that nothing is dropped on the strength of half a mark.
Result<OwnerMark> parse_mark(const nlohmann::json& value);

/// Whether two marks name the same owner: repository and branch. Heads and times may differ.
bool same_owner(const OwnerMark& a, const OwnerMark& b);

}  // namespace offshoot::branch
