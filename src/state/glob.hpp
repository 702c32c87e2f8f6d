// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offshoot::state {

/// Whether a pattern holds what Python's fnmatch takes for a wildcard.
bool has_wildcard(std::string_view pattern);

/// Python's fnmatch on POSIX: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`; characters are Unicode's, case counts.
bool glob_match(std::string_view pattern, std::string_view text);

/// A pattern as Python's pathlib takes it in Path.glob: wildcards stay within a component, and a component `**` stands
/// for any number of folders.
class PathPattern {
 public:
  explicit PathPattern(std::string_view pattern);
  /// Why pathlib would refuse the pattern; empty = it takes it.
  [[nodiscard]] const std::string& refused() const { return refused_; }
  /// `path` is relative to the project's folder; "" is that folder. A pattern that ends in `**` matches only folders.
  [[nodiscard]] bool matches(std::string_view path, bool is_folder) const;

 private:
  std::vector<std::string> components_;
  std::string refused_;
};

/// The components of a relative path, without "." and empty ones.
std::vector<std::string> path_components(std::string_view path);

}  // namespace offshoot::state
