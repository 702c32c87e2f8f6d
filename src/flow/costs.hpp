// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// What a build took in all: "seconds" (of nodes, not of the clock), "rows", and whatever the adapter reports, under
/// its own names ("bytes_billed", "slot_ms").
std::map<std::string, double> total_costs(const Build& build);

/// Compares what the run's build took with `build.budget` and with the run of the same kind before it, where the store
/// has one: notes, and what is over budget. Never an error: what cannot be read is not compared.
void weigh_costs(const Context& context, Run& run);

}  // namespace offshoot::flow
