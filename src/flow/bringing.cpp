// SPDX-License-Identifier: Apache-2.0
#include "flow/bringing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "flow/building.hpp"
#include "flow/kept.hpp"
#include "flow/promotion.hpp"
#include "flow/stages.hpp"
#include "flow/swap.hpp"
#include "io/files.hpp"
#include "report/verdict.hpp"

namespace offshoot::flow {

namespace {

constexpr const char* not_passed = "the build did not pass: production is recorded as before";

std::set<std::string> with_planned(std::set<std::string> owed, const Plan& plan) {
  for (const auto& node : plan.nodes) owed.insert(node.unique_id);
  return owed;
}

bool passed(const Context& context, Run& run) {
  if (context.stop.stop_requested()) return false;
  run.deployment = Skipped{not_passed};
  return report::verdict(run).status == ExitStatus::passed;
}

Deployed version_of(const Bringing& bringing) {
  return {.sha = bringing.head.sha,
          .tree_sha = bringing.head.tree_sha,
          .run = bringing.context.run_id,
          .at = io::rfc3339(bringing.context.started),
          .mode = bringing.deployment.mode,
          .committed = bringing.committed,
          .history = bringing.history,
          .previous = bringing.deployed.current ? bringing.deployed.current->run : ""};
}

/// Keeps the manifest that goes with a version.
Result<void> keep_manifest_of(const Bringing& bringing, Deployed& version) {
  const auto manifest = io::read_file(bringing.plan.planned.manifest);
  if (!manifest) return tl::unexpected(manifest.error());
  return keep_manifest(bringing.lock, version, *manifest);
}

/// Says what is deployed now. The pointer moves last.
Result<void> record(const Bringing& bringing, const Deployed& version) {
  if (auto pointed = point_to(bringing.lock, version); !pointed) return pointed;
  if (auto noted = note_owed(bringing.lock, bringing.plan.owed); !noted) return noted;
  return version.kept ? forget_pending(bringing.lock) : Result<void>{};
}

/// Drops the relations of removed models where they stand.
Result<void> drop_leaving(Bringing& bringing, Run& run) {
  if (bringing.plan.leaving.empty()) return {};
  nlohmann::json relations = nlohmann::json::array();
  for (const auto& one : bringing.plan.leaving) relations.push_back({{"schema", one.schema}, {"name", one.identifier}});
  const auto answer = bringing.session.macro(warehouse_of(bringing.at_production), "drop_removed_relations",
                                             {{"relations", relations}});
  if (!answer) return tl::unexpected(answer.error());
  const auto name = [](const nlohmann::json& row) { return row.value("schema", "") + "." + row.value("name", ""); };
  for (const auto& row : answer->at("dropped")) bringing.deployment.dropped.push_back(name(row));
  for (const auto& row : answer->at("kept")) {
    run.notes.push_back(
        fmt::format("{} has no model any more and was not dropped: {}", name(row), row.value("why", "")));
  }
  return {};
}

Outcome<Deployment> in_place(Bringing& bringing, Run& run, std::vector<Artifact>& artifacts) {
  const Plan& plan = bringing.plan.planned.plan;
  if (plan.nodes.empty()) {
    run.build = Skipped{bringing.deployment.mode == "state-only" ? "only the state was asked for" : "nothing to build"};
  } else {
    auto noted = note_owed(bringing.lock, with_planned(bringing.deployed.owed, plan));
    if (!noted) return noted.error();
    run.build = timed(run, "build", [&] {
      return build_planned(bringing.context, bringing.plan.planned, bringing.session, artifacts);
    });
  }
  if (!passed(bringing.context, run)) return Skipped{not_passed};
  if (auto dropped = drop_leaving(bringing, run); !dropped) return dropped.error();
  // From here production is at the new commit; what is left is to say so.
  Deployed version = version_of(bringing);
  if (auto kept = keep_manifest_of(bringing, version); !kept) return kept.error();
  if (auto recorded = record(bringing, version); !recorded) return recorded.error();
  return std::move(bringing.deployment);
}

/// Copies what can be promoted to where the next version is built, and notes in the run's plan how each node gets
/// there. Returns what is left to be built.
Planned promote(const Promotable& promotable, Swap& swap, Run& run) {
  auto promotions = promotable.promotions;
  if (!promotable.in_branch.empty()) {
    const auto left = timed(run, "promote", [&] { return swap.copy_from(promotable.branch, promotable.in_branch); });
    for (auto& one : promotions) {
      if (one.from.empty()) continue;
      if (left && !left->contains(one.unique_id)) continue;
      one = {one.unique_id, "", left ? left->at(one.unique_id) : left.error().why};
    }
  }
  Planned rest = swap.planned();
  std::erase_if(rest.plan.nodes, [&](const PlannedNode& node) {
    const auto one = std::ranges::find(promotions, node.unique_id, &Promotion::unique_id);
    return one != promotions.end() && !one->from.empty();
  });
  run.plan.finished()->promotions = std::move(promotions);
  return rest;
}

/// Accounts for what was promoted, so that each node of the plan has its result.
void add_promoted(const Plan& plan, Build& build) {
  for (const auto& one : plan.promotions) {
    if (one.from.empty()) continue;
    build.results.push_back(
        {.unique_id = one.unique_id, .status = NodeStatus::success, .message = "promoted from " + one.from});
  }
  std::ranges::sort(build.results, {}, &NodeResult::unique_id);
}

Outcome<Deployment> by_swap(Bringing& bringing, Run& run, std::vector<Artifact>& artifacts) {
  bringing.context.progress.stage("Making a place beside production");
  auto swap = stage(bringing.context, bringing.at_production, bringing.plan, bringing.head, bringing.session);
  if (!swap) {
    run.build = Skipped{"nothing could be built beside production"};
    return swap.error();
  }
  Promotable promotable;
  if (bringing.deployment.mode == "promote") {
    bringing.context.progress.stage("Looking for what a branch has built already");
    promotable = look_for_promotable(bringing.context, bringing.plan, bringing.deployed, bringing.head, **swap,
                                     bringing.session);
  }
  const Planned rest = promote(promotable, **swap, run);
  if ((*swap)->planned().plan.nodes.empty()) {
    run.build = Skipped{"nothing to build"};
  } else if (rest.plan.nodes.empty()) {
    run.build = Build{};
  } else {
    run.build = timed(run, "build", [&] { return build_planned(bringing.context, rest, bringing.session, artifacts); });
    bringing.session.release();
  }
  if (Build* build = run.build.finished()) add_promoted(*run.plan.finished(), *build);
  const auto discard = [&] {
    if (auto dropped = (*swap)->discard(); !dropped) {
      run.notes.push_back("What was built beside production is still there: " + dropped.error().why);
    }
  };
  if (!passed(bringing.context, run)) {
    discard();
    return Skipped{"the build did not pass: production is as it was"};
  }

  Deployed version = version_of(bringing);
  version.kept = (*swap)->kept();
  auto noted = keep_manifest_of(bringing, version);
  if (noted) noted = note_pending(bringing.lock, version);
  if (noted) noted = bringing.lock.still_ours();
  if (!noted) {
    discard();
    return noted.error();
  }
  bringing.context.progress.stage("Exchanging");
  // From here a run that is killed is finished by the next one: pending.json says what to look for.
  auto exchanged = timed(run, "exchange", [&] { return (*swap)->exchange(); });
  if (!exchanged) {
    if (exchanged.error().status != ExitStatus::interrupted) discard();
    return exchanged.error();
  }
  bringing.deployment.exchanged = std::move(exchanged->relations);
  bringing.deployment.recreated = std::move(exchanged->recreated);
  bringing.deployment.kept_in = version.kept->file.empty() ? version.kept->branch : version.kept->file;
  bringing.deployment.kept_until = version.kept->until;
  for (const auto& one : bringing.plan.leaving) bringing.deployment.dropped.push_back(one.rendered);
  if (auto recorded = record(bringing, version); !recorded) return recorded.error();
  return std::move(bringing.deployment);
}

/// The version that an exchange brought: a rollback brought one that is kept already, and notes which as its previous.
Result<Deployed> version_to_record(const Context& context, const std::string& target, const Deployed& begun) {
  if (begun.mode != "rollback") return begun;
  const auto versions = kept_versions(context, target);
  if (!versions) return tl::unexpected(versions.error());
  const auto found = std::ranges::find(*versions, begun.previous, &Deployed::run);
  if (found != versions->end()) return *found;
  return failed(ExitStatus::could_not_run, "finishing a rollback", "the version it went back to is no longer kept",
                "deploy again");
}

}  // namespace

void bring(Bringing bringing, Run& run, std::vector<Artifact>& artifacts) {
  const bool changes_something = !bringing.plan.planned.plan.nodes.empty() || !bringing.plan.leaving.empty();
  const std::string& mode = bringing.deployment.mode;
  const bool swaps = (mode == "swap" || mode == "promote") && changes_something;
  run.branch = Skipped{swaps ? "production is built beside itself" : "production is built in place"};
  run.deployment = swaps ? by_swap(bringing, run, artifacts) : in_place(bringing, run, artifacts);
  if (run.deployment.finished() == nullptr || run.deployment.finished()->mode == "state-only") return;
  if (!can_be_exchanged(bringing.plan.adapter)) return;  // there are no older versions to sweep
  for (auto& note :
       sweep_beside(bringing.context, bringing.at_production, bringing.plan.production_file, bringing.session)) {
    run.notes.push_back(std::move(note));
  }
}

Result<std::string> finish_what_was_begun(ProductionLock& lock, const ProjectAtHand& at_production,
                                          dbt::Session& session) {
  const auto begun = pending(lock);
  if (!begun) return tl::unexpected(begun.error());
  if (!*begun) return std::string();
  const auto happened = has_happened_for_good(at_production, **begun, lock.context().origin.repository_id, session);
  if (!happened) return tl::unexpected(happened.error());
  if (*happened) {
    const auto version = version_to_record(lock.context(), lock.target(), **begun);
    if (!version) return tl::unexpected(version.error());
    if (auto pointed = point_to(lock, *version); !pointed) return tl::unexpected(pointed.error());
  }
  if (auto forgotten = forget_pending(lock); !forgotten) return tl::unexpected(forgotten.error());
  if (!*happened) return std::string();
  return fmt::format("The run {} had exchanged production for {} and ended before it was recorded; now it is.",
                     (*begun)->run, (*begun)->sha.substr(0, 7));
}

}  // namespace offshoot::flow
