// SPDX-License-Identifier: Apache-2.0
// Two manifests, base and head: read, compared, selected from and explained.
#include "state/manifest.hpp"

#include "fuzz.hpp"
#include "state/json.hpp"
#include "state/selection.hpp"

using namespace offshoot;

namespace {

Result<state::Manifest> read(std::string_view bytes) {
  Result<state::Manifest> manifest = state::Manifest::parse(bytes, "fuzz.json");
  if (!manifest) return manifest;
  fuzz::require(!state::outline_error(bytes), "what is read has its outline in order");
  for (const state::Entry& entry : manifest->nodes()) (void)manifest->info(entry);
  (void)state::FileIndex(*manifest).find("shop", "models/a.sql");
  return manifest;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [before, after] = fuzz::halves(fuzz::view(data, size));
  const auto base = read(before);
  const auto head = read(after);
  if (!base || !head) return 0;
  for (const bool more : {false, true}) {
    for (const char* select :
         {"state:modified+", "state:modified.contract @state:new,tag:x config.materialized:table"}) {
      const auto selection = state::select(*base, *head, {.select = select, .compare_more_unrendered_values = more});
      if (selection) state::build_list(*selection, *head);
    }
  }
  return 0;
}
