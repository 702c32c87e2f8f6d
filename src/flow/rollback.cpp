// SPDX-License-Identifier: Apache-2.0
#include "flow/rollback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "branch/folders.hpp"
#include "branch/lifecycle.hpp"
#include "branch/mark.hpp"
#include "flow/bringing.hpp"
#include "flow/deploy_plan.hpp"
#include "flow/ending.hpp"
#include "flow/kept.hpp"
#include "flow/memory.hpp"
#include "flow/stages.hpp"
#include "flow/swap.hpp"
#include "io/locked_file.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* doing = "rolling production back";

/// A version to go back to, and those that are undone for it, the newest first.
struct Way {
  Deployed to;
  Deployed from;
  std::vector<Deployed> undone{};
};

std::string names_of(const std::vector<Deployed>& versions) {
  std::string names;
  for (const auto& version : versions) {
    names += fmt::format("{}{} of {}", names.empty() ? "" : ", ", version.sha.substr(0, 7), version.at);
  }
  return names.empty() ? "none is kept" : "kept are " + names;
}

/// Follows the versions back from the one that is deployed.
Result<Way> find_way(const Context& context, const std::string& target, const std::string& to) {
  auto deployed = what_is_deployed(context, target);
  if (!deployed) return tl::unexpected(deployed.error());
  if (!deployed->current) {
    return failed(
        ExitStatus::usage, doing, "nothing is known to be deployed",
        deployed->why_not.empty() ? "see whether store names the one that deploys are kept in" : deployed->why_not);
  }
  const auto versions = kept_versions(context, target);
  if (!versions) return tl::unexpected(versions.error());
  Way way{.to = *deployed->current, .from = *deployed->current};
  std::set<std::string> seen;
  while (to.size() < 7 || !way.to.sha.starts_with(to)) {
    const auto before = std::ranges::find(*versions, way.to.previous, &Deployed::run);
    if (before == versions->end() || !seen.insert(way.to.run).second) {
      return failed(ExitStatus::usage, doing, fmt::format("no version of '{}' is kept", to), names_of(*versions));
    }
    way.undone.push_back(way.to);
    way.to = *before;
  }
  for (const auto& version : way.undone) {
    if (version.mode == "swap" || version.mode == "promote") continue;
    return failed(ExitStatus::usage, doing,
                  fmt::format("{} was deployed {}, which keeps nothing of the version before", version.sha.substr(0, 7),
                              version.mode == "in-place" ? "in place" : "by something else"),
                  "revert the commit and deploy; with deploy.mode: swap or promote a rollback is possible");
  }
  std::erase_if(way.undone, [](const Deployed& version) { return !version.kept; });
  return way;
}

Failed no_longer_kept(const Deployed& version) {
  return {ExitStatus::usage,
          doing,
          fmt::format("what {} replaced is no longer there (it was kept until {})", version.sha.substr(0, 7),
                      version.kept->until),
          "revert the commits and deploy; deploy.keep says how long versions are kept",
          {}};
}

/// PostgreSQL: each relation comes from the oldest version that is undone and replaced it.
Result<Exchanged> exchange_schemas(const Context& context, const ProjectAtHand& at_production, const Way& way,
                                   Branch place, dbt::Session& session) {
  const dbt::WarehouseAt at = warehouse_of(at_production);
  std::map<std::pair<std::string, std::string>, std::string> sources;
  std::set<std::string> old_places;
  std::vector<dbt::SchemaName> schemas;
  for (const auto& version : way.undone) {
    const auto there = has_happened(at_production, version, session);
    if (!there) return tl::unexpected(there.error());
    if (!*there) return tl::unexpected(no_longer_kept(version));
    for (const auto& one : version.kept->relations) {
      sources[{one.schema, one.identifier}] = one.kept_in;
      if (old_places.insert(one.kept_in).second) schemas.push_back({"", one.kept_in});
    }
  }
  const auto existing = session.list_relations(at, schemas);
  if (!existing) return tl::unexpected(existing.error());
  std::set<std::pair<std::string, std::string>> there;
  for (const auto& one : *existing) there.insert({one.schema, one.identifier});

  std::map<std::string, std::string> kept;
  json relations = json::array();
  for (const auto& [relation, source] : sources) {
    const auto& [schema, name] = relation;
    kept.try_emplace(schema, schema_beside(place.name, "was_", schema));
    const bool was = there.contains({source, name});
    relations.push_back({{"schema", schema},
                         {"name", name},
                         {"from", was ? json(source) : json()},
                         {"to", kept.at(schema)},
                         {"fresh", false}});
  }
  place.schemas.clear();
  for (const auto& [schema, beside] : kept) place.schemas.push_back(beside);
  if (auto created = branch::create(place, at, session); !created) return tl::unexpected(created.error());
  OwnerMark mark = place.mark;
  mark.head = way.to.sha;
  return exchange_relations(context, at,
                            {{"relations", std::move(relations)},
                             {"views", "move"},
                             {"mark", branch::to_json(mark)},
                             {"kept", place.schemas},
                             {"staging", std::vector<std::string>(old_places.begin(), old_places.end())}},
                            session);
}

/// DuckDB: the file as the oldest version that is undone found it.
Result<Exchanged> exchange_file(const Context& context, const Way& way, const Branch& place) {
  const Kept& kept = *way.undone.back().kept;
  std::error_code error;
  if (!fs::exists(kept.file, error)) return tl::unexpected(no_longer_kept(way.undone.back()));
  const fs::path production = fs::path(kept.file).parent_path().parent_path() / fs::path(kept.staged).filename();
  auto locked = lock_file(context, production);
  if (!locked) return tl::unexpected(locked.error());
  const fs::path folder = production.parent_path() / place.name;
  if (auto made = branch::create_folder(folder, place.mark); !made) return tl::unexpected(made.error());
  auto exchanged = exchange_files(kept.file, production, folder / fs::path(kept.file).filename());
  if (!exchanged) return tl::unexpected(exchanged.error());
  return Exchanged{{production.string()}, {}};
}

Result<Deployment> go_back(ProductionLock& lock, const ProjectAtHand& at_production, const Way& way,
                           dbt::Session& session) {
  const Context& context = lock.context();
  const std::string& target = at_production.target;
  Deployment deployment{.target = target, .mode = "rollback", .before = way.from.sha};
  if (!way.undone.empty()) {
    auto place = place_beside(context, target);
    if (!place) return tl::unexpected(place.error());
    // A run that is killed from here on is finished by the next one.
    Deployed noted = way.to;
    noted.mode = "rollback";
    noted.previous = way.to.run;
    noted.kept = Kept{place->name, place->mark.expires, way.undone.back().kept->file, way.undone.back().kept->file, {}};
    if (auto written = note_pending(lock, noted); !written) return tl::unexpected(written.error());
    if (auto ours = lock.still_ours(); !ours) return tl::unexpected(ours.error());
    const bool is_file = !way.undone.back().kept->file.empty();
    auto exchanged =
        is_file ? exchange_file(context, way, *place) : exchange_schemas(context, at_production, way, *place, session);
    if (!exchanged) {
      if (auto forgotten = forget_pending(lock); !forgotten) return tl::unexpected(forgotten.error());
      return tl::unexpected(exchanged.error());
    }
    deployment.exchanged = std::move(exchanged->relations);
    deployment.recreated = std::move(exchanged->recreated);
  }
  if (auto pointed = point_to(lock, way.to); !pointed) return tl::unexpected(pointed.error());
  // What was undone cannot be gone back to any more.
  for (const auto& version : way.undone) {
    if (auto forgotten = forget_version(lock, version.run); !forgotten) {
      return tl::unexpected(forgotten.error());
    }
  }
  if (auto forgotten = forget_pending(lock); !forgotten) return tl::unexpected(forgotten.error());
  return deployment;
}

/// A commit that may not be in this clone.
Commit commit_of(const change::Repository& repository, const Deployed& version) {
  const auto commit = repository.commit(version.sha);
  return commit ? *commit : Commit{version.sha, version.tree_sha, ""};
}

void roll_back(const Context& context, const std::string& to, Announcement& announcement, Run& run) {
  if (auto remembered = needs_memory(context, doing); !remembered) {
    run.deployment = remembered.error();
    return;
  }
  const auto repository = open_repository(context);
  auto at_hand = repository ? look_at_project(context) : tl::unexpected(repository.error());
  if (at_hand && !at_hand->production) {
    at_hand = failed(ExitStatus::usage, doing, "no production target is known",
                     "set dbt.production to the target that is production");
  }
  auto session = at_hand ? start_dbt(context, *at_hand) : tl::unexpected(at_hand.error());
  if (!session) {
    run.deployment = session.error();
    return;
  }
  at_hand->target = *at_hand->production;
  const auto lock = ProductionLock::take(context, at_hand->target, "rollback to " + to, **session);
  const auto claimed = lock ? claim(**lock) : tl::unexpected(lock.error());
  const auto finished = claimed ? finish_what_was_begun(**lock, *at_hand, **session) : tl::unexpected(claimed.error());
  const auto way = finished ? find_way(context, at_hand->target, to) : tl::unexpected(finished.error());
  if (!way) {
    run.deployment = way.error();
    return;
  }
  run.change = Change{.head = commit_of(*repository, way->to),
                      .base = commit_of(*repository, way->from),
                      .base_is = "what was deployed"};
  if (auto refused = why_not_in_production(context, *repository, run.change.finished()->head, doing)) {
    run.deployment = std::move(*refused);
    return;
  }
  announcement.deploy_begins(run);
  context.progress.stage("Exchanging");
  run.deployment = timed(run, "deploy", [&] { return go_back(**lock, *at_hand, *way, **session); });
  if (const auto lost = (*lock)->lost()) run.deployment = *lost;
}

}  // namespace

Run rollback(const Context& context, Announcement& announcement, const std::string& to) {
  const io::Stopwatch watch;
  Run run = begin(context);
  const Skipped nothing{"a rollback builds nothing"};
  run.change = nothing;
  run.plan = nothing;
  run.branch = nothing;
  run.build = nothing;
  run.lint = nothing;
  run.quality = nothing;
  roll_back(context, to, announcement, run);
  conclude(context, watch, {}, announcement, &Announcement::deploy_ended, run);
  return run;
}

}  // namespace offshoot::flow
