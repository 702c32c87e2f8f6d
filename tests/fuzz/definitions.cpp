// SPDX-License-Identifier: Apache-2.0
// The selectors that a manifest holds.
#include "fuzz.hpp"
#include "state/definition.hpp"

using namespace offshoot;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // What is not a whole manifest is given one around it, so that more than the reader is reached.
  const std::string selectors(fuzz::view(data, size));
  const std::string text =
      R"({"metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"}, )"
      R"("nodes": {}, "sources": {}, "macros": {}, "exposures": {}, "selectors": )" +
      selectors + "}";
  const auto manifest = state::Manifest::parse(text, "manifest.json");
  if (!manifest) return 0;
  const auto found = state::find_definitions(*manifest, "*");
  if (!found) {
    fuzz::require(found.error().status == ExitStatus::usage || found.error().status == ExitStatus::could_not_run,
                  "a selector that is not known is an error with a cause");
    fuzz::require(!found.error().why.empty(), "the cause is said");
    return 0;
  }
  fuzz::require(!found->empty(), "that no selector has the name is an error");
  return 0;
}
