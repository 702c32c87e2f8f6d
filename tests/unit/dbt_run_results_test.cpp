// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dbt/run_results.hpp"
#include "io/files.hpp"

namespace offshoot::dbt {
namespace {

const std::filesystem::path data = std::filesystem::path(OFFSHOOT_SOURCE_DIR) / "tests/data/dbt";

TEST(RunResults, ReadsTheNewestVersion) {
  const auto run = read_run_results(data / "run_results_v6.json");
  ASSERT_TRUE(run) << run.error().why;
  EXPECT_EQ(run->schema_version, 6);
  EXPECT_EQ(run->dbt_version, "1.11.16");
  EXPECT_EQ(run->invocation_id, "9a1c");
  EXPECT_EQ(run->seconds, 1.5);
  ASSERT_EQ(run->results.size(), 2U);
  EXPECT_EQ(run->results[0], (NodeResult{.unique_id = "model.shop.orders",
                                         .status = NodeStatus::success,
                                         .message = "INSERT 3",
                                         .seconds = 0.25,
                                         .failures = -1,
                                         .rows_affected = 3,
                                         .relation = "\"db\".\"s\".\"orders\"",
                                         .query = "select 1"}));
  EXPECT_EQ(run->results[1].status, NodeStatus::fail);
  EXPECT_EQ(run->results[1].failures, 2);
}

TEST(RunResults, KeepsTheNumbersThatAnAdapterReports) {
  const auto result = parse_node_result(nlohmann::json{
      {"unique_id", "model.s.a"},
      {"status", "success"},
      {"adapter_response", {{"_message", "OK"}, {"rows_affected", 3}, {"slot_ms", 12}, {"bytes_billed", 1.5e9}}}});
  EXPECT_EQ(result.rows_affected, 3);
  EXPECT_EQ(result.reported, (std::vector<Reported>{{"bytes_billed", 1.5e9}, {"slot_ms", 12}}));
}

TEST(RunResults, ReadsOldOnes) {
  const auto run = read_run_results(data / "run_results_v4.json");
  ASSERT_TRUE(run) << run.error().why;
  EXPECT_EQ(run->results[0].status, NodeStatus::skipped);
  EXPECT_EQ(run->results[0].message, "");
}

class ForeignFile : public testing::Test {
 protected:
  Failed read(const std::string& text) {
    const auto folder = io::TemporaryFolder::make("test");
    EXPECT_TRUE(io::write_file(folder->path() / "f.json", text));
    const auto run = read_run_results(folder->path() / "f.json");
    EXPECT_FALSE(run) << text;
    return run ? Failed{} : run.error();
  }
  static std::string with_schema(const std::string& schema, const std::string& rest = "") {
    return R"({"metadata":{"dbt_schema_version":"https://schemas.getdbt.com/dbt/)" + schema + ".json\"}" + rest + "}";
  }
};

TEST_F(ForeignFile, IsNamed) {
  EXPECT_EQ(read(with_schema("manifest/v12")).why, "it is dbt's manifest, not run-results");
  EXPECT_EQ(read(with_schema("run-results/v3", R"(,"results":[])")).why, "its schema is v3; v4 to v6 can be read");
  EXPECT_EQ(read(with_schema("run-results/v7", R"(,"results":[])")).status, ExitStatus::usage);
  EXPECT_EQ(read("[]").why, "it is not a file of dbt's: metadata.dbt_schema_version is missing");
  EXPECT_EQ(read(with_schema("run-results/v6")).why, "it has no list of results");
}

TEST_F(ForeignFile, G1_HostileBytesAreAnErrorNotACrash) {
  read("");
  read("{");
  read(with_schema("run-results/v6", R"(,"results":[1])"));
  read(with_schema("run-results/v6", R"(,"results":{"a":1})"));
  read(with_schema("run-results/v99999999999999999999", R"(,"results":[])"));
  read(R"({"metadata":[]})");
  read(R"({"metadata":{"dbt_schema_version":7}})");
  read(std::string(100000, '['));
}

TEST(RunResults, UnknownStatusesAreNeverGreen) {
  EXPECT_EQ(parse_status("no-op"), NodeStatus::no_op);
  EXPECT_FALSE(parse_status("brilliant"));
  const auto result = parse_node_result({{"unique_id", "model.a.b"}, {"status", "brilliant"}, {"failures", "many"}});
  EXPECT_EQ(result.status, NodeStatus::error);
  EXPECT_EQ(result.failures, -1);
}

TEST(RunResults, AMissingFileNamesThePath) {
  EXPECT_NE(read_run_results("/no/such.json").error().doing.find("/no/such.json"), std::string::npos);
}

}  // namespace
}  // namespace offshoot::dbt
