// SPDX-License-Identifier: Apache-2.0
#include "app/app.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <ostream>
#include <ranges>

#include "app/commands.hpp"
#include "app/secrets.hpp"
#include "app/version.hpp"
#include "report/escape.hpp"

namespace offshoot::app {

namespace {

/// The options that every command on a repository has.
void add_repository_options(CLI::App& command, Options& options) {
  command.add_option("-C,--repository", options.repository, "Folder inside the git repository")->option_text("DIR");
  command.add_option("--config", options.config, "Settings file instead of offshoot.yml")->option_text("FILE");
  command.add_option("--project-dir", options.project_dir, "Folder of dbt_project.yml, from the repository's root")
      ->option_text("DIR");
  command.add_option("--profiles-dir", options.profiles_dir, "Folder of profiles.yml")->option_text("DIR");
  command.add_option("-t,--target", options.target, "dbt target that is compared and branched from")
      ->option_text("NAME");
  command.add_option("--production", options.production, "dbt target that is deferred to and deployed")
      ->option_text("NAME");
  command.add_option("--python", options.python, "Python interpreter of the dbt environment")->option_text("FILE");
  command.add_option("--store", options.store, "Where runs and states are kept")->option_text("DIR|S3");
  command.add_option("--set", options.set, "Any setting: section.key=value")->option_text("KEY=VALUE");
}

void add_change_options(CLI::App& command, Options& options) {
  command.add_option("--base", options.base, "Compare with this ref's merge base")->option_text("REF");
  command.add_option("--pull-request", options.pull_request, "Number of the pull request")->option_text("N");
  command.add_option("-s,--select", options.select, "What to build instead of state:modified+")
      ->option_text("SELECTION");
  command.add_option("--exclude", options.exclude, "What to leave out of it")->option_text("SELECTION");
}

void add_json(CLI::App& command, Options& options) {
  command.add_flag("--json", options.json, "Data to standard output, as JSON");
}

using Handler = ExitStatus (*)(const Invocation&, const Options&);

struct Named {
  CLI::App* command;
  Handler handler;
};

std::vector<Named> declare(CLI::App& program, Options& options) {
  std::vector<Named> commands;
  const auto add = [&](const char* name, const char* description, Handler handler) -> CLI::App& {
    CLI::App* command = program.add_subcommand(name, description);
    commands.push_back({command, handler});
    return *command;
  };

  auto& auto_command = add("auto", "In GitHub Actions: do what the event asks for", automatic);
  add_repository_options(auto_command, options);
  auto_command.add_flag("--dry-run", options.dry_run, "Only say what would be done, and why");
  auto_command.add_option("--comment", options.comment_file, "Write the pull-request comment here as well")
      ->option_text("FILE");
  add_json(auto_command, options);

  auto& check_command = add("check", "Plan, build, test and lint what the change needs, in a branch of its own", check);
  add_repository_options(check_command, options);
  add_change_options(check_command, options);
  check_command.add_flag("--full-refresh", options.full_refresh, "Build incremental models from nothing");
  check_command.add_flag("--fail-fast", options.fail_fast, "Stop at the first failure");
  check_command.add_option("--threads", options.threads, "dbt threads instead of the profile's")->option_text("N");
  check_command.add_flag("--no-lint", options.no_lint, "Leave the linters out");
  check_command.add_option("--comment", options.comment_file, "Write the pull-request comment here as well")
      ->option_text("FILE");
  add_json(check_command, options);

  auto& plan_command = add("plan", "Say what check would do, and why; nothing is written to the warehouse", plan);
  add_repository_options(plan_command, options);
  add_change_options(plan_command, options);
  add_json(plan_command, options);

  auto& state_command = add("state", "Compare two manifests: no dbt, no git", state);
  state_command.add_option("--base", options.base_manifest, "manifest.json of the base")
      ->required()
      ->option_text("FILE");
  state_command.add_option("--head", options.head_manifest, "manifest.json of the head")
      ->required()
      ->option_text("FILE");
  state_command.add_option("-s,--select", options.select, "Selection, as dbt ls has it; default state:modified+")
      ->option_text("SELECTION");
  state_command.add_option("--exclude", options.exclude, "What to leave out of it")->option_text("SELECTION");
  state_command.add_option("--indirect-selection", options.indirect_selection, "eager, cautious, buildable or empty")
      ->option_text("MODE");
  state_command.add_flag("--explain", options.explain, "Print why each is selected, as a tree, instead of bare ids");
  state_command.add_flag("--compare-more-unrendered-values", options.compare_more_unrendered_values,
                         "Both were parsed with dbt's flag state_modified_compare_more_unrendered_values");
  state_command.add_flag("--build", options.only_built,
                         "Only what dbt build runs: no sources or ephemeral models, no unit tests without their model");
  add_json(state_command, options);

  auto& lint_command = add("lint", "Lint the changed lines, and nothing else", lint);
  add_repository_options(lint_command, options);
  lint_command.add_option("--base", options.base, "Compare with this ref's merge base")->option_text("REF");
  add_json(lint_command, options);

  auto& clean_command = add("clean", "Drop one branch, or all whose time is over", clean);
  add_repository_options(clean_command, options);
  clean_command.add_option("--pull-request", options.pull_request, "Drop this pull request's branch")->option_text("N");
  clean_command.add_option("--branch", options.branch, "Drop the branch of this name")->option_text("NAME");
  clean_command.add_flag("--expired", options.expired, "Drop every branch whose time is over");
  clean_command.add_flag("--all", options.all, "Drop every branch of this repository");
  clean_command.add_flag("--dry-run", options.dry_run, "Only say what would be dropped");
  add_json(clean_command, options);

  auto& deploy_command =
      add("deploy", "Bring production to the commit that is checked out: build what changed since what is deployed",
          deploy);
  add_repository_options(deploy_command, options);
  deploy_command.add_option("-s,--select", options.select, "What to build instead of what changed, for this once")
      ->option_text("SELECTION");
  deploy_command.add_flag("--full-refresh", options.full_refresh, "Build incremental models from nothing");
  deploy_command.add_option("--threads", options.threads, "dbt threads instead of the profile's")->option_text("N");
  deploy_command.add_flag("--state-only", options.state_only,
                          "Build nothing: record that something else deployed this");
  add_json(deploy_command, options);

  auto& run_command = add(
      "run", "Build by hand: any commit and selection in a target, or what is left of a run that failed", run_by_hand);
  add_repository_options(run_command, options);
  run_command.add_option("--ref", options.ref, "Branch, tag or commit to build; default what is checked out")
      ->option_text("REF");
  run_command.add_option("-s,--select", options.select, "What to build instead of everything")
      ->option_text("SELECTION");
  run_command.add_option("--exclude", options.exclude, "What to leave out of it")->option_text("SELECTION");
  run_command.add_option("--vars", options.vars, "dbt variables, one JSON object")->option_text("JSON");
  run_command.add_flag("--full-refresh", options.full_refresh, "Build incremental models from nothing");
  run_command.add_option("--threads", options.threads, "dbt threads instead of the profile's")->option_text("N");
  run_command.add_option("--from-failure", options.from_failure, "Go on where this run of check or deploy failed")
      ->option_text("RUN");
  add_json(run_command, options);

  auto& rollback_command =
      add("rollback", "Bring production back to an earlier deploy, from what was kept of it", rollback);
  add_repository_options(rollback_command, options);
  rollback_command.add_option("--to", options.to, "The commit that was deployed then")->required()->option_text("SHA");
  add_json(rollback_command, options);
  auto& branches_command = add("branches", "List the branches that live in the warehouse", list_branches);
  add_repository_options(branches_command, options);
  add_json(branches_command, options);
  auto& runs_command = add("runs", "List the kept runs, the newest first", list_runs);
  add_repository_options(runs_command, options);
  runs_command.add_option("-n,--most", options.most, "How many; default 20")
      ->option_text("N")
      ->check(CLI::Range(1, 10000));
  add_json(runs_command, options);
  runs_command.require_subcommand(0, 1);
  CLI::App* show = runs_command.add_subcommand("show", "Show one of them: its summary, or one of its files");
  show->add_option("id", options.run_id, "Its id, how that begins, or last")->required()->option_text("ID");
  show->add_option("--format", options.format, "terminal, markdown, json, sarif or junit; default terminal")
      ->option_text("FORMAT");
  show->add_option("--file", options.file, "Print this file of it instead")->option_text("NAME");
  show->fallthrough();
  commands.push_back({show, show_run});

  auto& report_command = add("report", "Render a kept run.json again", report);
  report_command.add_option("run", options.run_file, "run.json of a run")->required()->option_text("FILE");
  report_command.add_option("--format", options.format, "markdown, terminal, json, sarif or junit; default terminal")
      ->option_text("FORMAT");

  auto& doctor_command = add("doctor", "Check the installation, the profile and what the role may do", doctor);
  add_repository_options(doctor_command, options);
  add_json(doctor_command, options);

  auto& init_command = add("init", "Write offshoot.yml and a workflow for this repository", init);
  init_command.add_option("-C,--repository", options.repository, "Folder inside the git repository")
      ->option_text("DIR");
  init_command
      .add_option("--project-dir", options.project_dir, "Folder of dbt_project.yml, from the repository's root")
      ->option_text("DIR");
  init_command.add_option("--action-sha", options.action_sha, "Commit of the action, that the workflow is pinned to")
      ->required()
      ->option_text("SHA");
  init_command.add_flag("--comments", options.comments, "Also write the workflow for orders by comment, and for forks");
  init_command.add_option("--aws-role", options.aws_role, "AWS role that the workflow logs in to by OIDC")
      ->option_text("ARN");
  init_command.add_option("--aws-region", options.aws_region, "Region of that role's bucket")->option_text("REGION");
  init_command.add_flag("--dry-run", options.dry_run, "Print the files instead of writing them");
  return commands;
}

}  // namespace

bool is_github_job(const io::Environment& environment) {
  const auto found = environment.find("GITHUB_ACTIONS");
  return found != environment.end() && found->second == "true";
}

void say_failure(std::ostream& err, const Failed& failure) {
  std::string text = "offshoot: ";
  if (failure.place && failure.place->line > 0) {
    text += fmt::format("{}:{}:{}: ", failure.place->file, failure.place->line, failure.place->column);
  }
  text += failure.doing.empty() ? failure.why : fmt::format("{}: {}", failure.doing, failure.why);
  if (!failure.hint.empty()) text += fmt::format("\n  {}", failure.hint);
  err << report::without_commands(report::clean(text)) << '\n';
}

ExitStatus run(const Invocation& invocation) {
  CLI::App program{"Every pull request of a dbt project gets its own deployment.", "offshoot"};
  program.set_version_flag("--version", std::string("offshoot ") + version);
  program.require_subcommand(1);
  program.failure_message(CLI::FailureMessage::simple);
  program.footer(
      "Exit status: 0 passed, 1 findings, 2 usage or settings, 3 could not run, 4 locked, 5 refused for safety.");
  Options options;
  const auto commands = declare(program, options);
  try {
    std::vector<std::string> reversed(invocation.arguments.rbegin(), invocation.arguments.rend());
    program.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = program.exit(error, invocation.out, invocation.err);
    return code == 0 ? ExitStatus::passed : ExitStatus::usage;
  }
  add_secrets(invocation.environment, invocation.secrets);
  if (is_github_job(invocation.environment)) mask(invocation.secrets.lines(), invocation.runner);
  // The only catch-all: a bug ends as a message and a status, not as a crash.
  try {
    // The command that was named last: "runs show" is declared after "runs".
    for (const auto& [command, handler] : std::views::reverse(commands)) {
      if (command->parsed()) return handler(invocation, options);
    }
  } catch (const std::exception& error) {
    say_failure(invocation.err, {ExitStatus::could_not_run,
                                 "running",
                                 error.what(),
                                 "this is a bug in offshoot; please report it with the run's run.json",
                                 {}});
  }
  return ExitStatus::could_not_run;
}

}  // namespace offshoot::app
