// SPDX-License-Identifier: Apache-2.0
// The real sqlfluff, of the Python environment in OFFSHOOT_TEST_VENV.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/files.hpp"
#include "io/process.hpp"
#include "lint/sqlfluff.hpp"

namespace offshoot::lint {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

fs::path virtual_environment() {
  const char* set = std::getenv("OFFSHOOT_TEST_VENV");
  return set != nullptr ? fs::path(set) : fs::path(OFFSHOOT_SOURCE_DIR) / ".venv";
}

ChangedFile modified(std::string path, std::vector<LineRange> lines = {{1, 1000}}) {
  ChangedFile file;
  file.path = std::move(path);
  file.lines = std::move(lines);
  return file;
}

/// A repository with a dbt project in its folder `dbt`.
class Sqlfluff : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = io::TemporaryFolder::make("lint-test");
    ASSERT_TRUE(folder);
    base_ = folder->path();
    folder_.emplace(*std::move(folder));
    ASSERT_TRUE(fs::exists(virtual_environment() / "bin" / "sqlfluff")) << "set OFFSHOOT_TEST_VENV";
    write("dbt/.sqlfluff", "[sqlfluff]\ndialect = duckdb\n");
    fs::create_directories(outside("home"));
  }

  [[nodiscard]] fs::path root() const { return base_ / "repository"; }
  [[nodiscard]] fs::path outside(const char* name) const { return base_ / name; }
  void write(const fs::path& name, std::string_view text) const { ASSERT_TRUE(io::write_file(root() / name, text)); }

  [[nodiscard]] LintRequest request(std::vector<ChangedFile> files) const {
    LintRequest made;
    made.repository_root = root();
    made.project_dir = root() / "dbt";
    made.files = std::move(files);
    made.trust = Trust::same_repository;
    made.sqlfluff = virtual_environment() / "bin" / "sqlfluff";
    made.environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", outside("home").string()}};
    made.adapter = "duckdb";
    return made;
  }

  static Lint finished(const Outcome<Lint>& outcome) {
    if (const auto* failure = outcome.failure()) ADD_FAILURE() << failure->doing << ": " << failure->why;
    if (const auto* skipped = outcome.skipped()) ADD_FAILURE() << "skipped: " << skipped->because;
    const auto* lint = outcome.finished();
    return lint != nullptr ? *lint : Lint{};
  }

 private:
  std::optional<io::TemporaryFolder> folder_{};
  fs::path base_{};
};

std::vector<std::string> rules(const Lint& lint) {
  std::vector<std::string> names;
  names.reserve(lint.findings.size());
  for (const auto& finding : lint.findings) names.push_back(finding.rule);
  return names;
}

TEST_F(Sqlfluff, FindingsOnOtherLinesAreToldApart) {
  write("dbt/models/a.sql", "SELECT  a\nFROM  b\n");
  const auto lint = finished(lint_sql(request({modified("dbt/models/a.sql", {{2, 2}})})));
  ASSERT_EQ(rules(lint), (std::vector<std::string>{"LT01", "LT01"}));
  EXPECT_EQ(lint.findings[0].path, "dbt/models/a.sql");
  EXPECT_EQ(lint.findings[0].line, 1);
  EXPECT_EQ(lint.findings[0].column, 7);
  EXPECT_EQ(lint.findings[0].name, "layout.spacing");
  EXPECT_FALSE(lint.findings[0].on_changed_line);
  EXPECT_TRUE(lint.findings[1].on_changed_line);
  EXPECT_FALSE(lint.findings[1].warning);
  EXPECT_EQ(lint.files, std::vector<std::string>{"dbt/models/a.sql"});
  EXPECT_TRUE(lint.unlinted.empty());
  EXPECT_TRUE(lint.tool.starts_with("sqlfluff 4.")) << lint.tool;
}

TEST_F(Sqlfluff, ChangedFilesCountsEveryLine) {
  write("dbt/models/a.sql", "SELECT  a\nFROM  b\n");
  auto made = request({modified("dbt/models/a.sql", {{2, 2}})});
  made.settings.sql = "changed-files";
  for (const auto& finding : finished(lint_sql(made)).findings) EXPECT_TRUE(finding.on_changed_line);
}

TEST_F(Sqlfluff, NothingToLintIsSkippedWithAReason) {
  ChangedFile deleted = modified("dbt/models/gone.sql");
  deleted.status = FileStatus::deleted;
  ChangedFile link = modified("dbt/models/link.sql");
  link.kind = EntryKind::symlink;
  ChangedFile mode = modified("dbt/models/mode.sql");
  mode.status = FileStatus::mode_changed;
  auto made = request({deleted, link, mode, modified("dbt2/a.sql"), modified("other.sql"), modified("dbt/a.yml")});
  const auto nothing = lint_sql(made);
  ASSERT_NE(nothing.skipped(), nullptr);
  EXPECT_EQ(nothing.skipped()->because, "no SQL file changed");
  made.settings.sql = "off";
  made.sqlfluff = "/nowhere";
  ASSERT_NE(lint_sql(made).skipped(), nullptr);
}

TEST_F(Sqlfluff, AMissingProgramIsAFailureWithAHint) {
  write("dbt/a.sql", "select 1\n");
  auto made = request({modified("dbt/a.sql")});
  made.sqlfluff = "sqlfluff";
  const auto outcome = lint_sql(made);
  ASSERT_NE(outcome.failure(), nullptr);
  EXPECT_EQ(outcome.failure()->status, ExitStatus::could_not_run);
  EXPECT_NE(outcome.failure()->hint.find("pip install sqlfluff"), std::string::npos);
}

TEST_F(Sqlfluff, ToolBrokeIsNotToolFound) {
  write("dbt/.sqlfluff", "[sqlfluff]\n");
  write("dbt/a.sql", "select 1\n");
  const auto without_dialect = lint_sql(request({modified("dbt/a.sql")}));
  ASSERT_NE(without_dialect.failure(), nullptr);
  EXPECT_NE(without_dialect.failure()->why.find("No dialect was specified"), std::string::npos);
  EXPECT_NE(without_dialect.failure()->hint.find("dialect"), std::string::npos);
  write("dbt/.sqlfluff", "[sqlfluff\n");
  const auto without_section = lint_sql(request({modified("dbt/a.sql")}));
  ASSERT_NE(without_section.failure(), nullptr);
  EXPECT_EQ(without_section.failure()->status, ExitStatus::could_not_run);
}

TEST_F(Sqlfluff, B7_NoFileNameIsTakenForAnOption) {
  const std::vector<std::string> names{"dbt/a b.sql",     "dbt/-rf.sql",  "dbt/--version.sql",   "dbt/new\nline.sql",
                                       "dbt/$(id).sql",   "dbt/`id`.sql", "dbt/bad\xff\xfe.sql", "dbt/\xc3\xbc.sql",
                                       "dbt/-/minus.sql", "dbt/\"q'.sql", "dbt/[ab].sql",        "dbt/.sql"};
  std::vector<ChangedFile> files;
  for (const auto& name : names) {
    write(name, "SELECT  a FROM b\n");
    files.push_back(modified(name));
  }
  for (const auto trust : {Trust::same_repository, Trust::untrusted}) {
    auto made = request(files);
    made.trust = trust;
    const auto lint = finished(lint_sql(made));
    auto sorted = names;
    std::ranges::sort(sorted);
    EXPECT_EQ(lint.files, sorted);
    EXPECT_TRUE(lint.unlinted.empty());
    std::vector<std::string> found;
    found.reserve(lint.findings.size());
    for (const auto& finding : lint.findings) found.push_back(finding.path);
    EXPECT_EQ(found, sorted);
  }
}

TEST_F(Sqlfluff, TheProjectsWarningsAndIgnoreFilesAreHonoured) {
  write("dbt/.sqlfluff", "[sqlfluff]\ndialect = duckdb\nwarnings = LT01\n");
  write("dbt/.sqlfluffignore", "macros/\n");
  write("dbt/models/a.sql", "SELECT  a FROM b\n");
  write("dbt/macros/m.sql", "{% macro m() %}x{% endmacro %}\n");
  const auto lint = finished(lint_sql(request({modified("dbt/macros/m.sql"), modified("dbt/models/a.sql")})));
  ASSERT_EQ(rules(lint), std::vector<std::string>{"LT01"});
  EXPECT_TRUE(lint.findings[0].warning);
  EXPECT_TRUE(lint.findings[0].on_changed_line);
  EXPECT_EQ(lint.files, std::vector<std::string>{"dbt/models/a.sql"});
  EXPECT_TRUE(lint.unlinted.empty()) << lint.unlinted[0].because;
}

TEST_F(Sqlfluff, SettingsAboveTheProjectAndInsideItBothCount) {
  fs::remove(root() / "dbt/.sqlfluff");
  write(".sqlfluff", "[sqlfluff]\ndialect = duckdb\ntemplater = jinja\n");
  write("dbt/.sqlfluff", "[sqlfluff]\nexclude_rules = LT01\n");
  write("dbt/a.sql", "SELECT  a FROM b\n");
  const auto lint = finished(lint_sql(request({modified("dbt/a.sql")})));
  EXPECT_TRUE(lint.findings.empty());
  EXPECT_EQ(lint.files.size(), 1U);
}

TEST_F(Sqlfluff, SqlThatDoesNotParseIsAFindingLikeOthers) {
  write("dbt/prs.sql", "SELECT a\nFROM b WHERE (((\n");
  write("dbt/tmp.sql", "SELECT a FROM b\n{% if %}\n");
  write("dbt/empty.sql", "");
  const std::vector<LineRange> second{{2, 2}};
  const auto lint = finished(lint_sql(request({modified("dbt/empty.sql"), modified("dbt/prs.sql", second),
                                               modified("dbt/tmp.sql", second), modified("dbt/absent.sql")})));
  ASSERT_EQ(rules(lint), (std::vector<std::string>{"PRS", "TMP"}));
  EXPECT_EQ(lint.findings[0].line, 2);
  EXPECT_TRUE(lint.findings[0].on_changed_line);
  EXPECT_GE(lint.findings[1].column, 1);
  EXPECT_TRUE(lint.findings[1].on_changed_line) << "what has no place concerns the whole of a changed file";
  EXPECT_EQ(lint.files, (std::vector<std::string>{"dbt/empty.sql", "dbt/prs.sql", "dbt/tmp.sql"}));
  EXPECT_EQ(lint.unlinted, (std::vector<Unlinted>{{"dbt/absent.sql", "it is not in the work tree"}}));
}

TEST_F(Sqlfluff, ATagThatOnlyDbtKnowsIsNoFinding) {
  write("dbt/s.sql", "{% snapshot s %}\nselect 1 as a\n{% endsnapshot %}\n");
  const auto lint = finished(lint_sql(request({modified("dbt/s.sql")})));
  EXPECT_EQ(rules(lint), std::vector<std::string>());
  EXPECT_EQ(lint.files, std::vector<std::string>());
  EXPECT_EQ(lint.unlinted,
            (std::vector<Unlinted>{
                {"dbt/s.sql", "sqlfluff's jinja templater does not know {% snapshot %}; its dbt templater does"}}));
}

TEST_F(Sqlfluff, TakingTooLongAndBeingStoppedAreFailures) {
  write("dbt/a.sql", "select 1\n");
  auto slow = request({modified("dbt/a.sql")});
  slow.limit = 20ms;
  const auto late = lint_sql(slow);
  ASSERT_NE(late.failure(), nullptr);
  EXPECT_EQ(late.failure()->status, ExitStatus::could_not_run);
  EXPECT_NE(late.failure()->why.find("longer"), std::string::npos);

  std::stop_source stop;
  stop.request_stop();
  auto stopped = request({modified("dbt/a.sql")});
  stopped.stop = stop.get_token();
  const auto ended = lint_sql(stopped);
  ASSERT_NE(ended.failure(), nullptr);
  EXPECT_EQ(ended.failure()->status, ExitStatus::interrupted);
}

/// A program in sqlfluff's place, for what the real one cannot be made to do.
void write_program(const fs::path& path, std::string_view body) {
  ASSERT_TRUE(io::write_file(
      path, "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'sqlfluff, version 9.9'; exit; }\n" + std::string(body),
      0755));
}

TEST_F(Sqlfluff, SilenceIsAFailure) {
  write("dbt/a.sql", "select 1\n");
  auto made = request({modified("dbt/a.sql")});
  made.sqlfluff = outside("silent");
  write_program(made.sqlfluff, "exit 0\n");
  const auto outcome = lint_sql(made);
  ASSERT_NE(outcome.failure(), nullptr);
  EXPECT_EQ(outcome.failure()->why, "sqlfluff ended well and wrote no findings");
}

TEST_F(Sqlfluff, AChangeOfVeryManyFilesIsLintedInParts) {
  auto made = request({});
  for (int i = 0; i < 1600; ++i) {
    const auto name = "dbt/" + std::string(180, 'x') + std::to_string(i) + ".sql";
    write(name, "");
    made.files.push_back(modified(name));
  }
  made.sqlfluff = outside("counting");
  write_program(made.sqlfluff, R"sh(for a; do case $a in --write-output=*) out=${a#*=};; ./*) n=$((n+1)); esac; done
echo $n >> "$HOME/counts"
for a; do case $a in ./*) printf '%s{"filepath":"%s"}' "${comma-[}" "${a#./}"; comma=,; esac; done > "$out"
echo ']' >> "$out"
)sh");
  const auto lint = finished(lint_sql(made));
  EXPECT_EQ(lint.files.size(), 1600U);
  EXPECT_EQ(lint.tool, "sqlfluff 9.9");
  const auto counts = io::read_file(outside("home") / "counts");
  ASSERT_TRUE(counts);
  EXPECT_GT(std::ranges::count(*counts, '\n'), 1);
}

/// A dbt project whose profile is a DuckDB file, linted with the dbt templater.
class DbtTemplater : public Sqlfluff {
 protected:
  void SetUp() override {
    Sqlfluff::SetUp();
    write("dbt/.sqlfluff",
          "[sqlfluff]\ndialect = duckdb\ntemplater = dbt\n[sqlfluff:templater:dbt]\nprofiles_dir = .\n");
    write("dbt/dbt_project.yml", "name: toy\nversion: 1.0.0\nprofile: toy\n");
    write("dbt/profiles.yml", profile(database().string()));
    write("dbt/models/a.sql", "select  1 as id\n");
    write("dbt/models/b.sql", "select  {{ var('column') }} as id from {{ ref('a') }}\n");
    write("dbt/models/asks.sql", "{% set rows = run_query('select * from nowhere') %}\nselect  1 as id\n");
    ASSERT_TRUE(io::write_file(outside("harmless") / "profiles.yml", profile(":memory:")));
  }
  [[nodiscard]] fs::path database() const { return outside("branch.duckdb"); }
  static std::string profile(const std::string& path) {
    return "toy: {target: dev, outputs: {dev: {type: duckdb, path: '" + path + "', schema: main, threads: 1}}}\n";
  }
  [[nodiscard]] LintRequest dbt_request(std::vector<ChangedFile> files) const {
    auto made = request(std::move(files));
    made.profiles_dir = outside("harmless");
    made.target = "dev";
    made.vars = R"({"column": "id", "nothing": null, "list": [1, "x"], "nested": {"a": true}})";
    return made;
  }
  /// Another process that holds the DuckDB file, as a build does, until the result goes.
  [[nodiscard]] Result<io::LineChild> hold() const {
    const std::string program =
        "import duckdb, os, sys\nc = duckdb.connect(sys.argv[1])\nc.execute('create table t as select 1')\n"
        "os.write(4, b'held\\n')\nos.read(3, 1)\n";
    auto child =
        io::LineChild::start({{(virtual_environment() / "bin" / "python").string(), "-c", program, database().string()},
                              {{"PATH", "/usr/bin:/bin"}},
                              {}},
                             outside("holder.log"));
    if (child) {
      EXPECT_EQ(child->receive(30s), "held");
    }
    return child;
  }
  /// Every file of the repository, with its size and time.
  [[nodiscard]] std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> tree() const {
    std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> files;
    for (const auto& entry : fs::recursive_directory_iterator(root())) {
      files[entry.path().string()] = {entry.is_regular_file() ? entry.file_size() : 0, entry.last_write_time()};
    }
    return files;
  }
};

TEST_F(DbtTemplater, LintsBesideABuildThatHoldsTheFileAndWritesNothing) {
  const auto holder = hold();
  ASSERT_TRUE(holder) << holder.error().why;
  const auto before = tree();
  const auto written = fs::last_write_time(database());
  const auto lint = finished(lint_sql(dbt_request({modified("dbt/models/a.sql"), modified("dbt/models/b.sql")})));
  EXPECT_EQ(rules(lint), (std::vector<std::string>{"LT01", "LT01"}));
  EXPECT_EQ(lint.files.size(), 2U);
  EXPECT_EQ(tree(), before);
  EXPECT_EQ(fs::last_write_time(database()), written);
}

TEST_F(DbtTemplater, AProfileThatReachesTheHeldFileIsAFailure) {
  const auto holder = hold();
  ASSERT_TRUE(holder) << holder.error().why;
  auto made = dbt_request({modified("dbt/models/a.sql")});
  made.profiles_dir = root() / "dbt";
  const auto outcome = lint_sql(made);
  ASSERT_NE(outcome.failure(), nullptr);
  EXPECT_NE(outcome.failure()->why.find("lock"), std::string::npos) << outcome.failure()->why;
}

TEST_F(DbtTemplater, AModelThatAsksTheWarehouseIsToldAsUnlinted) {
  const auto lint = finished(lint_sql(dbt_request({modified("dbt/models/a.sql"), modified("dbt/models/asks.sql")})));
  EXPECT_EQ(lint.files, std::vector<std::string>{"dbt/models/a.sql"});
  ASSERT_EQ(lint.unlinted.size(), 1U);
  EXPECT_EQ(lint.unlinted[0].path, "dbt/models/asks.sql");
  EXPECT_NE(lint.unlinted[0].because.find("dbt raised"), std::string::npos) << lint.unlinted[0].because;
}

TEST_F(DbtTemplater, AProjectThatDbtCannotParseIsAFailure) {
  write("dbt/models/a.sql", "select 1 from {{ ref('nobody') }}\n");
  const auto outcome = lint_sql(dbt_request({modified("dbt/models/a.sql")}));
  ASSERT_NE(outcome.failure(), nullptr);
  EXPECT_NE(outcome.failure()->why.find("dbt"), std::string::npos) << outcome.failure()->why;
}

TEST_F(DbtTemplater, AWarehouseThatIsNotThereIsAFailure) {
  ASSERT_TRUE(io::write_file(outside("harmless") / "profiles.yml",
                             "toy: {target: dev, outputs: {dev: {type: postgres, host: 127.0.0.1, port: 1, user: u, "
                             "password: p, dbname: d, schema: s, connect_timeout: 2}}}\n"));
  const auto outcome = lint_sql(dbt_request({modified("dbt/models/a.sql"), modified("dbt/models/b.sql")}));
  ASSERT_NE(outcome.failure(), nullptr);
  EXPECT_EQ(outcome.failure()->status, ExitStatus::could_not_run);
  EXPECT_NE(outcome.failure()->why.find("connect"), std::string::npos) << outcome.failure()->why;
}

/// One way for a head to make sqlfluff run its code: files, of which `a.sql` is linted.
struct Attack {
  const char* name;
  std::map<std::string, std::string> files;
  bool refused = false;  ///< offshoot sees it; else the way to it is closed
  bool control = false;  ///< tried on a trusted head too, where it must work
};

std::string utf16(std::string_view text) {
  std::string out = "\xff\xfe";
  for (const char c : text) out.append({c, '\0'});
  return out;
}

std::vector<Attack> attacks() {
  const std::string sql = "select 1 as a\n";
  const std::string order = "-- sqlfluff:library_path:libs\n";
  return {
      {"comment", {{"a.sql", order + sql}}, true},
      {"comment_without_blank", {{"a.sql", "--sqlfluff:library_path:libs\n" + sql}}, true},
      {"comment_with_section", {{"a.sql", "-- sqlfluff:templater:jinja:library_path:libs\n" + sql}}, true},
      {"comment_after_other_templater", {{"a.sql", "-- sqlfluff:templater:jinja\n" + order + sql}}, true},
      {"comment_after_carriage_return", {{"a.sql", "select 1\r" + order}}, true},
      {"comment_after_vertical_tab", {{"a.sql", "select 1\v" + order}}, true},
      {"comment_after_line_separator", {{"a.sql", "select 1\xe2\x80\xa8" + order}}, true, true},
      {"comment_after_byte_order_mark", {{"a.sql", "\xef\xbb\xbf" + order + sql}}, true},
      {"comment_in_utf16", {{"a.sql", utf16(order + sql)}}, false, true},
      {"settings", {{"a.sql", sql}, {".sqlfluff", "[sqlfluff]\ndialect = duckdb\nlibrary_path = libs\n"}}},
      {"settings_of_jinja",
       {{"a.sql", sql},
        {".sqlfluff", "[sqlfluff]\ndialect = duckdb\n[sqlfluff:templater:jinja]\nlibrary_path = libs\n"}}},
      {"setup_cfg", {{"a.sql", sql}, {"setup.cfg", "[sqlfluff]\nlibrary_path = libs\n"}}},
      {"tox_ini", {{"a.sql", sql}, {"tox.ini", "[sqlfluff:templater:jinja]\nlibrary_path = libs\n"}}},
      {"pyproject",
       {{"a.sql", sql}, {"pyproject.toml", "[tool.sqlfluff.templater.jinja]\nlibrary_path = 'libs'\n"}},
       false,
       true},
  };
}

class UntrustedHead : public Sqlfluff {
 protected:
  void plant(const Attack& attack) const {
    write("dbt/libs/__init__.py", "open('" + outside("mark").string() + "', 'w').close()\n");
    for (const auto& [name, text] : attack.files) write("dbt/" + name, text);
  }
  void clear(const Attack& attack) const {
    fs::remove(outside("mark"));
    for (const auto& [name, text] : attack.files) fs::remove(root() / "dbt" / name);
    write("dbt/.sqlfluff", "[sqlfluff]\ndialect = duckdb\n");
  }
  [[nodiscard]] bool marked() const { return fs::exists(outside("mark")); }
};

TEST_F(UntrustedHead, D3_NoHeadMakesSqlfluffRunItsCode) {
  for (const auto& attack : attacks()) {
    SCOPED_TRACE(attack.name);
    plant(attack);
    auto made = request({modified("dbt/a.sql")});
    made.trust = Trust::untrusted;
    const auto outcome = lint_sql(made);
    EXPECT_FALSE(marked());
    if (attack.refused) {
      ASSERT_NE(outcome.failure(), nullptr);
      EXPECT_EQ(outcome.failure()->status, ExitStatus::refused);
      EXPECT_EQ(outcome.failure()->place, (Place{"dbt/a.sql", 0, 0}));
    } else {
      EXPECT_NE(outcome.finished(), nullptr);
    }
    clear(attack);
  }
}

TEST_F(UntrustedHead, TheAttacksWorkWhereTheHeadIsTrusted) {
  for (const auto& attack : attacks()) {
    if (!attack.control) continue;
    SCOPED_TRACE(attack.name);
    plant(attack);
    (void)lint_sql(request({modified("dbt/a.sql")}));
    EXPECT_TRUE(marked());
    clear(attack);
  }
}

TEST_F(UntrustedHead, OnlyRulesThatNeedNoRenderingAreAskedAndAllFindingsAreWarnings) {
  write("dbt/models/jinja.sql",
        "{{ config(materialized='table') }}\nSELECT  a, {{ cents('b') }} as b\nfrom {{ ref('x') }}\n{% if y %}where{% "
        "endif %}");
  write("dbt/models/plain.sql", "\nSELECT  o.a\nfrom orders as o, \"Lines\"\nunion select 1  ");
  auto made = request({modified("dbt/models/jinja.sql"), modified("dbt/models/plain.sql")});
  made.trust = Trust::untrusted;
  const auto lint = finished(lint_sql(made));
  EXPECT_EQ(lint.files.size(), 2U);
  std::set<std::string> found;
  for (const auto& finding : lint.findings) {
    EXPECT_TRUE(finding.warning);
    found.insert(finding.rule);
  }
  EXPECT_EQ(found, (std::set<std::string>{"CP01", "LT01", "LT12", "LT13"}));
}

TEST_F(UntrustedHead, AnIgnoreFileOfTheHeadHidesNothing) {
  write("dbt/.sqlfluffignore", "*\n");
  write("dbt/a.sql", "SELECT  a FROM b\n");
  auto made = request({modified("dbt/a.sql")});
  made.trust = Trust::untrusted;
  EXPECT_EQ(rules(finished(lint_sql(made))), std::vector<std::string>{"LT01"});
}

}  // namespace
}  // namespace offshoot::lint
