// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "flow/announce.hpp"
#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// Brings production back to the version that an earlier deploy in mode swap or promote made of the commit `to` (a sha
/// or its beginning), from what was kept of it: nothing is built. A version that is no longer kept is refused with
/// status usage, and those that are are named.
Run rollback(const Context& context, Announcement& announcement, const std::string& to);

}  // namespace offshoot::flow
