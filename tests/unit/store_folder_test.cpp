// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "io/files.hpp"
#include "store/folder_store.hpp"

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

TEST(FolderStore, J7_ConditionalWritesSeeWhatIsThere) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path());
  const auto first = store.put_if("1/current", "one", std::nullopt);
  ASSERT_TRUE(first && first->written);
  EXPECT_FALSE(store.put_if("1/current", "two", std::nullopt)->written);
  EXPECT_FALSE(store.put_if("1/current", "two", "other")->written);
  EXPECT_FALSE(store.put_if("1/none", "two", first->version)->written);
  EXPECT_EQ((*store.read("1/current"))->version, first->version);
  EXPECT_TRUE(store.put_if("1/current", "two", first->version)->written);
  EXPECT_EQ(**store.get("1/current"), "two");
}

TEST(FolderStore, K6_AConditionalWriteIsOneThingForOthers) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path() / "store");
  ASSERT_TRUE(store.put_if("1/x", "one", std::nullopt)->written);
  // Another process is between looking and writing.
  const int lock = ::open((folder->path() / "store/.lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(lock, 0);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  std::atomic<bool> done = false;
  std::jthread second([&] {
    EXPECT_FALSE(store.put_if("1/x", "two", std::nullopt)->written);
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_FALSE(done);
  ::close(lock);
  second.join();
  EXPECT_EQ(**store.get("1/x"), "one");
}

TEST(FolderStore, J5_WhatAnInterruptedWriteLeftIsNeverSeenAndIsSwept) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path());
  ASSERT_TRUE(store.put("1/a", "b"));
  ASSERT_TRUE(io::write_file(folder->path() / ".staging/left", "half"));
  EXPECT_EQ(*store.list(""), std::vector<std::string>{"1/a"});
  EXPECT_FALSE(store.get(".staging/left"));
  EXPECT_EQ(*store.sweep(std::chrono::hours(24)), 0);
  EXPECT_EQ(*store.sweep(std::chrono::seconds(0)), 1);
  EXPECT_FALSE(std::filesystem::exists(folder->path() / ".staging/left"));
}

TEST(FolderStore, CopiesFiles) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path() / "store");
  ASSERT_TRUE(io::write_file(folder->path() / "in", "bytes"));
  ASSERT_TRUE(store.put_file("1/x.json", folder->path() / "in", {}));
  EXPECT_FALSE(*store.fetch("1/none", folder->path() / "out"));
  ASSERT_TRUE(*store.fetch("1/x.json", folder->path() / "out"));
  EXPECT_EQ(*io::read_file(folder->path() / "out"), "bytes");
  EXPECT_EQ((*store.list_objects("1/x"))[0].size, 5U);
  ASSERT_TRUE(store.remove("1/x.json"));
  EXPECT_FALSE(std::filesystem::exists(folder->path() / "store/1"));
}

TEST(FolderStore, IgnoresItselfInGit) {
  const auto folder = io::TemporaryFolder::make("test");
  FolderStore store(folder->path());
  ASSERT_TRUE(store.put("a", "b"));
  EXPECT_EQ(*io::read_file(folder->path() / ".gitignore"), "*\n");
}

}  // namespace
}  // namespace offshoot::store
