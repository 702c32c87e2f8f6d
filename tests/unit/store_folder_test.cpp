// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/files.hpp"
#include "store/store.hpp"

namespace offshoot::store {
namespace {

TEST(Key, G5_OnlySafeParts) {
  for (const char* key : {"a", "a/b", "1/runs/2026-11-21/x-1/run.json", ".hidden"}) EXPECT_TRUE(is_key(key)) << key;
  for (const char* key : {"", "/", "/a", "a/", "a//b", "..", "a/../b", ".", "a b", "a\nb", "a\\b", "ä"}) {
    EXPECT_FALSE(is_key(key)) << key;
  }
  EXPECT_FALSE(is_key(std::string(1025, 'a')));
}

TEST(FolderStore, KeepsListsAndRemoves) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path() / "store");
  EXPECT_EQ(*store.get("1/state/x"), std::nullopt);
  EXPECT_TRUE(store.list("")->empty());
  ASSERT_TRUE(store.put("1/state/x", "one"));
  ASSERT_TRUE(store.put("1/state/x", "two"));
  ASSERT_TRUE(store.put("1/runs/y", "three"));
  EXPECT_EQ(**store.get("1/state/x"), "two");
  EXPECT_EQ(*store.list("1/"), (std::vector<std::string>{"1/runs/y", "1/state/x"}));
  ASSERT_TRUE(store.remove("1/state/x"));
  ASSERT_TRUE(store.remove("1/state/x"));
  EXPECT_EQ(*store.get("1/state/x"), std::nullopt);
}

TEST(FolderStore, RefusesWhatIsNotAKey) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path());
  EXPECT_EQ(store.put("../x", "").error().status, ExitStatus::refused);
  EXPECT_EQ(store.get("../x").error().status, ExitStatus::refused);
}

TEST(FolderStore, IgnoresItselfInGit) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path());
  ASSERT_TRUE(store.put("a", "b"));
  EXPECT_EQ(*io::read_file(folder->path() / ".gitignore"), "*\n");
}

}  // namespace
}  // namespace offshoot::store
