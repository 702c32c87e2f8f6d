// SPDX-License-Identifier: Apache-2.0
// Asks the lexer, for tests in other languages. Reads JSON lines {"before": …, "after": …, "dialect": "duckdb"} (the
// dialect is an adapter's name, or "yaml") and writes "same", "different" or "unsure", a line each. Texts are in
// Latin-1: a character is a byte.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "change/lexer.hpp"

namespace {

std::string bytes(const std::string& utf8) {
  std::string result;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const bool two = lead >= 0x80 && i + 1 < utf8.size();
    result +=
        two ? static_cast<char>(((lead & 0x03U) << 6U) | (static_cast<unsigned char>(utf8[++i]) & 0x3fU)) : utf8[i];
  }
  return result;
}

std::string_view name_of(offshoot::change::Sameness sameness) {
  if (sameness == offshoot::change::Sameness::same) return "same";
  return sameness == offshoot::change::Sameness::different ? "different" : "unsure";
}

}  // namespace

int main() {
  using namespace offshoot::change;
  for (std::string line; std::getline(std::cin, line);) {
    const auto question = nlohmann::json::parse(line, nullptr, false);
    if (!question.is_object()) {
      std::cerr << "formatting_oracle: not a JSON object: " << line << '\n';
      return 2;
    }
    const std::string before = bytes(question.value("before", ""));
    const std::string after = bytes(question.value("after", ""));
    const std::string dialect = question.value("dialect", "");
    std::cout << name_of(dialect == "yaml" ? compare_yaml(before, after)
                                           : compare_sql(before, after, dialect_of(dialect)))
              << std::endl;
  }
  return 0;
}
