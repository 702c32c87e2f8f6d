// SPDX-License-Identifier: Apache-2.0
#include "flow/deploy.hpp"

#include "flow/base_state.hpp"
#include "flow/building.hpp"
#include "flow/production.hpp"
#include "flow/publishing.hpp"
#include "flow/relations_json.hpp"
#include "flow/stages.hpp"
#include "io/files.hpp"
#include "report/verdict.hpp"
#include "state/manifest.hpp"
#include "state/selection.hpp"

namespace offshoot::flow {

namespace {

/// The commit that is deployed, compared with nothing: production is built from it as it stands.
Result<Change> committed_head(const change::Repository& repository) {
  const auto head = repository.commit("HEAD");
  if (!head) return tl::unexpected(head.error());
  auto dirty = change::compare(repository, {.base = head->sha, .include_work_tree = true, .leave_out = {".offshoot"}});
  if (!dirty) return tl::unexpected(dirty.error());
  if (dirty->uncommitted) {
    return failed(ExitStatus::usage, "deploying " + head->sha.substr(0, 7),
                  "the work tree has changes that are not committed, first " + dirty->files.front().path,
                  "commit or stash them: production is built from a commit");
  }
  return Change{.head = *head, .base = *head, .base_is = "the commit itself"};
}

/// Everything that the selection names, to be built under the production target.
Result<Planned> plan_deploy(const Context& context, const ProjectAtHand& at_hand, dbt::Session& session) {
  if (!at_hand.production) {
    return failed(ExitStatus::usage, "deploying", "no production target is known",
                  "set dbt.production to the target that is production");
  }
  Planned planned;
  auto head = provide_head(context, at_hand, session);
  if (!head) return tl::unexpected(head.error());
  planned.at = std::move(head->at);
  planned.at.target = *at_hand.production;
  planned.handle = "production";
  const auto parsed = session.parse({planned.at, context.scratch / "target", planned.handle});
  if (!parsed) return tl::unexpected(parsed.error());
  planned.manifest = parsed->manifest;

  const auto manifest = state::Manifest::read(parsed->manifest);
  if (!manifest) return tl::unexpected(manifest.error());
  // A deploy selects by what is there, not by what changed, unless it was asked for something else.
  const bool all = context.settings.build.select == BuildSettings{}.select;
  const auto selection =
      state::select(*manifest, *manifest,
                    {.select = all ? "" : context.settings.build.select, .exclude = context.settings.build.exclude});
  if (!selection) return tl::unexpected(selection.error());
  planned.plan.nodes = state::build_list(*selection, *manifest).nodes;
  planned.plan.project_dir = at_hand.in_repository;
  planned.plan.production = {"this deploy", "", ""};
  planned.plan.base_state = "not needed";
  planned.plan.dbt_started = true;
  return planned;
}

/// Keeps what branches need to know of production. The manifest first: a sha without it would promise too much.
Result<void> keep_manifest(const Context& context, const std::string& target, const std::filesystem::path& manifest,
                           const std::string& sha) {
  const auto bytes = io::read_file(manifest);
  if (!bytes) return tl::unexpected(bytes.error());
  if (auto kept = context.store.put(production_manifest_key(context, target), *bytes); !kept) return kept;
  return context.store.put(production_sha_key(context, target), sha);
}

}  // namespace

Run deploy(const Context& context, Announcement& announcement) {
  const io::Stopwatch watch;
  Run run = begin(context);
  std::vector<Artifact> artifacts;
  run.lint = Skipped{"a deploy does not lint"};
  run.quality = Skipped{"a deploy has no branch to report on"};
  run.branch = Skipped{"production is built in place"};

  const auto repository = open_repository(context);
  const auto at_hand = repository ? look_at_project(context) : tl::unexpected(repository.error());
  run.change = at_hand ? committed_head(*repository) : Result<Change>(tl::unexpected(at_hand.error()));
  if (run.change.finished() != nullptr) {
    announcement.deploy_begins(run);
    auto session = start_dbt(context, *at_hand);
    auto planned = timed(run, "plan", [&]() -> Result<Planned> {
      if (!session) return tl::unexpected(session.error());
      context.progress.stage("Parsing for production");
      return plan_deploy(context, *at_hand, **session);
    });
    if (planned) {
      run.plan = planned->plan;
      run.build = timed(run, "build", [&] { return build_planned(context, *planned, **session, artifacts); });
    } else {
      run.plan = planned.error();
      run.build = Skipped{"there is no plan"};
    }
    end(context, watch, run);
    if (planned && report::verdict(run).status == ExitStatus::passed) {
      const auto kept =
          keep_manifest(context, *at_hand->production, planned->manifest, run.change.finished()->head.sha);
      if (!kept) run.notes.push_back("Production's manifest could not be kept: " + kept.error().why);
      // Pull requests compare with this commit next.
      const auto state = base_state(context, *at_hand, *repository, run.change.finished()->head, **session);
      if (!state) run.notes.push_back("The state that branches compare with could not be kept: " + state.error().why);
    }
  }
  end(context, watch, run);
  const auto published = publish(context, run, artifacts);
  if (!published) {
    run.notes.push_back("The run could not be kept: " + published.error().doing + ": " + published.error().why);
  }
  announcement.deploy_ended(run, published.value_or(""));
  run.notes.insert(run.notes.end(), announcement.notes().begin(), announcement.notes().end());
  return run;
}

}  // namespace offshoot::flow
