// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "dbt/session.hpp"
#include "flow/context.hpp"
#include "model/run.hpp"
#include "store/lease.hpp"

namespace offshoot::flow {

/// Production's lease (requirement K6): one deploy, rollback or build by hand at a time. What the store tells of
/// production is written through it alone, so that a holder who was stopped and overtaken writes nothing any more.
class ProductionLock {
 public:
  /// Waits for another holder as long as `deploy.lock` says, and tells people for whom: ExitStatus::locked after that.
  /// Once the lease is lost, `session` is interrupted. A store that cannot be reached is an error: without the lease
  /// nothing is done to production. `what` is "deploy of 1a2b3c4".
  static Result<std::unique_ptr<ProductionLock>> take(const Context& context, const std::string& target,
                                                      const std::string& what, dbt::Session& session);

  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] const std::string& target() const { return target_; }
  /// Larger than that of every holder before.
  [[nodiscard]] std::uint64_t number() const { return lease_->number(); }

  /// Reads an object that is written under the lease, and remembers its version.
  Result<std::optional<std::string>> read(const std::string& key);
  /// Whether the object has another version than when it was last read or written here.
  Result<bool> was_written_by_another(const std::string& key);
  /// Writes it, while the lease is ours and nobody else has written it since it was read: else ExitStatus::locked.
  Result<void> write(const std::string& key, std::string_view bytes);

  /// Begins the lease's time anew; ExitStatus::locked when it is another's.
  Result<void> still_ours() { return lease_->renew(); }
  /// How it was lost; absent = it was not.
  [[nodiscard]] std::optional<Failed> lost() const;

 private:
  ProductionLock(const Context& context, std::string target, std::unique_ptr<store::Lease> lease)
      : context_(context), target_(std::move(target)), lease_(std::move(lease)) {}

  const Context& context_;
  std::string target_;
  std::map<std::string, std::optional<std::string>> versions_{};  ///< by key
  mutable std::mutex mutex_;                                      ///< guards lost_
  std::optional<Failed> lost_{};
  std::unique_ptr<store::Lease> lease_;  ///< last: its thread writes lost_
};

}  // namespace offshoot::flow
