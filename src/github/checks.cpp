// SPDX-License-Identifier: Apache-2.0
#include "github/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "github/text.hpp"

namespace offshoot::github {

namespace {

constexpr std::size_t most_annotations = 50;  // of one request
constexpr std::size_t longest_summary = 65'000;
constexpr std::size_t longest_title = 255;
constexpr std::size_t longest_message = 64'000;

std::string_view level_of(Annotation::Level level) {
  switch (level) {
    case Annotation::Level::error:
      return "failure";
    case Annotation::Level::warning:
      return "warning";
    case Annotation::Level::notice:
      break;
  }
  return "notice";
}

/// GitHub's word for how a completed one ended; empty while it is not.
std::string_view conclusion_of(CheckReport::State state) {
  switch (state) {
    case CheckReport::State::success:
      return "success";
    case CheckReport::State::failure:
      return "failure";
    case CheckReport::State::skipped:
      return "skipped";
    case CheckReport::State::cancelled:
      return "cancelled";
    case CheckReport::State::waiting:
    case CheckReport::State::running:
      break;
  }
  return {};
}

Json annotations_of(const CheckReport& report) {
  Json all = Json::array();
  for (const Annotation& annotation : report.annotations) {
    if (all.size() == most_annotations) break;
    all.push_back({{"path", as_utf8(annotation.path)},
                   {"start_line", std::max(annotation.first_line, 1)},
                   {"end_line", std::max({annotation.last_line, annotation.first_line, 1})},
                   {"annotation_level", level_of(annotation.level)},
                   {"title", cut(as_utf8(annotation.title), longest_title)},
                   {"message", cut(as_utf8(annotation.message), longest_message)}});
  }
  return all;
}

}  // namespace

std::string check_name(const CheckReport& report) { return "offshoot / " + report.name; }

Json check_body(const CheckReport& report) {
  Json body{{"name", check_name(report)}};
  const std::string_view conclusion = conclusion_of(report.state);
  if (conclusion.empty()) {
    body["status"] = report.state == CheckReport::State::running ? "in_progress" : "queued";
  } else {
    body["status"] = "completed";
    body["conclusion"] = conclusion;
  }
  if (report.title.empty()) return body;
  std::string summary = cut(report.summary, longest_summary);
  if (report.annotations.size() > most_annotations) {
    summary += fmt::format("\n\nand {} more annotations", report.annotations.size() - most_annotations);
  }
  body["output"] = {{"title", cut(report.title, longest_title)}, {"summary", summary}};
  if (!report.annotations.empty()) body["output"]["annotations"] = annotations_of(report);
  return body;
}

Checks::Checks(Client& client, std::string head_sha, std::string run_id, std::string details_url)
    : client_(client),
      head_sha_(std::move(head_sha)),
      run_id_(std::move(run_id)),
      details_url_(std::move(details_url)) {}

template <class T>
Answer<T> Checks::noting(Answer<T> answer) {
  if (!answer && answer.error().kind == Refusal::Kind::forbidden) forbidden_ = true;
  return answer;
}

Answer<void> Checks::create(const CheckReport& report) {
  Json body = check_body(report);
  body["head_sha"] = head_sha_;
  body["external_id"] = run_id_;
  if (!details_url_.empty()) body["details_url"] = details_url_;
  const auto find = [&]() -> Answer<std::optional<Json>> {
    const auto there = client_.list(fmt::format("./commits/{}/check-runs?per_page=100", head_sha_), "check_runs");
    if (!there) return tl::unexpected(there.error());
    for (const Json& run : *there) {
      if (run.value("name", Json()) == check_name(report) && run.value("external_id", Json()) == run_id_) return run;
    }
    return std::nullopt;
  };
  const auto created = noting(client_.create("./check-runs", body, Pace::write, find));
  if (!created) return tl::unexpected(created.error());
  ids_[report.name] = Client::id_of(created->object);
  app_id_ = Client::id_of(created->object.value("app", Json()));
  return {};
}

Answer<void> Checks::queue(const CheckReport& report) {
  if (forbidden_) return tl::unexpected(Refusal{.kind = Refusal::Kind::forbidden});
  return create(report);
}

Answer<void> Checks::complete(const CheckReport& report) {
  if (forbidden_) return tl::unexpected(Refusal{.kind = Refusal::Kind::forbidden});
  const auto known = ids_.find(report.name);
  if (known == ids_.end()) return create(report);
  return noting(client_.change(fmt::format("./check-runs/{}", known->second), check_body(report), known->second))
      .map([](const Json&) {});
}

}  // namespace offshoot::github
