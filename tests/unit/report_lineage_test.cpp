// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "report/lineage.hpp"

namespace offshoot::report {
namespace {

TEST(Lineage, ExposuresAreDrawnRounded) {
  offshoot::Run run{};
  run.plan = Plan{
      .nodes = {
          {.unique_id = "exposure.shop.board", .resource_type = "exposure", .depends_on = {"model.shop.fct_sales"}},
          {.unique_id = "model.shop.fct_sales", .resource_type = "model"}}};
  const Digest digest(run);
  const std::string diagram = lineage_diagram(*run.plan.finished(), digest);
  EXPECT_NE(diagram.find("n1([\"board\"]):::planned\n"), std::string::npos) << diagram;
  EXPECT_NE(diagram.find("n2[\"fct_sales\"]:::planned\n"), std::string::npos) << diagram;
  EXPECT_NE(diagram.find("n2 --> n1\n"), std::string::npos) << diagram;
}

}  // namespace
}  // namespace offshoot::report
