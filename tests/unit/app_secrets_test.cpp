// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "app/runner_log.hpp"
#include "app/secrets.hpp"

namespace offshoot::app {
namespace {

TEST(Secrets, C2_AreToldByTheirNames) {
  for (const auto* name : {"GITHUB_TOKEN", "PGPASSWORD", "SNOWFLAKE_PASSWORD", "DBT_ENV_SECRET_X",
                           "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "MOTHERDUCK_TOKEN", "motherduck_token",
                           "password", "private_key", "private_key_passphrase", "client_secret", "keyfile_json",
                           "DB_PWD", "DB_PASS", "SENTRY_DSN", "ACTIONS_RUNTIME_TOKEN", "INPUT_GITHUB-TOKEN"}) {
    EXPECT_TRUE(names_a_secret(name)) << name;
  }
  for (const auto* name : {"PATH", "PWD", "OLDPWD", "PGPASSFILE", "PGUSER", "schema", "path", "threads", "compass",
                           "token_uri", "ACTIONS_ID_TOKEN_REQUEST_URL", "KEYBOARD"}) {
    EXPECT_FALSE(names_a_secret(name)) << name;
  }
}

TEST(Secrets, C2_StandInUrlsAndProfiles) {
  io::Redaction secrets;
  add_secrets({{"DATABASE_URL", "postgres://ann:hunter%402@db.example/shop"},
               {"USE_TOKEN", "true"},
               {"TOKEN_FILE", "/etc/passwd"},
               {"API_KEY", "k3y-k3y"}},
              secrets);
  EXPECT_EQ(secrets.clean("hunter%402 hunter@2 k3y-k3y true /etc/passwd"), "*** *** *** true /etc/passwd");
  const auto profile = nlohmann::ordered_json::parse(R"({"shop": {"outputs": {"ci": {"type": "postgres",
      "password": "{{ env_var('WORD') }}", "token": "lit3ral", "user": "annabel", "schema": "analytics",
      "attach": [{"path": "postgres:secret_is_none"}], "secrets": [{"secret": "s3cr3t-key"}]}}}})");
  add_secrets_of_profile(profile, {{"WORD", "from-the-environment"}}, secrets);
  EXPECT_EQ(secrets.clean("from-the-environment lit3ral annabel analytics s3cr3t-key"),
            "*** *** annabel analytics ***");
}

TEST(Mask, C1_EscapesAndMasksEachLine) {
  io::Redaction secrets;
  secrets.add("100%\nsecond line");
  std::ostringstream commands;
  mask(secrets.lines(), commands);
  EXPECT_EQ(commands.str(), "::add-mask::100%25\n::add-mask::second line\n");
}

TEST(CommandsStopped, B4_AreOurOwnAlone) {
  std::ostringstream log;
  std::string first;
  {
    CommandsStopped stopped(log);
    first = log.str().substr(std::string("::stop-commands::").size(), 32);
    EXPECT_EQ(log.str(), "::stop-commands::" + first + "\n");
    EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), std::string::npos);
    log.str("");
    stopped.tell("::warning::x\n");
    EXPECT_TRUE(log.str().starts_with("::" + first + "::\n::warning::x\n::stop-commands::")) << log.str();
    EXPECT_EQ(log.str().find(first, 34), std::string::npos);  // the next word is another one
    log.str("");
  }
  EXPECT_EQ(log.str().size(), 37U);
}

}  // namespace
}  // namespace offshoot::app
