// SPDX-License-Identifier: Apache-2.0
#include "flow/stages.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "app/version.hpp"
#include "change/lexer.hpp"
#include "change/relevance.hpp"
#include "lint/project_settings.hpp"
#include "lint/sqlfluff.hpp"
#include "report/run_json.hpp"

namespace offshoot::flow {

Run begin(const Context& context) {
  Run run;
  run.offshoot_version = app::version;
  run.id = context.run_id;
  run.started = io::rfc3339(context.started);
  run.origin = context.origin;
  run.policy.lint_fails = context.settings.lint.fail_on != "never";
  run.notes = context.notes;
  return run;
}

namespace {

/// The run without secrets: before anything is rendered, for escaping or cutting would hide them from a later look.
void redact(const Context& context, Run& run) {
  if (context.secrets == nullptr || context.secrets->empty()) return;
  const std::string json = report::to_json(run);
  std::string cleaned = context.secrets->clean(json);
  if (cleaned == json) return;
  if (auto redacted = report::from_json(cleaned, "the run")) run = std::move(*redacted);
}

}  // namespace

void end(const Context& context, const io::Stopwatch& watch, Run& run) {
  run.seconds = watch.seconds();
  redact(context, run);
  if (context.stop.stop_requested()) run.interrupted_by = context.interrupted_by ? context.interrupted_by() : SIGINT;
}

Result<change::Repository> open_repository(const Context& context) {
  return change::Repository::open(context.repository_root, context.trust_owner);
}

Result<Change> find_change(const Context& context, const change::Repository& repository) {
  return change::compare(repository, {.base = context.base,
                                      .base_of_pull_request = context.base_of_pull_request,
                                      .expected_head = context.expected_head,
                                      .include_work_tree = context.origin.event.empty(),
                                      .leave_out = {".offshoot"}});
}

change::Relevance weigh(const Context& context, const change::Repository& repository, const Change& change,
                        const ProjectAtHand& at_hand) {
  const auto* output = at_hand.profile.output(at_hand.target);
  const std::string adapter = output != nullptr ? output->type.value.value_or("") : "";
  return change::relevance(change, layout_of(context, at_hand, repository, change.head),
                           change::base_reader(repository, change), change::head_reader(repository, change),
                           {change::dialect_of(adapter), context.settings.build.skip_formatting});
}

bool will_lint(const Context& context, const Change& change) {
  return context.settings.lint.sql != "off" && std::ranges::any_of(change.files, [](const ChangedFile& file) {
           return file.status != FileStatus::deleted && file.path.ends_with(".sql");
         });
}

bool lint_needs_dbt(const ProjectAtHand& at_hand, const Context& context) {
  return lint::templater_of(at_hand.folder, context.repository_root) == "dbt";
}

Outcome<Lint> lint_change(const Context& context, const Change& change, const ProjectAtHand& at_hand) {
  const bool trusted = context.head_trust == HeadTrust::trusted;
  const std::filesystem::path profiles_dir = context.scratch / "lint-profile";
  if (trusted) {
    auto written = dbt::write_profile(at_hand.profile, at_hand.target, dbt::Harmless{}, profiles_dir);
    if (!written) return written.error();
  }
  const std::filesystem::path beside_dbt = at_hand.dbt.bin / "sqlfluff";
  std::error_code error;
  const auto* output = at_hand.profile.output(at_hand.target);
  return lint::lint_sql({.repository_root = context.repository_root,
                         .project_dir = at_hand.folder,
                         .files = change.files,
                         .settings = context.settings.lint,
                         .trust = trusted ? lint::Trust::same_repository : lint::Trust::untrusted,
                         .sqlfluff = std::filesystem::exists(beside_dbt, error) ? beside_dbt : "sqlfluff",
                         .environment = at_hand.child_environment,
                         .profiles_dir = trusted ? profiles_dir : std::filesystem::path(),
                         .target = trusted ? std::optional(at_hand.target) : std::nullopt,
                         .vars = context.settings.dbt.vars,
                         .adapter = output != nullptr ? output->type.value.value_or("") : "",
                         .stop = context.stop});
}

}  // namespace offshoot::flow
