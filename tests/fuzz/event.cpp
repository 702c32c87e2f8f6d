// SPDX-License-Identifier: Apache-2.0
// An event's payload, of each kind, and what is decided by it.
#include "app/event.hpp"

#include "app/trigger.hpp"
#include "fuzz.hpp"

using namespace offshoot;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const std::string_view name : {"pull_request", "pull_request_target", "merge_group", "push", "workflow_dispatch",
                                      "workflow_run", "schedule", "issue_comment", "release"}) {
    const auto event = app::read_event(name, fuzz::view(data, size));
    if (!event) continue;
    const app::Decision decision = app::decide(*event, {});
    fuzz::require(!decision.reasons.empty(), "each decision has a reason");
    const auto trust = app::trust_in(*event, {}, std::nullopt);
    const bool fork = event->pull_request && app::is_from_fork(*event->pull_request);
    fuzz::require(!fork || !trust || *trust != flow::HeadTrust::trusted, "a fork's head is not trusted");
    fuzz::require(name != "issue_comment" || decision.errand == app::Errand::nothing ||
                      decision.errand == app::Errand::refuse || (decision.first && !decision.first->writer.empty()),
                  "who writes a comment is asked for before anything is done");
  }
  return 0;
}
