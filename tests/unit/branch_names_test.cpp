// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <regex>
#include <set>

#include "branch/names.hpp"

namespace offshoot::branch {
namespace {

const std::regex shape("[a-z][a-z0-9_]{0,39}");

TEST(BranchName, E1_PullRequestGivesItsNumber) {
  EXPECT_EQ(*branch_name("shop", 7, "feature/x"), "shop_pr_7");
  EXPECT_EQ(*branch_name("shop", 7, "anything else"), "shop_pr_7");
}

TEST(BranchName, E1_NoByteOfTheRefReachesTheNameUnchecked) {
  for (const std::string ref : {"x\"; drop schema prod cascade; --", "feature/ÄÖ", "prod.public", "-rf", "../..", "%_",
                                "\xff\xfe", "__", "a\nb", "$(id)"}) {
    const auto name = branch_name("shop", 0, ref);
    ASSERT_TRUE(name) << ref;
    EXPECT_TRUE(std::regex_match(*name, shape)) << *name;
    EXPECT_TRUE(is_branch_name(*name, "shop")) << *name;
  }
}

TEST(BranchName, E1_DistinctRefsHaveDistinctNames) {
  std::mt19937 random(20261121);  // NOLINT(bugprone-random-generator-seed,cert-msc51-cpp): reproducible on purpose
  std::set<std::string> refs;
  std::set<std::string> names;
  const std::string long_part(74, 'a');
  while (refs.size() < 20000) {
    std::string ref = random() % 4 == 0 ? long_part : "feature/";
    for (auto i = random() % 30; i > 0; --i) ref += static_cast<char>(random() % 256);
    if (!refs.insert(ref).second || ref.empty()) continue;
    const auto name = branch_name("shop", 0, ref);
    ASSERT_TRUE(name);
    ASSERT_TRUE(std::regex_match(*name, shape)) << *name;
    names.insert(folded(*name));
  }
  EXPECT_EQ(names.size(), refs.size());
}

TEST(BranchName, E1_PrefixIsChecked) {
  for (const std::string prefix : {"", "ab", "Shop", "1shop", "shop-x", "shop\"", "a23456789012345678901", "sh op"}) {
    EXPECT_FALSE(branch_name(prefix, 7, "")) << prefix;
  }
  EXPECT_EQ(branch_name("ab", 7, "").error().status, ExitStatus::usage);
}

TEST(BranchName, RecognisesOnlyItsOwn) {
  EXPECT_TRUE(is_branch_name("shop_pr_12", "shop"));
  EXPECT_FALSE(is_branch_name("shop_pr_0", "shop"));
  EXPECT_FALSE(is_branch_name("shop_pr_", "shop"));
  EXPECT_FALSE(is_branch_name("shop_prod", "shop"));
  EXPECT_FALSE(is_branch_name("shop", "shop"));
  EXPECT_FALSE(is_branch_name("shop_b_main", "shop"));
  EXPECT_FALSE(is_branch_name("shoppe_pr_12", "shop"));
}

TEST(BelongsTo, TheBranchAndItsCustomSchemasOnly) {
  EXPECT_TRUE(belongs_to("shop_pr_1", "shop_pr_1"));
  EXPECT_TRUE(belongs_to("SHOP_PR_1_STAGING", "shop_pr_1"));
  EXPECT_FALSE(belongs_to("shop_pr_12", "shop_pr_1"));
  EXPECT_FALSE(belongs_to("staging", "shop_pr_1"));
  EXPECT_FALSE(belongs_to("", "shop_pr_1"));
}

}  // namespace
}  // namespace offshoot::branch
