// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace offshoot::io {

/// Base64 with its padding, on one line.
std::string base64_of(std::string_view bytes);

}  // namespace offshoot::io
