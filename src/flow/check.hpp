// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>

#include "flow/announce.hpp"
#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

struct CheckOptions {
  bool lint = true;
  std::string from_failure{};                   ///< the run that `only` is left of
  std::optional<std::set<std::string>> only{};  ///< of the plan, by unique id: what is left of a run that failed
};

/// Plans, isolates, builds, tests and lints the head against its base, and reports. The run says how each stage ended;
/// it is published and announced on every way out.
Run check(const Context& context, Announcement& announcement, const CheckOptions& options = {});

/// What `check` would do, and why. Writes nothing to the warehouse.
Run plan(const Context& context);

/// Lints the changed lines, and nothing else.
Run lint(const Context& context);

}  // namespace offshoot::flow
