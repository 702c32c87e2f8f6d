# SPDX-License-Identifier: Apache-2.0
# Writes the bytes of IN as a constexpr array into the header OUT.
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
file(WRITE "${OUT}.new"
"// Written by cmake/Embed.cmake.
#pragma once
#include <string_view>
namespace offshoot::embedded {
inline constexpr char ${SYMBOL}_bytes[] = {${bytes}'\\0'};
inline constexpr std::string_view ${SYMBOL}{${SYMBOL}_bytes, sizeof(${SYMBOL}_bytes) - 1};
}  // namespace offshoot::embedded
")
file(COPY_FILE "${OUT}.new" "${OUT}" ONLY_IF_DIFFERENT)
file(TOUCH "${OUT}")
