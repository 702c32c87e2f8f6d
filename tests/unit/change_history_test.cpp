// SPDX-License-Identifier: Apache-2.0
#include "change/history.hpp"
#include "change_git.hpp"

namespace offshoot::change {
namespace {

using testing::GitFolder;

std::vector<std::string> subjects(const Stretch& stretch) {
  std::vector<std::string> subjects;
  for (const auto& commit : stretch.commits) subjects.push_back(commit.subject);
  return subjects;
}

/// main: one - two - merge - last; feature: one - side, merged by `merge`.
class History : public ::testing::Test {
 protected:
  History() {
    git_.init();
    one_ = git_.commit("one");
    git_.git({"switch", "-q", "-c", "feature"});
    side_ = git_.commit("side");
    git_.git({"switch", "-q", "main"});
    two_ = git_.commit("two");
    git_.git({"merge", "-q", "--no-ff", "-m", "merge", "feature"});
    last_ = git_.commit("last");
  }

  GitFolder git_;
  std::string one_, side_, two_, last_;
};

TEST_F(History, K7_HoldsItsAncestorsAndItself) {
  const auto repository = Repository::open(git_.path(), TrustOwner::no);
  ASSERT_TRUE(repository);
  const Commit head = repository->commit("HEAD").value();
  EXPECT_EQ(holds(*repository, head, last_), true);
  EXPECT_EQ(holds(*repository, head, side_), true);
  EXPECT_EQ(holds(*repository, repository->commit(two_).value(), side_), false);
  EXPECT_EQ(holds(*repository, head, std::string(40, 'a')), std::nullopt);
  EXPECT_EQ(holds(*repository, head, "no sha"), std::nullopt);
}

TEST_F(History, ListsTheBranchsOwnCommits) {
  const auto repository = Repository::open(git_.path(), TrustOwner::no);
  ASSERT_TRUE(repository);
  const Commit head = repository->commit("HEAD").value();
  const auto since_one = first_parents_since(*repository, head, one_, 10);
  EXPECT_EQ(subjects(since_one), (std::vector<std::string>{"last", "merge", "two"}));
  EXPECT_TRUE(since_one.whole);
  EXPECT_TRUE(first_parents_since(*repository, head, last_, 10).commits.empty());
  const auto cut = first_parents_since(*repository, head, one_, 2);
  EXPECT_EQ(subjects(cut), (std::vector<std::string>{"last", "merge"}));
  EXPECT_FALSE(cut.whole);
  EXPECT_EQ(subjects(first_parents_since(*repository, head, "", 10)), (std::vector<std::string>{"last"}));
}

TEST_F(History, EndsAtACommitThatWasMergedIntoTheBranch) {
  const auto repository = Repository::open(git_.path(), TrustOwner::no);
  ASSERT_TRUE(repository);
  const auto since_side = first_parents_since(*repository, repository->commit("HEAD").value(), side_, 10);
  EXPECT_EQ(subjects(since_side), (std::vector<std::string>{"last", "merge", "two"}));
  EXPECT_TRUE(since_side.whole);
}

TEST_F(History, F2_AShallowCloneDoesNotGuess) {
  git_.git({"clone", "-q", "--depth", "1", "file://" + git_.path().native(), git_.path("shallow").native()});
  const testing::LibraryLeaks leaks;
  const auto repository = Repository::open(git_.path("shallow"), TrustOwner::no);
  ASSERT_TRUE(repository);
  const Commit head = repository->commit("HEAD").value();
  EXPECT_EQ(holds(*repository, head, one_), std::nullopt);
  const auto stretch = first_parents_since(*repository, head, one_, 10);
  EXPECT_EQ(subjects(stretch), (std::vector<std::string>{"last"}));
  EXPECT_FALSE(stretch.whole);
}

}  // namespace
}  // namespace offshoot::change
