// SPDX-License-Identifier: Apache-2.0
#include "dbt/jinja.hpp"

#include <array>

namespace offshoot::dbt {

namespace {

constexpr std::string_view function_name = "env_var";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// A place in a text that moves forward over what is expected there.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool accept(std::string_view expected) {
    skip_spaces();
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  std::string_view name() {
    skip_spaces();
    std::size_t size = 0;
    while (size < rest_.size() && is_name_char(rest_[size])) ++size;
    return take(size);
  }
  /// A Jinja string without escapes, which no variable's name or default needs.
  std::optional<std::string_view> string() {
    skip_spaces();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const auto content = take(end + 1).substr(1, end - 1);
    if (content.find('\\') != std::string_view::npos) return std::nullopt;
    return content;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view take(std::size_t size) {
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
};

/// Filters that leave the text of a value as it is.
bool is_silent_filter(std::string_view name) {
  constexpr std::array<std::string_view, 6> silent{"as_text", "as_number", "as_native", "as_bool", "int", "string"};
  for (const auto known : silent) {
    if (name == known) return true;
  }
  return false;
}

/// `env_var('NAME', 'default') | as_text }}`: its value, and the cursor stands behind it.
std::optional<std::string> render_expression(Cursor& cursor, const io::Environment& environment) {
  if (!cursor.accept(function_name) || !cursor.accept("(")) return std::nullopt;
  const auto name = cursor.string();
  if (!name) return std::nullopt;
  std::optional<std::string_view> otherwise;
  if (cursor.accept(",")) {
    otherwise = cursor.string();
    if (!otherwise) return std::nullopt;
  }
  if (!cursor.accept(")")) return std::nullopt;
  while (cursor.accept("|")) {
    if (!is_silent_filter(cursor.name())) return std::nullopt;
  }
  if (!cursor.accept("}}")) return std::nullopt;
  if (const auto set = environment.find(std::string(*name)); set != environment.end()) return set->second;
  if (otherwise) return std::string(*otherwise);
  return std::nullopt;
}

}  // namespace

std::set<std::string> env_var_names(std::string_view text) {
  std::set<std::string> names;
  for (auto at = text.find(function_name); at != std::string_view::npos; at = text.find(function_name, at + 1)) {
    Cursor cursor(text.substr(at + function_name.size()));
    if (!cursor.accept("(")) continue;
    // In a quoted YAML scalar the quotes are escaped: \"NAME\" or ''NAME''.
    cursor.accept("\\");
    if (!cursor.accept("''") && !cursor.accept("'") && !cursor.accept("\"")) continue;
    if (const auto name = cursor.name(); !name.empty()) names.emplace(name);
  }
  return names;
}

bool has_jinja(std::string_view text) {
  return text.find("{{") != std::string_view::npos || text.find("{%") != std::string_view::npos ||
         text.find("{#") != std::string_view::npos;
}

std::optional<std::string> render_env_vars(std::string_view text, const io::Environment& environment) {
  std::string rendered;
  while (true) {
    const auto open = text.find("{{");
    const auto literal = text.substr(0, open);
    if (has_jinja(literal)) return std::nullopt;
    rendered += literal;
    if (open == std::string_view::npos) return rendered;
    Cursor cursor(text.substr(open + 2));
    const auto value = render_expression(cursor, environment);
    if (!value) return std::nullopt;
    rendered += *value;
    text = cursor.rest();
  }
}

}  // namespace offshoot::dbt
