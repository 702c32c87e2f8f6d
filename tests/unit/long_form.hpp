// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <string_view>

namespace offshoot::tests {

/// How many random cases to try: a sample, or in the long form (`ci/test --all`) so many times more.
inline unsigned cases(unsigned sample, unsigned times = 25) {
  const char* all = std::getenv("OFFSHOOT_TEST_ALL");
  return all != nullptr && std::string_view(all) == "yes" ? sample * times : sample;
}

}  // namespace offshoot::tests
