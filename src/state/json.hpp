// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace offshoot::state {

/// The nesting that a manifest may have (requirement G1). Everything that recurses over JSON relies on it.
inline constexpr std::size_t deepest_json = 256;

/// How many bytes behind the last one of a JSON buffer must be readable, so that SIMD code may look past the end.
inline constexpr std::size_t json_padding = 64;

/// What is wrong with the outline of `text`, which must be one JSON object: a string that does not end, brackets that
/// do not match, nesting beyond `deepest_json`, bytes behind the end. Absent = nothing. What stands between brackets
/// and strings is not looked at.
std::optional<std::string> outline_error(std::string_view text);

/// One JSON value as it is written in a file, without blanks around it: compared byte by byte first, decoded only when
/// that does not settle it. A Cursor took it from a buffer that has `json_padding` bytes behind it. Empty = the key is
/// absent.
using Raw = std::string_view;

/// Walks over JSON without decoding it, front to back. It never leaves what it is given, and what it has walked over to
/// the end, unbroken, has no outline_error: strings end, brackets match, and nothing is too deep.
class Cursor {
 public:
  explicit Cursor(Raw text) : rest_(text) {}

  /// Steps into the object or array that begins here. False = something else does.
  bool enter(char bracket);
  /// Steps to the next key of the object, as it is written between its quotes, and behind its colon. False = the object
  /// is over, and left, or it is broken.
  bool next_key(std::string_view& key);
  /// Steps to the next item of the array. False as above.
  bool next_item();
  /// The value that begins here; steps over it. Empty = there is none, or it does not end.
  Raw take();
  /// How far behind the start of `whole`, a part of which is walked over, this stands.
  [[nodiscard]] std::size_t offset_in(std::string_view whole) const {
    return static_cast<std::size_t>(rest_.data() - whole.data());
  }
  /// Whether all is walked over, every bracket closed, and nothing was broken.
  bool at_end();
  /// Whether anything was not JSON.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  void skip_blanks();
  bool leave_or_continue(char bracket);
  bool fail();

  std::string_view rest_;
  std::size_t depth_ = 0;  ///< brackets entered and not left
  bool first_ = false;     ///< just behind an opening bracket
  bool broken_ = false;
};

/// A decoded JSON value. Numbers keep their text, so that none is too large and NaN, which dbt writes, is one.
struct Value {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool truth = false;               ///< of a boolean
  std::string text{};               ///< of a string or a number
  std::vector<Value> items{};       ///< of an array; of an object the values, in the order of `keys`
  std::vector<std::string> keys{};  ///< of an object; sorted, each once, with its first value

  /// The value of `key`; null where this is no object or has no such key.
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// As Python's bool(): false for null, false, 0, "", [] and {}.
  [[nodiscard]] bool truthy() const;
};

/// Equal as Python compares what json.load gives: the order of keys does not matter, 1 == 1.0 == true. Unlike Python,
/// NaN equals NaN.
bool equal(const Value& left, const Value& right);

/// As people read it: a string without quotes, everything else as compact JSON; at most `limit` bytes, cut between
/// characters, and then with "…" at the end.
std::string brief(const Value& value, std::size_t limit = 60);

/// Decodes a value; an absent key is null. Absent = not JSON after all.
std::optional<Value> decode(Raw raw);

/// The string; absent when the value is absent, no string, or not decodable.
std::optional<std::string> decode_string(Raw raw);

/// The strings of a list; a null or anything else that is no string becomes absent. Nothing for what is no list.
std::vector<std::optional<std::string>> decode_strings(Raw raw);

/// The first value of `key`, spelled without escapes, in an object; empty where there is none.
Raw member(Raw object, std::string_view key);

/// Calls `visit` with each key, as it is written, and value of an object; stops at what cannot be read.
template <class Visit>
void for_each_member(Raw object, Visit visit) {
  Cursor cursor(object);
  std::string_view key;
  if (!cursor.enter('{')) return;
  while (cursor.next_key(key)) visit(key, cursor.take());
}

/// Absent and null count as the same; else as `equal`, and what cannot be decoded differs.
bool same_json(Raw left, Raw right);

}  // namespace offshoot::state
