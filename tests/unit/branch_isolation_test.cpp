// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "branch/isolation.hpp"

namespace offshoot::branch {
namespace {

Branch by_schema() { return {.name = "shop_pr_7", .isolation = Isolation::schema, .database = "analytics"}; }

RelationName at(std::string database, std::string schema) {
  return {database, schema, "orders", database + "." + schema + ".orders"};
}

TEST(Isolation, ProvesWhatLiesInTheBranch) {
  EXPECT_TRUE(prove_isolation(
      by_schema(), {{"model.a", at("analytics", "shop_pr_7")}, {"model.b", at("ANALYTICS", "shop_pr_7_staging")}}));
}

TEST(Isolation, RefusesAHardCodedSchemaAndNamesNodeAndMend) {
  const auto proof = prove_isolation(
      by_schema(), {{"model.a", at("analytics", "shop_pr_7")}, {"model.b", at("analytics", "serving")}});
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().status, ExitStatus::refused);
  EXPECT_NE(proof.error().why.find("model.b -> analytics.serving.orders"), std::string::npos);
  EXPECT_EQ(proof.error().why.find("model.a"), std::string::npos);
  EXPECT_NE(proof.error().hint.find("serving"), std::string::npos);
}

TEST(Isolation, RefusesAnotherDatabase) {
  EXPECT_FALSE(prove_isolation(by_schema(), {{"model.a", at("prod", "shop_pr_7")}}));
  Branch file = by_schema();
  file.isolation = Isolation::database;
  file.database = "shop_pr_7";
  EXPECT_FALSE(prove_isolation(file, {{"model.a", at("prod", "serving")}}));
  EXPECT_TRUE(prove_isolation(file, {{"model.a", at("shop_pr_7", "serving")}}));
}

TEST(Isolation, E1_RefusesASchemaThatTheWarehouseWouldCut) {
  EXPECT_FALSE(prove_isolation(by_schema(), {{"model.a", at("analytics", "shop_pr_7_" + std::string(60, 'x'))}}));
}

TEST(Isolation, ListsEachSchemaOnce) {
  const std::vector<std::string> expected{"shop_pr_7", "shop_pr_7_staging"};
  EXPECT_EQ(schemas_of(by_schema(), {{"model.a", at("analytics", "shop_pr_7_staging")},
                                     {"model.b", at("analytics", "shop_pr_7_staging")}}),
            expected);
}

}  // namespace
}  // namespace offshoot::branch
