// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "flow/promotion.hpp"
#include "report/digest.hpp"
#include "silent_session.hpp"
#include "state_builder.hpp"

namespace offshoot::flow {
namespace {

using state::test::Builder;
using state::test::Ids;
using state::test::json;

/// What becomes of each node: "promoted from …", or why it is built.
using Decided = std::map<std::string, std::string>;

/// A project that was checked in the branch "feature" at noon and is deployed an hour later.
class Promoting : public testing::Test {
 protected:
  Promoting() { run_.production.run = "deploy-1"; }

  /// Adds a node that the branch has built; its SQL reads its parents.
  void add(const std::string& id, const std::string& materialized, const Ids& parents = {}) {
    for (Builder* project : {&here_, &there_}) {
      json& node = project->add(id, parents);
      node["config"]["materialized"] = materialized;
      node["relation_name"] = name("prod", id);
    }
    const std::string type = id.substr(0, id.find('.'));
    const std::string short_name = id.substr(id.rfind('.') + 1);
    plan_.nodes.push_back({.unique_id = id, .resource_type = type, .name = short_name, .materialized = materialized});
    run_.nodes.push_back(plan_.nodes.back());
    run_.nodes.back().relation.rendered = name("branch", id);
    run_.nodes.back().depends_on = parents;
    results_.push_back({.unique_id = id, .status = NodeStatus::success});
    names_beside_[id] = name("beside", id);
    compiled_[id] = sql("beside", parents);
    compiled_in_check_[id] = sql("branch", parents);
  }

  /// A model that is not planned, and was read in production by the branch.
  void add_deferred(const std::string& id) {
    for (Builder* project : {&here_, &there_}) {
      project->add(id)["relation_name"] = name("prod", id);
      (*project)[id]["config"]["materialized"] = "table";
    }
    run_.deferred.push_back({id, {.rendered = name("prod", id)}});
  }

  void both(const std::string& id, const std::function<void(json&)>& change) {
    change(here_[id]);
    change(there_[id]);
  }

  static std::string name(const std::string& schema, const std::string& id) {
    return fmt::format(R"("{}"."{}")", schema, id.substr(id.rfind('.') + 1));
  }

  static std::string sql(const std::string& schema, const Ids& parents) {
    std::string text = "select 1";
    for (const auto& parent : parents) text += " from " + name(schema, parent);
    return text;
  }

  Decided decide() {
    offshoot::Run run{.id = "check-1", .started = started_};
    run.plan = run_;
    Branch branch;
    branch.name = "feature";
    run.branch = branch;
    Build build;
    build.results = results_;
    run.build = build;
    auto head = here_.read();
    auto checked = there_.read();
    if (!head || !checked) return {{"error", "the manifests cannot be read"}};
    const CheckedBuild check{run, std::move(*checked), {}};
    io::Instant now;
    io::parse_rfc3339("2026-11-20T13:00:00Z", now);
    PromotionEvidence evidence{.plan = plan_,
                               .head = *head,
                               .check = check,
                               .deployed_run = deployed_run_,
                               .owed = owed_,
                               .names_beside = names_beside_,
                               .now = now,
                               .within = std::chrono::hours(6)};
    evidence.compiled = compiled_;
    evidence.compiled_in_check = compiled_in_check_;
    Decided decided;
    for (const auto& one : decide_promotions(evidence)) {
      EXPECT_NE(one.from.empty(), one.because.empty());
      decided[report::short_name(one.unique_id)] = one.from.empty() ? one.because : "promoted from " + one.from;
    }
    return decided;
  }

  Builder here_;
  Builder there_;
  Plan plan_;
  Plan run_;
  std::vector<NodeResult> results_;
  std::string started_ = "2026-11-20T12:00:00Z";
  std::string deployed_run_ = "deploy-1";
  std::set<std::string> owed_;
  std::map<std::string, std::string> names_beside_;
  std::map<std::string, std::string> compiled_;
  std::map<std::string, std::string> compiled_in_check_;
};

const std::string promoted = "promoted from feature";

TEST_F(Promoting, TablesAndSeedsAreCopiedAndWhatReadsThemIsToo) {
  add("seed.shop.countries", "seed");
  add("model.shop.orders", "table", {"seed.shop.countries"});
  add("model.shop.seen", "view", {"model.shop.orders"});
  add("model.shop.above", "table", {"model.shop.seen"});
  plan_.nodes.push_back({.unique_id = "test.shop.t", .resource_type = "test"});
  const Decided expected{
      {"countries", promoted}, {"orders", promoted}, {"seen", "it is materialized as view"}, {"above", promoted}};
  EXPECT_EQ(decide(), expected);
}

TEST_F(Promoting, NothingIsCopiedOfWhatAnotherDbtBuilt) {
  add("model.shop.a", "table");
  there_.root["metadata"]["dbt_version"] = "1.10.0";
  EXPECT_EQ(decide()["a"], "the branch was built by dbt 1.10.0 for duckdb, and this is dbt 1.11.16 for duckdb");
  there_.root["metadata"]["dbt_version"] = "1.11.16";
  there_.root["metadata"]["adapter_type"] = "postgres";
  EXPECT_EQ(decide()["a"], "the branch was built by dbt 1.11.16 for postgres, and this is dbt 1.11.16 for duckdb");
}

TEST_F(Promoting, NothingIsCopiedWhereTheWholeRunHasHooks) {
  add("model.shop.a", "table");
  here_.add("operation.shop.on_run_end");
  EXPECT_EQ(decide()["a"], "the project has hooks of the whole run");
}

TEST_F(Promoting, NothingIsCopiedWhereTheProjectMakesRelationsInAWayOfItsOwn) {
  for (const std::string own : {"materialization_table_default", "materialization_view_duckdb",
                                "materialization_seed_duckdb", "create_it", "duckdb__create_it", "inner"}) {
    here_ = there_ = {};
    plan_ = run_ = {};
    add("model.shop.a", "table");
    const auto of_dbt = [&](const std::string& macro, const std::string& text) {
      json& added = here_.add_macro(macro);
      added["unique_id"] = "macro.dbt." + macro;
      added["macro_sql"] = text;
      here_.root["macros"]["macro.dbt." + macro] = added;
      here_.root["macros"].erase("macro.shop." + macro);
    };
    of_dbt("materialization_table_default",
           "{% materialization table, default %}{{ create_it() }}{% endmaterialization %}");
    of_dbt("create_it", "{% macro create_it() %}{{ adapter.dispatch('create_it', 'dbt')() }}{% endmacro %}");
    of_dbt("default__create_it", "{% macro default__create_it() %}{{ inner() }}{% endmacro %}");
    of_dbt("inner", "{% macro inner() %}{% endmacro %}");
    of_dbt("dateadd", "{% macro dateadd() %}{% endmacro %}");
    here_.add_macro("dateadd");
    here_.add_macro("materialization_incremental_default");
    EXPECT_EQ(decide()["a"], promoted) << "these make no table";
    here_.add_macro(own);
    EXPECT_EQ(decide()["a"], "the project makes relations in a way of its own: " + own);
  }
}

TEST_F(Promoting, OtherMaterializationsAreBuiltAndWhatReadsThem) {
  for (const std::string kind : {"incremental", "materialized_view", "ephemeral", "mine"}) {
    add("model.shop." + kind, kind);
    add("model.shop.above_" + kind, "table", {"model.shop." + kind});
    auto decided = decide();
    EXPECT_EQ(decided[kind], "it is materialized as " + kind);
    EXPECT_EQ(decided["above_" + kind], kind + ", which it reads, is not as in the branch");
  }
  add("snapshot.shop.kept", "snapshot");
  add("snapshot.shop.odd", "table");
  EXPECT_EQ(decide()["kept"], "it is materialized as snapshot");
  EXPECT_EQ(decide()["odd"], "it is materialized as table") << "a snapshot is none of the plain ones, whatever it says";
}

TEST_F(Promoting, WhatTheBranchDidNotBuildIsBuilt) {
  add("model.shop.a", "table");
  const auto results = results_;
  for (const auto status : {NodeStatus::error, NodeStatus::skipped, NodeStatus::no_op, NodeStatus::unaccounted}) {
    results_.front().status = status;
    EXPECT_EQ(decide()["a"], "the branch did not build it");
  }
  results_ = results;
  run_.nodes.clear();
  EXPECT_EQ(decide()["a"], "the branch did not build it");
}

TEST_F(Promoting, WhatOnlyOneManifestHoldsIsBuilt) {
  add("model.shop.a", "table");
  there_.root["nodes"].erase("model.shop.a");
  EXPECT_EQ(decide()["a"], "it is not in both manifests");
  std::swap(here_, there_);
  EXPECT_EQ(decide()["a"], "it is not in both manifests");
}

TEST_F(Promoting, WhatMakesARelationIsTheSameInBothManifests) {
  add("model.shop.a", "table");
  const std::map<std::string, std::pair<std::string, json>> fields{
      {"config", {"settings", {{"materialized", "table"}, {"unlogged", true}}}},
      {"checksum", {"file", {{"name", "sha256"}, {"checksum", "2"}}}},
      {"raw_code", {"code", "select 2"}},
      {"columns", {"columns", {{"one", {{"name", "one"}}}}}},
      {"description", {"description", "Another."}},
      {"constraints", {"constraints", {{{"type", "check"}}}}}};
  for (const auto& [field, expected] : fields) {
    const json before = here_["model.shop.a"];
    here_["model.shop.a"][field] = expected.second;
    EXPECT_EQ(decide()["a"], fmt::format("its {} is not the same in production", expected.first));
    here_["model.shop.a"] = before;
  }
  here_["model.shop.a"]["meta"] = "another";
  EXPECT_EQ(decide()["a"], promoted) << "meta makes no relation";
}

TEST_F(Promoting, WhatCannotBeProvenIsBuilt) {
  add("model.shop.a", "table");
  add("model.shop.b", "table");
  for (const std::string what : {"pre-hook", "post-hook", "run_query", "Python model"}) {
    plan_.unproven = {{"model.shop.a", what}};
    auto decided = decide();
    EXPECT_EQ(decided["a"], fmt::format("it {} a {}", what == "Python model" ? "is" : "has", what));
    EXPECT_EQ(decided["b"], promoted);
  }
}

TEST_F(Promoting, WhatMayRunAStatementWhileItIsCompiledIsBuilt) {
  here_.add_macro("note")["macro_sql"] = "{% macro note() %}{% do run_query('insert') %}{% endmacro %}";
  here_.add_macro("run_query")["macro_sql"] = "{% macro run_query() %}{% do adapter.execute(sql) %}{% endmacro %}";
  add("model.shop.a", "table");
  both("model.shop.a", [](json& node) { node["raw_code"] = "{% if execute %}{% do note() %}{% endif %} select 1"; });
  EXPECT_EQ(decide()["a"], "it may run a statement while it is compiled");
}

TEST_F(Promoting, SoIsWhatReadsAnEphemeralModelThatDoes) {
  for (Builder* project : {&here_, &there_}) {
    for (const std::string id : {"model.shop.deep", "model.shop.between"}) {
      json& node = project->add(id, id == "model.shop.deep" ? Ids{} : Ids{"model.shop.deep"});
      node["config"]["materialized"] = "ephemeral";
    }
  }
  add("model.shop.a", "table", {"model.shop.between"});
  compiled_["model.shop.a"] = compiled_in_check_["model.shop.a"] = "with d as (select 1) select 1";
  EXPECT_EQ(decide()["a"], promoted);
  here_["model.shop.deep"]["raw_code"] = "{% do adapter.execute('insert') %} select 1";
  EXPECT_EQ(decide()["a"], "it may run a statement while it is compiled");
}

TEST_F(Promoting, ALargeSeedOfAPackageIsBuilt) {
  add("seed.shop.a", "seed");
  both("seed.shop.a", [](json& seed) { seed["checksum"] = {{"name", "path"}, {"checksum", "seeds/a.csv"}}; });
  EXPECT_EQ(decide()["a"], promoted) << "the tree is the same";
  both("seed.shop.a", [](json& seed) { seed["package_name"] = "other"; });
  EXPECT_EQ(decide()["a"], "its data is not compared: dbt knows so large a seed by its path");
  both("seed.shop.a", [](json& seed) { seed["checksum"]["name"] = "sha256"; });
  EXPECT_EQ(decide()["a"], promoted);
}

TEST_F(Promoting, WhatItReadIsTheVersionOfProductionThatIsDeployed) {
  add_deferred("model.shop.read");
  add("model.shop.a", "table", {"model.shop.read"});
  compiled_["model.shop.a"] = sql("prod", {"model.shop.read"});
  compiled_in_check_["model.shop.a"] = sql("prod", {"model.shop.read"});
  EXPECT_EQ(decide()["a"], promoted);

  owed_ = {"model.shop.read"};
  EXPECT_EQ(decide()["a"], "an earlier deploy left read undone");
  owed_.clear();

  const std::string deployed_to = "production was deployed to since the branch read read there";
  deployed_run_ = "deploy-2";
  EXPECT_EQ(decide()["a"], deployed_to);
  deployed_run_.clear();
  EXPECT_EQ(decide()["a"], deployed_to);
  run_.production.run.clear();
  EXPECT_EQ(decide()["a"], deployed_to) << "two that are not known are not the same";
  deployed_run_ = run_.production.run = "deploy-1";

  run_.deferred.front().relation.rendered = R"("prod"."before")";
  EXPECT_EQ(decide()["a"], "read is elsewhere in production now");
  run_.deferred.clear();
  EXPECT_EQ(decide()["a"], "read was not read from production by the branch");
  here_.root["nodes"].erase("model.shop.read");
  EXPECT_EQ(decide()["a"], "read, which it reads, is not known");
}

TEST_F(Promoting, WhatReadsAnEphemeralModelReadsWhatThatReads) {
  add_deferred("model.shop.read");
  for (Builder* project : {&here_, &there_}) {
    project->add("model.shop.between", {"model.shop.read"})["config"]["materialized"] = "ephemeral";
  }
  add("model.shop.a", "table", {"model.shop.between"});
  compiled_["model.shop.a"] = compiled_in_check_["model.shop.a"] =
      "with b as (select 1 from \"prod\".\"read\") select 1";
  EXPECT_EQ(decide()["a"], promoted);
  deployed_run_ = "deploy-2";
  EXPECT_EQ(decide()["a"], "production was deployed to since the branch read read there");
}

TEST_F(Promoting, EveryParentCounts) {
  add("model.shop.first", "incremental");
  add("model.shop.last", "table");
  add("model.shop.a", "table", {"model.shop.first", "model.shop.last"});
  add("model.shop.b", "table", {"model.shop.last", "model.shop.first"});
  auto decided = decide();
  EXPECT_EQ(decided["a"], "first, which it reads, is not as in the branch");
  EXPECT_EQ(decided["b"], "first, which it reads, is not as in the branch");
}

TEST_F(Promoting, WhatReadOutsideTooLongAgoIsBuilt) {
  here_.add("source.shop.raw.orders");
  add_deferred("model.shop.read");
  add("model.shop.source", "table", {"source.shop.raw.orders"});
  add("model.shop.production", "table", {"model.shop.read"});
  add("model.shop.above", "table", {"model.shop.source"});
  add("model.shop.apart", "table");
  add("model.shop.mixed", "table", {"source.shop.raw.orders", "model.shop.apart"});
  for (const std::string id : {"model.shop.source", "model.shop.production", "model.shop.mixed"}) {
    compiled_[id] = compiled_in_check_[id] = "select 1";
  }
  const auto all = [&](const std::string& started) {
    started_ = started;
    const std::string long_ago = fmt::format(
        "the branch read sources or production at {}, more than 6 hours ago (deploy.promote_within)", started);
    auto decided = decide();
    EXPECT_EQ(decided["apart"], promoted);
    const std::string common = decided["source"];
    EXPECT_EQ(decided["production"], common);
    EXPECT_EQ(decided["above"], common);
    EXPECT_EQ(decided["mixed"], common);
    return common == long_ago ? "old" : common == promoted ? "young" : common;
  };
  EXPECT_EQ(all("2026-11-20T12:00:00Z"), "young");
  EXPECT_EQ(all("2026-11-20T07:00:00Z"), "young");
  EXPECT_EQ(all("2026-11-20T06:59:59Z"), "old");
  EXPECT_EQ(all("2026-11-20T13:00:01Z"), "old") << "a clock that is wrong tells nothing";
  EXPECT_EQ(all("yesterday"), "old");
}

TEST_F(Promoting, ItsSqlIsTheSameButForNames) {
  add("model.shop.parent", "table");
  add("model.shop.a", "table", {"model.shop.parent"});
  const std::string differs = "its compiled SQL is not the same in production";
  const auto compiled = [&](const std::string& ours, const std::string& theirs) {
    compiled_["model.shop.a"] = ours;
    compiled_in_check_["model.shop.a"] = theirs;
    return decide()["a"];
  };
  EXPECT_EQ(compiled(R"(from "beside"."parent")", R"(from "branch"."parent")"), promoted);
  EXPECT_EQ(compiled(R"(from "beside"."a")", R"(from "branch"."a")"), promoted) << "{{ this }}";
  EXPECT_EQ(compiled("select 1", "select 2"), differs);
  EXPECT_EQ(compiled(R"(from "prod"."parent")", R"(from "branch"."parent")"), differs);
  EXPECT_EQ(compiled(R"(from "beside"."a")", R"(from "branch"."parent")"), differs);
  const std::string stored = "its compiled SQL may store the names of relations";
  EXPECT_EQ(compiled(R"(select '"beside"."a"')", "select 1"), stored);
  EXPECT_EQ(compiled("select 1", R"(select '"branch"."a"')"), stored);
  names_beside_.clear();
  EXPECT_EQ(compiled(R"(from "prod"."parent")", R"(from "branch"."parent")"), promoted) << "DuckDB's file has them all";
}

TEST_F(Promoting, WhatOnlyTheBranchReadUnderANameIsNoNameHere) {
  add("model.shop.parent", "table");
  add("model.shop.a", "table", {"model.shop.parent"});
  here_["model.shop.a"]["depends_on"]["nodes"] = Ids{};
  compiled_["model.shop.a"] = compiled_in_check_["model.shop.a"] = R"(from "branch"."parent")";
  EXPECT_EQ(decide()["a"], "its compiled SQL is not the same in production");
}

TEST_F(Promoting, WhereTheCompiledSqlIsNotKnownItIsBuilt) {
  add("model.shop.a", "table");
  add("seed.shop.s", "seed");
  const auto ours = compiled_;
  compiled_.clear();
  EXPECT_EQ(decide()["a"], "its compiled SQL is not known");
  EXPECT_EQ(decide()["s"], promoted) << "a seed has none";
  compiled_ = ours;
  compiled_in_check_.clear();
  EXPECT_EQ(decide()["a"], "its compiled SQL is not known");
}

TEST_F(Promoting, WhatACopyWouldNotHaveIsBuiltAndWhatReadsItIsCopied) {
  add("model.shop.a", "table");
  add("model.shop.above", "table", {"model.shop.a"});
  const auto with = [&](const std::string& key, const json& value) {
    both("model.shop.a", [&](json& node) { node["config"] = {{"materialized", "table"}, {key, value}}; });
    auto decided = decide();
    EXPECT_EQ(decided["above"], promoted);
    return decided["a"];
  };
  EXPECT_EQ(with("grants", {{"select", {"reader"}}}), "it has grants");
  EXPECT_EQ(with("grants", json::object()), promoted);
  EXPECT_EQ(with("grants", nullptr), promoted);
  EXPECT_EQ(with("contract", {{"enforced", true}}), "it has a contract");
  EXPECT_EQ(with("contract", {{"enforced", false}}), promoted);
  EXPECT_EQ(with("contract", nullptr), promoted);
  const json indexes{{{"columns", {"one"}}}};
  EXPECT_EQ(with("indexes", indexes), "it has indexes");
  EXPECT_EQ(with("indexes", json::array()), promoted);
  here_.root["metadata"]["adapter_type"] = there_.root["metadata"]["adapter_type"] = "postgres";
  EXPECT_EQ(with("indexes", indexes), promoted) << "PostgreSQL copies them";
}

TEST_F(Promoting, WhereTheSettingsAreNotKnownItIsBuilt) {
  add("model.shop.a", "table");
  both("model.shop.a", [](json& node) { node["config"] = json::array(); });
  EXPECT_EQ(decide()["a"], "its settings are not known");
}

TEST_F(Promoting, WhatGoesInACircleIsBuilt) {
  add("model.shop.a", "table", {"model.shop.b"});
  add("model.shop.b", "table", {"model.shop.a"});
  auto decided = decide();
  EXPECT_EQ(decided["a"], "b, which it reads, is not as in the branch");
  EXPECT_EQ(decided["b"], "a, which it reads, is not as in the branch");
}

}  // namespace
}  // namespace offshoot::flow
