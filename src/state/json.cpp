// SPDX-License-Identifier: Apache-2.0
#include "state/json.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace offshoot::state {

namespace {

namespace od = simdjson::ondemand;

/// The first quote at `from` or behind it. Most strings of a manifest are short: the first bytes are looked at in two
/// words, before anything is called.
std::size_t next_quote(std::string_view text, std::size_t from) {
  if constexpr (std::endian::native == std::endian::little) {
    constexpr std::uint64_t each = 0x0101010101010101;
    for (int word = 0; word < 2 && from + sizeof(std::uint64_t) <= text.size(); ++word) {
      std::uint64_t bytes;  // NOLINT(cppcoreguidelines-init-variables): written before it is read
      std::memcpy(&bytes, text.data() + from, sizeof bytes);
      bytes ^= each * '"';
      // The lowest byte that was a quote, and is zero now, has its highest bit set; below it none has.
      const std::uint64_t found = (bytes - each) & ~bytes & (each << 7);
      if (found != 0) return from + static_cast<std::size_t>(std::countr_zero(found)) / 8;
      from += sizeof bytes;
    }
  }
  return text.find('"', from);
}

/// The end of the string that starts behind the quote at `open`, as the index of its closing quote.
std::size_t closing_quote(std::string_view text, std::size_t open) {
  std::size_t from = open + 1;
  while (true) {
    const std::size_t quote = next_quote(text, from);
    if (quote == std::string_view::npos) return quote;
    std::size_t slashes = 0;
    while (quote - slashes > open + 1 && text[quote - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0) return quote;
    from = quote + 1;
  }
}

enum class Sign : unsigned char { other, blank, quote, open, close };

constexpr std::array<Sign, 256> signs = [] {
  std::array<Sign, 256> table{};
  for (const char blank : {' ', '\n', '\r', '\t'}) table[static_cast<unsigned char>(blank)] = Sign::blank;
  table['"'] = Sign::quote;
  table['{'] = table['['] = Sign::open;
  table['}'] = table[']'] = Sign::close;
  return table;
}();

Sign sign_of(char c) { return signs[static_cast<unsigned char>(c)]; }

char opener_of(char closing) { return closing == '}' ? '{' : '['; }

/// Behind the value that begins at the start of `text`, which stands `depth` brackets deep: a string, an object or
/// array whose brackets match, or a bare word. npos = it does not end, its brackets do not match, or it is too deep.
std::size_t end_of_value(std::string_view text, std::size_t depth) {
  const Sign first = sign_of(text[0]);
  if (first == Sign::quote) {
    const std::size_t quote = closing_quote(text, 0);
    return quote == std::string_view::npos ? quote : quote + 1;
  }
  if (first == Sign::close) return std::string_view::npos;
  if (first != Sign::open) return std::min(text.find_first_of(",:[]{}\" \t\r\n"), text.size());
  std::array<char, deepest_json> open;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  const std::size_t outside = depth;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (sign_of(text[i])) {
      case Sign::quote:
        i = closing_quote(text, i);
        if (i == std::string_view::npos) return i;
        break;
      case Sign::open:
        if (depth == deepest_json) return std::string_view::npos;
        open[depth++] = text[i];
        break;
      case Sign::close:
        if (open[--depth] != opener_of(text[i])) return std::string_view::npos;
        if (depth == outside) return i + 1;
        break;
      default:
        break;
    }
  }
  return std::string_view::npos;
}

std::optional<std::string> unescaped(Raw token) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  const std::string_view inner = token.substr(1, token.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  od::parser parser;  // its buffers are as large as the token
  od::document document;
  std::string_view text;
  const simdjson::padded_string_view padded(token.data(), token.size(), token.size() + json_padding);
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  if (document.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

bool is_number(std::string_view token) {
  if (token == "NaN" || token == "Infinity" || token == "-Infinity") return true;
  if (token.empty() || !(token[0] == '-' || (token[0] >= '0' && token[0] <= '9'))) return false;
  return token.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

std::optional<Value> decode_token(std::string_view token) {
  Value value;
  if (token == "null") return value;
  if (token == "true" || token == "false") {
    value.kind = Value::Kind::boolean;
    value.truth = token == "true";
    return value;
  }
  if (is_number(token)) {
    value.kind = Value::Kind::number;
    value.text = token;
    return value;
  }
  std::optional<std::string> text = unescaped(token);
  if (!text) return std::nullopt;
  value.kind = Value::Kind::string;
  value.text = std::move(*text);
  return value;
}

std::optional<Value> decode_next(Cursor& cursor);

std::optional<Value> decode_items(Cursor& cursor) {
  Value value{.kind = Value::Kind::array};
  while (cursor.next_item()) {
    std::optional<Value> item = decode_next(cursor);
    if (!item) return std::nullopt;
    value.items.push_back(std::move(*item));
  }
  return value;
}

std::optional<Value> decode_members(Cursor& cursor) {
  std::vector<std::pair<std::string, Value>> members;
  std::string_view key;
  while (cursor.next_key(key)) {
    std::optional<std::string> name = unescaped({key.data() - 1, key.size() + 2});
    std::optional<Value> item = decode_next(cursor);
    if (!name || !item) return std::nullopt;
    members.emplace_back(std::move(*name), std::move(*item));
  }
  std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Value value{.kind = Value::Kind::object};
  for (auto& [name, item] : members) {
    if (!value.keys.empty() && value.keys.back() == name) continue;
    value.keys.push_back(std::move(name));
    value.items.push_back(std::move(item));
  }
  return value;
}

/// The value that comes next. What is broken may look as if it were over: ask the cursor.
std::optional<Value> decode_next(Cursor& cursor) {
  if (cursor.enter('{')) return decode_members(cursor);
  if (cursor.enter('[')) return decode_items(cursor);
  return decode_token(cursor.take());
}

double number_of(const Value& value) {
  if (value.kind == Value::Kind::boolean) return value.truth ? 1.0 : 0.0;
  return std::strtod(value.text.c_str(), nullptr);
}

bool is_whole(const Value& value) { return value.text.find_first_of(".eENI") == std::string::npos; }

bool equal_numbers(const Value& left, const Value& right) {
  if (left.text == right.text && left.kind == right.kind) return left.truth == right.truth;
  const bool both_whole =
      left.kind == Value::Kind::number && right.kind == Value::Kind::number && is_whole(left) && is_whole(right);
  if (both_whole && number_of(left) != 0.0) return false;  // exact, where a double would round
  return number_of(left) == number_of(right);
}

bool is_numeric(const Value& value) { return value.kind == Value::Kind::number || value.kind == Value::Kind::boolean; }

void write(std::string& out, const Value& value, std::size_t limit);

void write_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        out += c;
    }
  }
  out += '"';
}

void write_items(std::string& out, const Value& value, std::size_t limit) {
  const bool object = value.kind == Value::Kind::object;
  out += object ? '{' : '[';
  for (std::size_t i = 0; i < value.items.size() && out.size() <= limit; ++i) {
    if (i > 0) out += ", ";
    if (object) {
      write_string(out, value.keys[i]);
      out += ": ";
    }
    write(out, value.items[i], limit);
  }
  out += object ? '}' : ']';
}

void write(std::string& out, const Value& value, std::size_t limit) {
  switch (value.kind) {
    case Value::Kind::null:
      out += "null";
      break;
    case Value::Kind::boolean:
      out += value.truth ? "true" : "false";
      break;
    case Value::Kind::number:
      out += value.text;
      break;
    case Value::Kind::string:
      write_string(out, value.text);
      break;
    case Value::Kind::array:
    case Value::Kind::object:
      write_items(out, value, limit);
      break;
  }
}

}  // namespace

std::optional<std::string> outline_error(std::string_view text) {
  std::array<char, deepest_json> open{};
  std::size_t depth = 0;
  bool begun = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Sign sign = sign_of(text[i]);
    if (sign == Sign::blank) continue;
    if (begun && depth == 0) return fmt::format("byte {}: something follows the end of the object", i);
    if (!begun && text[i] != '{') return "it is not a JSON object";
    begun = true;
    if (sign == Sign::quote) {
      i = closing_quote(text, i);
      if (i == std::string_view::npos) return "it ends inside a string: the file is cut short";
    } else if (sign == Sign::open) {
      if (depth == deepest_json) return fmt::format("byte {}: it is nested more than {} deep", i, deepest_json);
      open[depth++] = text[i];
    } else if (sign == Sign::close) {
      if (open[--depth] != opener_of(text[i]))
        return fmt::format("byte {}: '{}' closes what it did not open", i, text[i]);
    }
  }
  if (!begun) return "it is empty";
  if (depth > 0) return "it ends too early: the file is cut short";
  return std::nullopt;
}

inline void Cursor::skip_blanks() {
  std::size_t i = 0;
  while (i < rest_.size() && sign_of(rest_[i]) == Sign::blank) ++i;
  rest_.remove_prefix(i);
}

bool Cursor::fail() {
  broken_ = true;
  rest_.remove_prefix(rest_.size());
  return false;
}

bool Cursor::enter(char bracket) {
  skip_blanks();
  if (!rest_.starts_with(bracket) || depth_ == deepest_json) return false;
  rest_.remove_prefix(1);
  ++depth_;
  first_ = true;
  return true;
}

/// Whether another entry follows; steps over the comma before it, or over the closing bracket.
inline bool Cursor::leave_or_continue(char bracket) {
  skip_blanks();
  if (rest_.empty()) return fail();
  if (rest_.front() == bracket) {
    rest_.remove_prefix(1);
    --depth_;
    first_ = false;
    return false;
  }
  if (!first_) {
    if (rest_.front() != ',') return fail();
    rest_.remove_prefix(1);
    skip_blanks();
  }
  first_ = false;
  return !rest_.empty() || fail();
}

bool Cursor::next_key(std::string_view& key) {
  if (!leave_or_continue('}')) return false;
  if (rest_.front() != '"') return fail();
  const std::size_t quote = closing_quote(rest_, 0);
  if (quote == std::string_view::npos) return fail();
  key = rest_.substr(1, quote - 1);
  rest_.remove_prefix(quote + 1);
  skip_blanks();
  if (!rest_.starts_with(':')) return fail();
  rest_.remove_prefix(1);
  return true;
}

bool Cursor::next_item() { return leave_or_continue(']'); }

Raw Cursor::take() {
  skip_blanks();
  const std::size_t end = rest_.empty() ? 0 : end_of_value(rest_, depth_);
  if (end == 0 || end == std::string_view::npos) {
    fail();
    return {};
  }
  const Raw value = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return value;
}

bool Cursor::at_end() {
  skip_blanks();
  return !broken_ && depth_ == 0 && rest_.empty();
}

const Value* Value::find(std::string_view key) const {
  const auto at = std::lower_bound(keys.begin(), keys.end(), key);
  return at == keys.end() || *at != key ? nullptr : &items[static_cast<std::size_t>(at - keys.begin())];
}

bool Value::truthy() const {
  switch (kind) {
    case Kind::null:
      return false;
    case Kind::boolean:
      return truth;
    case Kind::number:
      return number_of(*this) != 0.0;
    case Kind::string:
      return !text.empty();
    case Kind::array:
    case Kind::object:
      return !items.empty();
  }
  return false;
}

bool equal(const Value& left, const Value& right) {
  if (is_numeric(left) && is_numeric(right)) return equal_numbers(left, right);
  if (left.kind != right.kind || left.items.size() != right.items.size()) return false;
  if (left.kind == Value::Kind::string) return left.text == right.text;
  return left.keys == right.keys && std::equal(left.items.begin(), left.items.end(), right.items.begin(), equal);
}

std::string brief(const Value& value, std::size_t limit) {
  std::string text;
  if (value.kind == Value::Kind::string) {
    text = value.text;
    std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  } else {
    write(text, value, limit);
  }
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text + "…";
}

std::optional<Value> decode(Raw raw) {
  if (raw.empty()) return Value{};
  Cursor cursor(raw);
  std::optional<Value> value = decode_next(cursor);
  if (!cursor.at_end()) return std::nullopt;
  return value;
}

std::optional<std::string> decode_string(Raw raw) { return unescaped(raw); }

std::vector<std::optional<std::string>> decode_strings(Raw raw) {
  std::vector<std::optional<std::string>> strings;
  Cursor cursor(raw);
  if (!cursor.enter('[')) return strings;
  while (cursor.next_item()) strings.push_back(unescaped(cursor.take()));
  return strings;
}

Raw member(Raw object, std::string_view key) {
  Cursor cursor(object);
  std::string_view name;
  if (!cursor.enter('{')) return {};
  while (cursor.next_key(name)) {
    const Raw value = cursor.take();
    if (name == key) return value;
  }
  return {};
}

bool same_json(Raw left, Raw right) {
  if (left == right) return true;
  const std::optional<Value> a = decode(left);
  const std::optional<Value> b = decode(right);
  return a && b && equal(*a, *b);
}

}  // namespace offshoot::state
