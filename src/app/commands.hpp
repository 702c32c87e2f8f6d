// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "app/app.hpp"
#include "app/event.hpp"

namespace offshoot::app {

/// What the flags of a command said; absent or empty = not given. Settings among them are merged by load_settings.
struct Options {
  std::string repository{};
  std::string config{};
  std::string project_dir{};
  std::string profiles_dir{};
  std::string target{};
  std::string production{};
  std::string python{};
  std::string store{};
  std::vector<std::string> set{};

  std::string base{};
  int pull_request = 0;
  std::string select{};
  std::string exclude{};
  bool full_refresh = false;
  bool fail_fast = false;
  int threads = 0;
  bool no_lint = false;
  std::string comment_file{};

  std::string base_manifest{};
  std::string head_manifest{};
  std::string indirect_selection{};
  bool compare_more_unrendered_values = false;
  bool only_built = false;
  bool explain = false;

  std::string branch{};
  bool expired = false;
  bool all = false;
  bool dry_run = false;

  std::string action_sha{};
  bool comments = false;
  std::string aws_role{};
  std::string aws_region{};

  // Not flags: what `auto` learnt.
  std::optional<PullRequest> approved{};  ///< whose head a person approved
  bool from_default_branch = false;       ///< profile and settings are the default branch's, whatever is checked out
  bool state_only = false;
  std::string to{};
  std::string ref{};
  std::string vars{};
  std::string from_failure{};
  std::string run_id{};
  std::string file{};
  int most = 20;

  std::string run_file{};
  std::string format{};
  bool json = false;
};

/// One function a command: reads what it needs, calls its flow, prints, and says how it ended.
ExitStatus automatic(const Invocation& invocation, const Options& options);
ExitStatus check(const Invocation& invocation, const Options& options);
ExitStatus plan(const Invocation& invocation, const Options& options);
ExitStatus state(const Invocation& invocation, const Options& options);
ExitStatus lint(const Invocation& invocation, const Options& options);
ExitStatus clean(const Invocation& invocation, const Options& options);
ExitStatus deploy(const Invocation& invocation, const Options& options);
ExitStatus run_by_hand(const Invocation& invocation, const Options& options);
ExitStatus rollback(const Invocation& invocation, const Options& options);
ExitStatus report(const Invocation& invocation, const Options& options);
ExitStatus list_branches(const Invocation& invocation, const Options& options);
ExitStatus list_runs(const Invocation& invocation, const Options& options);
ExitStatus show_run(const Invocation& invocation, const Options& options);
ExitStatus doctor(const Invocation& invocation, const Options& options);
ExitStatus init(const Invocation& invocation, const Options& options);

/// Whether this is a job of GitHub Actions.
bool is_github_job(const io::Environment& environment);

/// Says a failure to people: place, what was being done, why it stopped, and the hint.
void say_failure(std::ostream& err, const Failed& failure);

/// The same, and the status that the command ends with.
ExitStatus fail(const Invocation& invocation, const Failed& failure);

}  // namespace offshoot::app
