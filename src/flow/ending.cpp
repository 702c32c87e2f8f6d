// SPDX-License-Identifier: Apache-2.0
#include "flow/ending.hpp"

#include "flow/costs.hpp"
#include "flow/stages.hpp"

namespace offshoot::flow {

void conclude(const Context& context, const io::Stopwatch& watch, const std::vector<Artifact>& artifacts,
              Announcement& announcement, Tell tell, Run& run) {
  weigh_costs(context, run);
  end(context, watch, run);
  // From here nothing changes the verdict: it only has to arrive.
  publish(context, run, artifacts);
  (announcement.*tell)(run, run.kept_in);
  run.notes.insert(run.notes.end(), announcement.notes().begin(), announcement.notes().end());
}

}  // namespace offshoot::flow
