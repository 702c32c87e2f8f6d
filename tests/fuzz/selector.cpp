// SPDX-License-Identifier: Apache-2.0
// What stands behind --select.
#include "state/selector.hpp"

#include "fuzz.hpp"

using namespace offshoot;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto selector = state::parse_selector(fuzz::view(data, size), "--select");
  if (!selector) {
    fuzz::require(selector.error().status == ExitStatus::usage, "a selector that is not known is a usage error");
    return 0;
  }
  for (const auto& terms : *selector) fuzz::require(!terms.empty(), "an intersection has terms");
  return 0;
}
