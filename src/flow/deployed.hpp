// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/context.hpp"
#include "flow/production_lock.hpp"

namespace offshoot::flow {

/// A relation of production that a deploy replaced, and where the one before it is kept.
struct KeptRelation {
  std::string schema;       ///< in production
  std::string identifier;   ///< in production, and where it is kept
  std::string kept_in{};    ///< the schema for the previous one; it holds none where there was none
  std::string staged_in{};  ///< the schema where the new one was built
  bool operator==(const KeptRelation&) const = default;
};

/// What a deploy in mode swap left of the version before it. Its owner's mark stands in the warehouse.
struct Kept {
  std::string branch{};  ///< the name in the mark
  std::string until{};   ///< RFC 3339, UTC
  std::string file{};    ///< DuckDB: production's file as it was
  std::string staged{};  ///< DuckDB: the file that was built
  std::vector<KeptRelation> relations{};
  bool operator==(const Kept&) const = default;
};

/// One version of production: which commit, and what became of the version before.
struct Deployed {
  std::string sha{};
  std::string tree_sha{};
  std::string run{};   ///< the run that deployed it
  std::string at{};    ///< RFC 3339, UTC
  std::string mode{};  ///< as in Deployment
  std::string manifest_key{};
  std::string manifest_sha256{};
  std::string committed{};             ///< when the commit was made: RFC 3339, UTC; empty = not known
  std::vector<std::string> history{};  ///< commits that it contains, itself among them, as far as was known
  std::string previous{};              ///< the run that deployed the version before; empty = it is not known
  std::optional<Kept> kept{};
  bool operator==(const Deployed&) const = default;
};

/// What the store tells of production.
struct WhatIsDeployed {
  std::optional<Deployed> current{};  ///< absent = nothing is known
  std::string manifest{};             ///< of what is deployed: bytes whose checksum was right
  std::string why_not{};              ///< `current` is absent though something was kept: why
  std::string owed_by{};              ///< the run that left `owed`; empty = nothing is owed
  std::set<std::string> owed{};       ///< nodes that production may hold in another version than `current` says
};

/// Reads the pointer `current.json` of a production target, and what it points to. What is damaged is as good as
/// absent, and told (requirement J7). An error: the store cannot be reached.
Result<WhatIsDeployed> what_is_deployed(const Context& context, const std::string& target);

/// Every version that is kept, the newest first.
Result<std::vector<Deployed>> kept_versions(const Context& context, const std::string& target);

/// The manifest of a version; absent = it is not kept whole.
Result<std::optional<std::string>> manifest_of(const Context& context, const Deployed& version);

// What follows is written under production's lease.

/// Writes the lease's number into the pointer: from here a holder before us, who was stopped in the middle of a write,
/// cannot move it. To be called before what is deployed is read.
Result<void> claim(ProductionLock& lock);

/// Keeps the manifest of a version, and notes in it where.
Result<void> keep_manifest(ProductionLock& lock, Deployed& version, const std::string& manifest);

/// Notes an exchange that is about to happen, so that a run after a crash knows what it finds.
Result<void> note_pending(ProductionLock& lock, const Deployed& version);
/// The exchange that was noted and not recorded; absent = there is none.
Result<std::optional<Deployed>> pending(ProductionLock& lock);
Result<void> forget_pending(ProductionLock& lock);

/// Keeps a version whose manifest is kept, and then moves the pointer to it: what it says is always there.
Result<void> point_to(ProductionLock& lock, const Deployed& version);

/// Lets go of a version that cannot be gone back to any more.
Result<void> forget_version(ProductionLock& lock, const std::string& run);

/// Notes which nodes production may hold in another version than the pointer says. To be called before the first
/// statement of a build in place: what ends in the middle is then built again, whatever the next commit says. What
/// another run has noted since it was read stays noted.
Result<void> note_owed(ProductionLock& lock, const std::set<std::string>& nodes);

/// The same after the lease was lost: whatever the run has built meanwhile is built again. Needs no lease, for it only
/// adds.
Result<void> add_owed(const Context& context, const std::string& target, const std::set<std::string>& nodes);

}  // namespace offshoot::flow
