// SPDX-License-Identifier: Apache-2.0
#include "flow/elementary.hpp"

#include "quality/elementary.hpp"

namespace offshoot::flow {

Outcome<Quality> report_quality(const Context& context, const ProjectAtHand& at_hand, const Planned& planned,
                                const Run& run, std::vector<Artifact>& artifacts) {
  if (context.settings.elementary == "off") return Skipped{"switched off"};
  if (!quality::has_elementary(at_hand.folder)) return Skipped{"the project does not have Elementary's package"};
  if (run.build.finished() == nullptr) return Skipped{"the build did not finish"};
  if (context.stop.stop_requested()) return Skipped{"interrupted"};
  context.progress.stage("Elementary's report");
  const std::filesystem::path folder = context.scratch / "elementary";
  const auto variable = context.environment.find("OFFSHOOT_ELEMENTARY_PACKAGES");
  auto outcome = quality::elementary_report(
      {.edr = at_hand.dbt.bin / "edr",
       .project_dir = at_hand.folder,
       .profiles_dir = planned.at.profiles_dir,
       .target = planned.at.target,
       .environment = at_hand.child_environment,
       .output_folder = folder,
       .packages = variable == context.environment.end() ? std::nullopt
                                                         : std::optional<std::filesystem::path>(variable->second),
       .stop = context.stop});
  if (outcome.finished() != nullptr) artifacts.push_back({quality::page_name, folder / quality::page_name});
  return outcome;
}

}  // namespace offshoot::flow
