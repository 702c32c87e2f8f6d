// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "branch/mark.hpp"

namespace offshoot::branch {

/// The mark of pull request 7 of repository 42.
inline OwnerMark mark_of_ours() {
  return {.repository_id = "42",
          .branch = "shop_pr_7",
          .ref = "feature",
          .pull_request = 7,
          .head = "abc",
          .created = "2026-11-01T00:00:00Z",
          .expires = "2026-11-08T00:00:00Z"};
}

}  // namespace offshoot::branch
