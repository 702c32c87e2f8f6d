// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace offshoot::change {

/// What a piece of a template does to the text around it.
enum class TagKind {
  plain,   ///< prints, sets or calls; the text around it stays as it is
  open,    ///< begins text that may come or not, or again: if, for, snapshot, with
  middle,  ///< elif, else: what began before ends, another begins
  close,   ///< endif, endfor, endsnapshot, endwith
  exact,   ///< a whole block whose text is more than SQL: macro, call, set, filter, raw
};

/// One piece of Jinja in a text.
struct Tag {
  TagKind kind = TagKind::plain;
  bool prints = false;  ///< it may put text where it stands
  bool loops = false;   ///< it begins a block that may come again
  /// The piece with the whitespace inside its delimiters made uniform; two pieces that may differ in meaning differ
  /// here.
  std::string text{};
  bool operator==(const Tag&) const = default;
};

/// A text with its Jinja taken out.
struct Template {
  static constexpr char mark = '\x01';  ///< stands in `text` where the next tag stood
  std::string text;                     ///< without Jinja comments, and trimmed where a '-' in a delimiter trims
  std::vector<Tag> tags{};
  /// A literal in the Jinja holds what may open or close a quote or a comment when it is printed.
  bool may_unbalance = false;
};

/// Takes a text apart as Jinja does. Absent: malformed, or not known well enough to be sure.
std::optional<Template> split_jinja(std::string_view source);

}  // namespace offshoot::change
