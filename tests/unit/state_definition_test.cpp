// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "state_builder.hpp"

namespace offshoot::state::test {
namespace {

/// a <- b <- c, a test of a and c, and selectors as dbt writes them into the manifest.
Builder project() {
  Builder builder;
  builder.add("model.shop.a")["tags"] = {"slow"};
  builder.add("model.shop.b", {"model.shop.a"});
  builder.add("model.shop.c", {"model.shop.b"});
  builder.add("test.shop.relates_a_c", {"model.shop.a", "model.shop.c"})["test_metadata"] = {{"name", "relationships"}};
  const auto define = [&](const std::string& name, const json& definition) {
    builder.root["selectors"][name] = {{"name", name}, {"definition", definition}};
  };
  define("below_a", {{"method", "fqn"}, {"value", "a"}, {"children", true}, {"children_depth", "1"}});
  define("without_slow", {{"union", {"fqn:*", {{"exclude", {{{"method", "tag"}, {"value", "slow"}}}}}}}});
  define("by_name", {{"intersection", {{{"method", "selector"}, {"value", "without_slow"}}, {{"fqn", "c"}}}}});
  define("careful", {{"method", "fqn"}, {"value", "c"}, {"indirect_selection", "cautious"}});
  define("circle", {{"method", "selector"}, {"value", "circle"}});
  return builder;
}

Ids of(const std::string& selector, IndirectSelection mode = IndirectSelection::eager) {
  return ids_of(project(), project(), selector, mode);
}

TEST(Definitions, AreFoundByNameAndPattern) {
  EXPECT_EQ(of("selector:below_a", IndirectSelection::empty),
            (Ids{"model.shop.a", "model.shop.b", "test.shop.relates_a_c"}));
  EXPECT_EQ(of("selector:b*,c", IndirectSelection::empty), Ids{"model.shop.c"});
  EXPECT_EQ(of("selector:none"), Ids{"error: test has no selector of that name"});
}

TEST(Definitions, ExcludeAndNameOneAnother) {
  EXPECT_EQ(of("selector:without_slow", IndirectSelection::empty),
            (Ids{"model.shop.b", "model.shop.c", "test.shop.relates_a_c"}));
  EXPECT_EQ(of("selector:by_name", IndirectSelection::empty), Ids{"model.shop.c"});
}

TEST(Definitions, HaveTheirOwnIndirectSelection) {
  EXPECT_EQ(of("selector:careful"), Ids{"model.shop.c"});
  EXPECT_EQ(of("selector:below_a"), (Ids{"model.shop.a", "model.shop.b", "test.shop.relates_a_c"}));
}

TEST(Definitions, TakeOperatorsAndAddNoTestsThen) {
  EXPECT_EQ(of("1+selector:careful"), (Ids{"model.shop.b", "model.shop.c"}));
}

TEST(Definitions, G2_ACircleIsAnErrorAndNoCrash) {
  const Ids answer = of("selector:circle");
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_NE(answer[0].find("in a circle"), std::string::npos);
}

TEST(GraphOf, NodesInACircleAreAnErrorThatNamesThem) {
  Builder builder = project();
  builder["model.shop.a"]["depends_on"]["nodes"] = {"model.shop.c"};
  EXPECT_EQ(ids_of(builder, builder, "a"),
            Ids{"error: nodes depend on one another in a circle, which dbt does not run: "
                "model.shop.a -> model.shop.b -> model.shop.c -> model.shop.a"});
}

TEST(Building, LeavesOutUnitTestsWithoutTheirModelWhereDbtBuildDoes) {
  Builder builder = project();
  builder.add("unit_test.shop.b.ut", {"model.shop.b"});
  const Result<Manifest> head = builder.read();
  ASSERT_TRUE(head);
  const auto built = [&](const std::string& selector) {
    const Result<Selection> selection = select(*head, *head, SelectRequest{.select = selector});
    return selection ? ids(build_list(*selection, *head, LoneUnitTests::go).nodes) : Ids{"error"};
  };
  EXPECT_EQ(built("unit_test:ut"), Ids{});
  EXPECT_EQ(built("b"), (Ids{"model.shop.b", "unit_test.shop.b.ut"}));
}

}  // namespace
}  // namespace offshoot::state::test
