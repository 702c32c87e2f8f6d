// SPDX-License-Identifier: Apache-2.0
#include "state/selector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "state/graph.hpp"

namespace offshoot::state {

namespace {

constexpr std::array<std::pair<std::string_view, Method>, 20> methods = {{
    {"access", Method::access},
    {"config", Method::config},
    {"exposure", Method::exposure},
    {"file", Method::file},
    {"fqn", Method::fqn},
    {"group", Method::group},
    {"metric", Method::metric},
    {"package", Method::package},
    {"path", Method::path},
    {"resource_type", Method::resource_type},
    {"saved_query", Method::saved_query},
    {"selector", Method::selector},
    {"semantic_model", Method::semantic_model},
    {"source", Method::source},
    {"state", Method::state},
    {"tag", Method::tag},
    {"test_name", Method::test_name},
    {"test_type", Method::test_type},
    {"unit_test", Method::unit_test},
    {"version", Method::version},
}};

constexpr std::array<std::string_view, 10> states = {"new",
                                                     "old",
                                                     "modified",
                                                     "unmodified",
                                                     "modified.body",
                                                     "modified.configs",
                                                     "modified.persisted_descriptions",
                                                     "modified.relation",
                                                     "modified.macros",
                                                     "modified.contract"};

constexpr std::array<std::string_view, 19> resource_types = {
    "model",     "analysis", "test",    "snapshot", "operation", "seed",  "rpc",         "sql_operation",
    "doc",       "source",   "macro",   "exposure", "metric",    "group", "saved_query", "semantic_model",
    "unit_test", "fixture",  "function"};

constexpr std::array<std::string_view, 5> test_types = {"generic", "schema", "data", "singular", "unit"};
constexpr std::array<std::string_view, 4> version_kinds = {"latest", "prerelease", "old", "none"};

template <std::size_t n>
std::string one_of(const std::array<std::string_view, n>& known) {
  return fmt::format("known: {}", fmt::join(known, ", "));
}

template <std::size_t n>
bool is_in(const std::array<std::string_view, n>& known, std::string_view value) {
  return std::find(known.begin(), known.end(), value) != known.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// What Python's \w takes, with every character beyond ASCII, and the point.
bool is_method_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Parses one criterion, front to back.
class TermParser {
 public:
  TermParser(std::string_view raw, std::string_view option) : rest_(raw), option_(option) { term_.raw = raw; }

  Result<Term> parse_value_of(std::string_view method) {
    term_.value = rest_;
    if (Result<void> known = choose_method(method); !known) return tl::unexpected(known.error());
    if (Result<void> valid = check_value(); !valid) return tl::unexpected(valid.error());
    return term_;
  }

  Result<Term> parse() {
    take_prefix();
    take_suffix();
    const std::string method = take_method();
    if (rest_.empty()) return refuse("nothing to select is named", "");
    term_.value = rest_;
    if (term_.childrens_parents && term_.below) return refuse("'@' before and '+' behind exclude one another", "");
    if (Result<void> known = choose_method(method); !known) return tl::unexpected(known.error());
    if (Result<void> valid = check_value(); !valid) return tl::unexpected(valid.error());
    return term_;
  }

 private:
  [[nodiscard]] tl::unexpected<Failed> refuse(std::string why, std::string hint) const {
    return failed(ExitStatus::usage, fmt::format("reading {} '{}'", option_, term_.raw), std::move(why),
                  std::move(hint));
  }

  void take_prefix() {
    if (rest_.starts_with('@')) {
      term_.childrens_parents = true;
      rest_.remove_prefix(1);
    }
    const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits < rest_.size() && rest_[digits] == '+') {
      term_.above = depth_of(rest_.substr(0, digits));
      rest_.remove_prefix(digits + 1);
    }
  }

  void take_suffix() {
    const std::size_t plus = rest_.rfind('+');
    if (plus == std::string_view::npos ||
        !std::all_of(rest_.begin() + static_cast<std::ptrdiff_t>(plus) + 1, rest_.end(), is_digit))
      return;
    term_.below = depth_of(rest_.substr(plus + 1));
    rest_ = rest_.substr(0, plus);
  }

  std::string take_method() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_method_character);
    if (end == rest_.begin() || end == rest_.end() || *end != ':') return {};
    std::string method(rest_.begin(), end);
    rest_.remove_prefix(method.size() + 1);
    return method;
  }

  void choose_default_method() {
    std::string lower = term_.value;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const std::string_view value = lower;
    if (value.find('/') != std::string_view::npos) {
      term_.method = Method::path;
    } else if (value.ends_with(".sql") || value.ends_with(".py") || value.ends_with(".csv")) {
      term_.method = Method::file;
    }
  }

  Result<void> choose_method(std::string_view name) {
    if (name.empty()) {
      choose_default_method();
      return {};
    }
    std::string_view arguments = name;
    const std::string_view first = arguments.substr(0, arguments.find('.'));
    arguments.remove_prefix(first.size());
    while (!arguments.empty()) {
      arguments.remove_prefix(1);
      const std::string_view argument = arguments.substr(0, arguments.find('.'));
      term_.arguments.emplace_back(argument);
      arguments.remove_prefix(argument.size());
    }
    if (first == "result" || first == "source_status") {
      return refuse(fmt::format("'{}:' asks for an earlier run's results, and only manifests are compared", first), "");
    }
    const auto at = std::find_if(methods.begin(), methods.end(), [&](const auto& m) { return m.first == first; });
    if (at == methods.end()) {
      std::array<std::string_view, methods.size()> names{};
      std::transform(methods.begin(), methods.end(), names.begin(), [](const auto& m) { return m.first; });
      return refuse(fmt::format("'{}' is not a method", first), one_of(names));
    }
    term_.method = at->second;
    const bool takes_arguments = term_.method == Method::config;
    if (takes_arguments == term_.arguments.empty()) {
      return refuse(takes_arguments ? "'config' needs the name of a setting" : fmt::format("'{}' takes no '.'", first),
                    takes_arguments ? "config.materialized:table" : "");
    }
    return {};
  }

  Result<void> check_value() {
    const std::string_view value = term_.value;
    const auto parts = static_cast<std::size_t>(std::count(value.begin(), value.end(), '.')) + 1;
    switch (term_.method) {
      case Method::state:
        if (!is_in(states, value)) return refuse(fmt::format("'{}' is no state", value), one_of(states));
        break;
      case Method::resource_type:
        if (!is_in(resource_types, value)) return refuse(fmt::format("'{}' is no type", value), one_of(resource_types));
        break;
      case Method::test_type:
        if (!is_in(test_types, value)) return refuse(fmt::format("'{}' is no type of test", value), one_of(test_types));
        break;
      case Method::version:
        if (!is_in(version_kinds, value))
          return refuse(fmt::format("'{}' is no version", value), one_of(version_kinds));
        break;
      case Method::source:
        if (parts > 3) return refuse("a source has at most three parts", "package.source.table");
        break;
      case Method::exposure:
      case Method::metric:
      case Method::saved_query:
      case Method::semantic_model:
      case Method::unit_test:
        if (parts > 2) return refuse("it has at most two parts", "package.name");
        break;
      default:
        break;
    }
    return {};
  }

  Term term_;
  std::string_view rest_;
  std::string_view option_;
};

}  // namespace

std::size_t depth_of(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return any_depth;  // beyond any graph
  std::size_t depth = 0;
  for (const char c : digits) depth = depth * 10 + static_cast<std::size_t>(c - '0');
  return depth;
}

Result<Term> parse_term(std::string_view text, std::string_view option) { return TermParser(text, option).parse(); }

Result<Term> make_term(std::string_view method, const std::string& value, std::string_view option) {
  return TermParser(value, option).parse_value_of(method);
}

Result<Selector> parse_selector(std::string_view text, std::string_view option) {
  constexpr std::string_view blanks = " \t\r\n";
  Selector selector;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    if (text.empty()) return selector;
    std::string_view word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    std::vector<Term>& terms = selector.emplace_back();
    while (true) {
      const std::size_t comma = word.find(',');
      Result<Term> term = parse_term(word.substr(0, comma), option);
      if (!term) return tl::unexpected(std::move(term.error()));
      terms.push_back(std::move(*term));
      if (comma == std::string_view::npos) break;
      word.remove_prefix(comma + 1);
    }
  }
}

}  // namespace offshoot::state
