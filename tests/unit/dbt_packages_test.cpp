// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "dbt/packages.hpp"
#include "io/files.hpp"
#include "silent_session.hpp"

namespace offshoot::dbt {
namespace {

namespace fs = std::filesystem;

/// A session that knows `dbt deps` only.
class DepsOnly : public tests::SilentSession {
 public:
  std::function<void(const ProjectAt&)> on_deps;
  int calls = 0;
  bool places = true;

  Result<void> deps(const ProjectAt& at) override {
    ++calls;
    if (on_deps) on_deps(at);
    return {};
  }
  [[nodiscard]] bool places_packages() const override { return places; }
};

class PackagesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(folder_);
    write("p/dbt_project.yml", "name: shop\n");
    session_.on_deps = [this](const ProjectAt& at) { pretend_deps(at); };
  }
  void write(const std::string& path, const std::string& text) const {
    ASSERT_TRUE(io::write_file(root() / path, text));
  }
  void pretend_deps(const ProjectAt& at) const {
    const auto to = at.packages_install_path.empty() ? at.project_dir / "dbt_packages" : at.packages_install_path;
    ASSERT_TRUE(io::write_file(to / "dbt_utils/dbt_project.yml", "name: dbt_utils\nversion: 1.3.0\n"));
  }
  /// packages.yml and its lock, with a hub package and, if wanted, a local one.
  void name_packages(bool local = false) const {
    const std::string mine = local ? "  - local: ../shared\n" : "";
    write("p/packages.yml", "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n" + mine);
    write("p/package-lock.yml", "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n" + mine);
    if (local) write("shared/dbt_project.yml", "name: utils\n");
  }
  Result<Packages> provide(const std::string& deps = "auto") {
    const auto project = read_project(root() / "p");
    if (!project) return tl::unexpected(project.error());
    PackagesRequest request;
    request.at.project_dir = root() / "p";
    request.deps = deps;
    request.cache = root() / "cache";
    request.links = root() / "links/head";
    return provide_packages(*project, request, session_);
  }
  [[nodiscard]] const fs::path& root() const { return folder_->path(); }

  Result<io::TemporaryFolder> folder_ = io::TemporaryFolder::make("test");
  DepsOnly session_;
};

TEST_F(PackagesTest, NoneNamedNoneNeeded) {
  const auto packages = provide();
  ASSERT_TRUE(packages);
  EXPECT_EQ(packages->found, "none named");
  EXPECT_EQ(session_.calls, 0);
}

TEST_F(PackagesTest, InstalledOnesThatMatchTheLockServe) {
  name_packages();
  write("p/dbt_packages/dbt_utils/dbt_project.yml", "name: dbt_utils\nversion: 1.3.0\n");
  const auto packages = provide("never");
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->install_path, "");
  EXPECT_EQ(packages->found, "dbt_packages matches package-lock.yml");
  EXPECT_EQ(session_.calls, 0);
}

TEST_F(PackagesTest, OthersComeFromACacheKeyedByTheLock) {
  name_packages();
  write("p/dbt_packages/dbt_utils/dbt_project.yml", "name: dbt_utils\nversion: 1.2.0\n");
  auto packages = provide();
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->found, "dbt deps");
  EXPECT_EQ(packages->install_path.parent_path(), root() / "cache/packages");
  EXPECT_TRUE(fs::exists(packages->install_path / "dbt_utils/dbt_project.yml"));
  packages = provide();
  EXPECT_EQ(packages->found, "the cache");
  EXPECT_EQ(session_.calls, 1);
  write("p/package-lock.yml", "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n    name: dbt_utils\n");
  EXPECT_EQ(provide()->found, "dbt deps");
}

TEST_F(PackagesTest, LocalOnesComeFromTheSidesOwnTree) {
  name_packages(true);
  const auto packages = provide();
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->install_path, root() / "links/head");
  EXPECT_EQ(fs::canonical(packages->install_path / "utils"), fs::canonical(root() / "shared"));
  EXPECT_TRUE(fs::exists(packages->install_path / "dbt_utils/dbt_project.yml"));
  EXPECT_EQ(why_not_installed(*read_project(root() / "p"), packages->install_path), std::nullopt);
}

TEST_F(PackagesTest, LocalOnesAloneNeedNoDbt) {
  write("p/packages.yml", "packages: [{local: ../shared}]\n");
  write("p/package-lock.yml", "packages: [{local: ../shared, name: utils}]\n");
  EXPECT_NE(provide().error().why.find("'../shared' has no dbt_project.yml"), std::string::npos);
  write("shared/dbt_project.yml", "name: utils\n");
  const auto packages = provide();
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->found, "local folders");
  EXPECT_EQ(session_.calls, 0);
}

TEST_F(PackagesTest, ACopyOfALocalPackageIsNotThePackage) {
  write("p/packages.yml", "packages: [{local: ../shared}]\n");
  write("shared/dbt_project.yml", "name: utils\n");
  write("p/dbt_packages/utils/dbt_project.yml", "name: utils\n");
  EXPECT_EQ(why_not_installed(*read_project(root() / "p"), root() / "p/dbt_packages"),
            "'utils' is not the folder '../shared'");
}

TEST_F(PackagesTest, LeftOversAndGapsAreSeen) {
  name_packages();
  const auto why = [&] {
    return why_not_installed(*read_project(root() / "p"), root() / "p/dbt_packages").value_or("");
  };
  EXPECT_NE(why().find("there is no folder"), std::string::npos);
  write("p/dbt_packages/old/dbt_project.yml", "name: old\n");
  EXPECT_EQ(why(), "'dbt_utils' is not installed");
  write("p/dbt_packages/dbt_utils/dbt_project.yml", "name: dbt_utils\nversion: 1.3.0\n");
  EXPECT_EQ(why(), "'old' is installed and not named");
  write("p/package-lock.yml", "packages: [{git: a}, {git: b}, {git: c}]\n");
  EXPECT_EQ(why(), "2 of 3 packages are installed");
}

TEST_F(PackagesTest, NeverMeansNever) {
  name_packages();
  const auto packages = provide("never");
  ASSERT_FALSE(packages);
  EXPECT_EQ(packages.error().status, ExitStatus::usage);
  EXPECT_EQ(session_.calls, 0);
}

TEST_F(PackagesTest, AStaleLockIsResolvedAndTheFileLeftAlone) {
  name_packages();
  write("p/packages.yml", "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.4.0\n");
  const auto before = io::read_file(root() / "p/package-lock.yml").value();
  session_.on_deps = [this](const ProjectAt& at) {
    pretend_deps(at);
    write("p/package-lock.yml", "rewritten\n");
  };
  const auto packages = provide();
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_NE(packages->note.find("'1.4.0'"), std::string::npos);
  EXPECT_EQ(packages->install_path, root() / "links/head");
  EXPECT_EQ(io::read_file(root() / "p/package-lock.yml").value(), before);
  EXPECT_FALSE(fs::exists(root() / "cache/packages"));
}

TEST_F(PackagesTest, ALockThatDbtDoesNotAcceptIsNotShared) {
  name_packages();
  session_.on_deps = [this](const ProjectAt& at) {
    pretend_deps(at);
    write("p/package-lock.yml", "rewritten\n");
  };
  const auto packages = provide();
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->install_path, root() / "links/head");
  EXPECT_TRUE(fs::exists(packages->install_path / "dbt_utils/dbt_project.yml"));
  EXPECT_TRUE(fs::is_empty(root() / "cache/packages"));
}

TEST_F(PackagesTest, TheCommandLineInstallsInTheProjectsOwnFolder) {
  name_packages();
  session_.places = false;
  const auto packages = provide();
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->install_path, "");
  EXPECT_TRUE(fs::exists(root() / "p/dbt_packages/dbt_utils/dbt_project.yml"));
}

}  // namespace
}  // namespace offshoot::dbt
