// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "change/repository.hpp"
#include "flow/context.hpp"

namespace offshoot::flow {

/// Waiting deploys of one target: of two, the one whose commit contains the other's goes on alone. What stands in the
/// store is a courtesy, not a lock: when it is lost or damaged, both are deployed one after the other.
class DeployQueue {
 public:
  DeployQueue(const Context& context, const std::string& target);
  /// Says that `head` waits, and which commits it contains. Returns why that need not be: a deploy that waits already
  /// contains it.
  Result<std::optional<std::string>> enter(const change::Repository& repository, const Commit& head);
  /// Once it is our turn: why `head` need not be deployed, for a deploy that contains it has come to wait meanwhile.
  /// Our own entry, if it still stands, is taken away.
  Result<std::optional<std::string>> leave(const Commit& head);
  /// The commits that `head` is known to contain, itself among them: by this clone, and by what waited before.
  [[nodiscard]] const std::vector<std::string>& contains() const { return contains_; }

 private:
  Result<std::optional<std::string>> superseded(const Commit& head) const;

  const Context& context_;
  std::string key_;
  std::vector<std::string> contains_{};
};

}  // namespace offshoot::flow
