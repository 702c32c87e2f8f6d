// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "flow/announce.hpp"
#include "flow/context.hpp"
#include "flow/publishing.hpp"
#include "io/clock.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// How a kind of run is told of at its end.
using Tell = void (Announcement::*)(const Run& run, const std::string& kept_at);

/// The end of a run, however it went: weighs its costs, fills in what is known at the end, keeps it, tells of it, and
/// notes what could not be told. Nothing of it changes how the run ended but a budget that fails.
void conclude(const Context& context, const io::Stopwatch& watch, const std::vector<Artifact>& artifacts,
              Announcement& announcement, Tell tell, Run& run);

}  // namespace offshoot::flow
