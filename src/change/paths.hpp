// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace offshoot::change {

/// The parts of a '/'-separated path, without empty ones and ".".
std::vector<std::string_view> path_parts(std::string_view path);

/// `path` seen from `folder`, both in a repository, by text alone: "." for the root, no ".", ".." or double slash.
/// Absent: it leads out of the repository or is absolute.
std::optional<std::string> place(std::string_view folder, std::string_view path);

/// Whether `path` is `folder` or lies in it. Both normalised as `place` does; "." holds everything.
bool lies_in(std::string_view path, std::string_view folder);

}  // namespace offshoot::change
