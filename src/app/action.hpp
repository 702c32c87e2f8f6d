// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offshoot::app {

/// An input of the action. Those that are settings are rows of settings_table() as well.
struct ActionInput {
  std::string name;      ///< "branch-prefix"
  std::string fallback;  ///< what action.yml says under `default`; empty = the setting's own default holds
  std::string about;     ///< one sentence
  std::string variable;  ///< by which the last step hands it to offshoot; empty = an earlier step reads it
};

/// All inputs: first those of the action itself, then every setting.
std::vector<ActionInput> action_inputs();

/// The parts of action.yml that follow from these tables, by the mark that stands before and after them.
std::string action_inputs_yaml();
std::string action_outputs_yaml();
std::string action_environment_yaml();

/// The reference of docs/github.md.
std::string action_reference();

}  // namespace offshoot::app
