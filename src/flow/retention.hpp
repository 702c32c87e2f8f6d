// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "flow/context.hpp"
#include "store/runs.hpp"

namespace offshoot::flow {

struct Tidied {
  store::Pruned pruned{};
  int interrupted_writes = 0;
};

/// Removes what the store need not keep any longer: runs and states older than `store.keep`, and what writes that were
/// interrupted a day ago or more have left. With `dry_run` it only counts the former.
Result<Tidied> tidy_store(const Context& context, bool dry_run);

}  // namespace offshoot::flow
