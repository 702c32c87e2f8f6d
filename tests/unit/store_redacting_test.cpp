// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/files.hpp"
#include "store/folder_store.hpp"
#include "store/redacting_store.hpp"

namespace offshoot::store {
namespace {

class RedactingStoreTest : public testing::Test {
 protected:
  void SetUp() override { secrets_.add("canary-5"); }

  std::string bytes_of(const std::string& key) { return store_.get(key)->value_or("absent"); }

  io::TemporaryFolder folder_ = *io::TemporaryFolder::make("redacting");
  io::Redaction secrets_{};
  RedactingStore store_{std::make_unique<FolderStore>(folder_.path() / "store"), secrets_};
};

TEST_F(RedactingStoreTest, C2_NoArtifactHoldsASecretHoweverItIsWritten) {
  const auto file = folder_.path() / "file";
  ASSERT_TRUE(io::write_file(file, "<canary-5>"));
  ASSERT_TRUE(store_.put("7/runs/a", "<canary-5>"));
  ASSERT_TRUE(store_.put_file("7/runs/b", file, {.sha256 = io::sha256_hex("<canary-5>")}));
  ASSERT_TRUE(store_.put_if("7/runs/c", "<canary-5>", std::nullopt)->written);
  for (const char* key : {"7/runs/a", "7/runs/b", "7/runs/c"}) EXPECT_EQ(bytes_of(key), "<***>") << key;
}

TEST_F(RedactingStoreTest, StatesAndLeasesAreKeptByteForByte) {
  const auto file = folder_.path() / "file";
  ASSERT_TRUE(io::write_file(file, "<canary-5>"));
  ASSERT_TRUE(store_.put_file("7/state/a", file, {}));
  ASSERT_TRUE(store_.put_if("7/locks/b", "<canary-5>", std::nullopt));
  for (const char* key : {"7/state/a", "7/locks/b"}) EXPECT_EQ(bytes_of(key), "<canary-5>") << key;
}

TEST_F(RedactingStoreTest, C1_ASecretLearntLaterCountsFromThenOn) {
  ASSERT_TRUE(store_.put("7/runs/a", "<later-6>"));
  secrets_.add("later-6");
  ASSERT_TRUE(store_.put("7/runs/b", "<later-6>"));
  EXPECT_EQ(bytes_of("7/runs/a"), "<later-6>");
  EXPECT_EQ(bytes_of("7/runs/b"), "<***>");
}

}  // namespace
}  // namespace offshoot::store
