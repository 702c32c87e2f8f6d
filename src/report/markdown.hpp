// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "model/run.hpp"
#include "report/mark.hpp"

namespace offshoot::report {

struct CommentOptions {
  std::size_t limit = 65535;           ///< most bytes of the comment; less than 4,000 counts as 4,000
  std::string marker = "offshoot:v1";  ///< begins the hidden line; letters, digits and ":._-" only
  std::string report_url{};            ///< where the full report is; empty = nowhere to link to
};

/// The comment of a pull request: verdict and counts, what failed, then folded what was built and why. A pure function:
/// the same run gives the same bytes. Never longer than the limit, never cut inside a block: a section that does not
/// fit shows its first entries and how many more there are. Nothing that comes from the project comes alive in it.
/// Its last line is the hidden_line() of mark_of().
std::string comment_markdown(const Run& run, const CommentOptions& options = {});

/// How the comment is found again, and its age and sameness are told: two runs have the same digest where a reader
/// would see no difference but in times.
CommentMark mark_of(const Run& run, const CommentOptions& options = {});

}  // namespace offshoot::report
