// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/kept.hpp"
#include "io/files.hpp"
#include "silent_session.hpp"

namespace offshoot::flow {
namespace {

namespace fs = std::filesystem;

/// A deploy of a DuckDB file that was stopped between its last look at the lease and the exchange.
class Fencing : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(io::write_file(production_, "old"));
    ASSERT_TRUE(io::write_file(staged_, "new"));
  }
  Result<bool> has_happened_for_good() {
    const Deployed version{.sha = "abc",
                           .mode = "swap",
                           .kept = Kept{.branch = "shop_b_x", .file = place_ / "prod.duckdb", .staged = staged_}};
    return flow::has_happened_for_good({}, version, "42", session_);
  }

  io::TemporaryFolder folder_ = *io::TemporaryFolder::make("fencing");
  const fs::path production_ = folder_.path() / "prod.duckdb";
  const fs::path place_ = folder_.path() / "shop_b_x";
  const fs::path staged_ = place_ / "new.duckdb";
  dbt::tests::SilentSession session_;
};

TEST_F(Fencing, K6_WhoWasOvertakenFindsItsFileGone) {
  const auto happened = has_happened_for_good();
  ASSERT_TRUE(happened);
  EXPECT_FALSE(*happened);
  // What the stopped one does next.
  std::error_code error;
  fs::rename(staged_, production_, error);
  EXPECT_EQ(error, std::errc::no_such_file_or_directory);
  EXPECT_EQ(*io::read_file(production_), "old");
}

TEST_F(Fencing, K6_WhoWasQuickerHasExchanged) {
  fs::rename(production_, place_ / "prod.duckdb");
  fs::rename(staged_, production_);
  const auto happened = has_happened_for_good();
  ASSERT_TRUE(happened);
  EXPECT_TRUE(*happened);
  EXPECT_EQ(*io::read_file(production_), "new");
}

}  // namespace
}  // namespace offshoot::flow
