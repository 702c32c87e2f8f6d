// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "branch/guard.hpp"
#include "branch/mark.hpp"
#include "branch_mark.hpp"

namespace offshoot::branch {
namespace {

/// Why it stays; empty where it may go.
std::string why(const Marked& marked, const DropContext& context) { return why_not_drop(marked, context).value_or(""); }

const DropContext ours{.prefix = "shop", .repository_id = "42", .forbidden = {"shop", "shop_pr_prod", "prod"}};

TEST(DropGuard, AllowsWhatIsOurs) {
  EXPECT_EQ(why_not_drop({"shop_pr_7", mark_of_ours()}, ours), std::nullopt);
  EXPECT_EQ(why_not_drop({"shop_pr_7_staging", mark_of_ours()}, ours), std::nullopt);
}

TEST(DropGuard, E3_1_NameMustBeABranchs) {
  auto mark = mark_of_ours();
  mark.branch = "serving";
  EXPECT_NE(why_not_drop({"serving", mark}, ours), std::nullopt);
  for (const char* name : {"shop_pr_8", "shop_pr_70", "shop_pr_7x", "shop"}) {
    EXPECT_NE(why_not_drop({name, mark_of_ours()}, ours), std::nullopt) << name;
  }
}

TEST(DropGuard, E3_2_NamesInUseAreForbidden) {
  auto context = ours;
  context.forbidden.insert("shop_pr_7_staging");
  EXPECT_NE(why_not_drop({"SHOP_PR_7_STAGING", mark_of_ours()}, context), std::nullopt);
  for (const char* name : {"public", "information_schema", "main", "pg_catalog", "PG_toast", "temp", "System"}) {
    // Before anything else is looked at: a mark cannot make one of them ours.
    EXPECT_EQ(why({name, mark_of_ours()}, ours), fmt::format("'{}' is the warehouse's own", name));
  }
}

TEST(DropGuard, E3_2_CustomSchemasOfANameInUseAreForbidden) {
  auto context = ours;
  context.forbidden = {"shop_pr_7"};
  EXPECT_NE(why_not_drop({"shop_pr_7_staging", mark_of_ours()}, context), std::nullopt);
}

TEST(DropGuard, E3_3_NoMarkNoDrop) { EXPECT_NE(why_not_drop({"shop_pr_7", std::nullopt}, ours), std::nullopt); }

TEST(DropGuard, E3_4_AnotherRepositorysMarkIsLeftAlone) {
  auto mark = mark_of_ours();
  mark.repository_id = "43";
  EXPECT_NE(why_not_drop({"shop_pr_7", mark}, ours), std::nullopt);
}

TEST(OwnerMark, RoundTripsAndRefusesHalfAMark) {
  const auto mark = mark_of_ours();
  EXPECT_EQ(*parse_mark(to_json(mark)), mark);
  const auto whole = to_json(mark);
  for (const auto& item : whole.items()) {
    auto half = whole;
    half.erase(item.key());
    EXPECT_FALSE(parse_mark(half)) << item.key();
  }
  EXPECT_FALSE(parse_mark("text"));
  auto newer = to_json(mark);
  newer["offshoot"] = 2;
  EXPECT_FALSE(parse_mark(newer));
}

TEST(OwnerMark, Expires) {
  io::Instant before;
  io::Instant after;
  ASSERT_TRUE(io::parse_rfc3339("2026-11-07T23:59:59Z", before));
  ASSERT_TRUE(io::parse_rfc3339("2026-11-08T00:00:00Z", after));
  EXPECT_FALSE(expired(mark_of_ours(), before));
  EXPECT_TRUE(expired(mark_of_ours(), after));
}

}  // namespace
}  // namespace offshoot::branch
