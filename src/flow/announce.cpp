// SPDX-License-Identifier: Apache-2.0
#include "flow/announce.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "flow/background.hpp"
#include "github/checks.hpp"
#include "github/comment.hpp"
#include "github/deployments.hpp"
#include "github/step.hpp"
#include "io/files.hpp"
#include "report/annotations.hpp"
#include "report/checks.hpp"
#include "report/escape.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"
#include "report/verdict.hpp"

namespace offshoot::flow {

namespace {

using namespace std::chrono_literals;

/// An interrupted run has so long to say so: the runner kills it soon.
constexpr std::chrono::milliseconds last_words = 1800ms;

/// One comment for each dbt project of a repository.
std::string marker_of(const Context& context) {
  const std::string base = report::CommentOptions{}.marker;
  const std::string& project = context.settings.dbt.project;
  return project == "." ? base : base + ":" + io::sha256_hex(project).substr(0, 8);
}

std::string_view word_of(report::Conclusion conclusion) {
  switch (conclusion) {
    case report::Conclusion::passed:
      return "passed";
    case report::Conclusion::nothing_to_build:
      return "nothing-to-build";
    case report::Conclusion::findings:
      return "findings";
    case report::Conclusion::could_not_run:
      return "could-not-run";
    case report::Conclusion::locked:
      return "locked";
    case report::Conclusion::usage:
      return "usage";
    case report::Conclusion::refused:
      return "refused";
    case report::Conclusion::interrupted:
      return "interrupted";
  }
  return "could-not-run";
}

/// A client that says no secret (requirement C2): what it sends is redacted.
class Discreet final : public io::HttpClient {
 public:
  Discreet(std::unique_ptr<io::HttpClient> client, const io::Redaction& secrets)
      : client_(std::move(client)), secrets_(secrets) {}
  tl::expected<io::HttpResponse, io::HttpFailure> send(const io::HttpRequest& request) override {
    io::HttpRequest discreet = request;
    discreet.body = secrets_.clean(request.body);
    return client_->send(discreet);
  }

 private:
  std::unique_ptr<io::HttpClient> client_;
  const io::Redaction& secrets_;
};

bool is_good(const Run& run) { return report::verdict(run).status == ExitStatus::passed; }

}  // namespace

Outside real_outside(const Context& context) {
  const auto make = [&context](std::stop_token stop) -> std::unique_ptr<io::HttpClient> {
    auto client = io::curl_client(context.environment, std::move(stop));
    if (context.secrets == nullptr) return client;
    return std::make_unique<Discreet>(std::move(client), *context.secrets);
  };
  return {make, io::real_pauses()};
}

/// GitHub, with what has been said there. Belongs to the background's thread until that has finished.
struct Announcement::OnGitHub {
  OnGitHub(const Context& context, Outside from_outside)
      : step(github::step_of(context.environment)),
        outside(std::move(from_outside)),
        http(outside.http(context.stop)),
        client(step.access, *http, outside.pauses, {.stop = context.stop}),
        checks(client, step.head_sha, step.run_id, step.run_url) {}

  [[nodiscard]] bool can_ask() const { return !step.access.token.empty() && !step.access.repository.empty(); }

  void complete_later(CheckReport report) {
    if (!told.insert(report.name).second) return;
    background.add([this, report = std::move(report)] { remember(checks.complete(report)); });
  }

  void remember(const github::Answer<void>& answer) {
    if (!answer && !refusal) refusal = answer.error();
  }

  /// The last words of a run that was told to stop are said by a client that was not.
  void outlive() {
    last_http = outside.http({});
    client.carry_on(*last_http, {.tries = 1, .until = outside.pauses.now() + last_words});
  }

  github::Step step;
  Outside outside;
  std::unique_ptr<io::HttpClient> http;
  std::unique_ptr<io::HttpClient> last_http{};
  github::Client client;
  github::Checks checks;
  bool with_checks = false;
  std::set<std::string> told{};              ///< names of the checks whose end was told
  std::optional<github::Refusal> refusal{};  ///< the first of a check
  std::int64_t deployment = 0;               ///< 0 = none was begun
  Background background{};                   ///< last: it ends before what it works on
};

Announcement::Announcement(const Context& context, Outside outside) : context_(context) {
  if (!github::is_step(context.environment)) return;
  on_github_ = std::make_unique<OnGitHub>(context, std::move(outside));
  OnGitHub& there = *on_github_;
  there.with_checks = context.settings.github.checks != "off" && there.can_ask() && !there.step.head_sha.empty() &&
                      context.origin.command == "check";
  if (!there.with_checks) return;
  there.background.add([&there] {
    for (const char* name : {"plan", "build", "lint", "quality"}) {
      const bool first = std::string_view(name) == "plan";
      there.remember(there.checks.queue(
          {.name = name, .state = first ? CheckReport::State::running : CheckReport::State::waiting}));
    }
  });
}

Announcement::~Announcement() = default;

void Announcement::note(std::string what, const std::string& why) {
  notes_.push_back(fmt::format("{}{}", std::move(what), why.empty() ? "." : ": " + why + "."));
}

void Announcement::stages_ended(const Run& run) {
  if (!on_github_ || !on_github_->with_checks) return;
  for (CheckReport& report : report::check_reports(run, report::Reach::under_way)) {
    if (report.state != CheckReport::State::waiting) on_github_->complete_later(std::move(report));
  }
}

void Announcement::announce_checks(const Run& run) {
  OnGitHub& there = *on_github_;
  const std::vector<Annotation> all = report::annotations(run);
  if (there.with_checks) {
    for (const CheckReport& report : report::check_reports(run, report::Reach::ended)) {
      if (there.told.insert(report.name).second) there.remember(there.checks.complete(report));
    }
    if (!there.refusal) return;
    if (there.checks.forbidden()) {
      note("This token may not write check runs (checks: write), so annotations stand in the log instead",
           there.refusal->why);
    } else {
      note("Not every check run could be written", there.refusal->why);
    }
  }
  commands_ = github::annotation_commands(all);
}

void Announcement::announce_comment(const Run& run, const std::string& kept_at) {
  OnGitHub& there = *on_github_;
  const std::string& when = context_.settings.comment_when;
  if (run.origin.pull_request == 0 || when == "never") return;
  const report::CommentOptions options{.marker = marker_of(context_), .report_url = kept_at};
  const auto identity = github::who_we_are(there.client, there.step.access.token, there.checks.app_id());
  if (!identity) return note("The comment could not be written", identity.error().why);
  const report::CommentMark ours = report::mark_of(run, options);
  const auto standing = [&](const std::string& body) {
    const auto theirs = report::read_mark(body, options.marker);
    if (!theirs) return github::Standing::outdated;
    if (report::is_later_run(theirs->run, ours.run)) return github::Standing::newer;
    return theirs->digest == ours.digest ? github::Standing::same : github::Standing::outdated;
  };
  const auto kept = github::keep_comment(there.client, *identity,
                                         {.pull_request = run.origin.pull_request,
                                          .marker = report::hidden_line_begin(options.marker),
                                          .body = report::comment_markdown(run, options),
                                          .only_if_there = when == "on-findings" && is_good(run),
                                          .standing = standing});
  if (!kept) {
    const bool forbidden = kept.error().kind == github::Refusal::Kind::forbidden;
    return note(forbidden ? "This token may not comment on the pull request (pull-requests: write)"
                          : "The comment could not be written",
                kept.error().why);
  }
  comment_url_ = kept->url;
  if (kept->what == github::CommentResult::What::newer) note("The comment tells of a newer run and was left alone", "");
}

void Announcement::announce_branch(const Run& run) {
  OnGitHub& there = *on_github_;
  const Branch* branch = run.branch.finished();
  if (context_.settings.github.deployments == "off" || branch == nullptr || there.step.head_sha.empty()) return;
  const auto begun = github::begin_deployment(there.client, {.sha = there.step.head_sha,
                                                             .environment = branch->name,
                                                             .description = "A branch of the warehouse",
                                                             .run_id = there.step.run_id});
  // A pull request's token mostly may not: that is no news.
  if (!begun && begun.error().kind == github::Refusal::Kind::forbidden) return;
  const auto state = is_good(run) ? github::DeploymentState::success : github::DeploymentState::failure;
  const auto set = begun ? github::set_deployment_state(there.client, *begun, state, there.step.run_url,
                                                        report::verdict(run).headline)
                         : github::Answer<void>(tl::unexpected(begun.error()));
  if (!set) note("The branch's deployment could not be recorded", set.error().why);
}

void Announcement::write_step_files(const Run& run, const std::string& kept_at) {
  const github::Step& step = on_github_->step;
  Run told = run;
  told.notes.insert(told.notes.end(), notes_.begin(), notes_.end());
  if (const std::size_t room = github::summary_room(step); !step.summary.empty() && room > 10'000) {
    const auto added =
        github::add_to_summary(step, report::comment_markdown(told, {.limit = room, .report_url = kept_at}));
    if (!added) note("The job's summary could not be written", added.error().why);
  }
  const std::filesystem::path folder = step.temporary / "offshoot";
  const std::filesystem::path run_json = folder / "run.json";
  const std::filesystem::path plan_json = folder / "plan.json";
  const Plan* plan = run.plan.finished();
  const bool has_files = !step.temporary.empty() && io::write_file(run_json, report::to_json(told)) &&
                         io::write_file(plan_json, report::plan_json(plan == nullptr ? Plan{} : *plan));
  const Branch* branch = run.branch.finished();
  const std::vector<std::pair<std::string_view, std::string>> outputs{
      {"verdict", std::string(word_of(report::verdict(run).conclusion))},
      {"branch-name", branch == nullptr ? "" : branch->name},
      {"plan-json", has_files ? plan_json.string() : ""},
      {"report-url", kept_at},
      {"comment-url", comment_url_},
      {"run-json", has_files ? run_json.string() : ""},
  };
  for (const auto& [name, value] : outputs) {
    if (auto set = github::set_output(step, name, value); !set) note(set.error().doing, set.error().why);
  }
}

void Announcement::conclude(const Run& run, const std::string& kept_at) {
  if (!on_github_) return;
  OnGitHub& there = *on_github_;
  there.background.finish();
  if (context_.stop.stop_requested()) there.outlive();
  if (there.can_ask()) {
    announce_comment(run, kept_at);
    announce_checks(run);
    announce_branch(run);
  } else {
    commands_ = github::annotation_commands(report::annotations(run));
    if (run.origin.pull_request != 0 && context_.settings.comment_when != "never") {
      note("There is no GITHUB_TOKEN that may be sent to GITHUB_API_URL, so the report stands in the job's summary",
           "");
    }
  }
  write_step_files(run, kept_at);
}

void Announcement::branches_dropped(const std::vector<std::string>& names) {
  if (!on_github_ || !on_github_->can_ask() || context_.settings.github.deployments == "off") return;
  OnGitHub& there = *on_github_;
  for (const std::string& name : names) {
    const auto ended = github::end_deployments(there.client, name, there.step.run_url, github::End::all);
    if (ended) continue;
    // Where branches were never recorded, or the token may not, there is nothing to end.
    if (ended.error().kind == github::Refusal::Kind::forbidden) return;
    note("The deployment of " + name + " could not be ended on GitHub", ended.error().why);
  }
}

void Announcement::deploy_begins(const Run& run) {
  if (!on_github_ || !on_github_->can_ask() || context_.settings.github.deployments == "off") return;
  OnGitHub& there = *on_github_;
  const Change* change = run.change.finished();
  if (change == nullptr) return;
  // What an earlier deploy that was killed left as "in progress" ends here.
  (void)github::end_deployments(there.client, "production", there.step.run_url, github::End::under_way);
  const auto begun =
      github::begin_deployment(there.client, {.sha = change->head.sha,
                                              .environment = "production",
                                              .description = "Production, by offshoot " + run.origin.command,
                                              .run_id = there.step.run_id,
                                              .production = true});
  if (!begun) return note("The deployment could not be recorded (deployments: write)", begun.error().why);
  there.deployment = *begun;
  (void)github::set_deployment_state(there.client, *begun, github::DeploymentState::in_progress, there.step.run_url,
                                     "");
}

void Announcement::deploy_ended(const Run& run, const std::string& kept_at) {
  if (!on_github_) return;
  OnGitHub& there = *on_github_;
  if (context_.stop.stop_requested()) there.outlive();
  if (there.deployment != 0) {
    const report::Verdict verdict = report::verdict(run);
    const auto state = verdict.status == ExitStatus::passed     ? github::DeploymentState::success
                       : verdict.status == ExitStatus::findings ? github::DeploymentState::failure
                                                                : github::DeploymentState::error;
    const auto set =
        github::set_deployment_state(there.client, there.deployment, state, there.step.run_url, verdict.headline);
    if (!set) note("The deployment's end could not be recorded", set.error().why);
  }
  run_ended(run, kept_at);
}

void Announcement::run_ended(const Run& run, const std::string& kept_at) {
  if (!on_github_) return;
  commands_ = github::annotation_commands(report::annotations(run));
  write_step_files(run, kept_at);
}

}  // namespace offshoot::flow
