// SPDX-License-Identifier: Apache-2.0
// Two texts of SQL with Jinja, in each dialect; the same two as YAML.
#include "change/lexer.hpp"
#include "fuzz.hpp"

using namespace offshoot;
using change::Dialect;
using change::Sameness;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [before, after] = fuzz::halves(fuzz::view(data, size));
  for (const Dialect dialect : {Dialect::unknown, Dialect::bigquery, Dialect::duckdb, Dialect::mysql, Dialect::postgres,
                                Dialect::snowflake, Dialect::spark, Dialect::tsql}) {
    const Sameness there = change::compare_sql(before, after, dialect);
    fuzz::require(there == change::compare_sql(after, before, dialect), "the order of the texts does not matter");
    fuzz::require(before != after || there != Sameness::different, "no text differs from itself");
  }
  change::compare_yaml(before, after);
  return 0;
}
