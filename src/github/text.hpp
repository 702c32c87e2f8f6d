// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace offshoot::github {

/// The longest beginning of at most `limit` bytes that ends between two characters; what was cut shows as "…".
std::string cut(std::string_view utf8, std::size_t limit);

/// Bytes as the UTF-8 that GitHub takes for a path; what is none becomes U+FFFD.
std::string as_utf8(std::string_view bytes);

}  // namespace offshoot::github
