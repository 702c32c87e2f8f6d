// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "flow/context.hpp"

namespace offshoot::flow {

enum class Health { good, warning, bad };

/// One thing that doctor looked at.
struct Finding {
  std::string check;  ///< "dbt", "profile", "production's grants"
  Health health = Health::good;
  std::string says;
  std::string hint{};
  ExitStatus status = ExitStatus::passed;  ///< what a command that needs it would end with
};

/// Looks at all that a check needs: git, the store, the dbt environment, project, profile, targets, warehouse, linter;
/// what the environment of children holds; and whether this login could write to production.
std::vector<Finding> doctor(const Context& context);

}  // namespace offshoot::flow
