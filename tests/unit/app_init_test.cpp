// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "app/init.hpp"
#include "app/settings.hpp"
#include "io/files.hpp"
#include "io/yaml.hpp"

namespace offshoot::app {
namespace {

namespace fs = std::filesystem;

const std::string some_sha(40, 'a');

/// A repository of files, in a folder that goes with it.
class Repository {
 public:
  Repository() : folder_(io::TemporaryFolder::make("init-test").value()) {}
  Repository& with(const std::string& path, const std::string& text) {
    EXPECT_TRUE(io::write_file(folder_.path() / path, text));
    return *this;
  }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

 private:
  io::TemporaryFolder folder_;
};

InitRequest look(const Repository& repository) {
  auto request = look_around(repository.path());
  EXPECT_TRUE(request) << (request ? "" : request.error().why);
  request->version = "0.1.0";
  request->action_sha = some_sha;
  return *request;
}

std::string file(const InitRequest& request, const std::string& path) {
  const auto files = init_files(request);
  EXPECT_TRUE(files) << (files ? "" : files.error().why);
  for (const auto& [name, text] : *files) {
    if (name == path) return text;
  }
  return {};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr auto workflow_path = ".github/workflows/offshoot.yml";

const std::string postgres_profile = R"(
warehouse:
  target: prod
  outputs:
    prod: &prod
      type: postgres
      host: "{{ env_var('PG_HOST') }}"
      user: '{{ env_var( "PG_USER" ) }}'
      password: "{{ env_var('PG_PASSWORD') }}"
      port: "{{ env_var('PG_PORT', '5432') | as_number }}"
      schema: analytics
    ci:
      <<: *prod
      schema: ci
)";

TEST(LookAround, FindsTheProjectItsAdapterAndWhatItReads) {
  Repository repository;
  repository.with("analytics/dbt_project.yml", "name: shop\nprofile: warehouse\n")
      .with("analytics/profiles.yml", postgres_profile)
      .with("analytics/packages.yml", "packages: [{git: \"https://{{ env_var('GIT_TOKEN', '') }}@x\"}]")
      .with("analytics/packages/utils/dbt_project.yml", "name: utils\n")
      .with("dbt_packages/other/dbt_project.yml", "name: other\n")
      .with("requirements.txt", "dbt-postgres==1.10\n")
      .with(".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/trunk\n");
  const auto request = look(repository);
  EXPECT_EQ(request.project_dir, "analytics");
  EXPECT_EQ(request.project_name, "shop");
  EXPECT_EQ(request.profiles_dir, "analytics");
  EXPECT_EQ(request.adapter, "postgres");
  EXPECT_EQ(request.default_target, "prod");
  EXPECT_EQ(request.target, "ci");
  EXPECT_TRUE(request.has_production);
  EXPECT_EQ(request.requirements, "requirements.txt");
  EXPECT_FALSE(request.new_requirements);
  EXPECT_FALSE(request.has_sqlfluff);
  EXPECT_EQ(request.default_branch, "trunk");
  EXPECT_EQ(
      request.variables,
      (std::vector<ReadName>{
          {"GIT_TOKEN", false}, {"PG_HOST", true}, {"PG_PASSWORD", true}, {"PG_PORT", false}, {"PG_USER", true}}));
}

TEST(LookAround, ReadsTheExample) {
  const auto request = look_around(OFFSHOOT_SOURCE_DIR "/examples");
  ASSERT_TRUE(request) << request.error().why;
  EXPECT_EQ(request->project_dir, "shop");
  EXPECT_EQ(request->adapter, "duckdb");
  EXPECT_TRUE(request->has_production);
  for (const auto& variable : request->variables) EXPECT_FALSE(variable.required) << variable.name;
}

TEST(LookAround, SeveralProjectsOrNoneAreAnError) {
  Repository repository;
  EXPECT_EQ(look_around(repository.path()).error().status, ExitStatus::usage);
  repository.with("a/dbt_project.yml", "name: a\n").with("b/dbt_project.yml", "name: b\n");
  const auto both = look_around(repository.path());
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().why, "there are 2: a, b");
  EXPECT_EQ(look_around(repository.path(), "b")->project_dir, "b");
}

TEST(LookAround, SurvivesWhatItCannotRead) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\nprofile: \"{{ env_var('P') }}\"\n")
      .with("profiles.yml", "shop: [1, {2: 3}]\n")
      .with(".git/HEAD", std::string("\0\xff", 2));
  const auto request = look(repository);
  EXPECT_EQ(request.adapter, "");
  EXPECT_EQ(request.default_branch, "main");
  EXPECT_EQ(request.variables, (std::vector<ReadName>{{"P", true}}));
  repository.with("profiles.yml", "\t{{{");
  EXPECT_EQ(look(repository).adapter, "");
  repository.with("dbt_project.yml", "\t{{{");
  EXPECT_FALSE(look_around(repository.path()));
}

TEST(LookAround, B1_NamesThatAreNoNamesAreLeftOut) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\n")
      .with(
          "profiles.yml",
          "# env_var('X: ${{ secrets.A }}') env_var('GITHUB_TOKEN') env_var(name) env_var('OPEN env_var ( 'GOOD' )\n");
  EXPECT_EQ(look(repository).variables, (std::vector<ReadName>{{"GOOD", true}}));
}

TEST(InitFiles, TheSettingsSayOnlyWhatDiffers) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\n").with("profiles.yml", "shop: {outputs: {dev: {type: duckdb}}}\n");
  EXPECT_EQ(file(look(repository), "offshoot.yml"),
            "# Settings of offshoot. Every key has a default: what stands here differs from it.\n"
            "# All keys: https://github.com/offshoot-dev/offshoot/blob/v0.1.0/docs/settings.md\n"
            "\n"
            "branch:\n"
            "  prefix: shop # pull request 7 lives in shop_pr_7\n");
}

TEST(InitFiles, TheSettingsLoad) {
  Repository repository;
  repository.with("my dbt/dbt_project.yml", "name: shop\nprofile: warehouse\n")
      .with("profiles.yml", postgres_profile)
      .with("my dbt/requirements.txt", "dbt-postgres\n");
  const auto settings = load_settings({.file_text = file(look(repository), "offshoot.yml")});
  ASSERT_TRUE(settings) << settings.error().why;
  Settings expected;
  expected.dbt.project = "my dbt";
  expected.dbt.profiles = ".";
  expected.dbt.target = "ci";
  expected.branch.prefix = "shop";
  expected.lint.sql = "off";
  EXPECT_EQ(*settings, expected);
}

TEST(InitFiles, TheWorkflowPassesWhatTheProjectReads) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\nprofile: warehouse\n").with("profiles.yml", postgres_profile);
  const auto workflow = file(look(repository), workflow_path);
  EXPECT_TRUE(has(workflow, "\n          PG_PASSWORD: ${{ secrets.PG_PASSWORD }}\n")) << workflow;
  EXPECT_TRUE(has(workflow, "\n          PG_HOST: ${{ vars.PG_HOST }}\n"));
  EXPECT_TRUE(has(workflow, "\n        #  PG_PORT: ${{ vars.PG_PORT }}\n"));
  EXPECT_TRUE(has(workflow, "\n    environment: offshoot"));
  EXPECT_TRUE(has(workflow, "uses: offshoot-dev/offshoot@" + some_sha + " # v0.1.0\n"));
  EXPECT_FALSE(has(workflow, "@{"));
}

TEST(InitFiles, TheWorkflowWithoutSecretsNeedsNoEnvironmentForBranches) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\n");
  const auto workflow = file(look(repository), workflow_path);
  EXPECT_FALSE(has(workflow, "environment: offshoot"));
  EXPECT_FALSE(has(workflow, "secrets."));
}

TEST(InitFiles, A1_A6_A8_B1_H2_F2_TheWorkflowIsSafe) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\nprofile: warehouse\n").with("profiles.yml", postgres_profile);
  const auto text = file(look(repository), workflow_path);
  const auto workflow = io::parse_yaml(text, "workflow");
  ASSERT_TRUE(workflow) << workflow.error().why;
  EXPECT_FALSE(has(text, "pull_request_target"));
  EXPECT_EQ((*workflow)["permissions"].size(), 0U);
  for (const auto& job : (*workflow)["jobs"]) {
    EXPECT_TRUE(job.second["concurrency"]["group"].IsDefined());
    for (const auto& step : job.second["steps"]) {
      if (step["run"]) {
        EXPECT_FALSE(has(step["run"].Scalar(), "${{")) << step["name"].Scalar();
      }
      if (!step["uses"]) continue;
      const auto uses = step["uses"].Scalar();
      EXPECT_EQ(uses.size() - uses.find('@'), 41U) << uses;
      if (uses.starts_with("actions/checkout@")) {
        EXPECT_EQ(step["with"]["fetch-depth"].Scalar(), "2");
        EXPECT_EQ(step["with"]["persist-credentials"].Scalar(), "false");
      }
    }
  }
  const auto jobs = (*workflow)["jobs"];
  EXPECT_EQ(jobs["branch"]["permissions"].size(), 3U);
  EXPECT_EQ(jobs["deploy"]["permissions"].size(), 2U);
  EXPECT_EQ(jobs["branch"]["concurrency"]["cancel-in-progress"].Scalar(), "true");
  EXPECT_EQ(jobs["deploy"]["concurrency"]["cancel-in-progress"].Scalar(), "false");
}

TEST(InitFiles, ARequirementsFileIsProposedWhereNoneNamesDbt) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\n")
      .with("profiles.yml", "shop: {outputs: {dev: {type: duckdb}}}\n")
      .with("requirements.txt", "requests\n");
  const auto request = look(repository);
  EXPECT_EQ(request.requirements, "dbt-requirements.txt");
  EXPECT_TRUE(has(file(request, "dbt-requirements.txt"), "\ndbt-duckdb\n"));
  repository.with("requirements.txt", "dbt-duckdb\nsqlfluff\n");
  EXPECT_EQ(init_files(look(repository))->size(), 2U);
  EXPECT_TRUE(look(repository).has_sqlfluff);
}

TEST(InitFiles, B1_WhatCannotStandInAWorkflowIsRefused) {
  const InitRequest good{.version = "0.1.0", .action_sha = some_sha};
  EXPECT_TRUE(init_files(good));
  for (const auto* path : {"a\"b", "${{ github.token }}", "a\nb", "-rf", "/etc", "a$b", "\xff", ""}) {
    InitRequest bad = good;
    bad.project_dir = path;
    EXPECT_FALSE(init_files(bad)) << path;
    bad = good;
    bad.requirements = path;
    EXPECT_FALSE(init_files(bad)) << path;
    bad = good;
    bad.default_branch = path;
    EXPECT_FALSE(init_files(bad)) << path;
  }
  InitRequest bad = good;
  bad.action_sha = "";
  EXPECT_FALSE(init_files(bad));
  bad = good;
  bad.default_target = "x\nevil: 1";
  EXPECT_FALSE(init_files(bad));
}

TEST(NextSteps, NameWhatAPersonHasToDo) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\nprofile: warehouse\n").with("profiles.yml", postgres_profile);
  const auto steps = next_steps(look(repository));
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[1], "add the secret PG_PASSWORD to GitHub's environments offshoot and production");
  EXPECT_EQ(next_steps(InitRequest{}).size(), 3U);
}

TEST(InitFiles, C5_AwsIsLoggedInToByOidcWhereARoleIsGiven) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\n");
  auto request = look(repository);
  EXPECT_FALSE(has(file(request, workflow_path), "id-token"));
  request.aws_role = "arn:aws:iam::123456789012:role/ci";
  EXPECT_FALSE(init_files(request));
  request.aws_region = "eu-west-1";
  const auto workflow = io::parse_yaml(file(request, workflow_path), "workflow");
  ASSERT_TRUE(workflow);
  for (const auto* job : {"branch", "deploy"}) {
    EXPECT_EQ((*workflow)["jobs"][job]["permissions"]["id-token"].Scalar(), "write");
    EXPECT_EQ((*workflow)["jobs"][job]["steps"][2]["with"]["role-to-assume"].Scalar(), request.aws_role);
  }
  request.aws_role = "arn:aws:iam::1\nevil: 1";
  EXPECT_FALSE(init_files(request));
}

TEST(InitFiles, A2_OrdersByCommentHaveAWorkflowOfTheirOwn) {
  Repository repository;
  repository.with("dbt_project.yml", "name: shop\n");
  auto request = look(repository);
  EXPECT_EQ(file(request, ".github/workflows/offshoot-comments.yml"), "");
  request.comments = true;
  const auto text = file(request, ".github/workflows/offshoot-comments.yml");
  const auto workflow = io::parse_yaml(text, "workflow");
  ASSERT_TRUE(workflow);
  EXPECT_FALSE(has(text, "pull_request_target"));
  EXPECT_FALSE(has(text, "@{"));
  EXPECT_EQ((*workflow)["permissions"].size(), 0U);
}

}  // namespace
}  // namespace offshoot::app
