// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/event.hpp"
#include "flow/context.hpp"
#include "model/settings.hpp"

namespace offshoot::app {

/// What `offshoot auto` does about an event.
enum class Errand { nothing, check, deploy, rollback, run, clean_one, sweep, refuse };

/// What has to be asked of GitHub before an errand may begin.
struct Question {
  std::string writer{};  ///< this person must have write access; empty = nobody is asked for
  int pull_request = 0;  ///< its head must be known, and be `head` where that is given; 0 = no pull request
  std::string head{};    ///< 40 hex digits: the commit that was approved by its sha
  bool operator==(const Question&) const = default;
};

/// What a person who starts a workflow by hand may say beside the command; empty = nothing. Untrusted text.
struct Wishes {
  bool full_refresh = false;
  std::string select{};
  std::string ref{};
  std::string target{};
  std::string vars{};
  std::string from_failure{};  ///< a run's id
  std::string to{};            ///< of a rollback
  bool operator==(const Wishes&) const = default;
};

/// An errand, with the reasons for it. Reasons are sentences that hold no text of the project.
struct Decision {
  Errand errand = Errand::nothing;
  int pull_request = 0;
  Wishes wishes{};
  std::optional<Question> first{};  ///< to be answered before anything happens
  std::vector<std::string> reasons{};
  bool operator==(const Decision&) const = default;
};

/// What an event asks for. `mode` and the other settings are the base's.
Decision decide(const Event& event, const Settings& settings);

/// What GitHub answered to a Question.
struct Answer {
  bool writer = false;
  std::optional<PullRequest> pull_request{};
};

/// The decision once the answer is there: the errand, or refused, or nothing.
Decision settle(Decision decision, const Answer& answer);

/// "check", "clean": the word for an errand in a log.
std::string_view name_of(Errand errand);

/// How far the head of an event may be trusted. Refused (requirement A2): the head is a fork's, and the job is of a
/// kind that holds secrets. `approved`: a pull request whose head a person with write access approved, as GitHub knows
/// it now.
Result<flow::HeadTrust> trust_in(const Event& event, const Settings& settings,
                                 const std::optional<PullRequest>& approved);

/// Whether a change with these paths matters to `events.paths`; an empty list stands for everything.
bool touches(const std::vector<std::string>& patterns, const std::vector<std::string>& paths);

}  // namespace offshoot::app
