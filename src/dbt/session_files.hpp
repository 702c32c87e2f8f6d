// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "model/outcome.hpp"

namespace offshoot::dbt {

/// The files that the binary carries for dbt, written to a folder.
struct SessionFiles {
  std::filesystem::path driver;   ///< session.py
  std::filesystem::path project;  ///< the macro project; its macros are in `macros` below
};

/// Writes them below `folder`.
Result<SessionFiles> write_session_files(const std::filesystem::path& folder);

}  // namespace offshoot::dbt
