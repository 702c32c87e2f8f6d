// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace offshoot::report {

/// What the hidden line of a comment tells of the run that wrote it.
struct CommentMark {
  std::string run{};     ///< its id: "20261121T034501Z-1a2b3c4-1"
  std::string head{};    ///< sha; empty while it is not known
  std::string digest{};  ///< of all that the comment says but times and names of the run
  bool operator==(const CommentMark&) const = default;
};

/// "<!-- offshoot:v1 run=20261121T034501Z-1a2b3c4-1 head=<sha> digest=<16 digits> -->"
std::string hidden_line(const CommentMark& mark, std::string_view marker);

/// How every hidden line of this marker begins. No text of a project gets into a comment so.
std::string hidden_line_begin(std::string_view marker);

/// Reads the hidden line of a comment; absent where there is none of this marker.
std::optional<CommentMark> read_mark(std::string_view comment, std::string_view marker);

/// Whether run `a` is of a later workflow run than run `b`, or a later attempt of the same. Neither is later where one
/// does not say.
bool is_later_run(std::string_view a, std::string_view b);

}  // namespace offshoot::report
