// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/init.hpp"
#include "app/surroundings.hpp"
#include "app/version.hpp"
#include "change/repository.hpp"
#include "flow/by_hand.hpp"
#include "flow/check.hpp"
#include "flow/clean.hpp"
#include "flow/deploy.hpp"
#include "flow/doctor.hpp"
#include "flow/publishing.hpp"
#include "flow/rerun.hpp"
#include "flow/rollback.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "report/escape.hpp"
#include "report/markdown.hpp"
#include "report/render.hpp"
#include "report/run_json.hpp"
#include "report/terminal.hpp"
#include "report/verdict.hpp"
#include "state/manifest.hpp"
#include "state/selection.hpp"

namespace offshoot::app {

namespace fs = std::filesystem;

namespace {

bool colourful(const Invocation& invocation, bool terminal) {
  return terminal && !invocation.environment.contains("NO_COLOR");
}

/// The end of a command that made a run: its summary to people, its run.json to scripts.
ExitStatus conclude(const Invocation& invocation, const Options& options, const Run& run) {
  invocation.err << report::terminal_summary(run, colourful(invocation, invocation.err_is_terminal));
  if (!run.kept_in.empty()) invocation.err << "\nThe run is kept in " << run.kept_in << '\n';
  if (options.json) invocation.out << report::to_json(run);
  return report::verdict(run).status;
}

std::vector<std::string> lines_of(const fs::path& root, const std::vector<InitFile>& files, std::ostream& err) {
  std::vector<std::string> existing;
  for (const auto& file : files) {
    std::error_code error;
    if (fs::exists(root / file.path, error)) {
      existing.push_back(file.path);
      err << "  kept    " << file.path << " (it exists already)\n";
    }
  }
  return existing;
}

}  // namespace

ExitStatus fail(const Invocation& invocation, const Failed& failure) {
  say_failure(invocation.err, failure);
  return failure.status;
}

ExitStatus check(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "check");
  if (!surroundings) return fail(invocation, surroundings.error());
  const flow::Context& context = (*surroundings)->context();
  flow::Announcement announcement(context);
  const Run run = flow::check(context, announcement, {.lint = !options.no_lint});
  (*surroundings)->tell_runner(invocation.secrets.clean(announcement.commands()));
  if (!options.comment_file.empty()) {
    auto written = io::write_file(invocation.folder / options.comment_file,
                                  invocation.secrets.clean(report::comment_markdown(run)));
    if (!written) say_failure(invocation.err, written.error());
  }
  return conclude(invocation, options, run);
}

ExitStatus plan(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "plan");
  if (!surroundings) return fail(invocation, surroundings.error());
  const Run run = flow::plan((*surroundings)->context());
  if (const Failed* failure = run.change.failure()) return fail(invocation, *failure);
  if (const Failed* failure = run.plan.failure()) return fail(invocation, *failure);
  if (options.json) {
    invocation.out << report::to_json(run);
  } else if (run.plan.finished() == nullptr) {
    return conclude(invocation, options, run);
  } else {
    invocation.out << report::plan_terminal(*run.plan.finished(), colourful(invocation, invocation.out_is_terminal));
  }
  return ExitStatus::passed;
}

ExitStatus lint(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "lint");
  if (!surroundings) return fail(invocation, surroundings.error());
  const Run run = flow::lint((*surroundings)->context());
  if (const Failed* failure = run.change.failure()) return fail(invocation, *failure);
  if (const Failed* failure = run.lint.failure()) return fail(invocation, *failure);
  return conclude(invocation, options, run);
}

ExitStatus state(const Invocation& invocation, const Options& options) {
  const std::string mode = options.indirect_selection.empty() ? "eager" : options.indirect_selection;
  const auto indirect_selection = state::indirect_selection_of(mode);
  if (!indirect_selection) {
    return fail(invocation, {ExitStatus::usage,
                             "reading --indirect-selection",
                             fmt::format("there is no mode '{}'", mode),
                             "it is eager, cautious, buildable or empty",
                             {}});
  }
  const auto sides =
      state::read_both(invocation.folder / options.base_manifest, invocation.folder / options.head_manifest);
  if (!sides) return fail(invocation, sides.error());
  auto selection = state::select(sides->base, sides->head,
                                 {.select = options.select.empty() ? "state:modified+" : options.select,
                                  .exclude = options.exclude,
                                  .indirect_selection = *indirect_selection,
                                  .compare_more_unrendered_values = options.compare_more_unrendered_values});
  if (!selection) return fail(invocation, selection.error());
  if (options.only_built) {
    auto list = state::build_list(*selection, sides->head, state::LoneUnitTests::go);
    selection->selected = std::move(list.nodes);
    selection->notes.insert(selection->notes.end(), list.notes.begin(), list.notes.end());
  }
  if (options.json) {
    invocation.out << report::selection_json(selection->selected, selection->removed, selection->notes);
  } else if (options.explain) {
    invocation.out << report::selection_terminal(selection->selected, selection->removed, selection->notes,
                                                 colourful(invocation, invocation.out_is_terminal));
  } else {
    for (const auto& node : selection->selected) invocation.out << node.unique_id << '\n';
  }
  return ExitStatus::passed;
}

ExitStatus report(const Invocation& invocation, const Options& options) {
  const fs::path file = invocation.folder / options.run_file;
  const auto bytes = io::read_file(file);
  if (!bytes) return fail(invocation, bytes.error());
  const auto run = report::from_json(*bytes, options.run_file);
  if (!run) return fail(invocation, run.error());
  const auto rendered = report::render(*run, options.format.empty() ? "terminal" : options.format,
                                       colourful(invocation, invocation.out_is_terminal));
  if (!rendered) return fail(invocation, rendered.error());
  invocation.out << *rendered;
  return ExitStatus::passed;
}

ExitStatus clean(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "clean");
  if (!surroundings) return fail(invocation, surroundings.error());
  const auto cleaned = flow::clean((*surroundings)->context(), {.pull_request = options.pull_request,
                                                                .branch = options.branch,
                                                                .expired = options.expired,
                                                                .all = options.all,
                                                                .dry_run = options.dry_run});
  if (!cleaned) return fail(invocation, cleaned.error());
  for (const auto& branch : cleaned->dropped) {
    invocation.err << (options.dry_run ? "would drop " : "dropped ") << report::terminal_line(branch) << '\n';
  }
  flow::Announcement announcement((*surroundings)->context());
  if (!options.dry_run) announcement.branches_dropped(cleaned->dropped);
  for (const auto& note : announcement.notes()) invocation.err << report::terminal_line(note) << '\n';
  for (const auto& kept : cleaned->kept) invocation.err << "kept " << report::terminal_line(kept) << '\n';
  for (const auto& left : cleaned->left) invocation.err << "left alone: " << report::terminal_line(left) << '\n';
  if (cleaned->store && cleaned->store->pruned.objects > 0) {
    invocation.err << fmt::format("{} {} kept runs and what else was too old in the store ({} objects)\n",
                                  options.dry_run ? "would remove" : "removed", cleaned->store->pruned.runs,
                                  cleaned->store->pruned.objects);
  }
  if (cleaned->store && cleaned->store->interrupted_writes > 0) {
    invocation.err << fmt::format("removed {} interrupted writes from the store\n", cleaned->store->interrupted_writes);
  }
  for (const auto& failure : cleaned->failures) say_failure(invocation.err, failure);
  if (cleaned->dropped.empty() && cleaned->failures.empty()) invocation.err << "nothing to drop\n";
  if (options.json) {
    invocation.out << io::to_line(nlohmann::ordered_json{
                          {"dropped", cleaned->dropped}, {"kept", cleaned->kept}, {"left", cleaned->left}})
                   << '\n';
  }
  return cleaned->failures.empty() ? ExitStatus::passed : cleaned->failures.front().status;
}

ExitStatus deploy(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "deploy");
  if (!surroundings) return fail(invocation, surroundings.error());
  flow::Announcement announcement((*surroundings)->context());
  const Run run = flow::deploy((*surroundings)->context(), announcement,
                               {.state_only = options.state_only, .selected_by_hand = !options.select.empty()});
  (*surroundings)->tell_runner(invocation.secrets.clean(announcement.commands()));
  return conclude(invocation, options, run);
}

ExitStatus run_by_hand(const Invocation& invocation, const Options& options) {
  if (!options.from_failure.empty() && !(options.select.empty() && options.exclude.empty())) {
    return fail(invocation, {ExitStatus::usage,
                             "going on with the run " + options.from_failure,
                             "a selection was given as well",
                             "what is built is what is left of that run: leave --select and --exclude out",
                             {}});
  }
  const auto surroundings = Surroundings::make(invocation, options, "run");
  if (!surroundings) return fail(invocation, surroundings.error());
  const flow::Context& context = (*surroundings)->context();
  if (options.from_failure.empty()) {
    flow::Announcement announcement(context);
    const Run run = flow::run_by_hand(context, announcement, {.ref = options.ref});
    (*surroundings)->tell_runner(invocation.secrets.clean(announcement.commands()));
    return conclude(invocation, options, run);
  }
  const auto rerun = flow::from_failure(context, options.from_failure, options.ref);
  (*surroundings)->tell_runner(invocation.secrets.clean(rerun.commands));
  return conclude(invocation, options, rerun.run);
}

ExitStatus rollback(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "rollback");
  if (!surroundings) return fail(invocation, surroundings.error());
  flow::Announcement announcement((*surroundings)->context());
  const Run run = flow::rollback((*surroundings)->context(), announcement, options.to);
  (*surroundings)->tell_runner(invocation.secrets.clean(announcement.commands()));
  return conclude(invocation, options, run);
}

ExitStatus doctor(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "doctor");
  if (!surroundings) return fail(invocation, surroundings.error());
  const auto findings = flow::doctor((*surroundings)->context());
  auto status = ExitStatus::passed;
  auto data = nlohmann::ordered_json::array();
  for (const auto& finding : findings) {
    static const std::map<flow::Health, const char*> words{
        {flow::Health::good, "ok"}, {flow::Health::warning, "warning"}, {flow::Health::bad, "PROBLEM"}};
    data.push_back({{"check", finding.check},
                    {"health", words.at(finding.health)},
                    {"says", finding.says},
                    {"hint", finding.hint}});
    invocation.err << fmt::format("{:<8} {}: {}\n", words.at(finding.health), finding.check,
                                  report::terminal_line(finding.says, 2000));
    if (!finding.hint.empty())
      invocation.err << fmt::format("         {}\n", report::terminal_line(finding.hint, 2000));
    if (finding.health == flow::Health::bad && status == ExitStatus::passed) status = finding.status;
  }
  if (options.json) invocation.out << io::to_line(data) << '\n';
  return status;
}

ExitStatus init(const Invocation& invocation, const Options& options) {
  const auto repository = change::Repository::open(invocation.folder / options.repository, change::TrustOwner::no);
  if (!repository) return fail(invocation, repository.error());
  const fs::path root = repository->root();
  auto request = look_around(root, options.project_dir);
  if (!request) return fail(invocation, request.error());
  request->version = version;
  request->action_sha = options.action_sha;
  request->comments = options.comments;
  request->aws_role = options.aws_role;
  request->aws_region = options.aws_region;
  const auto files = init_files(*request);
  if (!files) return fail(invocation, files.error());

  if (options.dry_run) {
    for (const auto& file : *files) invocation.out << "# " << file.path << "\n" << file.text << "\n";
    return ExitStatus::passed;
  }
  const auto existing = lines_of(root, *files, invocation.err);
  for (const auto& file : *files) {
    if (std::ranges::find(existing, file.path) != existing.end()) continue;
    if (auto written = io::write_file(root / file.path, file.text); !written) return fail(invocation, written.error());
    invocation.err << "  wrote   " << file.path << '\n';
  }
  for (const auto& step : next_steps(*request)) invocation.err << "- " << report::terminal_line(step, 2000) << '\n';
  return ExitStatus::passed;
}

}  // namespace offshoot::app
