// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dbt/dbt_log.hpp"
#include "dbt/jinja.hpp"
#include "dbt/session_error.hpp"
#include "io/files.hpp"

namespace offshoot::dbt {
namespace {

TEST(Jinja, D1_NamesReadThroughEnvVarAreFound) {
  const auto names = env_var_names(R"(a: "{{ env_var('A_1') }}"
b: "{{ env_var( \"B\" , 'x') | as_number }}"
c: '{{ env_var(''C'') }}'
d: {{env_var ('D')}} env_var(name) env_var('', 'x')");
  EXPECT_EQ(names, (std::set<std::string>{"A_1", "B", "C", "D"}));
}

TEST(Jinja, EnvVarIsRenderedAndNothingElse) {
  const io::Environment environment{{"HOST", "db"}, {"EMPTY", ""}};
  EXPECT_EQ(render_env_vars("plain", environment), "plain");
  EXPECT_EQ(render_env_vars("{{ env_var('HOST') }}", environment), "db");
  EXPECT_EQ(render_env_vars("x/{{ env_var(\"NO\", 'y') | as_text }}.{{env_var('HOST')}}", environment), "x/y.db");
  EXPECT_EQ(render_env_vars("{{ env_var('EMPTY', 'y') }}", environment), "");
  for (const char* other :
       {"{{ env_var('NO') }}", "{{ var('a') }}", "{% if x %}a{% endif %}", "{{ env_var('HOST') ~ 'x' }}",
        "{{ env_var('HOST')", "{{ env_var('HOST', target.name) }}", "{{ env_var('HOST') | upper }}"}) {
    EXPECT_FALSE(render_env_vars(other, environment)) << other;
  }
}

TEST(DbtLog, ReadsWhatACommandSaid) {
  const auto log = read_dbt_log(
      "warning from python\n"
      R"({"data":{},"info":{"code":"A001","level":"info","msg":"Running with dbt=1.11.16","invocation_id":"1f"}})"
      "\n"
      R"({"data":{},"info":{"code":"I062","level":"info","msg":"OFFSHOOT_RESULT [{\"a\": 1}]"}})"
      "\n{broken\n"
      R"({"data":{},"info":{"code":"D018","level":"warn","msg":"old"}})"
      "\n"
      R"({"data":{},"info":{"code":"Q001","level":"error","msg":"Compilation Error in model a"}})");
  EXPECT_EQ(log.dbt_version, "1.11.16");
  EXPECT_EQ(log.invocation_id, "1f");
  EXPECT_EQ(log.macro_result, "[{\"a\": 1}]");
  ASSERT_EQ(log.warnings.size(), 1U);
  EXPECT_EQ(log.warnings[0].code, "D018");
  EXPECT_EQ(log.reasons(), "Compilation Error in model a");
  EXPECT_EQ(log.other, "warning from python\n{broken\n");
  EXPECT_EQ(read_dbt_log("No such option\n").reasons(), "No such option");
}

TEST(SessionError, M1_KindsBecomeExitStatuses) {
  const auto status = [](const char* kind) { return session_error("x", kind, "m").status; };
  for (const char* kind : {"compilation", "parsing", "profile", "project", "dependency", "usage"}) {
    EXPECT_EQ(status(kind), ExitStatus::usage) << kind;
  }
  for (const char* kind : {"connection", "database", "locked", "internal", "unheard of"}) {
    EXPECT_EQ(status(kind), ExitStatus::could_not_run) << kind;
  }
  EXPECT_EQ(status("interrupted"), ExitStatus::interrupted);
  EXPECT_NE(session_error("x", "locked", "m").hint.find("held by another process"), std::string::npos);
  EXPECT_NE(session_error("x", "parsing", "Env var required but not provided: 'A'").hint.find("pass_env"),
            std::string::npos);
}

TEST(SessionError, CarriesNodeAndPlace) {
  const auto failure = session_error(
      "parsing",
      {{"kind", "compilation"}, {"message", "no"}, {"node", "model.a.b"}, {"file", "models/b.sql"}, {"line", 3}});
  EXPECT_EQ(failure.why, "model.a.b: no");
  EXPECT_EQ(failure.place, (Place{"models/b.sql", 3, 0}));
  EXPECT_EQ(session_error("parsing", nlohmann::json(7)).why, "dbt gave no reason");
}

TEST(SessionError, OurOwnMacrosRefuseInTheirOwnWords) {
  const std::string refused =
      "Compilation Error in macro create_branch (macros/branches.sql)\n"
      "  offshoot: branches are not supported on snowflake yet; DuckDB and PostgreSQL are\n  \n"
      "  > in macro unsupported (macros/statements.sql)\n  > called by macro create_branch (macros/branches.sql)";
  const std::string words = "branches are not supported on snowflake yet; DuckDB and PostgreSQL are";
  const auto of_session = session_error("x", {{"kind", "compilation"},
                                              {"message", refused},
                                              {"node", "macro.offshoot.create_branch"},
                                              {"file", "macros/branches.sql"}});
  const auto of_command_line = session_error("x", "compilation", refused);
  EXPECT_EQ(of_session, of_command_line);
  EXPECT_EQ(of_session.why, words);
  EXPECT_EQ(of_session.status, ExitStatus::usage);
  EXPECT_NE(of_session.hint.find("offshoot plan"), std::string::npos);
  EXPECT_EQ(session_error("x", "compilation", "it says offshoot: no").why, "it says offshoot: no");
}

TEST(SessionError, LastLinesOfALog) {
  const auto folder = io::TemporaryFolder::make("test");
  ASSERT_TRUE(folder);
  const auto log = folder->path() / "log";
  EXPECT_EQ(last_lines(log), "");
  ASSERT_TRUE(io::write_file(log, "one\ntwo\nthree\n"));
  EXPECT_EQ(last_lines(log, 2), "two\nthree");
  EXPECT_EQ(last_lines(log, 9), "one\ntwo\nthree");
}

}  // namespace
}  // namespace offshoot::dbt
