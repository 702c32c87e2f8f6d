// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace offshoot {

/// What is to be said at lines of a changed file.
struct Annotation {
  enum class Level { error, warning, notice };
  Level level = Level::error;
  std::string path{};  ///< relative to the repository's root; raw bytes
  int first_line = 1;
  int last_line = 1;
  std::string title{};    ///< plain text of one line; may quote the project
  std::string message{};  ///< plain text; may quote the project
  bool operator==(const Annotation&) const = default;
};

/// What the line of one check on a pull request says.
struct CheckReport {
  enum class State { waiting, running, success, failure, skipped, cancelled };
  std::string name{};  ///< "build"
  State state = State::waiting;
  std::string title{};                    ///< plain text of one line: counts, or why it was skipped
  std::string summary{};                  ///< markdown, with all that comes from the project escaped
  std::vector<Annotation> annotations{};  ///< the most severe first
  bool operator==(const CheckReport&) const = default;
};

}  // namespace offshoot
