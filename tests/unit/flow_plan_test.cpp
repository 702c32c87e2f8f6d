// SPDX-License-Identifier: Apache-2.0
// The parts of planning that are values alone.
#include <gtest/gtest.h>

#include "flow/deferral.hpp"
#include "flow/uncounted.hpp"
#include "flow/verification.hpp"
#include "state_builder.hpp"

namespace offshoot::flow {
namespace {

using state::test::Builder;
using state::test::Ids;

TEST(Verification, TellsWhatOnlyOneSideHas) {
  EXPECT_EQ(differences({"a", "b", "c"}, {"b", "c", "d"}), (Verified{{"a"}, {"d"}}));
  EXPECT_EQ(differences({"a"}, {"a"}), Verified{});
}

PlannedNode planned(const std::string& id, const Ids& parents) {
  return {.unique_id = id, .resource_type = "model", .name = id.substr(id.rfind('.') + 1), .depends_on = parents};
}

TEST(Deferral, WhatProductionLacksIsBuiltAndWhatCannotBeIsNamed) {
  Builder project;
  project.add("model.shop.there");
  project.add("model.shop.missing", {"model.shop.blank"});
  project.add("model.shop.blank")["raw_code"] = "  ";
  project.add("model.shop.a", {"model.shop.there", "model.shop.missing"});
  const auto head = project.read();
  ASSERT_TRUE(head);
  Plan plan;
  plan.nodes = {planned("model.shop.a", {"model.shop.there", "model.shop.missing"})};
  defer_or_add(plan, *head, {{"model.shop.there", {"db", "s", "there", "db.s.there"}}});
  EXPECT_EQ(state::test::ids(plan.nodes), (Ids{"model.shop.a", "model.shop.missing"}));
  ASSERT_EQ(plan.deferred.size(), 1U);
  EXPECT_EQ(plan.deferred.front().unique_id, "model.shop.there");
  EXPECT_EQ(plan.unreadable,
            (std::vector<Unreadable>{
                {"model.shop.blank", {}, "its file is empty, so dbt does not build it", {"model.shop.missing"}}}));
}

TEST(Deferral, SourcesAreFoundThroughEphemeralModels) {
  Builder project;
  project.add("source.shop.raw.events");
  project.add("model.shop.e", {"source.shop.raw.events"})["config"]["materialized"] = "ephemeral";
  project.add("model.shop.a", {"model.shop.e"});
  const auto head = project.read();
  ASSERT_TRUE(head);
  Plan plan;
  plan.nodes = {planned("model.shop.a", {"model.shop.e"})};
  const std::map<std::string, Ids> expected{{"source.shop.raw.events", {"model.shop.a"}}};
  EXPECT_EQ(sources_read(plan, *head), expected);
}

/// The notes where `path` changed from one text to the other.
Ids notes_of(const std::string& path, const std::string& before, const std::string& after, const Builder& project,
             const Plan& plan = {.project_dir = "."}) {
  Change change;
  change.files.push_back({.path = path});
  const auto head = project.read();
  if (!head) return {"error: " + head.error().why};
  return uncounted_settings(
      change, [&](std::string_view) { return before; }, [&](std::string_view) { return after; }, *head, plan);
}

TEST(Uncounted, VariablesNameWhoReadsThemAndIsNotPlanned) {
  Builder project;
  project.add("model.shop.a")["raw_code"] = "select {{ var('x') }}";
  project.add("model.shop.b")["raw_code"] = "select {{ var( \"x\", 3 ) }}";
  project.add("model.shop.c")["raw_code"] = "select my_var('x'), {{ var('xy') }}, {{ var.get('y') }}";
  const std::string before = "vars:\n  x: 1\n  shop: {y: [1, 2]}\n";
  EXPECT_EQ(notes_of("dbt_project.yml", before, "vars:\n  x: 2\n  shop: {y: [1]}\n", project),
            (Ids{"dbt does not count this: the variable shop.y (dbt_project.yml): [1,2] -> [1]; it is read in "
                 "models/c.sql",
                 "dbt does not count this: the variable x (dbt_project.yml): 1 -> 2; it is read in models/a.sql, "
                 "models/b.sql"}));
  Plan plan{.nodes = {planned("model.shop.a", {}), planned("model.shop.b", {})}, .project_dir = "."};
  EXPECT_EQ(notes_of("dbt_project.yml", before, "vars:\n  shop: {y: [1, 2]}\n", project, plan), Ids{});
  EXPECT_EQ(notes_of("other/dbt_project.yml", before, "vars: {}\n", project), Ids{});
}

TEST(Uncounted, ProfilesAndEnvironmentFilesWithoutValues) {
  const Builder project;
  EXPECT_EQ(notes_of("profiles.yml", "a", "b", project),
            Ids{"dbt does not count this: profiles.yml changed, which says where and how dbt connects"});
  EXPECT_EQ(notes_of(".env", "A=1\n# B=2\nexport C=3\n", "A=secret\nexport C=3\nD=4\n", project),
            Ids{"dbt does not count this: environment variables in .env changed: A, D"});
  EXPECT_EQ(notes_of(".env", "A=1\n", "A=1\n# said\n", project), Ids{});
}

}  // namespace
}  // namespace offshoot::flow
