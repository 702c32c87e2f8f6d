// SPDX-License-Identifier: Apache-2.0
#include "flow/macro_reach.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <vector>

namespace offshoot::flow {

namespace {

/// Stands among the names of a code that may do anything.
constexpr const char* anything = "adapter";

/// What only reads, or does nothing in the warehouse.
constexpr std::array<std::string_view, 9> harmless_of_adapter{"behavior",
                                                              "dispatch",
                                                              "quote",
                                                              "quote_as_configured",
                                                              "type",
                                                              "get_relation",
                                                              "get_columns_in_relation",
                                                              "get_missing_columns",
                                                              "check_schema_exists"};

/// A piece of Jinja. `kind`: n name, t text in quotes, % the beginning of a tag, else the character itself.
struct Token {
  char kind = ' ';
  std::string_view text{};
};

bool is_of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Where the text in quotes that begins at `at` ends.
std::size_t end_of_text(std::string_view code, std::size_t at) {
  std::size_t end = at + 1;
  while (end < code.size() && code[end] != code[at]) end += code[end] == '\\' ? 2 : 1;
  return std::min(end, code.size());
}

/// Takes what stands in `{{ }}` and `{% %}` apart.
class Lexer {
 public:
  explicit Lexer(std::string_view code) : code_(code) {}

  std::vector<Token> tokens() {
    while (at_ < code_.size()) {
      if (inside_) {
        take();
      } else {
        look_for_jinja();
      }
    }
    return std::move(tokens_);
  }

 private:
  void look_for_jinja() {
    const auto two = code_.substr(at_, 2);
    if (two == "{#") {
      const auto end = code_.find("#}", at_ + 2);
      at_ = end == std::string_view::npos ? code_.size() : end + 2;
      return;
    }
    inside_ = two == "{{" || two == "{%";
    if (inside_) tokens_.push_back({'%', two});
    at_ += inside_ ? 2 : 1;
  }

  void take() {
    const char c = code_[at_];
    const auto two = code_.substr(at_, 2);
    if (open_ == 0 && (two == "}}" || two == "%}")) {
      inside_ = false;
      at_ += 2;
    } else if (c == '\'' || c == '"') {
      const auto end = end_of_text(code_, at_);
      tokens_.push_back({'t', code_.substr(at_ + 1, end - at_ - 1)});
      at_ = end + 1;
    } else if (is_of_a_word(c)) {
      const auto begin = at_;
      while (at_ < code_.size() && is_of_a_word(code_[at_])) ++at_;
      tokens_.push_back({'n', code_.substr(begin, at_ - begin)});
    } else {
      if (c == '(' || c == '[' || c == '{') ++open_;
      if ((c == ')' || c == ']' || c == '}') && open_ > 0) --open_;
      if (std::isspace(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '+') tokens_.push_back({c, {}});
      ++at_;
    }
  }

  std::string_view code_;
  std::size_t at_ = 0;
  bool inside_ = false;
  int open_ = 0;  ///< brackets: a closing pair of braces within them is no end
  std::vector<Token> tokens_{};
};

/// The names that the Jinja of a code mentions, each of which may be a macro's.
class Names {
 public:
  explicit Names(std::string_view code) : tokens_(Lexer(code).tokens()) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (kind(i) == 't') {
        text(i);
      } else if (kind(i) == 'n') {
        name(i);
      }
    }
  }
  std::set<std::string> names{};

 private:
  [[nodiscard]] char kind(std::size_t i) const { return i < tokens_.size() ? tokens_[i].kind : ' '; }
  [[nodiscard]] bool is(std::size_t i, std::string_view word) const {
    return kind(i) == 'n' && tokens_[i].text == word;
  }

  /// dispatch('name'), macro_name='name'
  void text(std::size_t i) {
    if (is(i - 2, "dispatch") || is(i - 2, "macro_name")) names.emplace(tokens_[i].text);
  }

  void name(std::size_t i) {
    const bool a_filter = kind(i - 1) == '|';
    const bool an_argument = kind(i + 1) == '=' && kind(i + 2) != '=';
    if (a_filter || an_argument) return;
    const bool not_followed = is(i, "context") || (kind(i - 1) == '%' && is(i, "raw"));
    if (not_followed || (is(i, "adapter") && !harmless(i))) names.emplace(anything);
    const bool of_adapter = is(i - 2, "adapter") && kind(i - 1) == '.';
    if (!is(i, "adapter") && !of_adapter) names.emplace(tokens_[i].text);
  }

  /// Whether what is used of the adapter here runs nothing by itself.
  [[nodiscard]] bool harmless(std::size_t i) const {
    if (kind(i + 1) != '.' || kind(i + 2) != 'n') return false;
    if (is(i + 2, "dispatch")) return kind(i + 4) == 't' || kind(i + 5) == '=';
    return std::ranges::find(harmless_of_adapter, tokens_[i + 2].text) != harmless_of_adapter.end();
  }

  std::vector<Token> tokens_;
};

struct Macro {
  std::string name;    ///< as it is defined
  std::string called;  ///< by adapter.dispatch
  bool of_dbt = false;
  std::set<std::string> names;  ///< that it mentions
};

std::string without_prefix(const std::string& name, const std::string& adapter) {
  for (const auto& prefix : {std::string("default__"), adapter + "__"}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

std::vector<Macro> macros_of(const state::Manifest& manifest) {
  const std::string& adapter = manifest.adapter_type();
  const std::string of_adapter = "macro.dbt_" + adapter + ".";
  std::vector<Macro> macros;
  for (const auto& entry : manifest.macros()) {
    const std::string_view id = entry.unique_id;
    std::string name(id.substr(id.rfind('.') + 1));
    std::string called = without_prefix(name, adapter);
    macros.push_back({.name = std::move(name),
                      .called = std::move(called),
                      .of_dbt = id.starts_with("macro.dbt.") || id.starts_with(of_adapter),
                      .names = Names(manifest.text(entry, state::Field::macro_sql)).names});
  }
  return macros;
}

bool share(const std::set<std::string>& some, const std::set<std::string>& others) {
  return std::ranges::any_of(some, [&](const auto& one) { return others.contains(one); });
}

/// The names of macros that may run a statement.
std::set<std::string> running_among(const std::vector<Macro>& macros) {
  std::set<std::string> running{anything};
  for (std::size_t before = 0; before != running.size();) {
    before = running.size();
    for (const auto& macro : macros) {
      if (share(macro.names, running)) running.insert({macro.name, macro.called});
    }
  }
  return running;
}

bool makes_relations(const std::string& name) {
  return name.starts_with("materialization_table_") || name.starts_with("materialization_view_") ||
         name.starts_with("materialization_seed_");
}

/// What dbt's materializations of tables, views and seeds call, as it is called, and these themselves.
std::set<std::string> called_to_make(const std::vector<Macro>& macros) {
  std::multimap<std::string, const Macro*> by_name;
  std::vector<std::string> open;
  for (const auto& macro : macros) {
    if (!macro.of_dbt) continue;
    for (const auto& name : std::set{macro.name, macro.called}) by_name.emplace(name, &macro);
    if (makes_relations(macro.name)) open.push_back(macro.name);
  }
  std::set<std::string> called;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    const auto [first, last] = by_name.equal_range(name);
    if (first == last || !called.insert(name).second) continue;
    for (auto found = first; found != last; ++found) {
      open.push_back(found->second->called);
      open.insert(open.end(), found->second->names.begin(), found->second->names.end());
    }
  }
  return called;
}

}  // namespace

MacroReach::MacroReach(const state::Manifest& manifest) {
  const auto macros = macros_of(manifest);
  running_ = running_among(macros);
  const auto called = called_to_make(macros);
  for (const auto& macro : macros) {
    if (!macro.of_dbt && (makes_relations(macro.name) || called.contains(macro.called))) in_place_of_dbts_ = macro.name;
  }
}

bool MacroReach::may_run_statements(std::string_view code) const { return share(Names(code).names, running_); }

}  // namespace offshoot::flow
