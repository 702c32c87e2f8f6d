// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "flow/context.hpp"
#include "io/http.hpp"
#include "io/retry.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// The outside as an announcement sees it.
struct Outside {
  std::function<std::unique_ptr<io::HttpClient>(std::stop_token)> http;
  io::Pauses& pauses;
};
/// The real one, with proxies as the environment names them.
Outside real_outside(const Context& context);

/// What GitHub says of a run, from its beginning to its end: check runs, the comment, a deployment, annotations, the
/// job's summary, the step's outputs. Outside of Actions, and without a token, what needs them is left out. Nothing of
/// it decides the verdict: what GitHub does not take becomes a note.
class Announcement {
 public:
  explicit Announcement(const Context& context) : Announcement(context, real_outside(context)) {}
  Announcement(const Context& context, Outside outside);
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  Announcement(Announcement&&) = delete;
  Announcement& operator=(Announcement&&) = delete;
  ~Announcement();

  /// Tells of the stages that have ended since. Does not wait.
  void stages_ended(const Run& run);

  /// Tells of the end of a check. `kept_at` is where the run is kept; empty = nowhere.
  void conclude(const Run& run, const std::string& kept_at);

  /// Tells that production is being built, and how that ended.
  void deploy_begins(const Run& run);
  void deploy_ended(const Run& run, const std::string& kept_at);

  /// Tells of the end of a run that is neither: annotations, summary and outputs.
  void run_ended(const Run& run, const std::string& kept_at);

  /// Tells that branches are gone.
  void branches_dropped(const std::vector<std::string>& names);

  /// What could not be said, in sentences.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  /// Lines for the log that the runner reads: annotations that stand nowhere else. Empty or ending with a newline.
  [[nodiscard]] const std::string& commands() const { return commands_; }

 private:
  struct OnGitHub;
  void announce_comment(const Run& run, const std::string& kept_at);
  void announce_checks(const Run& run);
  void announce_branch(const Run& run);
  void write_step_files(const Run& run, const std::string& kept_at);
  void note(std::string what, const std::string& why);

  const Context& context_;
  std::unique_ptr<OnGitHub> on_github_;  ///< absent where there is nobody to tell
  std::vector<std::string> notes_{};
  std::string commands_{};
  std::string comment_url_{};
};

}  // namespace offshoot::flow
