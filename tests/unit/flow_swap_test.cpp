// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/swap.hpp"
#include "flow_context.hpp"
#include "silent_session.hpp"

namespace offshoot::flow {
namespace {

/// What a deploy with this plan is told before anything is done: the session can do nothing.
Failed refused(const std::string& mode, const DeployPlan& plan) {
  tests::BareContext bare;
  bare.context.settings.deploy.mode = mode;
  dbt::tests::SilentSession session;
  const auto swap = stage(bare.context, {}, plan, {}, session);
  return swap ? Failed{} : swap.error();
}

DeployPlan of(const std::string& adapter, const PlannedNode& node) {
  DeployPlan plan{.adapter = adapter};
  plan.credentials.database = "prod";
  plan.planned.plan.nodes = {node};
  return plan;
}

const PlannedNode table{
    .unique_id = "model.shop.a", .resource_type = "model", .relation = {.database = "PROD", .rendered = "a"}};

TEST(BesideProduction, OtherAdaptersAreRefusedWithTheModeThatWasAskedFor) {
  for (const std::string mode : {"swap", "promote"}) {
    for (const std::string adapter : {"snowflake", "bigquery", "redshift"}) {
      const Failed why = refused(mode, of(adapter, table));
      EXPECT_EQ(why.status, ExitStatus::usage);
      EXPECT_EQ(why.why, "deploy.mode: " + mode + " is not to be had with " + adapter);
      EXPECT_EQ(why.hint, "it works with PostgreSQL and DuckDB: set deploy.mode to in-place");
    }
  }
}

TEST(BesideProduction, WhatIsNoTableOrViewOfProductionIsRefused) {
  PlannedNode function{.unique_id = "function.shop.f", .resource_type = "function"};
  EXPECT_EQ(refused("promote", of("postgres", function)).why, "function.shop.f is a function");
  PlannedNode elsewhere = table;
  elsewhere.relation.database = "other";
  EXPECT_EQ(refused("promote", of("duckdb", elsewhere)).why, "model.shop.a lies in another database");
  EXPECT_EQ(refused("promote", of("duckdb", elsewhere)).status, ExitStatus::usage);
}

}  // namespace
}  // namespace offshoot::flow
