// SPDX-License-Identifier: Apache-2.0
#include "flow/leases.hpp"

#include <fmt/format.h>

namespace offshoot::flow {

std::string lease_of_production(const Context& context, const std::string& target) {
  return fmt::format("{}/locks/production-{}.json", context.origin.repository_id, target);
}

std::string lease_of_branch(const Context& context, const std::string& branch) {
  return fmt::format("{}/locks/branch-{}.json", context.origin.repository_id, branch);
}

Result<std::unique_ptr<store::Lease>> take_lease(const Context& context, const std::string& key,
                                                 const std::string& what, std::chrono::seconds patience) {
  const store::LeaseRequest request{.key = key,
                                    .holder = {.run = context.run_id, .who = what, .run_url = context.origin.run_url}};
  return store::take_patiently(
      context.store, request, patience, io::real_pauses(), context.stop, [&](const store::LeaseTaken& taken) {
        context.progress.stage(fmt::format("Waiting for the {} (run {})", taken.holder.who, taken.holder.run));
      });
}

Result<std::unique_ptr<BranchLock>> BranchLock::take(const Context& context, const std::string& branch,
                                                     const std::string& what, dbt::Session& session) {
  auto lease = take_lease(context, lease_of_branch(context, branch), what, context.settings.deploy.lock);
  if (!lease) return tl::unexpected(lease.error());
  std::unique_ptr<BranchLock> lock(new BranchLock(std::move(*lease)));
  lock->doing_ = "building in the branch " + branch;
  lock->lease_->keep([&lock = *lock, &session](const Failed& why) {
    // A store that does not answer hides no verdict, and keeps others from the lease as well.
    if (why.status != ExitStatus::locked) return;
    {
      const std::lock_guard guard(lock.mutex_);
      lock.lost_ = why.why;
    }
    session.interrupt();
  });
  return lock;
}

std::optional<Failed> BranchLock::lost() const {
  const std::lock_guard guard(mutex_);
  std::optional<std::string> why = lost_;
  if (!why) {
    const auto renewed = lease_->renew();
    if (!renewed && renewed.error().status == ExitStatus::locked) why = renewed.error().why;
  }
  if (!why) return std::nullopt;
  return Failed{ExitStatus::locked, doing_, *why, "what was built may be gone: check again", {}};
}

}  // namespace offshoot::flow
