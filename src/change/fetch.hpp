// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "change/repository.hpp"
#include "io/process.hpp"
#include "model/outcome.hpp"

namespace offshoot::change {

/// Where a commit can be got that a shallow clone lacks.
struct Upstream {
  std::string url;    ///< "https://github.com/acme/shop"
  std::string token;  ///< sent to that URL alone, and in no argument
};

/// The ids of HEAD's parents, as HEAD itself names them: the clone need not hold them.
Result<std::vector<std::string>> parents_of_head(const Repository& repository);

/// Gives the repository one more commit with its files, and nothing of its history. By the git program: libgit2 1.5
/// fetches nothing shallow. git works in a repository of its own below `scratch`, so that no hook and no setting of
/// this repository, of the user or of the machine has a say; only the finished pack is put where objects lie. No ref
/// changes. `sha` must be 40 hex digits. An error has status usage and names fetch-depth.
Result<void> fetch_commit(const Repository& repository, const std::string& sha, const Upstream& upstream,
                          const std::filesystem::path& scratch, const io::Environment& environment);

}  // namespace offshoot::change
