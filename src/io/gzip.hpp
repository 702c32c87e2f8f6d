// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace offshoot::io {

/// The bytes in gzip's format, as one member (RFC 1952). Absent where that hardly shortens them: of their first 64 KiB
/// it must save a tenth.
std::optional<std::string> gzip(std::string_view bytes);

/// What gzip() was given. Absent where `packed` is not exactly one whole member, where its checksum or its length is
/// wrong, or where it says that it holds more than `most` bytes: no more than those are ever taken in memory.
std::optional<std::string> gunzip(std::string_view packed, std::size_t most);

}  // namespace offshoot::io
