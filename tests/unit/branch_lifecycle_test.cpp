// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <deque>

#include "branch/lifecycle.hpp"
#include "branch/mark.hpp"
#include "branch_mark.hpp"
#include "io/files.hpp"
#include "silent_session.hpp"

namespace offshoot::branch {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A warehouse that answers as the test says, and remembers what it was asked.
class PlayedWarehouse final : public dbt::tests::SilentSession {
 public:
  Result<json> macro(const dbt::WarehouseAt&, const std::string& name, const json& arguments) override {
    asked.push_back({{"macro", name}, {"args", arguments}});
    json answer = answers.at(0);
    answers.pop_front();
    return answer;
  }
  std::deque<json> answers{};
  std::vector<json> asked{};
};

const DropContext ours{.prefix = "shop", .repository_id = "42", .forbidden = {"prod"}};

class Lifecycle : public testing::Test {
 protected:
  Branch branch(Isolation isolation) const {
    return {.name = "shop_pr_7",
            .isolation = isolation,
            .path = folder_.path() / "shop_pr_7.duckdb",
            .schemas = {"shop_pr_7"},
            .mark = mark_of_ours()};
  }
  Result<Listing> list_files() {
    dbt::Profile profile;
    profile.file = folder_.path() / "profiles.yml";
    profile.project_folder = folder_.path();
    profile.name = "shop";
    profile.outputs = {{"ci", {"duckdb", "duckdb"}, {}, {"ci.duckdb", "ci.duckdb"}}};
    profile.document = {{"shop", {{"outputs", {{"ci", {{"type", "duckdb"}, {"path", "ci.duckdb"}}}}}}}};
    return branch::list_files(folder_.path(), profile, "ci", folder_.path() / "scratch", ours, warehouse_);
  }

  io::TemporaryFolder folder_ = *io::TemporaryFolder::make("lifecycle");
  PlayedWarehouse warehouse_;
  const dbt::WarehouseAt at_{folder_.path(), "shop", "ci"};
};

using Creating = Lifecycle;
using Finding = Lifecycle;
using Dropping = Lifecycle;

TEST_F(Creating, E3_5_AForeignSchemaIsRefused) {
  warehouse_.answers = {{{"status", "foreign"}, {"schema", "shop_pr_7"}, {"mark", nullptr}}};
  Branch made = branch(Isolation::schema);
  const auto created = create(made, at_, warehouse_);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().status, ExitStatus::refused);
  EXPECT_EQ(created.error().why, "'shop_pr_7' exists and does not bear this branch's mark");
  EXPECT_EQ(warehouse_.asked.at(0)["args"]["mark"], to_json(mark_of_ours()));
}

TEST_F(Creating, E3_5_AForeignFileIsRefused) {
  ASSERT_TRUE(io::write_file(folder_.path() / "shop_pr_7.duckdb", "somebody's"));
  warehouse_.answers = {{{"status", "foreign"}, {"mark", nullptr}}};
  Branch made = branch(Isolation::database);
  const auto created = create(made, at_, warehouse_);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().status, ExitStatus::refused);
  EXPECT_EQ(warehouse_.asked.at(0)["args"]["fresh"], false) << "the warehouse is told that the file was there before";
}

TEST_F(Creating, E3_5_ALinkInTheFilesPlaceIsRefusedBeforeTheWarehouseIsAsked) {
  ASSERT_TRUE(io::write_file(folder_.path() / "prod.duckdb", "precious"));
  fs::create_symlink(folder_.path() / "prod.duckdb", folder_.path() / "shop_pr_7.duckdb");
  warehouse_.answers = {{{"status", "created"}}};
  Branch made = branch(Isolation::database);
  const auto created = create(made, at_, warehouse_);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().status, ExitStatus::refused);
  EXPECT_TRUE(warehouse_.asked.empty());
}

TEST_F(Finding, E3_3_WhatIsNoMarkIsNotOurs) {
  json half = to_json(mark_of_ours());
  half.erase("expires");
  warehouse_.answers = {json::array({{{"schema", "shop_pr_7"}, {"mark", half}},
                                     {{"schema", "shop_pr_8"}, {"mark", "text"}},
                                     {{"schema", "shop_pr_9"}}})};
  const auto found = list_schemas(at_, ours, warehouse_);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->branches.empty());
  ASSERT_EQ(found->left.size(), 3U);
  for (const auto& why : found->left) EXPECT_NE(why.find("carries no owner's mark"), std::string::npos) << why;
}

TEST_F(Finding, E3_3_ALinkInTheFilesPlaceIsNotLookedInto) {
  ASSERT_TRUE(io::write_file(folder_.path() / "prod.duckdb", "precious"));
  fs::create_symlink(folder_.path() / "prod.duckdb", folder_.path() / "shop_pr_7.duckdb");
  warehouse_.answers = {to_json(mark_of_ours())};
  const auto found = list_files();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->branches.empty());
  EXPECT_TRUE(warehouse_.asked.empty());
}

TEST_F(Finding, AFileWithOurMarkIsOurs) {
  ASSERT_TRUE(io::write_file(folder_.path() / "shop_pr_7.duckdb", "ours"));
  warehouse_.answers = {to_json(mark_of_ours())};
  const auto found = list_files();
  ASSERT_TRUE(found) << found.error().why;
  ASSERT_EQ(found->branches.size(), 1U);
  EXPECT_EQ(found->branches[0].mark, mark_of_ours());
}

TEST_F(Dropping, E3_5_WhatTheWarehouseRefusesIsNotDropped) {
  const Found found{.mark = mark_of_ours(), .schemas = {"shop_pr_7"}};
  warehouse_.answers = {
      {{"status", "foreign"}, {"schema", "shop_pr_7"}, {"mark", nullptr}},
      {{"status", "refused"}, {"dependents", {{{"schema", "prod"}, {"name", "v"}, {"type", "view"}, {"uses", "x"}}}}},
      {{"status", "dropped"}, {"dropped", {"shop_pr_7"}}, {"absent", json::array()}}};
  const auto changed = drop(found, at_, warehouse_);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().status, ExitStatus::refused);
  const auto needed = drop(found, at_, warehouse_);
  ASSERT_FALSE(needed);
  EXPECT_NE(needed.error().why.find("prod.v (view)"), std::string::npos) << needed.error().why;
  EXPECT_TRUE(drop(found, at_, warehouse_));
}

}  // namespace
}  // namespace offshoot::branch
