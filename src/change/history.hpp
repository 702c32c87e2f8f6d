// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "change/repository.hpp"
#include "io/clock.hpp"

namespace offshoot::change {

/// Whether the history of `commit` holds `sha` (a commit holds itself). Absent: this clone cannot tell, for it is
/// shallow or does not have that commit.
std::optional<bool> holds(const Repository& repository, const Commit& commit, const std::string& sha);

/// A stretch of a branch: its own commits and merges, not those that were merged into it.
struct Stretch {
  std::vector<Commit> commits{};  ///< newest first
  bool whole = false;             ///< it reaches back to where it was to end
};

/// From `head` back along first parents to `since`, which is left out; at most `most` commits. With an empty `since`
/// only `head` itself.
Stretch first_parents_since(const Repository& repository, const Commit& head, const std::string& since,
                            std::size_t most);

/// `head` and its first parents, newest first, as far as this clone holds them; at most `most`.
std::vector<Commit> first_parents(const Repository& repository, const Commit& head, std::size_t most);

/// When a commit was made; absent: this clone does not have it.
std::optional<io::Instant> time_of(const Repository& repository, const Commit& commit);

}  // namespace offshoot::change
