// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "dbt/session.hpp"
#include "flow/context.hpp"
#include "store/lease.hpp"

namespace offshoot::flow {

/// Keys of leases: of production at a target, and of a branch.
std::string lease_of_production(const Context& context, const std::string& target);
std::string lease_of_branch(const Context& context, const std::string& branch);

/// Takes a lease, and tells people for whom it waits. ExitStatus::locked when the patience is over.
Result<std::unique_ptr<store::Lease>> take_lease(const Context& context, const std::string& key,
                                                 const std::string& what, std::chrono::seconds patience);

/// What a check holds while it builds in a branch (requirements E3, condition 6, and K6): nobody drops the branch
/// meanwhile, and no other check builds in it.
class BranchLock {
 public:
  /// Waits for another holder as long as `deploy.lock` says. Once the lease is another's, `session` is interrupted.
  static Result<std::unique_ptr<BranchLock>> take(const Context& context, const std::string& branch,
                                                  const std::string& what, dbt::Session& session);

  /// Asks the store whether it is still ours. How it was lost to another; absent = it was not, or nobody can tell.
  [[nodiscard]] std::optional<Failed> lost() const;

 private:
  explicit BranchLock(std::unique_ptr<store::Lease> lease) : lease_(std::move(lease)) {}

  mutable std::mutex mutex_;  ///< guards lost_
  std::optional<std::string> lost_{};
  std::string doing_{};
  std::unique_ptr<store::Lease> lease_;  ///< last: its thread writes lost_
};

}  // namespace offshoot::flow
