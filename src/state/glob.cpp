// SPDX-License-Identifier: Apache-2.0
#include "state/glob.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace offshoot::state {

namespace {

/// Takes one character off `text`. A byte that is not UTF-8 is a character of its own.
char32_t next_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t character = length == 1 ? first : first & (0xFFU >> (length + 1));
  bool whole = length <= text.size();
  for (std::size_t i = 1; whole && i < length; ++i) {
    whole = (byte(i) & 0xC0U) == 0x80U;
    character = (character << 6) | (byte(i) & 0x3FU);
  }
  text.remove_prefix(whole ? length : 1);
  return whole ? character : first;
}

std::u32string characters(std::string_view text) {
  std::u32string all;
  while (!text.empty()) all += next_character(text);
  return all;
}

/// The index of the `]` that ends the set opened at `open`; absent = the `[` is an ordinary character.
std::optional<std::size_t> end_of_set(const std::u32string& pattern, std::size_t open) {
  std::size_t at = open + 1;
  if (at < pattern.size() && pattern[at] == U'!') ++at;
  if (at < pattern.size() && pattern[at] == U']') ++at;
  at = pattern.find(U']', at);
  return at == std::u32string::npos ? std::nullopt : std::optional(at);
}

bool in_set(std::u32string_view set, char32_t character) {
  const bool negated = set.starts_with(U'!');
  if (negated) set.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == U'-') {
      found = found || (set[i] <= character && character <= set[i + 2]);
      i += 2;
    } else {
      found = found || set[i] == character;
    }
  }
  return found != negated;
}

/// Whether the pattern's element at `p` takes `character`; `next` is then where the following element begins.
bool takes(const std::u32string& pattern, std::size_t p, char32_t character, std::size_t& next) {
  next = p + 1;
  if (pattern[p] == U'?') return true;
  if (pattern[p] == U'[') {
    if (const std::optional<std::size_t> end = end_of_set(pattern, p)) {
      next = *end + 1;
      return in_set(std::u32string_view(pattern).substr(p + 1, *end - p - 1), character);
    }
  }
  return pattern[p] == character;
}

}  // namespace

bool has_wildcard(std::string_view pattern) { return pattern.find_first_of("*?[]") != std::string_view::npos; }

bool glob_match(std::string_view pattern_text, std::string_view text_bytes) {
  if (pattern_text == "*") return true;
  const std::u32string pattern = characters(pattern_text);
  const std::u32string text = characters(text_bytes);
  std::size_t p = 0;
  std::size_t t = 0;
  std::optional<std::size_t> star;  // behind the last star, to which matching goes back
  std::size_t star_text = 0;
  while (t < text.size()) {
    std::size_t next = 0;
    if (p < pattern.size() && pattern[p] == U'*') {
      star = ++p;
      star_text = t;
    } else if (p < pattern.size() && takes(pattern, p, text[t], next)) {
      p = next;
      ++t;
    } else if (star) {
      p = *star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of(U'*', p) == std::u32string::npos;
}

std::vector<std::string> path_components(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view component = path.substr(0, slash);
    if (!component.empty() && component != ".") components.emplace_back(component);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return components;
}

PathPattern::PathPattern(std::string_view pattern) : components_(path_components(pattern)) {
  const auto is = [](std::string_view what) { return [what](const std::string& c) { return c == what; }; };
  if (pattern.starts_with('/')) {
    refused_ = "paths are relative to the project's folder";
  } else if (components_.empty()) {
    refused_ = "it names no file or folder";
  } else if (std::any_of(components_.begin(), components_.end(), is(".."))) {
    refused_ = "'..' leads out of the project's folder";
  } else if (std::any_of(components_.begin(), components_.end(),
                         [](const std::string& c) { return c != "**" && c.find("**") != std::string::npos; })) {
    refused_ = "'**' must be a whole component";
  }
}

bool PathPattern::matches(std::string_view path, bool is_folder) const {
  const std::vector<std::string> names = path_components(path);
  // reached[i]: the first i components of the path are matched by the components of the pattern so far.
  std::vector<bool> reached(names.size() + 1, false);
  reached[0] = true;
  for (const std::string& component : components_) {
    if (component == "**") {
      for (std::size_t i = 1; i <= names.size(); ++i) reached[i] = reached[i] || reached[i - 1];
    } else {
      for (std::size_t i = names.size(); i > 0; --i) reached[i] = reached[i - 1] && glob_match(component, names[i - 1]);
      reached[0] = false;
    }
  }
  return reached[names.size()] && (is_folder || components_.back() != "**");
}

}  // namespace offshoot::state
