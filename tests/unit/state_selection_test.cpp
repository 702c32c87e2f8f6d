// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "state/selection.hpp"
#include "state_builder.hpp"

namespace offshoot::state::test {
namespace {

Builder chain() {
  Builder builder;
  for (const auto& [id, parent] : std::vector<std::pair<std::string, std::string>>{
           {"model.shop.a", ""}, {"model.shop.b", "model.shop.a"}, {"model.shop.c", "model.shop.b"}}) {
    builder.add(id, parent.empty() ? Ids{} : Ids{parent});
  }
  json& relationship = builder.add("test.shop.relates_a_c", {"model.shop.a", "model.shop.c"});
  relationship["test_metadata"] = {{"name", "relationships"}};
  builder.add("unit_test.shop.b.ut", {"model.shop.b"});
  return builder;
}

TEST(Selecting, IndirectSelectionDecidesWhichTestsCome) {
  const Builder project = chain();
  using Mode = IndirectSelection;
  EXPECT_EQ(ids_of(project, project, "a", Mode::eager), (Ids{"model.shop.a", "test.shop.relates_a_c"}));
  EXPECT_EQ(ids_of(project, project, "a", Mode::cautious), Ids{"model.shop.a"});
  EXPECT_EQ(ids_of(project, project, "c", Mode::cautious), Ids{"model.shop.c"});
  EXPECT_EQ(ids_of(project, project, "c", Mode::buildable), (Ids{"model.shop.c", "test.shop.relates_a_c"}));
  EXPECT_EQ(ids_of(project, project, "a c", Mode::cautious),
            (Ids{"model.shop.a", "model.shop.c", "test.shop.relates_a_c"}));
  EXPECT_EQ(ids_of(project, project, "a c", Mode::empty), (Ids{"model.shop.a", "model.shop.c"}));
  EXPECT_EQ(ids_of(project, project, "b", Mode::eager), (Ids{"model.shop.b", "unit_test.shop.b.ut"}));
}

TEST(Selecting, GraphOperators) {
  const Builder project = chain();
  const auto models = [&](const std::string& selector) {
    return ids_of(project, project, selector, IndirectSelection::empty);
  };
  EXPECT_EQ(models("1+c"), (Ids{"model.shop.b", "model.shop.c"}));
  EXPECT_EQ(models("a+1,resource_type:model"), (Ids{"model.shop.a", "model.shop.b"}));
  EXPECT_EQ(models("0+c"), Ids{"model.shop.c"});
  EXPECT_EQ(models("@b"),
            (Ids{"model.shop.a", "model.shop.b", "model.shop.c", "test.shop.relates_a_c", "unit_test.shop.b.ut"}));
  EXPECT_EQ(models("+b,a+"), (Ids{"model.shop.a", "model.shop.b"}));
}

TEST(Selecting, AnExclusionTakesAway) {
  const Builder project = chain();
  const Result<Selection> selection =
      selected(project, project, SelectRequest{.select = "", .exclude = "b+ resource_type:unit_test"});
  ASSERT_TRUE(selection);
  EXPECT_EQ(ids(selection->selected), Ids{"model.shop.a"});
}

TEST(Selecting, NothingChangedIsNothingAndNoError) {
  const Builder project = chain();
  const Result<Selection> selection = selected(project, project);
  ASSERT_TRUE(selection);
  EXPECT_TRUE(selection->selected.empty());
  EXPECT_TRUE(selection->removed.empty());
  EXPECT_TRUE(selection->notes.empty());
}

TEST(Selecting, ManifestsOfTwoDbtVersionsAreNotCompared) {
  const Builder base = chain();
  Builder head = chain();
  head.root["metadata"]["dbt_version"] = "1.12.6";
  const Result<Selection> selection = selected(base, head);
  ASSERT_FALSE(selection);
  EXPECT_EQ(selection.error().status, ExitStatus::usage);
  EXPECT_EQ(selection.error().hint, "parse the base again with dbt 1.12.6");
}

TEST(Selecting, WhatTheGraphLacksIsAnErrorThatNamesIt) {
  Builder project = chain();
  project["model.shop.a"]["depends_on"]["nodes"] = {"model.shop.nowhere"};
  const Result<Selection> selection = selected(project, project);
  ASSERT_FALSE(selection);
  EXPECT_NE(selection.error().why.find("model.shop.nowhere"), std::string::npos);
}

TEST(Selecting, F6_ADeletedMacroSelectsWhatUsedIt) {
  Builder base = chain();
  base.add_macro("m");
  base["model.shop.b"]["depends_on"]["macros"] = {"macro.shop.m"};
  Builder head = base;
  head.root["macros"].erase("macro.shop.m");
  EXPECT_EQ(ids_of(base, head, "state:modified+", IndirectSelection::empty),
            (Ids{"model.shop.b", "model.shop.c", "test.shop.relates_a_c", "unit_test.shop.b.ut"}));
}

TEST(Removed, DeletedDisabledAndRenamedAreToldApart) {
  Builder base = chain();
  base.add("model.shop.old");
  base.add("model.shop.gone");
  base.add("model.shop.off");
  base.add("seed.shop.rates");
  Builder head = base;
  head.root["nodes"].erase("model.shop.old");
  head.root["nodes"].erase("model.shop.gone");
  head.root["nodes"].erase("seed.shop.rates");
  head.disable("model.shop.off");
  head.add("model.shop.new")["raw_code"] = base["model.shop.old"]["raw_code"];
  head.add("seed.shop.fees");
  head.add("seed.shop.taxes");
  const Result<Selection> selection = selected(base, head);
  ASSERT_TRUE(selection);
  const std::vector<RemovedNode> expected = {
      {"model.shop.gone", "model", "models/gone.sql", "deleted"},
      {"model.shop.off", "model", "models/off.sql", "disabled"},
      {"model.shop.old", "model", "models/old.sql", "renamed to model.shop.new"},
      {"seed.shop.rates", "seed", "models/rates.sql", "deleted"},  // two seeds hold its data: which one is not known
  };
  EXPECT_EQ(selection->removed, expected);
}

TEST(Notes, ChangesThatDbtDoesNotCountAreSaid) {
  Builder base = chain();
  for (const char* name : {"materialization_view_duckdb", "generate_schema_name", "unused"}) base.add_macro(name);
  base.add("seed.shop.big")["checksum"] = {{"name", "path"}, {"checksum", "seeds/big.csv"}};
  Builder head = base;
  for (const char* name : {"materialization_view_duckdb", "generate_schema_name", "unused"}) {
    head["macro.shop." + std::string(name)]["macro_sql"] = "changed";
  }
  const Result<Selection> selection = selected(base, head);
  ASSERT_TRUE(selection);
  EXPECT_TRUE(selection->selected.empty());
  ASSERT_EQ(selection->notes.size(), 4U);
  EXPECT_TRUE(mentions(selection->notes, "the materialization view (macros/materialization_view_duckdb.sql)"));
  EXPECT_TRUE(mentions(selection->notes, "generate_schema_name"));
  EXPECT_TRUE(mentions(selection->notes, "unused"));
  EXPECT_TRUE(mentions(selection->notes, "big"));
}

TEST(Building, LeavesOutWhatDbtBuildDoesNotRun) {
  Builder project = chain();
  project["model.shop.a"]["config"]["materialized"] = "ephemeral";
  project.add("model.shop.blank")["raw_code"] = " \n";
  project.add("source.shop.raw");
  project.add("metric.shop.m");
  project.add("exposure.shop.e");
  const Result<Manifest> head = project.read();
  ASSERT_TRUE(head);
  const Result<Selection> all = select(*head, *head, SelectRequest{.select = "", .exclude = "b"});
  ASSERT_TRUE(all);
  const BuildList list = build_list(*all, *head);
  EXPECT_EQ(ids(list.nodes), (Ids{"exposure.shop.e", "model.shop.c", "test.shop.relates_a_c"}));
  EXPECT_EQ(ids(list.unbuilt), (Ids{"metric.shop.m", "model.shop.a", "model.shop.blank", "source.shop.raw"}));
  EXPECT_TRUE(mentions(list.notes, "model.shop.blank"));
  const Result<Selection> test_only = select(*head, *head, SelectRequest{.select = "unit_test:ut", .exclude = ""});
  ASSERT_EQ(test_only->selected.size(), 1U);
  EXPECT_EQ(ids(build_list(*test_only, *head).nodes), (Ids{"unit_test.shop.b.ut"}));
}

/// What `dbt ls` selected from two real manifests: tests/data/state/<case>/{base,head,selections}.json. Each selection
/// has select, exclude, mode, and the ids, or null where dbt stopped with an error.
class Recorded : public testing::TestWithParam<std::filesystem::path> {};

IndirectSelection mode_of(const std::string& name) {
  if (name == "cautious") return IndirectSelection::cautious;
  if (name == "buildable") return IndirectSelection::buildable;
  return name == "empty" ? IndirectSelection::empty : IndirectSelection::eager;
}

TEST_P(Recorded, F6_EqualsDbtLs) {
  const Result<Manifest> base = Manifest::read(GetParam() / "base.json");
  ASSERT_TRUE(base) << base.error().why;
  const Result<Manifest> head = Manifest::read(GetParam() / "head.json");
  ASSERT_TRUE(head) << head.error().why;
  std::ifstream file(GetParam() / "selections.json");
  const json recorded = json::parse(file);
  ASSERT_FALSE(recorded.empty());
  for (const json& row : recorded) {
    const Result<Selection> selection = select(
        *base, *head,
        SelectRequest{.select = row["select"], .exclude = row["exclude"], .indirect_selection = mode_of(row["mode"])});
    EXPECT_EQ(selection.has_value(), !row["ids"].is_null()) << row["select"];
    if (!selection || row["ids"].is_null()) continue;
    EXPECT_EQ(ids(selection->selected), row["ids"].get<Ids>()) << row["select"] << row["exclude"] << row["mode"];
    for (const PlannedNode& node : selection->selected) EXPECT_FALSE(node.reasons.empty()) << node.unique_id;
  }
}

std::vector<std::filesystem::path> recorded_cases() {
  std::vector<std::filesystem::path> cases;
  for (const auto& entry : std::filesystem::directory_iterator(OFFSHOOT_SOURCE_DIR "/tests/data/state")) {
    if (entry.is_directory()) cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Dbt, Recorded, testing::ValuesIn(recorded_cases()), [](const auto& folder) {
  std::string name = folder.param.filename().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace offshoot::state::test
