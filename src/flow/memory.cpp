// SPDX-License-Identifier: Apache-2.0
#include "flow/memory.hpp"

#include <fmt/format.h>

namespace offshoot::flow {

namespace {

constexpr const char* use_a_bucket =
    "set store to s3://bucket/prefix, as docs/store.md shows, or to a folder outside that stays";

/// Writes on the condition that nothing is there, and takes it away again. A store that ignores conditions refuses.
Result<void> try_out(store::Store& store, const std::string& key) {
  const auto written = store.put_if(key, "written by offshoot doctor\n", std::nullopt);
  if (!written) return tl::unexpected(written.error());
  return store.remove(key);
}

}  // namespace

std::optional<std::string> what_is_forgotten(const Context& context) {
  if (context.store_lasts) return std::nullopt;
  return fmt::format(
      "The store is a folder of the checkout, which is gone with its runner: each deploy builds everything, there is "
      "nothing to roll back to or to go on with, and only the workflow's concurrency group keeps two deploys apart. To "
      "change that, {}.",
      use_a_bucket);
}

Result<void> needs_memory(const Context& context, const std::string& doing) {
  if (context.store_lasts) return {};
  return failed(ExitStatus::usage, doing, "the store is a folder of the checkout, which is gone with its runner",
                use_a_bucket);
}

Finding look_at_store(const Context& context) {
  const std::string check = "store";
  const std::string where = context.store.location("");
  const std::string key = fmt::format("{}/locks/doctor-{}", context.origin.repository_id, context.run_id);
  if (auto works = try_out(context.store, key); !works) {
    const Failed& failure = works.error();
    return {check, Health::bad, fmt::format("{}: {}", failure.doing, failure.why), failure.hint, failure.status};
  }
  if (!context.store_lasts) return {check, Health::warning, where + " is gone with its runner", use_a_bucket};
  if (!context.store.shared()) return {check, Health::good, where + ", for this machine alone"};
  return {check, Health::good, where + " can be written, and keeps leases"};
}

}  // namespace offshoot::flow
