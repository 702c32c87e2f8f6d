// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/clones.hpp"
#include "state_builder.hpp"

namespace offshoot::flow {
namespace {

using state::test::Builder;
using state::test::Ids;
using state::test::json;

/// A project whose planned nodes production has, all of them.
class Cloning : public testing::Test {
 protected:
  Cloning() {
    settings_.branch.incremental = "clone";
    branch_.adapter = "postgres";
    branch_.database = "shop";
  }

  json& add(const std::string& id, const std::string& materialized) {
    json& node = project_.add(id);
    node["config"]["materialized"] = materialized;
    plan_.nodes.push_back({.unique_id = id, .resource_type = id.substr(0, id.find('.')), .materialized = materialized});
    production_[id] = {"shop", "serving", id.substr(id.rfind('.') + 1), "shop.serving." + id};
    return node;
  }

  Ids cloned() {
    const auto head = project_.read();
    if (!head) return {"the manifest cannot be read"};
    Ids ids;
    for (const auto& [id, relation] : what_to_clone(settings_, plan_, branch_, *head, production_)) {
      EXPECT_EQ(relation, production_.at(id));
      ids.push_back(id);
    }
    return ids;
  }

  Settings settings_;
  Builder project_;
  Plan plan_;
  Branch branch_;
  ProductionRelations production_;
};

TEST_F(Cloning, IncrementalModelsAndSnapshotsAreAndWhatIsMadeAnewIsNot) {
  add("model.shop.events", "incremental");
  add("snapshot.shop.customers", "snapshot");
  add("model.shop.orders", "table");
  add("model.shop.recent", "view");
  add("seed.shop.countries", "seed");
  EXPECT_EQ(cloned(), (Ids{"model.shop.events", "snapshot.shop.customers"}));
  settings_.branch.incremental = "rebuild";
  EXPECT_EQ(cloned(), Ids{});
}

TEST_F(Cloning, OnlyWhatIsPlannedAndProductionHas) {
  add("model.shop.events", "incremental");
  add("model.shop.visits", "incremental");
  add("model.shop.clicks", "incremental");
  production_.erase("model.shop.visits");
  std::erase_if(plan_.nodes, [](const PlannedNode& node) { return node.unique_id == "model.shop.clicks"; });
  EXPECT_EQ(cloned(), Ids{"model.shop.events"});
}

TEST_F(Cloning, AFullRefreshBeginsWithNothingAndTheModelsOwnWordComesFirst) {
  add("model.shop.always", "incremental")["config"]["full_refresh"] = true;
  add("model.shop.asked", "incremental")["config"]["full_refresh"] = nullptr;
  add("model.shop.never", "incremental")["config"]["full_refresh"] = false;
  add("snapshot.shop.customers", "snapshot");
  EXPECT_EQ(cloned(), (Ids{"model.shop.asked", "model.shop.never", "snapshot.shop.customers"}));
  settings_.build.full_refresh = true;
  EXPECT_EQ(cloned(), (Ids{"model.shop.never", "snapshot.shop.customers"}));
}

TEST_F(Cloning, ElementarysReportIsAboutTheBranch) {
  add("model.elementary.dbt_run_results", "incremental");
  add("model.elementary_like.events", "incremental");
  EXPECT_EQ(cloned(), Ids{"model.elementary_like.events"});
}

TEST_F(Cloning, OneStatementMustReachBoth) {
  add("model.shop.events", "incremental");
  branch_.database = "SHOP";
  EXPECT_EQ(cloned(), Ids{"model.shop.events"});
  branch_.database = "elsewhere";
  EXPECT_EQ(cloned(), Ids{});
  branch_.adapter = "duckdb";  // attaches production's file
  EXPECT_EQ(cloned(), Ids{"model.shop.events"});
}

}  // namespace
}  // namespace offshoot::flow
