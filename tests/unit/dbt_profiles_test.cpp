// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "dbt/profiles.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "io/yaml.hpp"

namespace offshoot::dbt {
namespace {

namespace fs = std::filesystem;

constexpr const char* duckdb_profiles = R"(config: {send_anonymous_usage_stats: false}
shop:
  target: "{{ env_var('SHOP_TARGET', 'ci') }}"
  outputs:
    ci:
      type: duckdb
      path: "{{ env_var('SHOP_FILE', 'ci.duckdb') }}"
      database: ci
      schema: main
      extensions: [httpfs]
      settings: {s3_region: eu-west-1}
      attach:
        - {path: lookups.duckdb, alias: lookups}
        - {path: prod.duckdb, alias: prod}
    prod: {type: duckdb, path: prod.duckdb, schema: main}
    pg:
      type: postgres
      password: "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}"
      port: 5432
      schema: analytics
other: {outputs: {a: {type: duckdb}}}
)";

class ProfilesTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(folder_);
    project_.folder = folder_->path() / "project";
    project_.profile = "shop";
  }
  void write(const std::string& path, const std::string& text) {
    ASSERT_TRUE(io::write_file(folder_->path() / path, text));
  }
  Result<Profile> read(io::Environment environment = {}, std::string setting = "auto") {
    return read_profile(project_, {std::move(setting), folder_->path(), std::move(environment)});
  }
  /// The written profile's output, read as dbt reads it: as YAML.
  nlohmann::ordered_json written(const Profile& profile, const std::string& target, const ProfileChange& change) {
    const auto folder = folder_->path() / "written";
    const auto result = write_profile(profile, target, change, folder);
    EXPECT_TRUE(result) << result.error().why;
    const auto text = io::read_file(folder / "profiles.yml");
    const auto root = io::parse_yaml(text.value_or(""), "profiles.yml");
    if (!root) return {};
    document_ = io::to_json(*root);
    return document_["shop"]["outputs"][target];
  }

  Result<io::TemporaryFolder> folder_ = io::TemporaryFolder::make("test");
  Project project_;
  nlohmann::ordered_json document_;
};

TEST_F(ProfilesTest, AreFoundInDbtsOrder) {
  write("home/.dbt/profiles.yml", duckdb_profiles);
  const auto home = (folder_->path() / "home").string();
  EXPECT_EQ(read({{"HOME", home}})->found_by, "~/.dbt");
  write("project/profiles.yml", duckdb_profiles);
  EXPECT_EQ(read({{"HOME", home}})->found_by, "the project's folder");
  write("named/profiles.yml", duckdb_profiles);
  const auto named = (folder_->path() / "named").string();
  EXPECT_EQ(read({{"HOME", home}, {"DBT_PROFILES_DIR", named}})->found_by, "DBT_PROFILES_DIR");
  EXPECT_EQ(read({{"DBT_PROFILES_DIR", home}}, "named")->file, fs::path(named) / "profiles.yml");
}

TEST_F(ProfilesTest, AMissingFileSaysWhereWasLooked) {
  const auto profile = read({{"HOME", "/nowhere"}});
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().status, ExitStatus::usage);
  EXPECT_NE(profile.error().why.find(project_.folder.string()), std::string::npos);
  EXPECT_NE(profile.error().why.find("/nowhere/.dbt"), std::string::npos);
  EXPECT_NE(read({}, "ci").error().why.find("(dbt.profiles)"), std::string::npos);
}

TEST_F(ProfilesTest, OutputsAreReadUnrendered) {
  write("project/profiles.yml", duckdb_profiles);
  const auto profile = read({{"SHOP_FILE", "x.duckdb"}});
  ASSERT_TRUE(profile) << profile.error().why;
  EXPECT_EQ(profile->name, "shop");
  EXPECT_EQ(profile->default_target, "ci");
  ASSERT_EQ(profile->outputs.size(), 3U);
  EXPECT_EQ(profile->output("ci")->path.raw, "{{ env_var('SHOP_FILE', 'ci.duckdb') }}");
  EXPECT_EQ(profile->output("ci")->path.value, "x.duckdb");
  EXPECT_EQ(profile->output("pg")->type.value, "postgres");
  EXPECT_EQ(profile->output("pg")->path.raw, "");
  EXPECT_EQ(profile->output("nope"), nullptr);
}

TEST_F(ProfilesTest, TargetsAreChosenOrSuggested) {
  write("project/profiles.yml", duckdb_profiles);
  const auto profile = read();
  ASSERT_TRUE(profile);
  EXPECT_EQ(choose_target(*profile, ""), "ci");
  EXPECT_EQ(choose_target(*profile, "pg"), "pg");
  EXPECT_NE(choose_target(*profile, "prd").error().hint.find("did you mean 'prod'?"), std::string::npos);
  EXPECT_EQ(choose_production(*profile, "auto").value(), "prod");
  EXPECT_EQ(choose_production(*profile, "pg").value(), "pg");
  EXPECT_FALSE(choose_production(*profile, "production"));
}

TEST_F(ProfilesTest, WhatOnlyDbtCanRenderIsUnknown) {
  write("project/profiles.yml",
        "shop:\n  target: \"{{ 'a' if true else 'b' }}\"\n  outputs: {a: {type: duckdb}, b: {type: duckdb}}\n");
  const auto profile = read();
  ASSERT_TRUE(profile);
  EXPECT_FALSE(profile->default_target);
  EXPECT_EQ(choose_target(*profile, "").error().hint, "set dbt.target to one of 'a' and 'b'");
  EXPECT_EQ(choose_target(*profile, "b"), "b");
  EXPECT_EQ(choose_production(*profile, "auto").value(), std::nullopt);
}

TEST_F(ProfilesTest, AMissingProfileIsAnErrorThatNamesThoseThereAre) {
  write("project/profiles.yml", duckdb_profiles);
  project_.profile = "shopp";
  const auto profile = read();
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().why, "it has no profile 'shopp'");
  EXPECT_EQ(profile.error().hint, "the file has 'shop' and 'other'; did you mean 'shop'?");
  project_.profile = "";
  EXPECT_EQ(read().error().why, "dbt_project.yml names none");
  project_.profile = "{{ var('p') }}";
  EXPECT_FALSE(read());
  write("project/profiles.yml", "only: {outputs: {default: {type: duckdb}}}\n");
  EXPECT_EQ(read()->name, "only");
  EXPECT_EQ(choose_target(*read(), ""), "default");
  for (const char* broken :
       {"", "- a\n", "only: 1\n", "only: {outputs: []}\n", "only: {outputs: {}}\n", "a: [", "a: {b: *c}"}) {
    write("project/profiles.yml", broken);
    EXPECT_FALSE(read()) << broken;
  }
}

TEST_F(ProfilesTest, IsolationBySchemaChangesOneWord) {
  write("project/profiles.yml", duckdb_profiles);
  const auto profile = read();
  ASSERT_TRUE(profile);
  const auto output = written(*profile, "pg", OtherSchema{"shop_pr_7"});
  EXPECT_EQ(output["schema"], "shop_pr_7");
  EXPECT_EQ(output["password"], "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}");
  EXPECT_EQ(output["port"], 5432);
  auto expected = profile->document;
  expected["shop"]["outputs"]["pg"]["schema"] = "shop_pr_7";
  EXPECT_EQ(document_, expected);
}

TEST_F(ProfilesTest, C4_TheWrittenProfileIsForItsOwnerOnly) {
  write("project/profiles.yml", duckdb_profiles);
  written(*read(), "pg", OtherSchema{"shop_pr_7"});
  struct stat about{};
  ASSERT_EQ(::stat((folder_->path() / "written" / "profiles.yml").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(ProfilesTest, IsolationByFileAttachesOthersReadOnly) {
  write("project/profiles.yml", duckdb_profiles);
  const auto prod = (project_.folder / "prod.duckdb").string();
  const auto output =
      written(*read(), "ci", OtherFile{"/b/shop_pr_7.duckdb", {{"/c/ci.duckdb", "ci"}, {prod, "prod"}}});
  EXPECT_EQ(output["path"], "/b/shop_pr_7.duckdb");
  EXPECT_FALSE(output.contains("database"));
  EXPECT_EQ(output["extensions"][0], "httpfs");
  ASSERT_EQ(output["attach"].size(), 3U);  // prod was attached writable: it is read-only now, and once
  EXPECT_EQ(output["attach"][0]["alias"], "lookups");
  EXPECT_EQ(output["attach"][1], (nlohmann::ordered_json{{"path", prod}, {"alias", "prod"}, {"read_only", true}}));
  EXPECT_EQ(output["attach"][2]["alias"], "ci");
}

TEST_F(ProfilesTest, IsolationBySchemaOnDuckDbPassesOverItsOwnFile) {
  write("project/profiles.yml", duckdb_profiles);
  const auto own = (project_.folder / "ci.duckdb").string();
  const auto output = written(*read(), "ci", OtherSchema{"pr_7", {{own, "ci"}, {"/x/more.duckdb", "more"}}});
  EXPECT_EQ(output["schema"], "pr_7");
  ASSERT_EQ(output["attach"].size(), 3U);
  EXPECT_EQ(output["attach"][2]["alias"], "more");
}

TEST_F(ProfilesTest, NamesThatDuckDbCouldNotTellApartAreRefused) {
  write("project/profiles.yml", duckdb_profiles);
  const auto folder = folder_->path() / "written";
  const auto profile = read();
  EXPECT_FALSE(
      write_profile(*profile, "ci", OtherFile{"/b.duckdb", {{"/a/x.duckdb", "x"}, {"/b/x.duckdb", "x"}}}, folder));
  const auto lookups = (project_.folder / "lookups.duckdb").string();
  EXPECT_FALSE(write_profile(*profile, "ci", OtherFile{"/b.duckdb", {{lookups, "other"}}}, folder));
  EXPECT_FALSE(write_profile(*profile, "pg", OtherFile{"/b.duckdb", {}}, folder));
  EXPECT_FALSE(write_profile(*profile, "none", OtherSchema{"x"}, folder));
}

TEST_F(ProfilesTest, TheHarmlessOneReachesNoFile) {
  write("project/profiles.yml", duckdb_profiles);
  const auto profile = read();
  const auto output = written(*profile, "ci", Harmless{});
  EXPECT_EQ(output["path"], ":memory:");
  EXPECT_FALSE(output.contains("attach"));
  EXPECT_FALSE(output.contains("database"));
  EXPECT_EQ(output["settings"]["s3_region"], "eu-west-1");
  EXPECT_EQ(written(*profile, "pg", Harmless{}), profile->document["shop"]["outputs"]["pg"]);
}

TEST_F(ProfilesTest, D1_EnvironmentNamesComeFromAllFiles) {
  write("project/profiles.yml", duckdb_profiles);
  write("project/dbt_project.yml", "name: \"{{ env_var('NAME') }}\"\n");
  write("project/packages.yml", "packages: [{git: \"https://{{env_var('DBT_ENV_SECRET_GIT')}}@x\"}]\n");
  EXPECT_EQ(
      environment_names(project_.folder, project_.folder / "profiles.yml").value(),
      (std::set<std::string>{"DBT_ENV_SECRET_GIT", "DBT_ENV_SECRET_PASSWORD", "NAME", "SHOP_FILE", "SHOP_TARGET"}));
  EXPECT_EQ(environment_names(project_.folder, {}).value().size(), 2U);
}

}  // namespace
}  // namespace offshoot::dbt
