// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "branch/lifecycle.hpp"
#include "model/branch.hpp"

namespace offshoot::branch {

/// Makes the folder of a branch beside a DuckDB file, with the owner's mark in it. It must not exist.
Result<void> create_folder(const std::filesystem::path& folder, const OwnerMark& mark);

/// The branches that are folders in `folder`, by their marks. A folder of a branch's name that holds nothing at all was
/// left by a run that was killed, and is removed.
Listing list_folders(const std::filesystem::path& folder, const DropContext& context);

/// Removes what offshoot puts into such a folder, and then the folder, if nothing else is in it.
Result<void> drop_folder(const std::filesystem::path& folder);

}  // namespace offshoot::branch
