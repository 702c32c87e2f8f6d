// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/settings.hpp"

namespace offshoot::app {

enum class Kind { text, choice, yes_no, integer, duration, list, object };

/// Whose file sets a value for a pull request in Actions: the pull request's own, or only the base commit's.
enum class SetBy { head, base };

/// One setting: a row of the table that drives the file, the environment, the action's inputs, flags, messages and the
/// reference in docs/settings.md. Every value has one text form; lists and objects have theirs in JSON.
struct Setting {
  std::string_view key;  ///< "branch.prefix", or "store"
  Kind kind = Kind::text;
  SetBy set_by = SetBy::head;
  bool expands = false;                     ///< ${NAME} is read in it
  std::string expected;                     ///< completes "expected "
  std::vector<std::string_view> choices{};  ///< of Kind::choice
  std::string_view about;                   ///< one sentence, for the reference
  std::function<std::string(const Settings&)> read;
  /// False: the text is not a value of this setting, and nothing was changed.
  std::function<bool(Settings&, const std::string&)> write;
  /// Of a text that is not a value: what about it is wrong, where more can be said than what is expected; else empty.
  std::function<std::string(std::string_view)> why_not = [](std::string_view) { return std::string(); };
};

/// All settings, in the order of the file.
const std::vector<Setting>& settings_table();

/// Null: there is no such key.
const Setting* find_setting(std::string_view key);

/// The part of a key before its dot; empty for a key that stands at the top.
std::string_view section_of(std::string_view key);

/// "OFFSHOOT_BRANCH_PREFIX"
std::string environment_name(const Setting& setting);

/// "branch-prefix": the input of the action.
std::string input_name(const Setting& setting);

/// May this name be handed to the project, by `pass_env` or by the workflow? Not what belongs to the runner.
bool is_passable_name(std::string_view name);

}  // namespace offshoot::app
