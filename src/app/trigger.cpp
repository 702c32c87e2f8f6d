// SPDX-License-Identifier: Apache-2.0
#include "app/trigger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "state/glob.hpp"

namespace offshoot::app {

namespace {

using namespace std::string_view_literals;

bool is_about_pull_request(const Event& event) {
  return event.name == "pull_request" || event.name == "pull_request_target";
}

Decision nothing(std::string because) { return {.errand = Errand::nothing, .reasons = {std::move(because)}}; }

Decision refuse(std::string because) { return {.errand = Errand::refuse, .reasons = {std::move(because)}}; }

bool has_label(const PullRequest& pull_request, const std::string& label) {
  return std::ranges::find(pull_request.labels, label) != pull_request.labels.end();
}

/// Why a pull request is left alone by the settings; empty = it is not.
std::string left_alone(const PullRequest& pull_request, const EventSettings& settings) {
  if (pull_request.draft && settings.drafts == "skip") {
    return "the pull request is a draft, and events.drafts says to leave drafts alone";
  }
  if (!settings.skip_label.empty() && has_label(pull_request, settings.skip_label)) {
    return fmt::format("the pull request has the label '{}' (events.skip_label)", settings.skip_label);
  }
  if (!settings.label.empty() && !has_label(pull_request, settings.label)) {
    return fmt::format("the pull request does not have the label '{}' (events.label)", settings.label);
  }
  return {};
}

// --- pull requests

Decision of_pull_request(const Event& event, const Settings& settings) {
  const PullRequest& pull_request = *event.pull_request;
  if (event.action == "closed" && pull_request.merged && settings.deploy.mode == "promote") {
    return nothing("the pull request was merged: its branch stays for the deploy to promote, until its time is over");
  }
  if (event.action == "closed") {
    return {.errand = Errand::clean_one,
            .pull_request = pull_request.number,
            .reasons = {"the pull request was closed: its branch is dropped"}};
  }
  constexpr std::array checked{"opened"sv, "synchronize"sv, "reopened"sv, "ready_for_review"sv, "labeled"sv};
  if (std::ranges::find(checked, event.action) == checked.end()) {
    return nothing(fmt::format("nothing is to be built for the action '{}' of a pull request", event.action));
  }
  if (event.action == "labeled" && (settings.events.label.empty() || event.label != settings.events.label)) {
    return nothing("the label that was added is not events.label");
  }
  if (auto because = left_alone(pull_request, settings.events); !because.empty()) return nothing(std::move(because));
  Decision decision{.errand = Errand::check,
                    .pull_request = pull_request.number,
                    .reasons = {fmt::format("the pull request has the action '{}'", event.action)}};
  if (is_from_fork(pull_request)) decision.reasons.emplace_back("its head comes from another repository");
  return decision;
}

// --- pushes and dispatches

Decision of_push(const Event& event) {
  if (event.deleted) return nothing("the push deleted a ref");
  if (event.default_branch.empty() || event.ref != "refs/heads/" + event.default_branch) {
    return nothing("the push is not to the default branch");
  }
  return {.errand = Errand::deploy, .reasons = {"the default branch was pushed to"}};
}

Wishes wishes_of(const Event& event) {
  const auto input = [&](const char* name) {
    const auto found = event.inputs.find(name);
    return found == event.inputs.end() ? std::string() : found->second;
  };
  return {.full_refresh = input("full_refresh") == "true" || input("full-refresh") == "true",
          .select = input("select"),
          .ref = input("ref"),
          .target = input("target"),
          .vars = input("vars"),
          .from_failure = input("from_failure").empty() ? input("from-failure") : input("from_failure"),
          .to = input("to")};
}

/// What of the wishes this errand cannot fulfil: silence would let a person believe that it did.
std::string unheard(Errand errand, const Wishes& wishes) {
  const bool runs = errand == Errand::run;
  const bool builds = runs || errand == Errand::deploy;
  std::string names;
  const auto look = [&](bool heard, bool given, std::string_view name) {
    if (given && !heard) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
  };
  look(builds, wishes.full_refresh, "full_refresh");
  look(builds, !wishes.select.empty(), "select");
  look(runs, !wishes.ref.empty(), "ref");
  look(runs, !wishes.target.empty(), "target");
  look(runs, !wishes.vars.empty(), "vars");
  look(runs, !wishes.from_failure.empty(), "from_failure");
  look(errand == Errand::rollback, !wishes.to.empty(), "to");
  return names;
}

Decision of_dispatch(const Event& event) {
  const bool on_default = !event.default_branch.empty() && event.ref == "refs/heads/" + event.default_branch;
  Decision decision{.wishes = wishes_of(event), .reasons = {"it was started by hand"}};
  const auto given = event.inputs.find("command");
  std::string command = given == event.inputs.end() ? "" : given->second;
  if (command.empty()) command = on_default && decision.wishes.from_failure.empty() ? "deploy" : "run";
  if (command == "deploy" || command == "rollback") {
    if (!on_default) return refuse(fmt::format("a {} was asked for on a ref that is not the default branch", command));
    decision.errand = command == "deploy" ? Errand::deploy : Errand::rollback;
    if (command == "rollback" && decision.wishes.to.empty()) {
      return refuse("a rollback needs the input 'to': the commit that was deployed then");
    }
  } else if (command == "clean") {
    decision.errand = Errand::sweep;
  } else if (command == "run") {
    decision.errand = Errand::run;
  } else {
    return refuse("the input 'command' of the dispatch is none of deploy, run, rollback and clean");
  }
  if (const auto names = unheard(decision.errand, decision.wishes); !names.empty()) {
    return refuse(fmt::format("the command '{}' does nothing with {}", command, names));
  }
  return decision;
}

// --- comments

/// The words of a comment's first line; a command stands alone on it.
std::vector<std::string_view> first_words(std::string_view body) {
  auto line = body.substr(0, body.find_first_of("\r\n"));
  std::vector<std::string_view> words;
  while (words.size() < 5) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

bool is_sha(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Decision of_comment(const Event& event) {
  const Comment& comment = *event.comment;
  const auto words = first_words(comment.body);
  const bool ours = !words.empty() && (words.front() == "/offshoot" || words.front() == "/ok-to-test");
  if (!ours) return nothing("the comment gives no order to offshoot");
  if (event.action != "created") return nothing("only a new comment gives orders");
  if (!comment.on_pull_request) return nothing("the comment is not on a pull request");
  if (comment.by_bot || comment.author.empty()) return nothing("the comment is not a person's");
  Decision decision{.pull_request = comment.number,
                    .first = Question{.writer = comment.author, .pull_request = comment.number},
                    .reasons = {"a comment asks for it"}};
  const auto is = [&](std::initializer_list<std::string_view> order) { return std::ranges::equal(words, order); };
  if (words.front() == "/ok-to-test") {
    if (words.size() != 2 || !is_sha(words[1])) {
      return refuse("/ok-to-test must name the whole commit that was looked at: 40 hex digits");
    }
    decision.errand = Errand::check;
    decision.first->head = words[1];
  } else if (is({"/offshoot", "check"})) {
    decision.errand = Errand::check;
  } else if (is({"/offshoot", "check", "--full-refresh"})) {
    decision.errand = Errand::check;
    decision.wishes.full_refresh = true;
  } else if (is({"/offshoot", "clean"})) {
    decision.errand = Errand::clean_one;
    decision.first->pull_request = 0;  // a branch can be dropped when its head is long gone
  } else {
    return nothing("the comment's order is none of: /offshoot check, /offshoot check --full-refresh, /offshoot clean");
  }
  return decision;
}

}  // namespace

Decision decide(const Event& event, const Settings& settings) {
  if (is_about_pull_request(event)) return of_pull_request(event, settings);
  if (event.name == "merge_group") {
    if (event.action != "checks_requested") return nothing("the merge group asks for no checks");
    return {.errand = Errand::check, .reasons = {"the merge queue asks for a check"}};
  }
  if (event.name == "push") return of_push(event);
  if (event.name == "workflow_dispatch") return of_dispatch(event);
  if (event.name == "schedule") return {.errand = Errand::sweep, .reasons = {"it is time to sweep expired branches"}};
  if (event.name == "issue_comment") return of_comment(event);
  return refuse(fmt::format("offshoot knows nothing to do for the event '{}'", event.name));
}

std::string_view name_of(Errand errand) {
  switch (errand) {
    case Errand::nothing:
      return "nothing";
    case Errand::check:
      return "check";
    case Errand::deploy:
      return "deploy";
    case Errand::rollback:
      return "rollback";
    case Errand::run:
      return "run";
    case Errand::clean_one:
      return "clean";
    case Errand::sweep:
      return "clean --expired";
    case Errand::refuse:
      return "refuse";
  }
  return "?";
}

Decision settle(Decision decision, const Answer& answer) {
  if (!decision.first) return decision;
  const Question question = *decision.first;
  if (!question.writer.empty() && !answer.writer) {
    return nothing("only people with write access give orders by comment");
  }
  if (question.pull_request == 0) return decision;
  if (!answer.pull_request) return refuse("GitHub does not say what the pull request's head is");
  const PullRequest& pull_request = *answer.pull_request;
  if (!pull_request.open) return nothing("the pull request is not open");
  if (!question.head.empty() && question.head != pull_request.head_sha) {
    return refuse("the commit that was approved is not the pull request's head any more: look at the new one");
  }
  if (question.head.empty() && is_from_fork(pull_request)) {
    return refuse(
        "the head comes from another repository: a person with write access approves it by '/ok-to-test "
        "<the head's sha>'");
  }
  decision.first.reset();
  return decision;
}

Result<flow::HeadTrust> trust_in(const Event& event, const Settings& settings,
                                 const std::optional<PullRequest>& approved) {
  using flow::HeadTrust;
  if (settings.mode == "diff-only") return HeadTrust::data_only;
  const auto refused = [&](const char* why) {
    return failed(ExitStatus::refused, fmt::format("looking at the event {}", event.name), why,
                  "set mode: diff-only, or have a person with write access comment '/ok-to-test <the head's sha>'; "
                  "docs/github.md has both workflows");
  };
  const bool from_fork = event.pull_request && is_from_fork(*event.pull_request);
  if (event.name == "pull_request" && from_fork) return HeadTrust::sandboxed;
  // pull_request_target, and any other event that brings a pull request with it.
  if (from_fork) return refused("its head comes from another repository, and this job may hold secrets");
  if (event.name == "workflow_run" &&
      (!event.run_head_repository_id || event.run_head_repository_id != event.repository_id)) {
    return refused("the run's head comes from another repository, and this job holds secrets");
  }
  if (event.name == "issue_comment" && !approved) {
    return refused("a comment says nothing of where the head comes from");
  }
  return HeadTrust::trusted;
}

bool touches(const std::vector<std::string>& patterns, const std::vector<std::string>& paths) {
  if (patterns.empty()) return true;
  std::vector<state::PathPattern> wanted;
  wanted.reserve(patterns.size());
  // A person who writes models/** means the files below.
  for (const auto& pattern : patterns) wanted.emplace_back(pattern.ends_with("**") ? pattern + "/*" : pattern);
  return std::ranges::any_of(paths, [&](const std::string& path) {
    return std::ranges::any_of(wanted, [&](const auto& pattern) { return pattern.matches(path, false); });
  });
}

}  // namespace offshoot::app
