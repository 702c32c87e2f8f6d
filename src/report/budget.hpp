// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace offshoot::report {

/// A part of a comment that can show fewer entries than it has.
struct Section {
  int importance = 0;                  ///< the least is the last to lose anything
  double share = 0.1;                  ///< of the whole: how much it may take while others want some
  std::string open{};                  ///< before the entries
  std::vector<std::string> entries{};  ///< whole blocks or rows, each ending with a newline
  std::string close{};                 ///< after the entries
  std::string one{};                   ///< what an entry is: "failure"; empty = all of it or nothing
  std::string many{};                  ///< "failures"
};

/// The sections in their order, in at most `limit` bytes. One that does not fit shows its first entries and how many
/// more the full report has; where even that does not fit, the least important sections go.
std::string fit(const std::vector<Section>& sections, std::size_t limit);

}  // namespace offshoot::report
