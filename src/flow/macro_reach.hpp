// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "state/manifest.hpp"

namespace offshoot::flow {

/// What the Jinja of a project may lead to, told from its text: a manifest does not name the macros that are called
/// only while a node is compiled (`{% if execute %}`). Any mention of a macro's name counts as a call.
class MacroReach {
 public:
  explicit MacroReach(const state::Manifest& manifest);

  /// Whether this code may run a statement while it is compiled, itself or in a macro.
  [[nodiscard]] bool may_run_statements(std::string_view code) const;

  /// A macro that is not dbt's and may run in place of dbt's own when tables, views or seeds are made; empty = none.
  [[nodiscard]] const std::string& in_place_of_dbts() const { return in_place_of_dbts_; }

 private:
  std::set<std::string> running_{};  ///< names under which a macro is called that may run a statement
  std::string in_place_of_dbts_{};
};

}  // namespace offshoot::flow
