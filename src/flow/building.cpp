// SPDX-License-Identifier: Apache-2.0
#include "flow/building.hpp"

#include <fmt/format.h>

#include "build/build.hpp"

namespace offshoot::flow {

Outcome<Build> build_planned(const Context& context, const Planned& planned, dbt::Session& session,
                             std::vector<Artifact>& artifacts) {
  context.progress.stage(fmt::format("Building {} nodes", planned.plan.nodes.size()));
  context.progress.expect(planned.plan.nodes.size());
  const std::filesystem::path target_path = context.scratch / "build-target";
  const auto listener = [&](const dbt::BuildEvent& event) {
    switch (event.kind) {
      case dbt::BuildEvent::Kind::started:
        return context.progress.node_started(event.node.unique_id);
      case dbt::BuildEvent::Kind::finished:
        return context.progress.node_finished(event.node);
      case dbt::BuildEvent::Kind::message:
        return context.progress.tick();
    }
  };
  auto built = build::build_plan({planned.plan, planned.at, planned.handle, target_path, context.settings.build},
                                 session, listener);
  artifacts.push_back({"run_results.json", target_path / "run_results.json"});
  artifacts.push_back({"manifest.json", planned.manifest});
  artifacts.push_back({"compiled", target_path / "compiled"});
  return built;
}

}  // namespace offshoot::flow
