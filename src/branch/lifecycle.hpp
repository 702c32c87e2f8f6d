// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "branch/guard.hpp"
#include "dbt/profiles.hpp"
#include "dbt/session.hpp"
#include "model/branch.hpp"
#include "model/outcome.hpp"

namespace offshoot::branch {

/// Makes the branch in the warehouse, its owner's mark in the same transaction; keeps what is already there and ours.
/// Refuses (exit 5) where something else stands in its place: what offshoot did not make it never adopts.
/// `at` is the branch's profile. Fills in `reused`.
Result<void> create(Branch& branch, const dbt::WarehouseAt& at, dbt::Session& session);

/// A branch as its marks in the warehouse tell.
struct Found {
  OwnerMark mark{};
  std::vector<std::string> schemas{};  ///< isolation by schema
  std::filesystem::path file{};        ///< isolation by database: the DuckDB file
};

/// What a search for branches has brought.
struct Listing {
  std::vector<Found> branches{};    ///< ours, sorted by name
  std::vector<std::string> left{};  ///< what has such a name and must not be dropped, and why: sentences
};

/// The branches whose marks stand in schemas of the target's database, those of other owners left out.
Result<Listing> list_schemas(const dbt::WarehouseAt& at, const DropContext& context, dbt::Session& session);

/// The branches that are DuckDB files in `folder`. Each is opened to read its mark; `scratch` gets the profiles.
Result<Listing> list_files(const std::filesystem::path& folder, const dbt::Profile& profile, const std::string& target,
                           const std::filesystem::path& scratch, const DropContext& context, dbt::Session& session);

/// Drops a branch that was found. Refused: something outside of it needs it, or its mark has changed since.
Result<void> drop(const Found& branch, const dbt::WarehouseAt& at, dbt::Session& session);

}  // namespace offshoot::branch
