// SPDX-License-Identifier: Apache-2.0
#include "flow/production_lock.hpp"

#include "flow/leases.hpp"

namespace offshoot::flow {

Result<std::unique_ptr<ProductionLock>> ProductionLock::take(const Context& context, const std::string& target,
                                                             const std::string& what, dbt::Session& session) {
  auto lease = take_lease(context, lease_of_production(context, target), what, context.settings.deploy.lock);
  if (!lease) return tl::unexpected(lease.error());
  std::unique_ptr<ProductionLock> lock(new ProductionLock(context, target, std::move(*lease)));
  lock->lease_->keep([&lock = *lock, &session, what](const Failed& why) {
    {
      const std::lock_guard guard(lock.mutex_);
      lock.lost_ = Failed{ExitStatus::locked,
                          "holding production for the " + what,
                          why.why,
                          "another run has gone on with production: look at it, then deploy again",
                          {}};
    }
    session.interrupt();
  });
  return lock;
}

Result<std::optional<std::string>> ProductionLock::read(const std::string& key) {
  auto object = context_.store.read(key);
  if (!object) return tl::unexpected(object.error());
  if (!*object) {
    versions_[key].reset();
    return std::optional<std::string>{};
  }
  versions_[key] = (*object)->version;
  return std::move((*object)->bytes);
}

Result<bool> ProductionLock::was_written_by_another(const std::string& key) {
  const auto object = context_.store.read(key);
  if (!object) return tl::unexpected(object.error());
  const auto known = versions_.find(key);
  const auto now = *object ? std::optional((*object)->version) : std::nullopt;
  return known == versions_.end() || known->second != now;
}

Result<void> ProductionLock::write(const std::string& key, std::string_view bytes) {
  if (!versions_.contains(key)) {
    if (auto looked = read(key); !looked) return tl::unexpected(looked.error());
  }
  auto written = lease_->write(key, bytes, versions_.at(key));
  if (!written) return tl::unexpected(written.error());
  versions_[key] = written->version;
  return {};
}

std::optional<Failed> ProductionLock::lost() const {
  const std::lock_guard guard(mutex_);
  return lost_;
}

}  // namespace offshoot::flow
