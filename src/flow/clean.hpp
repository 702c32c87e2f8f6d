// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flow/context.hpp"
#include "flow/retention.hpp"

namespace offshoot::flow {

/// Which branches to drop; exactly one of the first four is to be given. None: the current pull request's or git
/// branch's own.
struct CleanOptions {
  int pull_request = 0;
  std::string branch;    ///< by name, "shop_pr_7"
  bool expired = false;  ///< all whose time is over
  bool all = false;      ///< all of this repository
  bool dry_run = false;  ///< only say what would be dropped
};

struct Cleaned {
  std::vector<std::string> dropped{};  ///< or would be
  std::vector<std::string> kept{};     ///< ours, and not asked for
  std::vector<std::string> left{};     ///< looks like ours and must not be dropped, and why: sentences
  std::optional<Tidied> store{};       ///< with `expired` only
  std::vector<Failed> failures{};      ///< branches that could not be dropped; the next run finds them again
};

/// Finds branches by their owner's marks in the warehouse, never by the store, and drops those asked for.
Result<Cleaned> clean(const Context& context, const CleanOptions& options);

}  // namespace offshoot::flow
