// SPDX-License-Identifier: Apache-2.0
#include "report/escape.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace offshoot::report {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
constexpr std::string_view zero_width_space = "\xE2\x80\x8B";
constexpr std::string_view ellipsis = "…";

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;
  bool valid = false;
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// The code point that begins at `at`. Overlong forms, surrogates and what lies above U+10FFFF are not valid.
CodePoint code_point_at(std::string_view bytes, std::size_t at) {
  const auto lead = static_cast<unsigned char>(bytes[at]);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > bytes.size()) return {};
  char32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(bytes[at + i])) return {};
    value = (value << 6U) | (static_cast<unsigned char>(bytes[at + i]) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least[length] || surrogate || value > 0x10FFFF) return {};
  return {value, length, true};
}

struct Span {
  char32_t first;
  char32_t last;
};

bool within(char32_t value, const auto& spans) {
  return std::any_of(spans.begin(), spans.end(),
                     [&](const Span& span) { return value >= span.first && value <= span.last; });
}

/// What a reader does not see, or what makes them see another order than a machine reads.
bool is_deceptive(char32_t value) {
  constexpr std::array<Span, 16> deceptive{{{0x00AD, 0x00AD},
                                            {0x034F, 0x034F},
                                            {0x061C, 0x061C},
                                            {0x115F, 0x1160},
                                            {0x17B4, 0x17B5},
                                            {0x180B, 0x180F},
                                            {0x200B, 0x200F},
                                            {0x2028, 0x202E},
                                            {0x2060, 0x206F},
                                            {0x3164, 0x3164},
                                            {0xFEFF, 0xFEFF},
                                            {0xFFA0, 0xFFA0},
                                            {0xFFF9, 0xFFFB},
                                            {0x1D173, 0x1D17A},
                                            {0xE0000, 0xE0FFF},
                                            {0xFFFFE, 0x10FFFF}}};
  return within(value, deceptive);
}

std::size_t columns_of(char32_t value) {
  constexpr std::array<Span, 3> none{{{0x0300, 0x036F}, {0x200B, 0x200F}, {0xFE00, 0xFE0F}}};
  constexpr std::array<Span, 9> two{{{0x1100, 0x115F},
                                     {0x2E80, 0x303E},
                                     {0x3041, 0xA4CF},
                                     {0xAC00, 0xD7A3},
                                     {0xF900, 0xFAFF},
                                     {0xFE30, 0xFE6F},
                                     {0xFF00, 0xFF60},
                                     {0x1F300, 0x1FAFF},
                                     {0x20000, 0x3FFFD}}};
  if (within(value, none)) return 0;
  return within(value, two) ? 2 : 1;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
bool is_word(char c) { return is_alnum(c) || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_prefix_ignoring_case(std::string_view whole, std::string_view prefix) {
  return whole.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), whole.begin(), [](char a, char b) { return a == lower(b); });
}

/// Where the ANSI sequence that begins at `at` (an ESC) ends.
std::size_t end_of_ansi(std::string_view raw, std::size_t at) {
  if (at + 1 >= raw.size()) return at + 1;
  std::size_t i = at + 2;
  if (raw[at + 1] == '[') {
    while (i < raw.size() && raw[i] >= 0x20 && raw[i] <= 0x3F) ++i;
    return i < raw.size() && raw[i] >= 0x40 && raw[i] <= 0x7E ? i + 1 : i;
  }
  if (raw[at + 1] == ']') {
    const std::size_t end = raw.find_first_of("\x07\x1B\n", i);
    if (end == std::string_view::npos) return raw.size();
    if (raw[end] == '\n') return end;
    return raw[end] == '\x1B' && end + 1 < raw.size() && raw[end + 1] == '\\' ? end + 2 : end + 1;
  }
  return at + 1;
}

/// The longest prefix of at most `limit` bytes that ends between two characters.
std::string_view whole_characters(std::string_view utf8, std::size_t limit) {
  if (utf8.size() <= limit) return utf8;
  while (limit > 0 && is_continuation(utf8[limit])) --limit;
  return utf8.substr(0, limit);
}

std::size_t longest_run(std::string_view in, char of) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : in) {
    run = c == of ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string entity(char c) { return fmt::format("&#{};", static_cast<int>(c)); }

/// One character of a text, seen in its surroundings, as markdown that means just that character.
std::string escaped_at(std::string_view all, std::size_t i) {
  const char c = all[i];
  const char before = i > 0 ? all[i - 1] : ' ';
  const char after = i + 1 < all.size() ? all[i + 1] : ' ';
  switch (c) {
    case '@':
      return "@&#8203;";
    case '#':
      return is_digit(after) ? "&#35;&#8203;" : "&#35;";
    case '$':
      return "<span>&#36;</span>";
    case ':':
      return after == '/' || is_word(after) || after == '+' || after == '-' ? ":&#8203;" : ":";
    case '-':
      return is_letter(before) && is_digit(after) ? "-&#8203;" : i == 0 ? "&#45;" : "-";
    case '.':
      return i >= 3 && is_prefix_ignoring_case(all.substr(i - 3), "www.") ? "&#8203;." : ".";
    case '_':
      return is_alnum(before) && is_alnum(after) ? "_" : "&#95;";
    case '/':
    case '+':
    case '=':
      return i == 0 ? entity(c) : std::string(1, c);
    default:
      return std::string_view("&<>\"'`*~[](){}!|\\").find(c) == std::string_view::npos ? std::string(1, c) : entity(c);
  }
}

enum class Commits { shown_as_code, left };

/// Markdown for text that is clean and on one line.
std::string escaped(std::string_view line, Commits commits) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    std::size_t end = i;
    while (end < line.size() && is_hex(line[end])) ++end;
    const bool alone = (i == 0 || !is_word(line[i - 1])) && (end == line.size() || !is_word(line[end]));
    if (commits == Commits::shown_as_code && end - i >= 7 && alone) {  // GitHub would link it if it is a commit
      out += fmt::format("<code>{}</code>", line.substr(i, end - i));
      i = end;
      continue;
    }
    out += escaped_at(line, i++);
  }
  return out;
}

bool begins_a_command(std::string_view line) {
  const std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string_view::npos) return false;
  const std::string_view rest = line.substr(at);
  return (rest.size() > 1 && rest[0] == '/' && is_letter(rest[1])) || is_prefix_ignoring_case(rest, "atlantis");
}

/// Without the beginning of an HTML comment, so that nothing looks like the hidden line of ours.
std::string without_markers(std::string_view shown) {
  std::string out(shown);
  for (std::size_t at = out.find("<!--"); at != std::string::npos; at = out.find("<!--", at)) {
    out.insert(at + 2, zero_width_space);
  }
  return out;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(' ') == std::string_view::npos; }

}  // namespace

std::string clean(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size();) {
    const CodePoint point = code_point_at(raw, i);
    if (!point.valid) {
      out += replacement_character;
      ++i;
    } else if (point.value == 0x1B) {
      i = end_of_ansi(raw, i);
    } else {
      const bool crlf = point.value == '\r' && i + 1 < raw.size() && raw[i + 1] == '\n';
      if (point.value == '\r' && !crlf) {
        out += '\n';
      } else if (is_deceptive(point.value)) {
        out += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(point.value));
      } else if (point.value >= 0xA0 || (point.value >= 0x20 && point.value < 0x7F) || point.value == '\n' ||
                 point.value == '\t') {
        out += raw.substr(i, point.length);
      }
      i += point.length;
    }
  }
  return out;
}

std::string one_line(std::string_view raw, std::size_t limit) {
  const std::size_t enough = limit * 8 + 64;
  std::string line = clean(raw.substr(0, enough));
  if (raw.size() > enough) line += ellipsis;
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  const std::size_t first = line.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  line.erase(line.find_last_not_of(' ') + 1);
  line.erase(0, first);
  if (line.size() <= limit) return line;
  const std::size_t room = limit > ellipsis.size() ? limit - ellipsis.size() : 0;
  return std::string(whole_characters(line, room)) + std::string(ellipsis);
}

std::string first_lines(std::string_view raw, std::size_t lines, std::size_t bytes, std::size_t& cut) {
  std::string all = clean(raw);
  while (!all.empty() && (all.back() == '\n' || all.back() == ' ')) all.pop_back();
  const auto total = static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')) + 1;
  cut = 0;
  std::size_t end = 0;
  std::size_t kept = 0;
  while (kept < lines && kept < total) {
    const std::size_t next = std::min(all.find('\n', end + (kept > 0 ? 1 : 0)), all.size());
    if (next > bytes) break;
    end = next;
    ++kept;
  }
  if (kept == total) return all;
  cut = total - kept;
  if (kept > 0) return all.substr(0, end);
  cut = total - 1;
  const std::string_view line = std::string_view(all).substr(0, all.find('\n'));
  return std::string(whole_characters(line, bytes)) + std::string(ellipsis);
}

std::string text(std::string_view raw, std::size_t limit) {
  return escaped(one_line(raw, limit), Commits::shown_as_code);
}

std::string code(std::string_view raw, std::size_t limit) {
  const std::string line = without_markers(one_line(raw, limit));
  if (line.empty()) return "<code></code>";
  const std::string ticks(longest_run(line, '`') + 1, '`');
  const bool padded = line.front() == '`' || line.back() == '`';
  return padded ? fmt::format("{0} {1} {0}", ticks, line) : fmt::format("{0}{1}{0}", ticks, line);
}

std::string cell_code(std::string_view raw, std::size_t limit) {
  const std::string line = one_line(raw, limit);
  if (line.find('|') == std::string::npos) return code(line, limit);
  return fmt::format("<code>{}</code>", escaped(line, Commits::left));
}

std::string fenced(std::string_view cleaned, std::string_view language) {
  const std::string ticks(std::max<std::size_t>(longest_run(cleaned, '`') + 1, 3), '`');
  std::string out = fmt::format("{}{}\n", ticks, language);
  const std::string inside = without_markers(cleaned);
  for (std::string_view rest = inside; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (begins_a_command(line)) out += zero_width_space;
    out += line;
    out += '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out + ticks + "\n";
}

std::string mermaid_label(std::string_view raw, std::size_t limit) {
  const std::string line = one_line(raw, limit);
  std::string out;
  for (const char c : line) {
    const bool plain = is_word(c) || c == ' ' || (static_cast<unsigned char>(c) & 0x80U) != 0;
    out += plain ? std::string(1, c) : fmt::format("#{};", static_cast<int>(c));
  }
  return is_blank(out) ? "-" : out;
}

std::string terminal_line(std::string_view raw, std::size_t limit) { return without_commands(one_line(raw, limit)); }

std::string without_commands(std::string_view output) {
  std::string out;
  out.reserve(output.size());
  bool line_begins = true;
  for (std::size_t i = 0; i < output.size(); ++i) {
    const std::string_view rest = output.substr(i);
    if (line_begins && rest.starts_with("::")) out += zero_width_space;
    out += output[i];
    if (rest.starts_with("##[")) out += zero_width_space;
    // The runner trims every Unicode space before it looks, so any byte above ASCII may be part of one.
    const auto byte = static_cast<unsigned char>(output[i]);
    const bool space = byte <= ' ' || byte >= 0x80;
    line_begins = output[i] == '\n' || output[i] == '\r' || (line_begins && space);
  }
  return out;
}

std::string json_without_commands(std::string json) {
  // Outside of strings no "#" occurs in JSON, and no line of it begins with "::".
  for (std::size_t at = 0; (at = json.find("##[", at)) != std::string::npos;) json.replace(at, 2, "#\\u0023");
  return json;
}

std::size_t columns(std::string_view utf8) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < utf8.size();) {
    if (utf8[i] == '\x1B') {
      i = end_of_ansi(utf8, i);
      continue;
    }
    const CodePoint point = code_point_at(utf8, i);
    total += point.valid ? columns_of(point.value) : 1;
    i += point.length;
  }
  return total;
}

std::string first_columns(std::string_view utf8, std::size_t limit) {
  if (columns(utf8) <= limit) return std::string(utf8);
  std::size_t taken = 0;
  std::size_t i = 0;
  while (i < utf8.size()) {
    const CodePoint point = code_point_at(utf8, i);
    const std::size_t width = columns_of(point.value);
    if (taken + width + 1 > limit) break;
    taken += width;
    i += point.length;
  }
  return limit == 0 ? std::string() : std::string(utf8.substr(0, i)) + std::string(ellipsis);
}

std::string link_target(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return {};
  std::string out;
  for (const char c : url) {
    if (c == '&') {
      out += "&amp;";
    } else if (is_alnum(c) || std::string_view("-._~:/?#@!$+,=%").find(c) != std::string_view::npos) {
      out += c;
    } else {
      return {};
    }
  }
  return out;
}

std::string url_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = is_alnum(c) || std::string_view("-._~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace offshoot::report
