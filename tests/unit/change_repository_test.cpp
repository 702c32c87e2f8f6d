// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "change/repository.hpp"
#include "change_git.hpp"

namespace offshoot::change {
namespace {

using testing::GitFolder;
using testing::LibraryLeaks;
namespace fs = std::filesystem;

Repository open(const GitFolder& git, const std::string& name = "repo") {
  return Repository::open(git.path(name), TrustOwner::no).value();
}

TEST(Repository, IsFoundFromAFolderInside) {
  const GitFolder git;
  git.init();
  git.write("dbt/models/a.sql", "select 1");
  git.commit("one");
  const auto repository = Repository::open(git.path() / "dbt/models", TrustOwner::no);
  ASSERT_TRUE(repository) << repository.error().why;
  EXPECT_EQ(repository->root(), fs::canonical(git.path()));
}

TEST(Repository, WhereThereIsNoneTheErrorSaysSo) {
  const GitFolder git;
  fs::create_directories(git.path("empty"));
  const auto repository = Repository::open(git.path("empty"), TrustOwner::no);
  ASSERT_FALSE(repository);
  EXPECT_EQ(repository.error().status, ExitStatus::usage);
  EXPECT_FALSE(repository.error().hint.empty());
  EXPECT_FALSE(Repository::open(git.path("absent"), TrustOwner::no));
}

TEST(Repository, F3_AnotherUsersRepositoryIsOpenedOnlyWhenTrusted) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const GitFolder git;
  git.init();
  git.write("a", "1");
  git.commit("one");
  for (const auto& entry : {git.path(), git.path() / ".git"}) {
    ASSERT_EQ(chown(entry.c_str(), 1001, 1001), 0);
  }
  const auto distrusted = Repository::open(git.path(), TrustOwner::no);
  ASSERT_FALSE(distrusted);
  EXPECT_EQ(distrusted.error().status, ExitStatus::refused);
  const auto trusted = Repository::open(git.path(), TrustOwner::yes);
  ASSERT_TRUE(trusted) << trusted.error().why;
  EXPECT_TRUE(trusted->commit("HEAD"));
  EXPECT_FALSE(Repository::open(git.path(), TrustOwner::no)) << "trust must not outlast the call";
}

TEST(Repository, F5_ASha256RepositoryIsRefusedWithAHint) {
  const LibraryLeaks leaks;
  const GitFolder git;
  fs::create_directories(git.path());
  git.git({"init", "-q", "--object-format=sha256", "-b", "main"});
  const auto repository = Repository::open(git.path(), TrustOwner::no);
  ASSERT_FALSE(repository);
  EXPECT_NE(repository.error().hint.find("sha256"), std::string::npos);
}

TEST(Repository, F5_APartialCloneIsOpenedAndItsMissingFilesAreExplained) {
  const LibraryLeaks leaks;
  const GitFolder git;
  git.init("origin");
  git.write("a", "one", "origin");
  git.commit("one", "origin");
  git.write("a", "two", "origin");
  git.commit("two", "origin");
  git.git({"config", "uploadpack.allowFilter", "true"}, "origin");
  git.git({"clone", "-q", "--filter=blob:none", "file://" + git.path("origin").native(), "repo"});
  const auto repository = open(git);
  const auto before = repository.commit("HEAD~1");
  ASSERT_TRUE(before);
  const auto bytes = repository.read_file(*before, "a");
  ASSERT_FALSE(bytes);
  EXPECT_NE(bytes.error().hint.find("filter"), std::string::npos);
}

TEST(Repository, ABareRepositoryIsRefused) {
  const GitFolder git;
  git.init("origin");
  git.write("a", "1", "origin");
  git.commit("one", "origin");
  fs::create_directories(git.path("repo"));
  git.git({"clone", "-q", "--bare", git.path("origin").native(), ".git"});
  const auto repository = Repository::open(git.path(), TrustOwner::no);
  ASSERT_FALSE(repository);
  EXPECT_EQ(repository.error().status, ExitStatus::usage);
}

TEST(Repository, CommitsAreFoundByAnyName) {
  const GitFolder git;
  git.init();
  git.write("a", "1");
  const std::string one = git.commit("subject line\n\nbody");
  git.git({"tag", "-a", "v1", "-m", "tag"});
  const std::string two = git.commit("two");
  const auto repository = open(git);
  EXPECT_EQ(repository.commit("HEAD")->sha, two);
  EXPECT_EQ(repository.commit("main")->sha, two);
  EXPECT_EQ(repository.commit("v1")->sha, one);
  EXPECT_EQ(repository.commit(one)->sha, one);
  EXPECT_EQ(repository.commit("HEAD~1")->subject, "subject line");
  EXPECT_EQ(repository.commit(one)->tree_sha, git.git({"rev-parse", one + "^{tree}"}));
}

TEST(Repository, ANameOnOriginIsFoundWithoutALocalBranch) {
  const GitFolder git;
  git.init("origin");
  const std::string one = git.commit("one", "origin");
  git.git({"checkout", "-q", "-b", "release/1"}, "origin");
  git.git({"clone", "-q", "-b", "main", "file://" + git.path("origin").native(), "repo"});
  EXPECT_EQ(open(git).commit("release/1")->sha, one);
}

TEST(Repository, B7_NamesThatAreNoneAreRefused) {
  const GitFolder git;
  git.init();
  git.commit("one");
  const auto repository = open(git);
  for (const std::string name : {"", "-x", "--upload-pack=x", ":/one", "a b", "a\nb", "nope", "HEAD:", "HEAD^{tree}"}) {
    const auto commit = repository.commit(name);
    ASSERT_FALSE(commit) << name;
    EXPECT_EQ(commit.error().status, ExitStatus::usage) << name;
  }
}

TEST(Repository, FilesAreReadAsGitKeepsThem) {
  const GitFolder git;
  git.init();
  git.write(".gitattributes", "*.csv filter=evil\n*.txt text eol=crlf\n");
  git.git({"config", "filter.evil.smudge", "touch " + (git.path() / "ran").native()});
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n";
  git.write("seeds/a.csv", pointer);
  git.write("t.txt", "one\ntwo\n");
  git.write("empty", "");
  git.write("bytes", std::string("\0\xff", 2));
  fs::create_symlink("t.txt", git.path() / "link");
  git.commit("one");
  const auto repository = open(git);
  const auto head = repository.commit("HEAD").value();
  EXPECT_EQ(repository.read_file(head, "seeds/a.csv").value(), pointer);
  EXPECT_EQ(repository.read_file(head, "./t.txt").value(), "one\ntwo\n");
  EXPECT_EQ(repository.read_file(head, "empty").value(), "");
  EXPECT_EQ(repository.read_file(head, "bytes").value(), std::string("\0\xff", 2));
  for (const std::string absent : {"nope", "seeds", "link", "", ".", "..", "../x", "/etc/passwd", "seeds/a.csv/x"}) {
    const auto bytes = repository.read_file(head, absent);
    ASSERT_TRUE(bytes) << absent;
    EXPECT_FALSE(bytes->has_value()) << absent;
  }
}

TEST(Repository, FilesOfTheWorkTreeAreReadWithoutFollowingLinks) {
  const GitFolder git;
  git.init();
  git.write("models/a.sql", "dirty");
  fs::create_symlink("/etc", git.path() / "etc");
  fs::create_symlink("models/a.sql", git.path() / "link.sql");
  ASSERT_EQ(mkfifo((git.path() / "pipe").c_str(), 0600), 0);
  git.commit("one");
  const auto repository = open(git);
  EXPECT_EQ(repository.read_work_file("models/a.sql").value(), "dirty");
  EXPECT_EQ(repository.read_work_file("models//./a.sql").value(), "dirty");
  for (const std::string absent : {"nope", "models", "link.sql", "etc/passwd", "../repo/models/a.sql", "pipe", ""}) {
    const auto bytes = repository.read_work_file(absent);
    ASSERT_TRUE(bytes) << absent;
    EXPECT_FALSE(bytes->has_value()) << absent;
  }
}

TEST(Repository, ATreeIsWrittenAsItIs) {
  const GitFolder git;
  git.init();
  git.write("a.sql", "select 1\r\n");
  git.write("dbt/models/deep/b.sql", "select 2");
  git.write("run.sh", "#!/bin/sh\n");
  git.write(".gitattributes", "* text eol=crlf export-ignore\n");
  fs::permissions(git.path() / "run.sh", fs::perms::owner_all);
  git.write(" odd -name\n\"'\xff.sql", "x");
  git.git({"config", "core.autocrlf", "false"});
  git.commit("one");
  git.write("a.sql", "dirty");
  const auto repository = open(git);
  const auto out = git.path("out/deep");
  const auto exported = repository.export_tree(repository.commit("HEAD").value(), out);
  ASSERT_TRUE(exported) << exported.error().why;
  EXPECT_EQ(*exported, Exported{});
  EXPECT_EQ(GitFolder::read(out / "a.sql"), git.git({"cat-file", "blob", "HEAD:a.sql"}) + "\n");
  EXPECT_EQ(GitFolder::read(out / "dbt/models/deep/b.sql"), "select 2");
  EXPECT_EQ(GitFolder::read(out / " odd -name\n\"'\xff.sql"), "x");
  EXPECT_NE(fs::status(out / "run.sh").permissions() & fs::perms::owner_exec, fs::perms::none);
  EXPECT_EQ(fs::status(out / "a.sql").permissions() & fs::perms::owner_exec, fs::perms::none);
  EXPECT_FALSE(fs::exists(out / ".git"));
}

TEST(Repository, ATreeIsNotWrittenOverAnother) {
  const GitFolder git;
  git.init();
  git.commit("one");
  git.write("x", "1", "out");
  const auto repository = open(git);
  EXPECT_FALSE(repository.export_tree(repository.commit("HEAD").value(), git.path("out")));
}

TEST(Repository, E8_LinksThatLeadOutOfTheTreeAreNotWritten) {
  const GitFolder git;
  git.init();
  git.write("models/a.sql", "select 1");
  git.write("b/c/d.sql", "select 2");
  const auto link = [&](const std::string& target, const std::string& at) {
    fs::create_directories((git.path() / at).parent_path());
    fs::create_symlink(target, git.path() / at);
  };
  link("../models/a.sql", "b/inside.sql");
  link("models", "folder");
  link("folder/a.sql", "by_link.sql");
  link("nowhere", "dangling");
  link("/etc/passwd", "absolute");
  link("../../etc", "up");
  link("b/c/../../..", "around");
  link("..", "b/root");               // the root itself
  link("b/root/../outside", "trap");  // looks inside, leads out by way of b/root
  link("loop2", "loop1");
  link("loop1", "loop2");
  git.commit("one");
  const auto repository = open(git);
  const auto exported = repository.export_tree(repository.commit("HEAD").value(), git.path("out"));
  ASSERT_TRUE(exported) << exported.error().why;
  EXPECT_EQ(exported->skipped, (std::vector<std::string>{"absolute", "around", "loop1", "loop2", "trap", "up"}));
  EXPECT_EQ(GitFolder::read(git.path("out") / "b/inside.sql"), "select 1");
  EXPECT_EQ(GitFolder::read(git.path("out") / "by_link.sql"), "select 1");
  EXPECT_TRUE(fs::is_symlink(git.path("out") / "dangling"));
}

TEST(Repository, E8_AForgedTreeWritesNothingOutside) {
  const GitFolder git;
  git.init();
  git.write("x", "payload");
  fs::create_symlink("/tmp", git.path() / "l");
  git.commit("one");
  const std::string blob = git.git({"rev-parse", "HEAD:x"});
  const std::string target = git.git({"rev-parse", "HEAD:l"});
  const auto raw = [](const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
  };
  const auto object = [&](const std::string& type, const std::string& bytes) {
    git.write("object", bytes, "scratch");
    return git.git({"hash-object", "-w", "--literally", "-t", type, (git.path("scratch") / "object").native()});
  };
  const auto entry = [&](const std::string& mode, const std::string& name, const std::string& id) {
    return mode + " " + name + '\0' + raw(id);
  };
  const std::string inner = object("tree", entry("100644", "evil", blob));
  const std::array<std::string, 4> trees{entry("40000", "..", inner), entry("40000", ".GIT", inner),
                                         entry("100644", "../evil", blob),
                                         entry("120000", "a", target) + entry("40000", "a", inner)};
  const auto repository = open(git);
  for (const std::string& bytes : trees) {
    const std::string tree = object("tree", bytes);
    const Commit forged{std::string(40, '0'), tree, ""};
    const auto out = git.path("out-" + tree);
    const auto exported = repository.export_tree(forged, out / "in");
    EXPECT_TRUE(!exported || !exported->skipped.empty());
    EXPECT_FALSE(fs::exists(out / "evil"));
    EXPECT_FALSE(fs::exists("/tmp/evil"));
    EXPECT_FALSE(fs::exists(out / "in/.GIT"));
  }
}

TEST(Repository, F5_ASubmoduleIsAnEmptyFolder) {
  const GitFolder git;
  git.init("other");
  git.write("a", "1", "other");
  git.commit("one", "other");
  git.init();
  git.git({"submodule", "--quiet", "add", git.path("other").native(), "sub"});
  git.commit("one");
  const auto repository = open(git);
  const auto exported = repository.export_tree(repository.commit("HEAD").value(), git.path("out"));
  ASSERT_TRUE(exported);
  EXPECT_EQ(exported->submodules, std::vector<std::string>{"sub"});
  EXPECT_TRUE(fs::is_empty(git.path("out") / "sub"));
}

TEST(Repository, AKeyChangesWithItsPathsAndWithNothingElse) {
  const GitFolder git;
  git.init();
  git.write("dbt/a.sql", "1");
  git.write("shared/m.sql", "1");
  git.write("README.md", "1");
  const auto key = [&](std::vector<std::string> paths) {
    const auto repository = open(git);
    return repository.tree_key(repository.commit("HEAD").value(), paths).value();
  };
  git.commit("one");
  const std::string first = key({"dbt", "shared", "nope"});
  EXPECT_EQ(first.size(), 64U);
  EXPECT_EQ(key({"nope", "./shared/", "dbt", "dbt"}), first);
  EXPECT_NE(key({"dbt"}), first);
  const std::string all = key({"."});
  git.write("README.md", "2");
  git.commit("two");
  EXPECT_EQ(key({"dbt", "shared", "nope"}), first);
  EXPECT_NE(key({"."}), all);
  git.write("shared/m.sql", "2");
  git.commit("three");
  EXPECT_NE(key({"dbt", "shared", "nope"}), first);
  git.write("shared/m.sql", "1");
  git.commit("four");
  EXPECT_EQ(key({"dbt", "shared", "nope"}), first);
  fs::permissions(git.path() / "shared/m.sql", fs::perms::owner_all);
  git.commit("five");
  EXPECT_NE(key({"dbt", "shared", "nope"}), first);
}

TEST(Repository, PlacesThatLinksLeadTo) {
  const GitFolder git;
  git.init();
  git.write("shared/macros/m.sql", "1");
  git.write("dbt/models/a.sql", "1");
  fs::create_symlink("../hop", git.path() / "dbt/macros");
  fs::create_symlink("shared/macros", git.path() / "hop");
  fs::create_symlink("a.sql", git.path() / "dbt/models/b.sql");
  fs::create_symlink("/etc", git.path() / "dbt/models/etc");
  fs::create_symlink("dbt", git.path() / "elsewhere");
  git.commit("one");
  const auto repository = open(git);
  const auto head = repository.commit("HEAD").value();
  EXPECT_EQ(repository.linked_places(head, "dbt").value(), (std::vector<std::string>{"hop", "shared/macros"}));
  EXPECT_TRUE(repository.linked_places(head, ".")->empty());
}

TEST(Repository, ItsIdentityOutlivesClonesAndCommits) {
  const GitFolder git;
  git.init("origin");
  const std::string one = git.commit("one", "origin");
  EXPECT_EQ(open(git, "origin").identity(), one);
  git.commit("two", "origin");
  git.commit("three", "origin");
  const std::string url = "file://" + git.path("origin").native();
  git.git({"clone", "-q", url, "repo"});
  EXPECT_EQ(open(git).identity(), one);
  git.git({"clone", "-q", "--depth", "1", url, "shallow"}, "nowhere");
  const auto shallow = open(git, "shallow");
  EXPECT_TRUE(shallow.is_shallow());
  EXPECT_FALSE(open(git).is_shallow());
  const auto identity_of = [&](const std::string& origin) {
    git.git({"remote", "set-url", "origin", origin}, "shallow");
    return open(git, "shallow").identity();
  };
  const std::string plain = identity_of("https://github.com/acme/shop");
  EXPECT_TRUE(plain.starts_with("origin-"));
  for (const std::string same : {"https://x:secret@github.com/acme/shop.git", "git@github.com:acme/shop.git",
                                 "ssh://git@github.com/acme/shop/", "https://github.com/acme/shop.git/"}) {
    EXPECT_EQ(identity_of(same), plain) << same;
  }
  EXPECT_NE(identity_of("https://github.com/acme/shop2"), plain);
  git.git({"remote", "remove", "origin"}, "shallow");
  EXPECT_TRUE(open(git, "shallow").identity().starts_with("path-"));
}

TEST(Repository, TheDefaultBranchIsOriginsElseMainElseMaster) {
  const GitFolder git;
  git.init("origin");
  git.commit("one", "origin");
  git.git({"checkout", "-q", "-b", "trunk"}, "origin");
  const std::string url = "file://" + git.path("origin").native();
  git.git({"clone", "-q", url, "repo"});
  EXPECT_EQ(open(git).default_branch(), (DefaultBranch{"trunk", "refs/remotes/origin/trunk"}));
  git.git({"remote", "set-head", "origin", "--delete"});
  EXPECT_EQ(open(git).default_branch(), (DefaultBranch{"main", "refs/remotes/origin/main"}));
  EXPECT_EQ(open(git, "origin").default_branch(), (DefaultBranch{"main", "refs/heads/main"}));
  git.git({"branch", "-q", "-m", "main", "master"}, "origin");
  EXPECT_EQ(open(git, "origin").default_branch(), (DefaultBranch{"master", "refs/heads/master"}));
  git.git({"branch", "-q", "-m", "master", "other"}, "origin");
  EXPECT_FALSE(open(git, "origin").default_branch());
}

}  // namespace
}  // namespace offshoot::change
