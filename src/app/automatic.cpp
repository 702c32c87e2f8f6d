// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/commands.hpp"
#include "app/event.hpp"
#include "app/surroundings.hpp"
#include "app/trigger.hpp"
#include "flow/stages.hpp"
#include "github/client.hpp"
#include "github/step.hpp"
#include "io/http.hpp"
#include "io/json.hpp"
#include "io/retry.hpp"
#include "report/escape.hpp"

namespace offshoot::app {

namespace {

bool is_login(std::string_view name) {
  return !name.empty() && name.size() <= 100 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             std::string_view::npos;
}

/// Asks GitHub who may write, and what a pull request's head is now. A person who may gets a sign at once.
Result<Answer> ask(const Invocation& invocation, const Question& question, std::int64_t comment) {
  const std::string doing = "asking GitHub about the comment";
  const github::Step step = github::step_of(invocation.environment);
  if (step.access.token.empty() || !is_login(question.writer)) {
    return failed(ExitStatus::refused, doing, "there is no GITHUB_TOKEN, or no person's name",
                  "give the action its github-token: who writes comments has to be looked up");
  }
  const auto http = io::curl_client(invocation.environment);
  github::Client client(step.access, *http, io::real_pauses());
  const auto unanswered = [&](const github::Refusal& refusal) {
    return failed(ExitStatus::could_not_run, doing, refusal.why, "comment again, or start the check by hand");
  };
  const auto permission = client.get("./collaborators/" + question.writer + "/permission");
  if (!permission) return unanswered(permission.error());
  const auto may = permission->find("permission");
  Answer answer{.writer = may != permission->end() && (*may == "admin" || *may == "write")};
  if (!answer.writer) return answer;
  if (comment > 0) {
    const auto nowhere = []() -> github::Answer<std::optional<github::Json>> { return std::optional<github::Json>{}; };
    // Best effort: the check itself says more soon.
    (void)client.create(fmt::format("./issues/comments/{}/reactions", comment), {{"content", "eyes"}},
                        github::Pace::write, nowhere);
  }
  if (question.pull_request == 0) return answer;
  const auto pull_request = client.get(fmt::format("./pulls/{}", question.pull_request));
  if (!pull_request) return unanswered(pull_request.error());
  answer.pull_request = pull_request_of(*pull_request);
  return answer;
}

void say(const Invocation& invocation, const Options& options, const Decision& decision) {
  for (const auto& reason : decision.reasons) {
    invocation.err << fmt::format("{}: {}\n", name_of(decision.errand), report::terminal_line(reason, 2000));
  }
  if (!options.json || !options.dry_run) return;
  invocation.out << io::to_line(nlohmann::ordered_json{{"errand", name_of(decision.errand)},
                                                       {"pull_request", decision.pull_request},
                                                       {"full_refresh", decision.wishes.full_refresh},
                                                       {"select", decision.wishes.select},
                                                       {"ref", decision.wishes.ref},
                                                       {"target", decision.wishes.target},
                                                       {"from_failure", decision.wishes.from_failure},
                                                       {"to", decision.wishes.to},
                                                       {"asks", decision.first ? decision.first->writer : ""},
                                                       {"head", decision.first ? decision.first->head : ""},
                                                       {"reasons", decision.reasons}})
                 << '\n';
}

/// Whether the change touches events.paths. In doubt it does: then the check says what is wrong.
bool is_about_our_paths(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "check");
  if (!surroundings) return true;
  const flow::Context& context = (*surroundings)->context();
  const auto& patterns = context.settings.events.paths;
  if (patterns.empty()) return true;
  const auto repository = flow::open_repository(context);
  const auto change = repository ? flow::find_change(context, *repository) : tl::unexpected(repository.error());
  if (!change) return true;
  std::vector<std::string> paths;
  for (const auto& file : change->files) {
    paths.push_back(file.path);
    if (!file.old_path.empty()) paths.push_back(file.old_path);
  }
  return touches(patterns, paths);
}

/// The flags that a person would have given; what the job itself was given goes first.
void wish(Options& options, const Wishes& wishes) {
  const auto say = [](std::string& option, const std::string& wished) {
    if (option.empty()) option = wished;
  };
  options.full_refresh = options.full_refresh || wishes.full_refresh;
  say(options.select, wishes.select);
  say(options.ref, wishes.ref);
  say(options.target, wishes.target);
  say(options.vars, wishes.vars);
  say(options.from_failure, wishes.from_failure);
  say(options.to, wishes.to);
}

ExitStatus run_errand(const Invocation& invocation, const Decision& decision, Options options) {
  options.pull_request = decision.pull_request;
  wish(options, decision.wishes);
  switch (decision.errand) {
    case Errand::nothing:
      return ExitStatus::passed;
    case Errand::check:
      return check(invocation, options);
    case Errand::deploy:
      return deploy(invocation, options);
    case Errand::clean_one:
      options.from_default_branch = true;
      return clean(invocation, options);
    case Errand::sweep:
      options.expired = true;
      return clean(invocation, options);
    case Errand::rollback:
      return rollback(invocation, options);
    case Errand::run:
      return run_by_hand(invocation, options);
    case Errand::refuse:
      break;
  }
  return fail(invocation, {ExitStatus::refused, "looking at the event", decision.reasons.back(), "", {}});
}

}  // namespace

ExitStatus automatic(const Invocation& invocation, const Options& given) {
  Options options = given;
  const auto event = event_of_job(invocation.environment);
  if (!event) return fail(invocation, event.error());
  if (!*event) {
    return fail(invocation, {ExitStatus::usage,
                             "looking for the event",
                             "this is no job of GitHub Actions",
                             "elsewhere, call check, deploy or clean by name",
                             {}});
  }
  // A comment's order does not depend on settings, and the checkout is not yet known to be what it asks for.
  const bool by_comment = (*event)->name == "issue_comment";
  const auto settings =
      by_comment ? Result<Settings>(Settings{}) : Surroundings::deciding_settings(invocation, options);
  if (!settings) return fail(invocation, settings.error());
  Decision decision = decide(**event, *settings);
  if (decision.first && !options.dry_run) {
    const auto answer = ask(invocation, *decision.first, (*event)->comment ? (*event)->comment->id : 0);
    if (!answer) return fail(invocation, answer.error());
    decision = settle(std::move(decision), *answer);
    options.approved = answer->pull_request;
  }
  if (decision.errand == Errand::check && !settings->events.paths.empty() && !is_about_our_paths(invocation, options)) {
    decision = {.errand = Errand::nothing, .reasons = {"no changed file is among events.paths"}};
  }
  say(invocation, options, decision);
  return options.dry_run ? ExitStatus::passed : run_errand(invocation, decision, std::move(options));
}

}  // namespace offshoot::app
