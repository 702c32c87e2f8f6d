// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/clones.hpp"
#include "flow_context.hpp"
#include "silent_session.hpp"
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

/// A warehouse that answers as it is told, and keeps what it was asked.
class Answering final : public dbt::tests::SilentSession {
 public:
  explicit Answering(Result<json> answer) : answer_(std::move(answer)) {}
  Result<json> macro(const dbt::WarehouseAt&, const std::string& name, const json& args) override {
    asked.push_back({name, args});
    return answer_;
  }
  std::vector<std::pair<std::string, json>> asked;

 private:
  Result<json> answer_;
};

class CloningInto : public testing::Test {
 protected:
  CloningInto() {
    run_.branch = Branch{};
    for (const std::string name : {"absent", "cloned", "left", "rerun"}) {
      const std::string id = "model.shop." + name;
      // What a rerun does not build again is not in the plan any more.
      if (name != "rerun") {
        planned_.plan.nodes.push_back({.unique_id = id, .relation = {"shop", "pr_7", name, "pr_7." + name}});
      }
      planned_.to_clone[id] = {"shop", "serving", name, "serving." + name};
    }
  }

  Result<void> clone(Answering& session) {
    const tests::BareContext bare;
    return clone_from_production(bare.context, planned_, {}, session, run_);
  }

  Planned planned_;
  offshoot::Run run_;
};

TEST_F(CloningInto, EachIsNotedAsTheWarehouseAnswers) {
  Answering session(json{{"cloned", {"model.shop.cloned"}},
                         {"left", {{{"id", "model.shop.left"}, {"why", "it is no table in production"}}}}});
  ASSERT_TRUE(clone(session));
  ASSERT_EQ(session.asked.size(), 1U);
  EXPECT_EQ(session.asked.front().first, "clone_relations");
  EXPECT_EQ(session.asked.front().second.at("copies").size(), 3U);
  EXPECT_EQ(session.asked.front().second.at("copies").at(1), (json{{"id", "model.shop.cloned"},
                                                                   {"database", "shop"},
                                                                   {"schema", "serving"},
                                                                   {"name", "cloned"},
                                                                   {"to", "pr_7"},
                                                                   {"to_name", "cloned"}}));
  EXPECT_EQ(run_.branch.finished()->clones,
            (std::vector<Clone>{{"model.shop.cloned", "serving.cloned", ""},
                                {"model.shop.left", "serving.left", "it is no table in production"}}));
  EXPECT_EQ(run_.notes, Ids{"left did not begin with production's rows: it is no table in production."});
}

TEST_F(CloningInto, NothingIsAskedWhereNothingIsToBeCloned) {
  planned_.plan.nodes.clear();
  Answering session(failed(ExitStatus::could_not_run, "asking", "it is down"));
  EXPECT_TRUE(clone(session));
  EXPECT_TRUE(session.asked.empty());
  EXPECT_TRUE(run_.times.empty());
}

TEST_F(CloningInto, WhatGoesWrongSaysHowToDoWithout) {
  Answering session(failed(ExitStatus::could_not_run, "running clone_relations", "the disk is full"));
  const auto cloned = clone(session);
  ASSERT_FALSE(cloned);
  EXPECT_EQ(cloned.error().status, ExitStatus::could_not_run);
  EXPECT_EQ(cloned.error().doing, "copying production's rows into the branch");
  EXPECT_EQ(cloned.error().why, "the disk is full");
  EXPECT_EQ(cloned.error().hint, "set branch.incremental to rebuild to check without them");
  EXPECT_TRUE(run_.branch.finished()->clones.empty());
}

}  // namespace
}  // namespace offshoot::flow
