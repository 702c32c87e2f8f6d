// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "change/fetch.hpp"
#include "change_git.hpp"

namespace offshoot::change {
namespace {

namespace fs = std::filesystem;

/// A merge commit, and a clone that holds nothing else.
class Lacking : public ::testing::Test {
 protected:
  void SetUp() override {
    git_.init();
    git_.write("a.sql", "1");
    base_ = git_.commit("base");
    git_.git({"checkout", "-q", "-b", "feature"});
    git_.write("a.sql", "2");
    head_ = git_.commit("head");
    git_.git({"checkout", "-q", "main"});
    git_.git({"merge", "-q", "--no-ff", "-m", "merge", "feature"});
    git_.git({"clone", "-q", "--depth", "1", "file://" + git_.path().native(), git_.path("clone").native()});
    clone_.emplace(Repository::open(git_.path("clone"), TrustOwner::no).value());
    fs::create_directory(git_.path("scratch"));
  }
  Result<void> fetch(const std::string& sha, const std::string& url) {
    return fetch_commit(*clone_, sha, {.url = url, .token = "secret"}, git_.path("scratch"),
                        {{"PATH", "/usr/bin:/bin"}});
  }

  const testing::LibraryLeaks leaks_;
  testing::GitFolder git_;
  std::string base_;
  std::string head_;
  std::optional<Repository> clone_;
};

TEST_F(Lacking, F2_HeadNamesItsParentsThoughTheCloneLacksThem) {
  EXPECT_EQ(*parents_of_head(*clone_), (std::vector<std::string>{base_, head_}));
  EXPECT_FALSE(clone_->commit(base_));
}

TEST_F(Lacking, F2_OnlyAWholeShaIsAskedForAndOnlyOverTls) {
  for (const std::string& no_sha : {std::string("main"), base_.substr(0, 12), std::string("--upload-pack=touch /tmp/x"),
                                    base_ + "\n", std::string(40, 'G'), std::string()}) {
    const auto fetched = fetch(no_sha, "https://127.0.0.1:9/acme/shop");
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().why, "it is no commit's id");
  }
  for (const std::string& url : {"file://" + git_.path().native(), git_.path().native(), std::string("ssh://x/y"),
                                 std::string("ext::sh -c id"), std::string("http://github.test/acme/shop"),
                                 std::string("http://127.0.0.1.test/acme/shop"), std::string("--upload-pack=id")}) {
    const auto fetched = fetch(base_, url);
    ASSERT_FALSE(fetched) << url;
    EXPECT_EQ(fetched.error().why, "the server does not speak TLS");
  }
  EXPECT_TRUE(fs::is_empty(git_.path("scratch"))) << "git was not started";
}

TEST_F(Lacking, F2_WhatCannotBeFetchedNamesFetchDepth) {
  const auto fetched = fetch(base_, "http://127.0.0.1:9/acme/shop");
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().status, ExitStatus::usage);
  EXPECT_NE(fetched.error().hint.find("fetch-depth: 2"), std::string::npos);
  EXPECT_EQ(fetched.error().why.find("secret"), std::string::npos);
  EXPECT_FALSE(clone_->commit(base_));
}

}  // namespace
}  // namespace offshoot::change
