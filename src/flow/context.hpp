// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/clock.hpp"
#include "io/process.hpp"
#include "model/run.hpp"
#include "model/settings.hpp"
#include "report/progress.hpp"
#include "store/store.hpp"

namespace offshoot::flow {

/// What every flow is given: what app read from arguments, environment, settings and event. A flow reads nothing of
/// these by itself.
struct Context {
  std::filesystem::path repository_root;  ///< absolute
  io::Environment environment;
  Settings settings;
  Origin origin;
  std::vector<std::string> notes{};   ///< what reading the settings had to say
  std::optional<std::string> base{};  ///< ref or sha to compare with, as given by hand or by the event
  std::string run_id;
  io::Instant started;
  std::stop_token stop{};
  std::function<int()> interrupted_by{};  ///< the signal, once `stop` has been requested
  report::Progress& progress;
  store::Store& store;
  std::filesystem::path cache;    ///< installed packages are kept here between runs
  std::filesystem::path scratch;  ///< a private folder that goes when the process does
};

}  // namespace offshoot::flow
