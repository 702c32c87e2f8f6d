// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/same_sql.hpp"

namespace offshoot::flow {
namespace {

const NamesInSql names{{R"("d"."ci"."orders")", "model.shop.orders"},
                       {R"("d"."ci"."orders_old")", "model.shop.old"},
                       {"ci.plain", "model.shop.plain"}};

TEST(SqlWithoutPlaces, NamesTheNodesThatAreRead) {
  EXPECT_EQ(without_places(R"(select "d"."ci"."orders".amount from "d"."ci"."orders" join ci.plain)", names),
            "select {model.shop.orders}.amount from {model.shop.orders} join {model.shop.plain}");
  EXPECT_EQ(without_places(R"(from "d"."ci"."orders_old")", names), "from {model.shop.old}");
  EXPECT_EQ(without_places("select 'it''s', \"o'clock\" from \"d\".\"ci\".\"orders\" -- don't\nwhere true", names),
            "select 'it''s', \"o'clock\" from {model.shop.orders} -- don't\nwhere true");
}

TEST(SqlWithoutPlaces, TakesOnlyWholeNames) {
  for (const std::string sql :
       {"from ci.plain_too", "from my_ci.plain", "from x.ci.plain", R"(from "d"."ci"."order")"}) {
    EXPECT_EQ(without_places(sql, names), sql);
  }
  EXPECT_EQ(without_places("select $1, a$b from ci.plain", names), "select $1, a$b from {model.shop.plain}");
}

TEST(SqlWithoutPlaces, TakesTheLongestName) {
  EXPECT_EQ(without_places("from ci.plain.deep", {{"ci.plain", "a"}, {"ci.plain.deep", "b"}}), "from {b}");
}

TEST(SqlWithoutPlaces, KnowsWhereCommentsAndTextsEnd) {
  EXPECT_EQ(without_places("/* don't */ from ci.plain", names), "/* don't */ from {model.shop.plain}");
  EXPECT_EQ(without_places("select '/*', '--' from ci.plain", names), "select '/*', '--' from {model.shop.plain}");
  EXPECT_EQ(without_places("-- in ci.plain\nselect 'a ci.plain'", names), std::nullopt);
  EXPECT_EQ(without_places("-- don't\nfrom ci.plain", names), "-- don't\nfrom {model.shop.plain}");
  EXPECT_EQ(without_places("-- don't\nselect 'in ci.plain'", names), std::nullopt);
  EXPECT_EQ(without_places("/*/ ' */ from ci.plain", names), "/*/ ' */ from {model.shop.plain}");
}

TEST(SqlWithoutPlaces, SaysNothingWhereANameMayBeStored) {
  EXPECT_EQ(without_places(R"(select '"d"."ci"."orders"' as source)", names), std::nullopt);
  EXPECT_EQ(without_places(R"(/* don't */ select 'from "d"."ci"."orders"')", names), std::nullopt);
  EXPECT_EQ(without_places(R"(select $$"d"."ci"."orders"$$)", names), std::nullopt);
  EXPECT_EQ(without_places(R"(select $tag$ from "d"."ci"."orders" $tag$)", names), std::nullopt);
  EXPECT_EQ(without_places(R"(select 1 as "from ci.plain here")", names), std::nullopt);
  EXPECT_EQ(without_places(R"(select E'\'"d"."ci"."orders"')", names), std::nullopt);
  EXPECT_EQ(without_places("/* /* */ ' */ select 1", names), std::nullopt);
}

}  // namespace
}  // namespace offshoot::flow
