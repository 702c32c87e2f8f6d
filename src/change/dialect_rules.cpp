// SPDX-License-Identifier: Apache-2.0
#include "change/dialect_rules.hpp"

namespace offshoot::change {

Rules rules_of(Dialect dialect) {
  using enum Dialect;
  Rules rules;
  switch (dialect) {
    case bigquery:
      rules.in_strings = rules.in_double_quotes = rules.in_e_strings = Escapes::backslash;
      rules.hash = Hash::comment;
      rules.backticks = rules.triple_quotes = rules.dashed_names = true;
      break;
    case clickhouse:
      rules.in_strings = rules.in_double_quotes = rules.in_e_strings = Escapes::backslash;
      rules.comments = Nesting::depends;
      rules.hash = Hash::depends;
      rules.dollars = Dollars::tagged;
      rules.backticks = true;
      break;
    case mysql:
      rules.in_strings = rules.in_double_quotes = rules.in_e_strings = Escapes::depends;
      rules.hash = Hash::comment;
      rules.backticks = rules.dashes_need_space = rules.calls_touch = rules.code_in_comments = true;
      break;
    case duckdb:
      rules.in_e_strings = Escapes::backslash;
      rules.comments = Nesting::yes;
      rules.dollars = Dollars::tagged;
      break;
    case postgres:
      rules.in_strings = Escapes::depends;
      rules.in_e_strings = Escapes::backslash;
      rules.comments = Nesting::yes;
      rules.dollars = Dollars::tagged;
      break;
    case redshift:
      rules.in_strings = rules.in_e_strings = Escapes::depends;
      rules.comments = Nesting::depends;
      rules.dollars = Dollars::tagged;
      break;
    case snowflake:
      rules.in_strings = rules.in_e_strings = Escapes::backslash;
      rules.dollars = Dollars::plain;
      rules.slash_comments = rules.stage_paths = true;
      break;
    case spark:
      rules.in_strings = rules.in_double_quotes = rules.in_e_strings = Escapes::depends;
      rules.comments = Nesting::depends;
      rules.dollars = Dollars::plain;
      rules.backticks = true;
      break;
    case tsql:
      rules.comments = Nesting::yes;
      rules.square_brackets = true;
      break;
    case trino:
    case unknown:
      rules.dollars = Dollars::plain;
      break;
  }
  return rules;
}

}  // namespace offshoot::change
