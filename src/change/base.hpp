// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <git2.h>

#include <string>

#include "change/compare.hpp"
#include "change/repository.hpp"
#include "model/change.hpp"
#include "model/outcome.hpp"

namespace offshoot::change {

/// What a head is compared with, and how it was found.
struct Base {
  Commit commit;
  std::string is;
};

/// Chooses the base of `head` (F1, F2). `uncommitted`: the work tree holds changes that are part of the head.
Result<Base> choose_base(const Repository& repository, git_commit* head, const CompareRequest& request,
                         bool uncommitted);

}  // namespace offshoot::change
