// SPDX-License-Identifier: Apache-2.0
#include "flow/same_sql.hpp"

#include <cctype>

namespace offshoot::flow {

namespace {

bool is_of_a_name(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || c == '"' || c == '.' || c == '$' || byte >= 0x80;
}

/// The longest of the names that stands at `at` as a whole; null = none does.
const NamesInSql::value_type* name_at(std::string_view sql, std::size_t at, const NamesInSql& names) {
  if (at > 0 && is_of_a_name(sql[at - 1])) return nullptr;
  const NamesInSql::value_type* found = nullptr;
  for (const auto& one : names) {
    const std::string& name = one.first;
    if (name.empty() || !sql.substr(at).starts_with(name)) continue;
    const std::size_t end = at + name.size();
    // A column may follow after a dot: "shop"."orders".amount.
    if (end < sql.size() && sql[end] != '.' && is_of_a_name(sql[end])) continue;
    if (found == nullptr || found->first.size() < name.size()) found = &one;
  }
  return found;
}

/// Whether a text between dollars may begin: $$, $tag$.
bool has_dollar_quotes(std::string_view sql) {
  for (auto at = sql.find('$'); at != std::string_view::npos; at = sql.find('$', at + 1)) {
    auto end = at + 1;
    while (end < sql.size() && sql[end] != '$' && is_of_a_name(sql[end])) ++end;
    if (end < sql.size() && sql[end] == '$') return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> without_places(std::string_view sql, const NamesInSql& names) {
  if (has_dollar_quotes(sql) || sql.find('\\') != std::string_view::npos) return std::nullopt;
  enum class In { code, text, identifier, line_comment, comment };
  In in = In::code;
  std::string out;
  for (std::size_t i = 0; i < sql.size();) {
    if (const auto* name = name_at(sql, i, names)) {
      if (in == In::text || in == In::identifier) return std::nullopt;
      out += "{" + name->second + "}";
      i += name->first.size();
      continue;
    }
    const std::string_view two = sql.substr(i, 2);
    if (in == In::code) {
      in = sql[i] == '\''  ? In::text
           : sql[i] == '"' ? In::identifier
           : two == "--"   ? In::line_comment
           : two == "/*"   ? In::comment
                           : In::code;
      if (in == In::comment) out += sql[i++];  // what ends one is not in its beginning
    } else if ((in == In::text && sql[i] == '\'') || (in == In::identifier && sql[i] == '"') ||
               (in == In::line_comment && sql[i] == '\n')) {
      in = In::code;  // of two quotes the second begins it again
    } else if (in == In::comment && two == "/*") {
      return std::nullopt;  // some servers nest comments
    } else if (in == In::comment && two == "*/") {
      in = In::code;
      out += sql[i++];
    }
    out += sql[i++];
  }
  return out;
}

}  // namespace offshoot::flow
