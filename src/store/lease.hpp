// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>

#include "io/retry.hpp"
#include "store/store.hpp"

namespace offshoot::store {

/// Who holds a lease, in words that the one who does not get it is told.
struct Holder {
  std::string run{};      ///< the run's id
  std::string who{};      ///< "deploy of 1a2b3c4"
  std::string run_url{};  ///< the workflow run's page; empty outside Actions
  bool operator==(const Holder&) const = default;
};

struct LeaseRequest {
  std::string key{};  ///< "<repository id>/locks/production-prod"
  Holder holder{};
  std::chrono::seconds ttl{300};  ///< without a renewal in this time, another may take it
};

/// A lease that somebody else has.
struct LeaseTaken {
  Holder holder{};
  std::uint64_t number = 0;
  std::chrono::seconds for_another{0};  ///< it runs out then, unless it is renewed
};

/// The exclusive right to do something, in a store, for a time (requirement K6). Each new holder gets a number larger
/// than all before it (a fencing number): what is written under a lease carries the number, and what has seen a larger
/// one refuses it. The time is the store's own (Date and Last-Modified), never this machine's; whether we still hold it
/// is judged by this machine's steady clock from before our last renewal was sent. In a store that only this machine
/// sees, the lease of a process that has surely ended is free at once.
class Lease {
 public:
  /// Takes a lease that is free or has run out. Not getting it is no error: the answer says who has it.
  static Result<std::variant<std::unique_ptr<Lease>, LeaseTaken>> take(Store& store, const LeaseRequest& request);
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  /// Releases it if nobody did.
  ~Lease();

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::string& key() const { return request_.key; }
  /// Whether it is surely still ours. False once its time has passed without a renewal.
  [[nodiscard]] bool held() const;
  /// Begins its time anew. Fails with ExitStatus::locked, and says who has it, when it is not ours any more.
  Result<void> renew();
  /// Renews it each third of its time in a thread of its own. `lost` is called once, in that thread, when it is not
  /// ours any more or could not be renewed before it ran out.
  void keep(std::function<void(const Failed&)> lost);
  /// Gives it back, so that the next one need not wait. The number stays in the store.
  Result<void> release();

  /// Writes an object under this lease: renews the lease first, then writes only while the object still is the one
  /// whose version is `before` (absent = there was none). ExitStatus::locked: the lease or the object is another's.
  Result<Written> write(const std::string& key, std::string_view bytes, const std::optional<std::string>& before);

 private:
  Lease(Store& store, LeaseRequest request) : store_(store), request_(std::move(request)) {}
  [[nodiscard]] std::string text(bool free) const;
  Result<void> renew_locked(bool free);

  Store& store_;
  LeaseRequest request_;
  std::uint64_t number_ = 0;
  std::string nonce_{};
  mutable std::mutex mutex_;  ///< guards the three below
  std::string version_{};
  std::chrono::steady_clock::time_point until_{};
  bool released_ = true;  ///< until it is taken
  std::jthread keeper_{};
};

/// Takes a lease, and while another has it tries again every few seconds for at most `patience`. `waiting` is called
/// with each new holder that is waited for. ExitStatus::locked when the patience is over; interrupted by `stop`.
Result<std::unique_ptr<Lease>> take_patiently(Store& store, const LeaseRequest& request, std::chrono::seconds patience,
                                              io::Pauses& pauses, const std::stop_token& stop,
                                              const std::function<void(const LeaseTaken&)>& waiting);

}  // namespace offshoot::store
