// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "change/compare.hpp"
#include "change_git.hpp"

namespace offshoot::change {
namespace {

using testing::GitFolder;
using testing::LibraryLeaks;
namespace fs = std::filesystem;

Result<Change> try_compare(const GitFolder& git, const CompareRequest& request = {}, const std::string& name = "repo") {
  auto repository = Repository::open(git.path(name), TrustOwner::no);
  if (!repository) return tl::unexpected(repository.error());
  return compare(*repository, request);
}

Change compare_in(const GitFolder& git, const CompareRequest& request = {}, const std::string& name = "repo") {
  auto change = try_compare(git, request, name);
  EXPECT_TRUE(change) << (change ? "" : change.error().doing + ": " + change.error().why);
  return change ? *change : Change{};
}

std::vector<std::string> paths(const Change& change) {
  std::vector<std::string> list;
  for (const ChangedFile& file : change.files) list.push_back(file.path);
  return list;
}

ChangedFile file_of(const Change& change, const std::string& path) {
  const auto found = std::ranges::find(change.files, path, &ChangedFile::path);
  EXPECT_NE(found, change.files.end()) << path;
  return found == change.files.end() ? ChangedFile{} : *found;
}

/// main: one - two; feature from one; and HEAD, detached, the merge that GitHub makes of the two.
struct PullRequest {
  GitFolder git;
  std::string one, two, head, merge;

  PullRequest() {
    git.init();
    git.write("models/a.sql", "select 1\n");
    git.write("models/main.sql", "select 1\n");
    one = git.commit("one");
    git.git({"checkout", "-q", "-b", "feature"});
    git.write("models/a.sql", "select 2\n");
    head = git.commit("feature");
    git.git({"checkout", "-q", "main"});
    git.write("models/main.sql", "select 2\n");
    two = git.commit("two");
    git.git({"checkout", "-q", "--detach"});
    git.git({"merge", "-q", "--no-ff", "-m", "merge", "feature"});
    merge = git.git({"rev-parse", "HEAD"});
  }

  void clone(const std::vector<std::string>& options, const std::string& commit, const std::string& name) const {
    git.git({"branch", "-f", "to-clone", commit});
    std::vector<std::string> arguments{"clone", "-q", "-b", "to-clone", "file://" + git.path().native(), name};
    arguments.insert(arguments.begin() + 2, options.begin(), options.end());
    git.git(arguments, "nowhere");
  }
};

TEST(Compare, F1_MergeCommitIsComparedWithItsFirstParent) {
  const PullRequest pr;
  const Change change = compare_in(pr.git);
  EXPECT_EQ(change.head.sha, pr.merge);
  EXPECT_EQ(change.base.sha, pr.two);
  EXPECT_EQ(change.base_is, "first parent of the merge commit");
  EXPECT_EQ(paths(change), std::vector<std::string>{"models/a.sql"});
  EXPECT_FALSE(change.uncommitted);
}

TEST(Compare, F1_AMovedMainDoesNotChangeTheBaseOfAMergeCommit) {
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "main"});
  pr.git.write("models/main.sql", "select 3\n");
  pr.git.commit("three");
  pr.git.git({"checkout", "-q", pr.merge});
  const CompareRequest by_event{.base = "main", .base_of_pull_request = true, .expected_head = pr.head};
  EXPECT_EQ(compare_in(pr.git, by_event).base.sha, pr.two);
  EXPECT_EQ(compare_in(pr.git).base.sha, pr.two);
  EXPECT_EQ(compare_in(pr.git, {.base = "main", .base_of_pull_request = true}).base.sha, pr.two);
}

TEST(Compare, F1_AHeadThatMergedMainIsComparedWithTheMergeBase) {
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "feature"});
  pr.git.git({"merge", "-q", "--no-ff", "-m", "merge main", "main"});
  const std::string head = pr.git.git({"rev-parse", "HEAD"});
  for (const CompareRequest& request :
       {CompareRequest{}, CompareRequest{.base = "main", .base_of_pull_request = true},
        CompareRequest{.base = "main", .base_of_pull_request = true, .expected_head = head}}) {
    const Change change = compare_in(pr.git, request);
    EXPECT_EQ(change.base.sha, pr.two);
    EXPECT_EQ(change.base_is, "merge base with main");
    EXPECT_EQ(paths(change), std::vector<std::string>{"models/a.sql"});
  }
}

TEST(Compare, F1_AHeadThatIsItselfAMergeIsNotTakenForThePullRequestsWhenItsBaseIsAbsent) {
  const PullRequest pr;
  const auto change = try_compare(pr.git, {.base = "absent", .base_of_pull_request = true, .expected_head = pr.merge});
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().status, ExitStatus::usage);
  EXPECT_EQ(compare_in(pr.git, {.base = "absent", .base_of_pull_request = true, .expected_head = pr.head}).base.sha,
            pr.two);
}

TEST(Compare, F1_AnyOtherHeadIsComparedWithTheMergeBase) {
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "feature"});
  for (const CompareRequest& request :
       {CompareRequest{}, CompareRequest{.base = "main"}, CompareRequest{.base = pr.two}}) {
    EXPECT_EQ(compare_in(pr.git, request).base.sha, pr.one);
  }
}

TEST(Compare, F1_ABaseByHandIsNotOverruledByAMergeCommit) {
  const PullRequest pr;
  const Change change = compare_in(pr.git, {.base = pr.one});
  EXPECT_EQ(change.base.sha, pr.one);
  EXPECT_EQ(paths(change), (std::vector<std::string>{"models/a.sql", "models/main.sql"}));
}

TEST(Compare, F1_TheDefaultBranchIsComparedWithItsFirstParent) {
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "main"});
  const Change change = compare_in(pr.git);
  EXPECT_EQ(change.base.sha, pr.one);
  EXPECT_EQ(change.base_is, "first parent: HEAD is part of main");
  pr.git.git({"merge", "-q", "--no-ff", "-m", "merge", "feature"});
  EXPECT_EQ(compare_in(pr.git).base.sha, pr.two);
}

TEST(Compare, UncommittedWorkOnTheDefaultBranchIsComparedWithHead) {
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "main"});
  pr.git.write("models/a.sql", "dirty\n");
  const Change change = compare_in(pr.git, {.include_work_tree = true});
  EXPECT_EQ(change.base.sha, pr.two);
  EXPECT_TRUE(change.uncommitted);
  EXPECT_EQ(paths(change), std::vector<std::string>{"models/a.sql"});
}

TEST(Compare, TheFirstCommitHasNoBase) {
  const GitFolder git;
  git.init();
  EXPECT_EQ(try_compare(git).error().status, ExitStatus::usage);
  git.write("a", "1");
  git.commit("one");
  EXPECT_EQ(try_compare(git).error().status, ExitStatus::usage);
}

TEST(Compare, UnrelatedHistoriesHaveNoMergeBase) {
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "--orphan", "alien"});
  pr.git.commit("alien");
  const auto change = try_compare(pr.git);
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().status, ExitStatus::usage);
}

TEST(Compare, F2_DepthTwoIsEnoughForAMergeCommit) {
  const LibraryLeaks leaks;
  const PullRequest pr;
  pr.clone({"--depth", "2"}, pr.merge, "shallow");
  const CompareRequest by_event{.base = "main", .base_of_pull_request = true, .expected_head = pr.head};
  for (const CompareRequest& request : {CompareRequest{}, by_event}) {
    const Change change = compare_in(pr.git, request, "shallow");
    EXPECT_EQ(change.base.sha, pr.two);
    EXPECT_EQ(paths(change), std::vector<std::string>{"models/a.sql"});
  }
}

TEST(Compare, F2_DepthOneNamesFetchDepth) {
  const LibraryLeaks leaks;
  const PullRequest pr;
  pr.clone({"--depth", "1"}, pr.merge, "shallow");
  const CompareRequest by_event{.base = "main", .base_of_pull_request = true, .expected_head = pr.head};
  for (const CompareRequest& request : {CompareRequest{}, by_event, CompareRequest{.base = pr.two}}) {
    const auto change = try_compare(pr.git, request, "shallow");
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().status, ExitStatus::usage);
    EXPECT_NE(change.error().hint.find("fetch-depth"), std::string::npos) << change.error().hint;
  }
}

TEST(Compare, F2_AShallowCloneWithoutMergeBaseUsesTheBaseItselfAndSaysSo) {
  const LibraryLeaks leaks;
  const PullRequest pr;
  pr.clone({"--depth", "1", "--no-single-branch"}, pr.head, "shallow");
  const Change change = compare_in(pr.git, {.base = "origin/main"}, "shallow");
  EXPECT_EQ(change.base.sha, pr.two);
  EXPECT_NE(change.base_is.find("shallow"), std::string::npos);
  const auto without = try_compare(pr.git, {}, "shallow");
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().hint.find("fetch-depth: 0"), std::string::npos);
}

TEST(Compare, F2_AShallowCloneThatIsDeepEnoughHasItsMergeBase) {
  const LibraryLeaks leaks;
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "feature"});
  for (const std::string text : {"a", "b", "c"}) {
    pr.git.write("models/b.sql", text);
    pr.git.commit(text);
  }
  const std::string fork = pr.git.git({"rev-parse", "HEAD~1"});
  pr.git.git({"branch", "-f", "main", "HEAD~1"});
  pr.git.write("models/c.sql", "1");
  const std::string head = pr.git.commit("d");
  pr.clone({"--depth", "4", "--no-single-branch"}, head, "shallow");
  const Change change = compare_in(pr.git, {.base = "origin/main"}, "shallow");
  EXPECT_EQ(change.base.sha, fork);
  EXPECT_EQ(change.base_is, "merge base with origin/main");
}

TEST(Compare, F2_AnUnknownBaseIsAnError) {
  const LibraryLeaks leaks;
  const PullRequest pr;
  const auto change = try_compare(pr.git, {.base = std::string(40, 'a')});
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().status, ExitStatus::usage);
}

TEST(Compare, A7_TheHeadMustBeTheEventsOwn) {
  const PullRequest pr;
  EXPECT_TRUE(try_compare(pr.git, {.expected_head = pr.head}));
  EXPECT_TRUE(try_compare(pr.git, {.expected_head = pr.merge}));
  for (const std::string& other : {pr.two, pr.one}) {
    const auto change = try_compare(pr.git, {.expected_head = other});
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().status, ExitStatus::refused);
  }
  for (const std::string& nonsense : {std::string("main"), pr.head.substr(0, 12), std::string()}) {
    EXPECT_EQ(try_compare(pr.git, {.expected_head = nonsense}).error().status, ExitStatus::usage);
  }
}

/// Two commits on main: `before` and `after` each write the whole tree.
template <class Before, class After>
Change change_of(const GitFolder& git, Before before, After after) {
  git.init();
  git.write("keep", "keep\n");
  before();
  git.commit("before");
  after();
  git.commit("after");
  return compare_in(git);
}

std::string numbered(int lines) {
  std::string text;
  for (int i = 1; i <= lines; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

TEST(Compare, ChangedLinesAreThoseOfTheHead) {
  const GitFolder git;
  const Change change = change_of(
      git,
      [&] {
        git.write("a.sql", numbered(20));
        git.write("gone.sql", numbered(3));
        git.write("cut.sql", numbered(5));
      },
      [&] {
        std::string text = numbered(20);
        text.replace(text.find("line 3\n"), 7, "changed 3\nadded\n");
        text.replace(text.find("line 10\n"), 8, "");
        text.replace(text.find("line 20\n"), 8, "no newline");
        git.write("a.sql", text);
        fs::remove(git.path() / "gone.sql");
        git.write("cut.sql", numbered(4));
        git.write("new.sql", "one\ntwo");
        git.write("empty.sql", "");
      });
  EXPECT_EQ(paths(change), (std::vector<std::string>{"a.sql", "cut.sql", "empty.sql", "gone.sql", "new.sql"}));
  EXPECT_EQ(file_of(change, "a.sql").lines, (std::vector<LineRange>{{3, 4}, {20, 20}}));
  EXPECT_EQ(file_of(change, "cut.sql").lines, std::vector<LineRange>{});
  EXPECT_EQ(file_of(change, "empty.sql").lines, std::vector<LineRange>{});
  EXPECT_EQ(file_of(change, "gone.sql").status, FileStatus::deleted);
  EXPECT_EQ(file_of(change, "gone.sql").lines, std::vector<LineRange>{});
  EXPECT_EQ(file_of(change, "new.sql").status, FileStatus::added);
  EXPECT_EQ(file_of(change, "new.sql").lines, (std::vector<LineRange>{{1, 2}}));
}

TEST(Compare, F5_RenameAndEditIsFollowed) {
  const GitFolder git;
  const Change change = change_of(
      git,
      [&] {
        git.write("models/old.sql", numbered(20));
        git.write("models/Case.sql", numbered(10));
      },
      [&] {
        fs::remove(git.path() / "models/old.sql");
        fs::remove(git.path() / "models/Case.sql");
        std::string text = numbered(20);
        text.replace(text.find("line 7\n"), 7, "changed\n");
        git.write("marts/new.sql", text);
        git.write("models/case.sql", numbered(10));
      });
  EXPECT_EQ(change.files.size(), 2U);
  const ChangedFile renamed = file_of(change, "marts/new.sql");
  EXPECT_EQ(renamed.status, FileStatus::renamed);
  EXPECT_EQ(renamed.old_path, "models/old.sql");
  EXPECT_EQ(renamed.lines, (std::vector<LineRange>{{7, 7}}));
  const ChangedFile by_case = file_of(change, "models/case.sql");
  EXPECT_EQ(by_case.status, FileStatus::renamed);
  EXPECT_EQ(by_case.old_path, "models/Case.sql");
  EXPECT_TRUE(by_case.lines.empty());
}

TEST(Compare, F5_ModesTypesLinksAndBinaries) {
  const GitFolder git;
  const Change change = change_of(
      git,
      [&] {
        git.write("mode.sh", "x\n");
        git.write("mode_and_edit.sh", "x\n");
        git.write("becomes_link", "target\n");
        git.write("becomes_folder", "x\n");
        git.write("binary", std::string("a\0b", 3));
        fs::create_symlink("keep", git.path() / "link");
      },
      [&] {
        fs::permissions(git.path() / "mode.sh", fs::perms::owner_all);
        fs::permissions(git.path() / "mode_and_edit.sh", fs::perms::owner_all);
        git.write("mode_and_edit.sh", "y\n");
        fs::remove(git.path() / "becomes_link");
        fs::create_symlink("keep", git.path() / "becomes_link");
        fs::remove(git.path() / "becomes_folder");
        git.write("becomes_folder/a.sql", "completely different\n");
        git.write("binary", std::string("a\0c\n", 4));
        fs::remove(git.path() / "link");
        fs::create_symlink("/etc/passwd", git.path() / "link");
        git.write(".gitattributes", "*.sql -diff binary\n");
        git.write("hidden.sql", "select 1\n");
      });
  EXPECT_EQ(file_of(change, "mode.sh").status, FileStatus::mode_changed);
  EXPECT_EQ(file_of(change, "mode_and_edit.sh").status, FileStatus::modified);
  EXPECT_EQ(file_of(change, "becomes_link").status, FileStatus::type_changed);
  EXPECT_EQ(file_of(change, "becomes_link").kind, EntryKind::symlink);
  EXPECT_EQ(file_of(change, "becomes_folder").status, FileStatus::deleted);
  EXPECT_EQ(file_of(change, "becomes_folder/a.sql").status, FileStatus::added);
  EXPECT_TRUE(file_of(change, "binary").binary);
  EXPECT_TRUE(file_of(change, "binary").lines.empty());
  EXPECT_EQ(file_of(change, "link").kind, EntryKind::symlink);
  EXPECT_FALSE(file_of(change, "hidden.sql").binary) << "an attribute must not hide a file from the lint";
  EXPECT_EQ(file_of(change, "hidden.sql").lines, (std::vector<LineRange>{{1, 1}}));
}

TEST(Compare, F5_LineEndingsCount) {
  const GitFolder git;
  const Change change =
      change_of(git, [&] { git.write("a.sql", "one\ntwo\n"); }, [&] { git.write("a.sql", "one\r\ntwo\r\n"); });
  EXPECT_EQ(file_of(change, "a.sql").lines, (std::vector<LineRange>{{1, 2}}));
}

TEST(Compare, F5_ASubmoduleIsReported) {
  const GitFolder git;
  git.init("other");
  git.write("a", "1", "other");
  git.commit("one", "other");
  const Change change =
      change_of(git, [] {}, [&] { git.git({"submodule", "--quiet", "add", git.path("other").native(), "sub"}); });
  EXPECT_EQ(file_of(change, "sub").kind, EntryKind::submodule);
  EXPECT_TRUE(file_of(change, "sub").lines.empty());
}

TEST(Compare, B6_HostileNamesArriveAsTheyAre) {
  const std::vector<std::string> names{"$(id).sql",      "`id`.sql",        "a b.sql",   "-rf.sql",
                                       "new\nline.sql",  "\xff\xfe.sql",    "\"q\".sql", "a,line=1::x%0A.sql",
                                       "##[error]x.sql", "\xe2\x80\xae.sql"};
  const GitFolder git;
  const Change change = change_of(
      git, [] {},
      [&] {
        for (const std::string& name : names) git.write("models/" + name, "select 1\n");
      });
  ASSERT_EQ(change.files.size(), names.size());
  for (const std::string& name : names) EXPECT_EQ(file_of(change, "models/" + name).status, FileStatus::added);
}

TEST(Compare, F5_MoreThanTenThousandFiles) {
  const GitFolder git;
  git.init();
  git.write("keep", "1");
  git.commit("one");
  const auto tree_of = [&](int version) {
    std::string input;
    for (int i = 0; i < 10500; ++i) {
      const std::string text = "select " + std::to_string(i) + " -- " + std::to_string(version) + "\n";
      input += "M 100644 inline models/m" + std::to_string(i) + ".sql\ndata " + std::to_string(text.size()) + "\n" +
               text + "\n";
    }
    return input;
  };
  std::string stream;
  for (const int version : {1, 2}) {
    stream += "commit refs/heads/many\ncommitter A <a@example.com> 1767225600 +0000\ndata 1\nx\n";
    stream += (version == 1 ? "from refs/heads/main\n" : "") + tree_of(version);
  }
  git.write("stream", stream, "scratch");
  const std::string command = "cd '" + git.path().native() + "' && git fast-import --quiet < ../scratch/stream";
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT: a test's own fixed command
  git.git({"symbolic-ref", "HEAD", "refs/heads/many"});
  const Change change = compare_in(git, {.base = "HEAD~1"});
  ASSERT_EQ(change.files.size(), 10500U);
  EXPECT_TRUE(std::ranges::all_of(change.files, [](const ChangedFile& file) {
    return file.status == FileStatus::modified && file.lines == std::vector<LineRange>{{1, 1}};
  }));
}

TEST(Compare, F4_NothingOfTheRepositoryIsRun) {
  const GitFolder git;
  git.init();
  git.write("a.sql", "1\n");
  git.commit("one");
  const std::string mark = (git.path() / "ran").native();
  git.write("b.sql", "1\n");
  git.write(".gitattributes", "*.sql diff=evil filter=evil\n");
  git.commit("two");
  git.git({"config", "diff.external", "touch " + mark});
  git.git({"config", "diff.evil.textconv", "touch " + mark});
  git.git({"config", "diff.evil.command", "touch " + mark});
  git.git({"config", "filter.evil.clean", "touch " + mark});
  git.git({"config", "filter.evil.smudge", "touch " + mark});
  git.git({"config", "core.fsmonitor", "touch " + mark});
  git.write("a.sql", "2\n");
  git.write("untracked.sql", "2\n");
  const Change change = compare_in(git, {.base = "HEAD~1", .include_work_tree = true});
  EXPECT_EQ(change.files.size(), 4U);
  EXPECT_FALSE(fs::exists(mark));
}

TEST(Compare, TheWorkTreeIsPartOfTheHeadWhenAskedFor) {
  const PullRequest pr;
  const GitFolder& git = pr.git;
  git.git({"checkout", "-q", "feature"});
  git.write(".gitignore", "target/\n");
  git.write("models/staged.sql", "select 1\n");
  git.git({"add", "."});
  git.write("models/a.sql", "select 2\nunion all select 3\n");
  git.write("models/untracked dir/new.sql", "one\ntwo\n");
  git.write("target/run.sql", "ignored\n");
  git.write(".offshoot/runs/x", "ours\n");
  fs::rename(git.path() / "models/main.sql", git.path() / "models/renamed.sql");

  const Change committed = compare_in(git);
  EXPECT_FALSE(committed.uncommitted);
  EXPECT_EQ(paths(committed), std::vector<std::string>{"models/a.sql"});
  EXPECT_EQ(file_of(committed, "models/a.sql").lines, (std::vector<LineRange>{{1, 1}}));

  const Change change = compare_in(git, {.include_work_tree = true, .leave_out = {"./.offshoot"}});
  EXPECT_TRUE(change.uncommitted);
  EXPECT_EQ(change.base.sha, pr.one);
  EXPECT_EQ(paths(change), (std::vector<std::string>{".gitignore", "models/a.sql", "models/renamed.sql",
                                                     "models/staged.sql", "models/untracked dir/new.sql"}));
  EXPECT_EQ(file_of(change, "models/a.sql").lines, (std::vector<LineRange>{{1, 2}}));
  EXPECT_EQ(file_of(change, "models/renamed.sql").status, FileStatus::renamed);
  EXPECT_EQ(file_of(change, "models/renamed.sql").old_path, "models/main.sql");
  EXPECT_EQ(file_of(change, "models/untracked dir/new.sql").status, FileStatus::added);
  EXPECT_EQ(file_of(change, "models/untracked dir/new.sql").lines, (std::vector<LineRange>{{1, 2}}));

  const auto repository = Repository::open(git.path(), TrustOwner::no).value();
  EXPECT_EQ(head_reader(repository, change)("models/a.sql"), "select 2\nunion all select 3\n");
  EXPECT_EQ(head_reader(repository, committed)("models/a.sql"), "select 2\n");
  EXPECT_EQ(base_reader(repository, change)("models/a.sql"), "select 1\n");
  EXPECT_FALSE(base_reader(repository, change)("models/staged.sql"));
}

TEST(Compare, ACleanWorkTreeIsNotUncommitted) {
  const PullRequest pr;
  pr.git.git({"checkout", "-q", "feature"});
  pr.git.write(".offshoot/x", "ours\n");
  fs::last_write_time(pr.git.path() / "models/a.sql", fs::file_time_type::clock::now());
  EXPECT_FALSE(compare_in(pr.git, {.include_work_tree = true, .leave_out = {".offshoot"}}).uncommitted);
}

TEST(Compare, WorkTreeModesLinksAndDeletions) {
  const PullRequest pr;
  const GitFolder& git = pr.git;
  git.git({"checkout", "-q", "feature"});
  fs::permissions(git.path() / "models/a.sql", fs::perms::owner_all);
  fs::remove(git.path() / "models/main.sql");
  fs::create_symlink("/etc/passwd", git.path() / "models/main.sql");
  fs::create_symlink("/etc", git.path() / "models/etc");
  git.init("repo/nested");
  git.write("nested/a", "1");
  git.commit("nested", "repo/nested");
  const Change change = compare_in(git, {.base = "HEAD", .include_work_tree = true});
  EXPECT_EQ(file_of(change, "models/a.sql").status, FileStatus::mode_changed);
  EXPECT_EQ(file_of(change, "models/main.sql").status, FileStatus::type_changed);
  EXPECT_EQ(file_of(change, "models/main.sql").kind, EntryKind::symlink);
  EXPECT_EQ(file_of(change, "models/etc").kind, EntryKind::symlink);
  EXPECT_EQ(file_of(change, "nested").kind, EntryKind::submodule);
  EXPECT_EQ(change.files.size(), 4U);
}

TEST(Compare, F5_FilesLeftOutOfASparseCheckoutAreNotDeleted) {
  const LibraryLeaks leaks;
  const PullRequest pr;
  const GitFolder& git = pr.git;
  git.write("other/x", "1");
  git.commit("more");
  git.write("other/x", "1\n2");
  git.commit("still more");
  git.git({"branch", "-f", "feature"});
  git.git({"checkout", "-q", "feature"});
  git.git({"sparse-checkout", "set", "--no-cone", "/models/"});
  ASSERT_FALSE(fs::exists(git.path() / "other/x"));
  EXPECT_FALSE(compare_in(git, {.base = "HEAD~1", .include_work_tree = true}).uncommitted);
  git.write("models/a.sql", "dirty\n");
  const Change change = compare_in(git, {.base = "HEAD", .include_work_tree = true});
  EXPECT_EQ(paths(change), std::vector<std::string>{"models/a.sql"});
  const Change more = compare_in(git, {.base = "HEAD~1", .include_work_tree = true});
  EXPECT_EQ(paths(more), (std::vector<std::string>{"models/a.sql", "other/x"}));
  EXPECT_EQ(file_of(more, "other/x").lines, (std::vector<LineRange>{{1, 2}}));
}

}  // namespace
}  // namespace offshoot::change
