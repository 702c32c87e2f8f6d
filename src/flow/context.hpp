// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "change/repository.hpp"
#include "io/clock.hpp"
#include "io/process.hpp"
#include "io/redaction.hpp"
#include "model/run.hpp"
#include "model/settings.hpp"
#include "report/progress.hpp"
#include "store/store.hpp"

namespace offshoot::flow {

/// How far the content of the head may be trusted.
enum class HeadTrust {
  trusted,    ///< from this repository, or approved by its sha
  sandboxed,  ///< a fork's, in a job that holds no secrets: read by git, and linted without any setting of its own
  data_only,  ///< git alone: no child is started
};

/// What every flow is given: what app read from arguments, environment, settings and event. A flow reads nothing of
/// these by itself.
struct Context {
  std::filesystem::path repository_root;  ///< absolute
  io::Environment environment;
  Settings settings;
  Origin origin;
  std::vector<std::string> notes{};             ///< what reading the settings had to say
  std::optional<std::string> base{};            ///< ref or sha to compare with, as given by hand or by the event
  bool base_of_pull_request = false;            ///< `base` is only what the event says: see change::CompareRequest
  std::optional<std::string> expected_head{};   ///< the event's; HEAD must be it or its merge commit (A7)
  std::optional<std::string> trusted_commit{};  ///< whose files say what children may see (D1); absent = HEAD's own
  const io::Redaction* secrets = nullptr;       ///< taken out of all that leaves; null = there are none
  std::function<void(const std::string&)> learned{};  ///< is told of a secret that was got on the way
  HeadTrust head_trust = HeadTrust::trusted;
  change::TrustOwner trust_owner = change::TrustOwner::no;
  std::string default_branch{};  ///< as the event names it; empty outside Actions
  std::string run_id;
  io::Instant started;
  std::stop_token stop{};
  std::function<int()> interrupted_by{};  ///< the signal, once `stop` has been requested
  report::Progress& progress;
  store::Store& store;
  bool store_lasts = true;        ///< false: it goes with the runner, and what an earlier job kept there is no proof
  std::filesystem::path cache;    ///< installed packages are kept here between runs
  std::filesystem::path scratch;  ///< a private folder that goes when the process does
};

}  // namespace offshoot::flow
