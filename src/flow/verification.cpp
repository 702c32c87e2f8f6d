// SPDX-License-Identifier: Apache-2.0
#include "flow/verification.hpp"

#include <algorithm>
#include <iterator>

namespace offshoot::flow {

Verified differences(const std::vector<std::string>& here, const std::vector<std::string>& dbt) {
  Verified verified;
  std::ranges::set_difference(here, dbt, std::back_inserter(verified.only_here));
  std::ranges::set_difference(dbt, here, std::back_inserter(verified.only_dbt));
  return verified;
}

Result<Verified> verify(const BuildSettings& settings, const dbt::ProjectAt& at,
                        const std::filesystem::path& base_manifest, const std::vector<std::string>& as_dbt,
                        dbt::Session& session) {
  auto selected = session.select({at, "head", base_manifest, settings.select, settings.exclude});
  if (!selected) return tl::unexpected(selected.error());
  std::ranges::sort(*selected);
  return differences(as_dbt, *selected);
}

}  // namespace offshoot::flow
