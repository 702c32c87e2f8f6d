// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace offshoot {

/// One finding of a linter.
struct LintFinding {
  std::string path{};  ///< relative to the repository's root
  int line = 0;        ///< counted from 1
  int column = 0;      ///< counted from 1
  std::string rule{};  ///< "LT01"
  std::string name{};  ///< "layout.spacing"; may be empty
  std::string message{};
  bool warning = false;          ///< the linter's own settings call it a warning
  bool on_changed_line = false;  ///< only these count
  bool operator==(const LintFinding&) const = default;
};

/// A changed file that the linter passed over. Both are untrusted text.
struct Unlinted {
  std::string path{};     ///< relative to the repository's root
  std::string because{};  ///< the linter's words: an ignore file, SQL that dbt could not render, …
  bool operator==(const Unlinted&) const = default;
};

/// What the linters found. Findings are data; a linter that broke is a failed stage.
struct Lint {
  std::vector<LintFinding> findings{};  ///< sorted by path, line, column, rule
  std::vector<std::string> files{};     ///< what was linted, relative to the repository's root
  std::vector<Unlinted> unlinted{};     ///< changed, but not linted; sorted by path
  std::string tool{};                   ///< "sqlfluff 4.4.0"
  bool operator==(const Lint&) const = default;
};

}  // namespace offshoot
