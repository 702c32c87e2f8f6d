// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

/// What libFuzzer calls with bytes of its making, and the replay with those of the corpus.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace offshoot::fuzz {

inline std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// What stands before and behind the first line "----"; without one the second is empty.
inline std::pair<std::string_view, std::string_view> halves(std::string_view input) {
  constexpr std::string_view line = "\n----\n";
  const std::size_t at = input.find(line);
  if (at == std::string_view::npos) return {input, {}};
  return {input.substr(0, at), input.substr(at + line.size())};
}

/// Stops where a promise is broken, as a sanitizer would.
inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace offshoot::fuzz
