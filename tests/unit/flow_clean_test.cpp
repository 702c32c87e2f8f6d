// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/clean.hpp"

namespace offshoot::flow {
namespace {

TEST(NamesInUse, E3_2_AreTheSchemasAndFilesOfEveryOutput) {
  const dbt::Profile profile{
      .name = "shop",
      .outputs = {{.name = "ci", .schema = {"Shop_CI", "Shop_CI"}},
                  {.name = "prod", .schema = {"analytics", "analytics"}, .path = {"/w/Prod.duckdb", "/w/Prod.duckdb"}},
                  {.name = "jinja", .schema = {"{{ x() }}", std::nullopt}}}};
  EXPECT_EQ(names_in_use(profile), (std::set<std::string>{"shop_ci", "analytics", "prod"}));
}

}  // namespace
}  // namespace offshoot::flow
