// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "state/compare.hpp"
#include "state/manifest.hpp"

namespace offshoot::state {

/// A node of the head and the same node of the base.
struct Pair {
  const Manifest& head;
  const Manifest& base;
  const Entry& now;
  const Entry& old;
  Kind kind;
};

/// Each of these says what differs, in words ("materialized: view -> table"); empty = dbt calls them the same.
std::vector<std::string> changed_configs(const Pair& pair);
std::vector<std::string> changed_relation(const Pair& pair, bool compare_more_unrendered_values);
std::vector<std::string> changed_descriptions(const Pair& pair);
std::vector<std::string> changed_properties(const Pair& pair);
/// What of a contract that is no longer the same breaks it. `adapter` decides which constraints are enforced.
std::vector<std::string> breaking_changes(const Pair& pair, std::string_view adapter);

bool same_body(const Pair& pair);

/// Whether an entry's contract is enforced.
bool contract_enforced(const Manifest& manifest, const Entry& entry);

}  // namespace offshoot::state
