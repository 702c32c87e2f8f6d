// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "state_builder.hpp"

namespace offshoot::state::test {
namespace {

/// orders <- daily, a generic test on each; a macro behind a macro.
Builder project() {
  Builder builder;
  builder.add("source.shop.raw.orders")["identifier"] = "orders";
  builder.add("seed.shop.rates");
  builder.add("model.shop.orders", {"source.shop.raw.orders", "seed.shop.rates"}, {"macro.shop.outer"});
  builder.add("model.shop.daily", {"model.shop.orders"});
  builder.add("test.shop.not_null_orders", {"model.shop.orders"})["test_metadata"] = {{"name", "not_null"}};
  builder.add("test.shop.singular", {"model.shop.daily"});
  builder.add("exposure.shop.dash", {"model.shop.daily"});
  json& unit_test = builder.add("unit_test.shop.daily.ut", {"model.shop.daily"});
  unit_test["checksum"] = "1";
  unit_test["given"] = json::array();
  builder.add_macro("outer", {"macro.shop.inner"});
  builder.add_macro("inner");
  return builder;
}

const std::string orders = "model.shop.orders";
const std::string daily = "model.shop.daily";

/// A change of the head, and the sub-selectors of state:modified that see it on the changed node.
struct Change {
  std::string name;
  std::string id;
  std::function<void(Builder&)> apply;
  Ids seen_by;  ///< "" = state:modified itself
};

class Rule : public testing::TestWithParam<Change> {};

TEST_P(Rule, SelectsTheNodeByTheRightSelectors) {
  const Builder base = project();
  Builder head = project();
  head.parse_again();
  GetParam().apply(head);
  for (const std::string state :
       {"", ".body", ".configs", ".persisted_descriptions", ".relation", ".macros", ".contract"}) {
    const Ids selected = ids_of(base, head, "state:modified" + state, IndirectSelection::empty);
    const bool hit = std::find(selected.begin(), selected.end(), GetParam().id) != selected.end();
    const Ids& expected = GetParam().seen_by;
    EXPECT_EQ(hit, std::find(expected.begin(), expected.end(), state) != expected.end()) << state;
  }
}

json& unrendered(Builder& head, const std::string& id) { return head[id]["unrendered_config"]; }

const std::vector<Change> changes = {
    {"Nothing", orders, [](Builder&) {}, {}},
    {"Body", orders, [](Builder& h) { h[orders]["raw_code"] = "select 2"; }, {"", ".body"}},
    {"Whitespace", orders, [](Builder& h) { h[orders]["raw_code"] = "select  1 as orders"; }, {"", ".body"}},
    {"Description", orders, [](Builder& h) { h[orders]["description"] = "new"; }, {}},
    {"ConfigAdded", orders, [](Builder& h) { unrendered(h, orders)["enabled"] = true; }, {"", ".configs"}},
    {"TagsAndGroup",
     orders,
     [](Builder& h) {
       unrendered(h, orders)["tags"] = "x";
       unrendered(h, orders)["group"] = "x";
     },
     {}},
    {"Alias", orders, [](Builder& h) { unrendered(h, orders)["alias"] = "x"; }, {"", ".relation"}},
    {"RenderedSchemaOnly", orders, [](Builder& h) { h[orders]["schema"] = "branch"; }, {}},
    {"Folder", orders, [](Builder& h) { h[orders]["fqn"] = {"shop", "marts", "orders"}; }, {""}},
    {"FileNameOnly", orders, [](Builder& h) { h[orders]["original_file_path"] = "models/x.sql"; }, {}},
    {"Access", orders, [](Builder& h) { h[orders]["access"] = "public"; }, {""}},
    {"LatestVersion", orders, [](Builder& h) { h[orders]["latest_version"] = 2; }, {""}},
    {"ContractEnforced",
     orders,
     [](Builder& h) { h[orders]["contract"] = {{"enforced", true}, {"checksum", "a"}}; },
     {"", ".contract"}},
    {"SeedData",
     "seed.shop.rates",
     [](Builder& h) { h["seed.shop.rates"]["checksum"]["checksum"] = "2"; },
     {"", ".body"}},
    {"SeedGrownLarge",
     "seed.shop.rates",
     [](Builder& h) { h["seed.shop.rates"]["checksum"] = {{"name", "path"}, {"checksum", "seeds/rates.csv"}}; },
     {"", ".body"}},
    {"MacroBehindAMacro", orders, [](Builder& h) { h["macro.shop.inner"]["macro_sql"] = "2"; }, {"", ".macros"}},
    {"GenericTestBody",
     "test.shop.not_null_orders",
     [](Builder& h) { h["test.shop.not_null_orders"]["raw_code"] = "x"; },
     {".body"}},
    {"GenericTestSeverity",
     "test.shop.not_null_orders",
     [](Builder& h) { unrendered(h, "test.shop.not_null_orders")["severity"] = "warn"; },
     {"", ".configs"}},
    {"TestMeta", "test.shop.singular", [](Builder& h) { unrendered(h, "test.shop.singular")["meta"] = 1; }, {}},
    {"SingularTestBody",
     "test.shop.singular",
     [](Builder& h) { h["test.shop.singular"]["raw_code"] = "x"; },
     {"", ".body"}},
    {"UnitTest", "unit_test.shop.daily.ut", [](Builder& h) { h["unit_test.shop.daily.ut"]["checksum"] = "2"; }, {""}},
    {"SourceIdentifier",
     "source.shop.raw.orders",
     [](Builder& h) { h["source.shop.raw.orders"]["identifier"] = "x"; },
     {"", ".relation"}},
    {"SourceFreshness",
     "source.shop.raw.orders",
     [](Builder& h) { h["source.shop.raw.orders"]["freshness"] = {{"warn_after", 1}}; },
     {""}},
    {"SourceTags",
     "source.shop.raw.orders",
     [](Builder& h) { unrendered(h, "source.shop.raw.orders")["tags"] = {"x"}; },
     {"", ".configs"}},
    {"NewModel",
     "model.shop.x",
     [](Builder& h) { h.add("model.shop.x"); },
     {"", ".body", ".configs", ".persisted_descriptions", ".relation", ".contract"}},
    {"NewSource", "source.shop.x", [](Builder& h) { h.add("source.shop.x"); }, {".configs", ".relation"}},
    {"NewMetric", "metric.shop.x", [](Builder& h) { h.add("metric.shop.x"); }, {".configs"}},
    {"NewUnitTest", "unit_test.shop.x", [](Builder& h) { h.add("unit_test.shop.x", {daily}); }, {""}},
    {"ExposureOwner",
     "exposure.shop.dash",
     [](Builder& h) { h["exposure.shop.dash"]["owner"] = {{"name", "x"}}; },
     {""}},
    {"ExposureParents",
     "exposure.shop.dash",
     [](Builder& h) { h["exposure.shop.dash"]["depends_on"]["nodes"].push_back(orders); },
     {""}},
};

INSTANTIATE_TEST_SUITE_P(Comparison, Rule, testing::ValuesIn(changes),
                         [](const auto& change) { return change.param.name; });

TEST(Comparison, WhatOnlyMovesBesideTheTimeOfParsingIsSeen) {
  const Builder base = project();
  Builder head = project();
  // Keys are written in the order of the alphabet: one change before created_at, one behind it, and one of equal
  // length.
  head[orders]["alias"] = "other";
  head[daily]["raw_code"] = "select 2 as daily";
  head["seed.shop.rates"]["created_at"] = nullptr;
  head["test.shop.singular"].erase("created_at");
  const Ids selected = ids_of(base, head, "state:modified", IndirectSelection::empty);
  EXPECT_EQ(selected, (Ids{daily}));
  head[orders]["config"]["alias"] = "other";
  head[orders]["unrendered_config"]["alias"] = "other";
  EXPECT_EQ(ids_of(base, head, "state:modified", IndirectSelection::empty), (Ids{daily, orders}));
}

TEST(Comparison, PersistedDescriptionsCountOnlyWherePersisted) {
  Builder base = project();
  base[orders]["config"]["persist_docs"] = {{"relation", false}, {"columns", true}};
  base[orders]["columns"] = {{"id", {{"description", "a"}}}};
  Builder head = base;
  head[orders]["description"] = "new";
  EXPECT_EQ(ids_of(base, head, "state:modified"), Ids{});
  head[orders]["columns"]["id"]["description"] = "b";
  EXPECT_EQ(ids_of(base, head, "state:modified.persisted_descriptions", IndirectSelection::empty), Ids{orders});
  EXPECT_EQ(reasons_of(base, head, orders).front().detail, "column id");
  EXPECT_EQ(reasons_of(base, head, orders).front().kind, ReasonKind::persisted_descriptions);
}

TEST(Comparison, TheBehaviourFlagDecidesWhichSourceNamesCount) {
  Builder base = project();
  base["source.shop.raw.orders"]["schema"] = "raw_dev";
  base["source.shop.raw.orders"]["unrendered_schema"] = "{{ target.schema }}";
  Builder head = base;
  head["source.shop.raw.orders"]["schema"] = "raw_ci";
  SelectRequest request{.select = "state:modified", .exclude = "", .indirect_selection = IndirectSelection::empty};
  EXPECT_EQ(selected(base, head, request)->selected.size(), 1U);
  request.compare_more_unrendered_values = true;
  EXPECT_EQ(selected(base, head, request)->selected.size(), 0U);
}

TEST(Comparison, SavedQueriesSemanticModelsAndFunctions) {
  Builder base = project();
  base.add("semantic_model.shop.sem", {orders})["measures"] = json::array({{{"name", "a"}}});
  json& query = base.add("saved_query.shop.sq", {});
  query["query_params"] = {{"metrics", {"m"}}, {"order_by", {"x"}}};
  query["exports"] = json::array({{{"name", "e"}, {"unrendered_config", {{"alias", "x"}}}, {"config", 1}}});
  base.add("function.shop.f")["arguments"] = json::array({{{"name", "x"}}});
  base["function.shop.f"]["raw_code"] = "x";
  Builder head = base;
  head["saved_query.shop.sq"]["query_params"]["order_by"] = {"y"};
  head["saved_query.shop.sq"]["exports"][0]["config"] = 2;
  EXPECT_EQ(ids_of(base, head, "state:modified"), Ids{});
  head["saved_query.shop.sq"]["exports"][0]["unrendered_config"]["alias"] = "y";
  head["semantic_model.shop.sem"]["config"]["group"] = "g";
  head["function.shop.f"]["arguments"][0]["name"] = "y";
  EXPECT_EQ(ids_of(base, head, "state:modified"),
            (Ids{"function.shop.f", "saved_query.shop.sq", "semantic_model.shop.sem"}));
}

TEST(Comparison, EnabledInTheHeadAndDisabledInTheBaseIsNew) {
  Builder base = project();
  base.add("model.shop.x");
  const Builder head = base;
  base.disable("model.shop.x");
  EXPECT_EQ(ids_of(base, head, "state:new"), Ids{"model.shop.x"});
  EXPECT_EQ(reasons_of(base, head, "model.shop.x"),
            (std::vector<Reason>{{.kind = ReasonKind::added, .detail = "disabled in the base"}}));
}

TEST(Reasons, AConfigIsToldWithBothValues) {
  Builder base = project();
  unrendered(base, orders)["materialized"] = "view";
  unrendered(base, orders)["meta"] = {{"owner", "a"}, {"tier", 1}};
  Builder head = base;
  unrendered(head, orders)["materialized"] = "table";
  unrendered(head, orders)["meta"]["owner"] = "b";
  unrendered(head, orders)["grants"] = std::string(200, 'x');
  const std::vector<Reason> reasons = reasons_of(base, head, orders);
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_EQ(reasons[0].detail, "grants: not set -> " + std::string(60, 'x') + "…");
  EXPECT_EQ(reasons[1].detail, "materialized: view -> table");
  EXPECT_EQ(reasons[2].detail, "meta.owner: a -> b");
  EXPECT_EQ(reasons[1].kind, ReasonKind::configs);
}

TEST(Reasons, AMacroIsToldWithTheWayToIt) {
  const Builder base = project();
  Builder head = project();
  head["macro.shop.inner"]["macro_sql"] = "2";
  EXPECT_EQ(reasons_of(base, head, orders),
            (std::vector<Reason>{
                {.kind = ReasonKind::macros, .detail = "inner", .path = {"macro.shop.inner", "macro.shop.outer"}}}));
}

TEST(Reasons, ARemovedMacroThatIsStillNamedCounts) {
  const Builder base = project();
  Builder head = project();
  head.root["macros"].erase("macro.shop.inner");
  EXPECT_EQ(reasons_of(base, head, orders).at(0).detail, "inner");
}

TEST(Reasons, UpstreamIsTheShortestWayFromAModifiedNode) {
  Builder base = project();
  base.add("model.shop.weekly", {daily, orders});
  Builder head = base;
  head[orders]["raw_code"] = "x";
  EXPECT_EQ(reasons_of(base, head, daily),
            (std::vector<Reason>{{.kind = ReasonKind::upstream, .detail = "orders", .path = {orders}}}));
  EXPECT_EQ(reasons_of(base, head, "model.shop.weekly").at(0).path, Ids{orders});
  EXPECT_EQ(reasons_of(base, head, "exposure.shop.dash").at(0).path, (Ids{orders, daily}));
  EXPECT_EQ(reasons_of(base, head, orders), (std::vector<Reason>{{.kind = ReasonKind::body}}));
}

TEST(Reasons, TestsNameTheNodeThatTheyTest) {
  const Builder base = project();
  Builder head = project();
  head[orders]["raw_code"] = "x";
  EXPECT_EQ(reasons_of(base, head, "test.shop.not_null_orders", "state:modified"),
            (std::vector<Reason>{{.kind = ReasonKind::test_of, .detail = "orders", .path = {orders}}}));
  EXPECT_EQ(reasons_of(base, head, "test.shop.singular"),
            (std::vector<Reason>{{.kind = ReasonKind::test_of, .detail = "daily", .path = {orders, daily}}}));
  EXPECT_EQ(reasons_of(base, head, "test.shop.singular", "daily"),
            (std::vector<Reason>{{.kind = ReasonKind::test_of, .detail = "daily", .path = {daily}}}));
}

TEST(Reasons, WhatWasAskedForNamesTheCriterion) {
  const Builder base = project();
  Builder head = project();
  head[daily]["raw_code"] = "x";
  EXPECT_EQ(reasons_of(base, head, orders, "+state:modified tag:x"),
            (std::vector<Reason>{{.kind = ReasonKind::requested, .detail = "+state:modified"}}));
  EXPECT_EQ(reasons_of(base, head, orders, "orders+"),
            (std::vector<Reason>{{.kind = ReasonKind::requested, .detail = "orders+"}}));
}

/// A contracted table with a column of a type and a constraint.
Builder contracted(bool versioned) {
  Builder builder = project();
  json& model = builder[orders];
  model["contract"] = {{"enforced", true}, {"checksum", "1"}};
  model["config"]["materialized"] = "table";
  model["columns"] = {
      {"id", {{"data_type", "varchar(10)"}, {"constraints", {{{"type", "not_null"}, {"name", nullptr}}}}}}};
  if (versioned) model["version"] = 1;
  return builder;
}

TEST(Contracts, ABreakingChangeIsToldAndNoted) {
  const Builder base = contracted(false);
  Builder head = base;
  head[orders]["contract"]["checksum"] = "2";
  head[orders]["columns"]["id"] = {{"data_type", "int"}, {"constraints", json::array()}};
  const Result<Selection> selection = selected(base, head);
  ASSERT_TRUE(selection) << selection.error().why;
  const std::string breaking =
      "the type of column 'id': varchar(10) -> int; the constraint not_null on column 'id' was removed";
  EXPECT_EQ(reasons_of(base, head, orders),
            (std::vector<Reason>{{.kind = ReasonKind::contract, .detail = "breaking: " + breaking}}));
  EXPECT_TRUE(mentions(selection->notes, "the contract of model.shop.orders is broken: " + breaking));
}

TEST(Contracts, ASizeOrAnAddedColumnDoesNotBreak) {
  const Builder base = contracted(true);
  Builder head = base;
  head[orders]["contract"]["checksum"] = "2";
  head[orders]["columns"]["id"]["data_type"] = "VARCHAR (20)";
  head[orders]["columns"]["more"] = {{"data_type", "int"}};
  EXPECT_EQ(reasons_of(base, head, orders),
            (std::vector<Reason>{{.kind = ReasonKind::contract, .detail = "changed, not breaking"}}));
}

TEST(Contracts, BreakingAVersionedModelIsAnErrorThatNamesIt) {
  const Builder base = contracted(true);
  Builder head = base;
  head[orders]["contract"]["checksum"] = "2";
  head[orders]["columns"] = json::object();
  for (const char* selector : {"state:modified+", "state:unmodified", "state:modified.contract"}) {
    const Result<Selection> selection = selected(base, head, SelectRequest{.select = selector, .exclude = ""});
    ASSERT_FALSE(selection) << selector;
    EXPECT_EQ(selection.error().status, ExitStatus::usage);
    EXPECT_NE(selection.error().doing.find(orders), std::string::npos);
    EXPECT_NE(selection.error().why.find("the column 'id' was removed"), std::string::npos);
  }
  EXPECT_TRUE(selected(base, head, SelectRequest{.select = "state:modified.body orders", .exclude = ""}));
}

TEST(Contracts, ARemovedVersionIsAnErrorUntilItsDeprecationIsPast) {
  using namespace std::chrono;
  Builder base = contracted(true);
  base[orders]["deprecation_date"] = "2026-01-01T00:00:00+01:00";
  Builder head = base;
  head.root["nodes"].erase(orders);
  head.root["nodes"].erase("test.shop.not_null_orders");
  head[daily]["depends_on"]["nodes"] = json::array();
  SelectRequest request;
  request.now = sys_days(2025y / December / 31) + 22h;
  const Result<Selection> before = selected(base, head, request);
  ASSERT_FALSE(before);
  EXPECT_NE(before.error().why.find("deleted or renamed"), std::string::npos);
  request.now = sys_days(2025y / December / 31) + 23h + 1s;
  EXPECT_TRUE(selected(base, head, request));
  head = base;
  head.disable(orders);
  head.root["nodes"].erase("test.shop.not_null_orders");
  head[daily]["depends_on"]["nodes"] = json::array();
  request.now = sys_days(2025y / January / 1);
  EXPECT_NE(selected(base, head, request).error().why.find("disabled"), std::string::npos);
}

TEST(Contracts, OnlyConstraintsThatTheAdapterEnforcesBreak) {
  Builder base = contracted(true);
  base[orders]["constraints"] = json::array({{{"type", "primary_key"}, {"columns", {"id"}}}});
  Builder head = base;
  head[orders]["contract"]["checksum"] = "2";
  head[orders]["constraints"] = json::array();
  EXPECT_FALSE(selected(base, head));
  head.root["metadata"]["adapter_type"] = "snowflake";
  EXPECT_TRUE(selected(base, head));
}

TEST(Comparison, AMacroThatDoesNotExistIsAnErrorAsWithDbt) {
  const Builder base = project();
  Builder head = project();
  head[daily]["depends_on"]["macros"] = {nullptr};
  EXPECT_TRUE(selected(base, head)) << "dbt looks at macros only where one changed";
  head["macro.shop.inner"]["macro_sql"] = "2";
  const Result<Selection> selection = selected(base, head);
  ASSERT_FALSE(selection);
  EXPECT_NE(selection.error().doing.find(daily), std::string::npos);
  EXPECT_TRUE(selected(base, head, SelectRequest{.select = "state:modified.body", .exclude = ""}));
}

}  // namespace
}  // namespace offshoot::state::test
