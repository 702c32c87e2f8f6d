// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "change/repository.hpp"
#include "model/change.hpp"
#include "model/outcome.hpp"

namespace offshoot::change {

/// What to compare. The head is always HEAD.
struct CompareRequest {
  /// A ref or sha given by hand or by the event; absent = find it.
  std::optional<std::string> base{};
  /// `base` is only what a pull request's event says its base branch is: the first parent of the merge commit that
  /// GitHub made is preferred to it. Leave it false for a base given by hand and for a push's `before`.
  bool base_of_pull_request = false;
  /// The event's head sha, 40 hex digits: HEAD must be it, or the merge commit that has it as second parent (A7).
  std::optional<std::string> expected_head{};
  /// Staged, unstaged and untracked (not ignored) files count as part of the head.
  bool include_work_tree = false;
  /// Folders or files whose untracked content never counts, relative to the root (offshoot's own store).
  std::vector<std::string> leave_out{};
};

/// Compares HEAD with its base, both chosen so that like is compared with like (F1). Every difference is
/// listed, whatever its number.
Result<Change> compare(const Repository& repository, const CompareRequest& request);

/// Bytes of a path relative to the repository's root; absent = no such file, or it cannot be read.
using ReadBytes = std::function<std::optional<std::string>(std::string_view path)>;

/// Reads files of the change's base. The repository must outlive it.
ReadBytes base_reader(const Repository& repository, const Change& change);
/// Reads files of the change's head: of the work tree where its changes are part of the head.
ReadBytes head_reader(const Repository& repository, const Change& change);

}  // namespace offshoot::change
