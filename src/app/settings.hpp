// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "model/settings.hpp"

namespace offshoot::app {

/// Where settings come from. Each overrides the one before it: defaults, the file, the environment, flags.
struct SettingsSources {
  std::optional<std::string> file_text{};  ///< absent = there is no file
  std::string file_name = "offshoot.yml";  ///< for messages only
  std::map<std::string, std::string>
      environment{};                 ///< OFFSHOOT_<SECTION>_<KEY>, the action's INPUT_…, and what ${NAME} reads
  std::vector<std::string> flags{};  ///< "section.key=value", in order
};

/// The settings of a run that trusts its file: a push, a schedule, a laptop. All that is wrong is reported at once, as
/// one usage error with the place of the first.
Result<Settings> load_settings(const SettingsSources& sources);

/// The settings of a pull request in Actions: as load_settings, but what decides where things go and what counts is
/// the base commit's, and ${NAME} reads only what the base allows. `head` holds the pull request's own file;
/// `base_text` is the base commit's, absent = there is none. `notes` gets a sentence about what was ignored.
Result<Settings> load_settings_for_pull_request(const SettingsSources& head,
                                                const std::optional<std::string>& base_text,
                                                std::vector<std::string>& notes);

/// `head` with all that only the base commit may set taken from `base`. `notes` gets a sentence that names what was
/// ignored. Both are taken as they are: load_settings_for_pull_request is the one that expands ${NAME} safely.
Settings merge_for_pull_request(const Settings& base, const Settings& head, std::vector<std::string>& notes);

/// The reference table of docs/settings.md, in Markdown.
std::string settings_reference();

}  // namespace offshoot::app
