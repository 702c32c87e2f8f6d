// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "flow/doctor.hpp"

namespace offshoot::flow {

/// What goes without saying with a store that lasts and does not in this job: its store is a folder of the checkout,
/// which its runner forgets. A sentence for the report of what relies on earlier runs; absent where the store lasts.
std::optional<std::string> what_is_forgotten(const Context& context);

/// Refuses what comes to nothing once the store is forgotten.
Result<void> needs_memory(const Context& context, const std::string& doing);

/// Whether the store can be read and written, and keeps leases.
Finding look_at_store(const Context& context);

}  // namespace offshoot::flow
