// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "model/run.hpp"

namespace offshoot::report {

struct CommentOptions {
  std::size_t limit = 65000;           ///< most bytes of the comment; less than 4,000 counts as 4,000
  std::string marker = "offshoot:v1";  ///< begins the hidden line; letters, digits and ":._-" only
  std::string report_url{};            ///< where the full report is; empty = nowhere to link to
};

/// The comment of a pull request: verdict and counts, what failed, then folded what was built and why. A pure function:
/// the same run gives the same bytes. Never longer than the limit, never cut inside a block: a section that does not
/// fit shows its first entries and how many more there are. Nothing that comes from the project comes alive in it.
/// Its last line is hidden_line().
std::string comment_markdown(const Run& run, const CommentOptions& options = {});

/// "<!-- offshoot:v1 run=20261121T034501Z-1a2b3c4-1 head=<sha> -->": how the comment is found again and its age is
/// told. The head is empty while it is not known.
std::string hidden_line(const Run& run, const CommentOptions& options = {});

}  // namespace offshoot::report
