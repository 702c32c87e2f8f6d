// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "io/files.hpp"
#include "lint/project_settings.hpp"

namespace offshoot::lint {
namespace {

namespace fs = std::filesystem;

class Settings : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = io::TemporaryFolder::make("lint-settings");
    ASSERT_TRUE(folder);
    base_ = folder->path();
    folder_.emplace(*std::move(folder));
    fs::create_directories(project());
  }
  [[nodiscard]] fs::path root() const { return base_; }
  [[nodiscard]] fs::path project() const { return root() / "warehouse" / "dbt"; }
  void write(const fs::path& name, std::string_view text) const { ASSERT_TRUE(io::write_file(root() / name, text)); }

 private:
  std::optional<io::TemporaryFolder> folder_{};
  fs::path base_{};
};

TEST_F(Settings, WithoutAnyItIsJinjaFromTheProjectsFolder) {
  EXPECT_EQ(templater_of(project(), root()), "jinja");
  EXPECT_EQ(starting_folder(project(), root()), project());
}

TEST_F(Settings, TheNearestFolderThatNamesATemplaterIsWhereSqlfluffStarts) {
  write(".sqlfluff", "[sqlfluff]\ndialect = duckdb\ntemplater = dbt\n");
  write("warehouse/dbt/.sqlfluff", "[sqlfluff:rules:layout.long_lines]\nmax_line_length = 100\n");
  EXPECT_EQ(templater_of(project(), root()), "dbt");
  EXPECT_EQ(starting_folder(project(), root()), root());
  write("warehouse/.sqlfluff", "[sqlfluff]\ntemplater=raw\n");
  EXPECT_EQ(templater_of(project(), root()), "raw");
  EXPECT_EQ(starting_folder(project(), root()), root() / "warehouse");
}

TEST_F(Settings, WithoutATemplaterTheTopmostFolderWithSettingsKeepsThemAll) {
  write("setup.cfg", "[metadata]\nname = x\n[sqlfluff]\ndialect = duckdb\n");
  write("warehouse/dbt/.sqlfluff", "[sqlfluff]\nmax_line_length = 100\n");
  EXPECT_EQ(starting_folder(project(), root()), root());
  EXPECT_EQ(templater_of(project(), root()), "jinja");
}

TEST_F(Settings, NothingAboveTheRepositoryIsRead) {
  write("warehouse/.sqlfluff", "[sqlfluff]\ntemplater = dbt\n");
  EXPECT_EQ(templater_of(project(), project()), "jinja");
  EXPECT_EQ(templater_of(project() / "", root() / ""), "dbt");
}

TEST_F(Settings, EveryKindOfFileIsReadInSqlfluffsOrder) {
  write("warehouse/dbt/setup.cfg", "[sqlfluff]\ntemplater = raw\n");
  EXPECT_EQ(templater_of(project(), root()), "raw");
  write("warehouse/dbt/tox.ini", "[sqlfluff]\ntemplater = placeholder\n");
  EXPECT_EQ(templater_of(project(), root()), "placeholder");
  write("warehouse/dbt/.sqlfluff", "[sqlfluff:templater]\ntemplater = no\n\n[ sqlfluff ]\n\ttemplater\t=  dbt \r\n");
  EXPECT_EQ(templater_of(project(), root()), "placeholder") << "configparser does not trim a section's name";
  write("warehouse/dbt/.sqlfluff", "[sqlfluff:templater]\ntemplater = no\n\n[sqlfluff]\ntemplater\t=  dbt \r\n");
  EXPECT_EQ(templater_of(project(), root()), "dbt");
  write("warehouse/dbt/pyproject.toml", "[tool.black]\n[tool.sqlfluff.core]\ntemplater = \"jinja\" # not dbt\n");
  EXPECT_EQ(templater_of(project(), root()), "jinja");
}

TEST_F(Settings, HostileFilesAreReadAsNothing) {
  for (const std::string_view text : {"[", "[]", "=", "[sqlfluff", "\xff\xfe[\0=\0", "[sqlfluff]\n= dbt\ntemplater"}) {
    write("warehouse/dbt/.sqlfluff", text);
    EXPECT_EQ(templater_of(project(), root()), "jinja") << text;
  }
}

TEST(Orders, D3_EveryFormThatSqlfluffTakesIsSeen) {
  for (const std::string_view sql : {
           "-- sqlfluff:library_path:libs\nselect 1",
           "--sqlfluff:library_path:libs\nselect 1",
           "select 1\n-- sqlfluff:templater:jinja:library_path:libs\n",
           "select 1\r-- sqlfluff:library_path:libs\rselect 2",
           "select 1\v-- sqlfluff:library_path:libs",
           "select 1\xe2\x80\xa8-- sqlfluff:library_path:libs",
           "select 1\xc2\x85--sqlfluff:library_path:libs",
           "\xef\xbb\xbf-- sqlfluff:library_path:libs",
           "-- sqlfluffy, then\n--\tsqlfluff:rules:LT01",
           "/* -- sqlfluff:library_path:libs */",
       }) {
    EXPECT_TRUE(gives_sqlfluff_orders(sql)) << sql;
  }
}

TEST(Orders, SqlThatOnlySpeaksOfSqlfluffIsNotAnOrder) {
  for (const std::string_view sql : {"", "select 1", "select sqlfluff from x", "sqlfluff", "-- see sqlfluff's docs",
                                     "- sqlfluff:x:y", "  sqlfluff"}) {
    EXPECT_FALSE(gives_sqlfluff_orders(sql)) << sql;
  }
}

TEST(Dialects, AnAdapterHasASqlfluffNameOrAnsi) {
  EXPECT_EQ(dialect_of("duckdb"), "duckdb");
  EXPECT_EQ(dialect_of("spark"), "sparksql");
  EXPECT_EQ(dialect_of("sqlserver"), "tsql");
  EXPECT_EQ(dialect_of("never_heard_of"), "ansi");
  EXPECT_EQ(dialect_of(""), "ansi");
}

}  // namespace
}  // namespace offshoot::lint
