// SPDX-License-Identifier: Apache-2.0
#include "change/lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "change/jinja.hpp"
#include "change/sql_tokens.hpp"

namespace offshoot::change {

namespace {

using enum Dialect;

Sameness compare_in(const Template& before, const Template& after, Dialect dialect) {
  const auto before_tokens = sql_tokens(before, dialect);
  const auto after_tokens = sql_tokens(after, dialect);
  if (!before_tokens || !after_tokens) return Sameness::unsure;
  return *before_tokens == *after_tokens ? Sameness::same : Sameness::different;
}

}  // namespace

Dialect dialect_of(std::string_view adapter) {
  constexpr std::array<std::pair<std::string_view, Dialect>, 17> known{{{"athena", trino},
                                                                        {"bigquery", bigquery},
                                                                        {"clickhouse", clickhouse},
                                                                        {"databricks", spark},
                                                                        {"duckdb", duckdb},
                                                                        {"fabric", tsql},
                                                                        {"mariadb", mysql},
                                                                        {"mysql", mysql},
                                                                        {"postgres", postgres},
                                                                        {"redshift", redshift},
                                                                        {"snowflake", snowflake},
                                                                        {"spark", spark},
                                                                        {"sqlserver", tsql},
                                                                        {"starburst", trino},
                                                                        {"synapse", tsql},
                                                                        {"trino", trino},
                                                                        {"unknown", unknown}}};
  const auto found = std::ranges::find(known, adapter, &std::pair<std::string_view, Dialect>::first);
  return found == known.end() ? unknown : found->second;
}

Sameness compare_sql(std::string_view before, std::string_view after, Dialect dialect) {
  if (before == after) return Sameness::same;
  const auto before_template = split_jinja(before);
  const auto after_template = split_jinja(after);
  if (!before_template || !after_template) return Sameness::unsure;
  if (before_template->may_unbalance || after_template->may_unbalance) return Sameness::unsure;
  if (dialect != unknown) return compare_in(*before_template, *after_template, dialect);
  for (const Dialect each : {bigquery, clickhouse, duckdb, mysql, postgres, redshift, snowflake, spark, trino, tsql}) {
    const Sameness sameness = compare_in(*before_template, *after_template, each);
    if (sameness != Sameness::same) return sameness;
  }
  return Sameness::same;
}

}  // namespace offshoot::change
