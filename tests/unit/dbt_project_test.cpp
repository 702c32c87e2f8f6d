// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dbt/project.hpp"
#include "io/files.hpp"

namespace offshoot::dbt {
namespace {

class ProjectTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(folder_); }
  void write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(io::write_file(folder_->path() / path, text));
  }
  Result<Project> read() { return read_project(folder_->path()); }
  Result<io::TemporaryFolder> folder_ = io::TemporaryFolder::make("test");
};

TEST_F(ProjectTest, DefaultsAreDbts) {
  write("dbt_project.yml", "name: shop\n");
  const auto project = read();
  ASSERT_TRUE(project) << project.error().why;
  EXPECT_EQ(project->name, "shop");
  EXPECT_EQ(project->profile, "");
  EXPECT_EQ(project->model_paths, std::vector<std::string>{"models"});
  EXPECT_EQ(project->analysis_paths, std::vector<std::string>{"analyses"});
  EXPECT_EQ(project->docs_paths,
            (std::vector<std::string>{"models", "seeds", "snapshots", "analyses", "macros", "tests", "functions"}));
  EXPECT_EQ(project->packages_install_path, "dbt_packages");
  EXPECT_EQ(project->clean_targets, std::vector<std::string>{"target"});
  EXPECT_FALSE(project->compare_more_unrendered_values);
  EXPECT_FALSE(project->has_lock);
  EXPECT_TRUE(project->packages.empty());
}

TEST_F(ProjectTest, OlderNamesOfPathsCount) {
  write("dbt_project.yml", "name: shop\nsource-paths: [src]\ndata-paths: [data]\nseed-paths: [s]\ntarget-path: out\n");
  const auto project = read();
  ASSERT_TRUE(project);
  EXPECT_EQ(project->model_paths, std::vector<std::string>{"src"});
  EXPECT_EQ(project->seed_paths, std::vector<std::string>{"s"});
  EXPECT_EQ(project->clean_targets, std::vector<std::string>{"out"});
}

TEST_F(ProjectTest, ReadsFlagsAndPackages) {
  write("dbt_project.yml",
        "name: shop\nrequire-dbt-version: '>=1.8'\nflags: {state_modified_compare_more_unrendered_values: true}\n");
  write("packages.yml",
        "packages:\n  - local: packages/utils\n  - package: dbt-labs/dbt_utils\n    version: [\">=1.0.0\", "
        "\"<2.0.0\"]\n");
  write("package-lock.yml",
        "packages:\n  - local: packages/utils\n    name: utils\n  - package: dbt-labs/dbt_utils\n    name: dbt_utils\n "
        "   "
        "version: 1.3.0\nsha1_hash: ab\n");
  const auto project = read();
  ASSERT_TRUE(project) << project.error().why;
  EXPECT_EQ(project->compare_more_unrendered_values, true);
  EXPECT_EQ(project->require_dbt_version, std::vector<std::string>{">=1.8"});
  EXPECT_EQ(project->packages_file, "packages.yml");
  ASSERT_EQ(project->packages.size(), 2U);
  EXPECT_EQ(project->packages[1].version, "");
  ASSERT_EQ(project->locked.size(), 2U);
  EXPECT_EQ(project->locked[1], (Package{Package::Kind::hub, "dbt-labs/dbt_utils", "1.3.0", "dbt_utils"}));
  EXPECT_EQ(project->local_packages(), std::vector<std::string>{"packages/utils"});
}

TEST_F(ProjectTest, DependenciesServeWherePackagesAreNone) {
  write("dbt_project.yml", "name: shop\n");
  write("packages.yml", "# nothing yet\n");
  write("dependencies.yml", "projects: []\npackages:\n  - git: https://example.com/a.git\n    revision: v1\n");
  const auto project = read();
  ASSERT_TRUE(project) << project.error().why;
  EXPECT_EQ(project->packages_file, "dependencies.yml");
  EXPECT_EQ(project->packages[0].kind, Package::Kind::git);
}

TEST_F(ProjectTest, ErrorsNameThePlace) {
  write("dbt_project.yml", "name: shop\nmodel-paths:\n  models: x\n");
  auto project = read();
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().status, ExitStatus::usage);
  EXPECT_EQ(project.error().why, "'model-paths' must be a list of text");
  ASSERT_TRUE(project.error().place);
  EXPECT_EQ(project.error().place->line, 3);
  EXPECT_EQ(project.error().place->column, 3);
  write("dbt_project.yml", "profile: shop\n");
  project = read();
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().why, "it has no 'name'");
  write("dbt_project.yml", "- a\n");
  EXPECT_FALSE(read());
  write("dbt_project.yml", "name: [\n");
  EXPECT_FALSE(read());
  write("dbt_project.yml", "name: shop\n\xff\xfe: \x01\n");
  EXPECT_TRUE(read().has_value() || !read().has_value());  // any answer but a crash
}

TEST_F(ProjectTest, AMissingProjectIsLookedForBelow) {
  write("transform/dbt_project.yml", "name: shop\n");
  write(".hidden/dbt_project.yml", "name: x\n");
  write("transform/dbt_packages/utils/dbt_project.yml", "name: x\n");
  auto project = read();
  ASSERT_FALSE(project);
  EXPECT_EQ(project.error().hint, "there is one in 'transform': set dbt.project: transform");
  write("other/deep/dbt_project.yml", "name: x\n");
  EXPECT_EQ(read().error().hint, "set dbt.project to one of 'other/deep' and 'transform'");
  EXPECT_NE(read_project(folder_->path() / "none").error().why.find("there is no folder"), std::string::npos);
}

}  // namespace
}  // namespace offshoot::dbt
