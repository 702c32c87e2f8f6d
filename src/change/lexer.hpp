// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace offshoot::change {

/// Whether two texts mean the same. Only `same` may drop work; `unsure` (malformed or ambiguous) counts as different.
enum class Sameness { same, different, unsure };

/// How a warehouse reads comments, quotes and escapes. `unknown`: only what all of them agree on is `same`.
enum class Dialect {
  unknown,
  bigquery,
  clickhouse,
  duckdb,
  mysql,
  postgres,
  redshift,
  snowflake,
  spark,
  trino,
  tsql,
};

/// The dialect of a dbt adapter type ("duckdb", "databricks"); `unknown` for one that is not known.
Dialect dialect_of(std::string_view adapter);

/// Compares two texts of SQL with Jinja by their tokens. Whitespace between tokens and plain comments do not count;
/// what Jinja, the warehouse or a linter may act on does: literals, quoted names, hints, directives, comments that hold
/// Jinja, the text of macros and of call, set, filter and raw blocks. Nothing is rendered: it is taken that what a
/// Jinja expression prints neither opens nor closes a quote or a comment, unless a literal in it shows otherwise.
Sameness compare_sql(std::string_view before, std::string_view after, Dialect dialect);

/// Compares two YAML documents by their values. Comments, blank lines, indentation and the order of keys do not count;
/// quotes of scalars do ("1" is not 1). Equal values written in another style are `unsure`.
Sameness compare_yaml(std::string_view before, std::string_view after);

}  // namespace offshoot::change
