// SPDX-License-Identifier: Apache-2.0
#include "flow/retention.hpp"

namespace offshoot::flow {

Result<Tidied> tidy_store(const Context& context, bool dry_run) {
  Tidied tidied;
  const io::Instant before = context.started - context.settings.store_keep;
  auto pruned = store::prune(context.store, context.origin.repository_id, before, dry_run);
  if (!pruned) return tl::unexpected(pruned.error());
  tidied.pruned = *pruned;
  if (dry_run) return tidied;
  constexpr std::chrono::hours surely_interrupted{24};
  const auto swept = context.store.sweep(surely_interrupted);
  if (!swept) return tl::unexpected(swept.error());
  tidied.interrupted_writes = *swept;
  return tidied;
}

}  // namespace offshoot::flow
