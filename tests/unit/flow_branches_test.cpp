// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/branches.hpp"

namespace offshoot::flow {
namespace {

TEST(NamesInUse, E3_2_AreTheSchemasAndFilesOfEveryOutput) {
  dbt::Profile profile;
  profile.outputs = {{"ci", {}, {"Shop_CI", "Shop_CI"}, {}},
                     {"prod", {}, {"analytics", "analytics"}, {"/w/Prod.duckdb", "/w/Prod.duckdb"}},
                     {"jinja", {}, {"{{ x() }}", std::nullopt}, {}}};
  EXPECT_EQ(names_in_use(profile), (std::set<std::string>{"shop_ci", "analytics", "prod"}));
}

}  // namespace
}  // namespace offshoot::flow
