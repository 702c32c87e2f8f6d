// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "app/inputs.hpp"
#include "app/settings.hpp"
#include "io/files.hpp"
#include "unit/long_form.hpp"

namespace offshoot::app {
namespace {

const std::string docs = OFFSHOOT_SOURCE_DIR "/docs/settings.md";

Result<Settings> load(const std::string& text, const std::map<std::string, std::string>& environment = {},
                      const std::vector<std::string>& flags = {}) {
  return load_settings({.file_text = text, .environment = environment, .flags = flags});
}

/// The error of a file that must not load, as it is printed.
std::string error_of(const Result<Settings>& settings) {
  if (settings) return "it loaded";
  const Failed& failure = settings.error();
  EXPECT_EQ(failure.status, ExitStatus::usage);
  EXPECT_TRUE(failure.place.has_value());
  if (!failure.place) return failure.why;
  return failure.place->file + ":" + std::to_string(failure.place->line) + ":" + std::to_string(failure.place->column) +
         ": " + failure.why + (failure.hint.empty() ? "" : "; " + failure.hint);
}

std::string error_of(const std::string& text) { return error_of(load(text)); }

/// What stands between the first `begin` after `from` and the next `end`.
std::string between(const std::string& text, const std::string& from, const std::string& begin,
                    const std::string& end) {
  const auto start = text.find(begin, text.find(from)) + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

TEST(Settings, DefaultsNeedNoFile) {
  const auto settings = load_settings({});
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings, Settings{});
  EXPECT_EQ(load("").value(), Settings{});
  EXPECT_EQ(load("# nothing\nbranch:\n").value(), Settings{});
}

TEST(Settings, EachSourceOverridesTheOneBeforeIt) {
  const std::string file = "branch: {prefix: from_file, keep: 2d}\n";
  EXPECT_EQ(load(file)->branch.prefix, "from_file");
  std::map<std::string, std::string> environment{{"OFFSHOOT_BRANCH_PREFIX", "from_env"}};
  EXPECT_EQ(load(file, environment)->branch.prefix, "from_env");
  environment["INPUT_BRANCH-PREFIX"] = "from_input";
  EXPECT_EQ(load(file, environment)->branch.prefix, "from_input");
  EXPECT_EQ(load(file, environment, {"branch.prefix=from_flag"})->branch.prefix, "from_flag");
  EXPECT_EQ(load(file, environment)->branch.keep, std::chrono::hours(48));
}

TEST(Settings, EmptyVariablesAndInputsCountAsNotGiven) {
  const auto settings = load("branch: {prefix: shop}", {{"OFFSHOOT_BRANCH_PREFIX", ""}, {"INPUT_BRANCH_PREFIX", ""}});
  EXPECT_EQ(settings->branch.prefix, "shop");
  EXPECT_EQ(load("build: {exclude: x}", {}, {"build.exclude="})->build.exclude, "");
}

TEST(Settings, EveryKindIsReadFromTextAsFromYaml) {
  const auto from_file = load(
      "build: {threads: 8, skip_formatting: off, full_refresh: yes}\nbranch: {keep: 12h}\ndeploy: {lock: 2h}\n"
      "dbt: {vars: {a: 1, b: [x, '2'], c: {d: no}}}\npass_env: [A, B]\nlint: {sql: off}");
  ASSERT_TRUE(from_file) << error_of(from_file);
  const auto from_flags =
      load_settings({.flags = {"build.threads=8", "build.skip_formatting=false", "build.full_refresh=true",
                               "branch.keep=12h", "deploy.lock=120m",
                               R"(dbt.vars={"a":1,"b":["x","2"],"c":{"d":false}})", "pass_env=A, B", "lint.sql=off"}});
  ASSERT_TRUE(from_flags) << error_of(from_flags);
  EXPECT_EQ(*from_file, *from_flags);
  EXPECT_EQ(from_file->build.threads, 8);
  EXPECT_EQ(from_file->dbt.vars, R"({"a":1,"b":["x","2"],"c":{"d":false}})");
  EXPECT_EQ(from_file->pass_env, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(load_settings({.flags = {R"(pass_env=["A","B"])"}})->pass_env, from_file->pass_env);
}

TEST(Settings, EveryDefaultIsAValueOfItsOwnSetting) {
  for (const auto& setting : settings_table()) {
    Settings settings;
    EXPECT_TRUE(setting.write(settings, setting.read(Settings{}))) << setting.key;
    EXPECT_EQ(settings, Settings{}) << setting.key;
    EXPECT_EQ(find_setting(setting.key), &setting);
  }
  EXPECT_EQ(environment_name(*find_setting("build.skip_formatting")), "OFFSHOOT_BUILD_SKIP_FORMATTING");
  EXPECT_EQ(input_name(*find_setting("build.skip_formatting")), "build-skip-formatting");
}

TEST(Settings, NamesInTheEnvironmentAreUnique) {
  std::set<std::string> names;
  for (const auto& setting : settings_table()) EXPECT_TRUE(names.insert(environment_name(setting)).second);
}

// --- messages

TEST(SettingsErrors, UnknownKeysAreNamedWithPlaceAndSuggestion) {
  EXPECT_EQ(error_of("dbt:\n  target: ci\n\nbrnach:\n  prefix: shop\n"),
            "offshoot.yml:4:1: unknown key 'brnach'; did you mean 'branch'?");
  EXPECT_EQ(error_of("branch:\n  perfix: shop\n"), "offshoot.yml:2:3: unknown key 'perfix'; did you mean 'prefix'?");
  EXPECT_EQ(error_of("prefix: shop\n"), "offshoot.yml:1:1: unknown key 'prefix'; did you mean 'branch.prefix'?");
  EXPECT_EQ(error_of("branch: {threads: 4}\n"),
            "offshoot.yml:1:10: unknown key 'threads'; did you mean 'build.threads'?");
  EXPECT_EQ(error_of("comment: {zebra: 1}\n"), "offshoot.yml:1:11: unknown key 'zebra'; known here: when");
  EXPECT_EQ(error_of("branch.prefix: shop\n"),
            "offshoot.yml:1:1: unknown key 'branch.prefix'; write it as 'branch: {prefix: …}'");
}

TEST(SettingsErrors, WrongValuesSayWhatIsExpected) {
  EXPECT_EQ(
      error_of("branch: {isolate: shema}\n"),
      "offshoot.yml:1:19: branch.isolate: expected auto, schema or database, found 'shema'; did you mean 'schema'?");
  EXPECT_EQ(error_of("build: {threads: many}\n"),
            "offshoot.yml:1:18: build.threads: expected auto, or a whole number from 1 to 256, found 'many'");
  EXPECT_EQ(error_of("branch: shop\n"),
            "offshoot.yml:1:1: branch: expected settings below it, found 'shop'; "
            "known here: isolate, prefix, keep, incremental");
  EXPECT_EQ(error_of("store:\n"), "offshoot.yml:1:1: store: expected a path, or s3://bucket/prefix, found nothing");
  EXPECT_EQ(error_of("pass_env: PASSWORD\n").substr(0, 48), "offshoot.yml:1:11: pass_env: expected a list of ");
  EXPECT_EQ(error_of("- a\n- b\n"), "offshoot.yml:1:1: expected settings such as 'branch: {prefix: shop}'");
}

TEST(SettingsErrors, AllAreReportedAtOnce) {
  const auto settings = load("brnach: {}\nbuild: {threads: 0}\n", {{"OFFSHOOT_BRANCH_KEEP", "forever"}}, {"stor=x"});
  EXPECT_EQ(
      error_of(settings),
      "offshoot.yml:1:1: unknown key 'brnach'; did you mean 'branch'?\n"
      "also offshoot.yml:2:18: build.threads: expected auto, or a whole number from 1 to 256, found '0'\n"
      "also environment variable OFFSHOOT_BRANCH_KEEP: branch.keep: expected whole hours or days from 1h to 365d, "
      "such as 12h or 7d, found 'forever'\n"
      "also --set 'stor': unknown key 'stor'; did you mean 'store'?");
  EXPECT_EQ(settings.error().doing, "reading offshoot.yml");
}

TEST(SettingsErrors, SourcesWithoutLinesAreNamed) {
  const auto settings = load("", {{"INPUT_LINT_SQL", "all"}});
  EXPECT_EQ(settings.error().doing, "reading environment variable INPUT_LINT_SQL");
  EXPECT_EQ(load("", {}, {"branch.prefix"}).error().doing, "reading --set 'branch.prefix'");
}

TEST(SettingsErrors, ManyAreCounted) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "key_" + std::to_string(i) + ": 1\n";
  EXPECT_TRUE(error_of(text).ends_with("and 30 more"));
}

TEST(SettingsErrors, QuotedTextIsShortAndPrintable) {
  const auto message = error_of("\"\\e[31m::error::\\u202e\": 1\n");
  EXPECT_NE(message.find("'\\x1b[31m::error::\\xe2\\x80\\xae'"), std::string::npos) << message;
  EXPECT_LT(error_of(std::string(5000, 'x') + ": 1\n").size(), 300U);
}

// --- what values may be

TEST(SettingsValues, TheirEdges) {
  const auto loads = [](const std::string& flag) { return load_settings({.flags = {flag}}).has_value(); };
  for (const auto* good : {"branch.prefix=abc",
                           "branch.prefix=a1_",
                           "branch.prefix=abcdefghijklmnopqrst",
                           "branch.keep=1h",
                           "branch.keep=365d",
                           "branch.keep=60m",
                           "build.threads=1",
                           "build.threads=256",
                           "build.threads=auto",
                           "build.select=tag:nightly +model.x",
                           "build.exclude=",
                           "dbt.target=",
                           "dbt.target=ci.1-x",
                           "store=/var/offshoot",
                           "store=s3://acme-dbt",
                           "store=s3://acme-dbt/offshoot/v1/",
                           "dbt.project=a/b",
                           "deploy.lock=1m",
                           "deploy.lock=1d",
                           "dbt.production_state=s3://acme-dbt/prod"}) {
    EXPECT_TRUE(loads(good)) << good;
  }
  for (const auto* bad : {"branch.prefix=ab",
                          "branch.prefix=abcdefghijklmnopqrstu",
                          "branch.prefix=1ab",
                          "branch.prefix=Abc",
                          "branch.prefix=a-b",
                          "branch.keep=59m",
                          "branch.keep=366d",
                          "branch.keep=90m",
                          "branch.keep=7",
                          "branch.keep=d",
                          "branch.keep=7w",
                          "branch.keep=99999999d",
                          "branch.keep=+7d",
                          "build.threads=257",
                          "build.threads=1.5",
                          "build.threads=0x10",
                          "build.select=",
                          "build.select=--full-refresh",
                          "build.exclude=-x",
                          "dbt.target=-x",
                          "dbt.target=a b",
                          "dbt.target=.x",
                          "dbt.project=/etc",
                          "dbt.project=a/../..",
                          "dbt.project=-x",
                          "store=",
                          "store=ftp://x",
                          "store=s3://",
                          "store=s3://A",
                          "store=s3://acme/a//b",
                          "store=s3://acme/../x",
                          "store=s3://acme/a b",
                          "deploy.lock=30s",
                          "deploy.lock=25h",
                          "compare.examples=-1",
                          "pass_env=A-B",
                          "pass_env=1A",
                          "pass_env=GITHUB_TOKEN",
                          "pass_env=ACTIONS_RUNTIME_TOKEN",
                          "pass_env=INPUT_X",
                          "dbt.vars=[1]",
                          "dbt.vars={"}) {
    EXPECT_FALSE(loads(bad)) << bad;
  }
}

TEST(Settings, ABucketThatCannotBeSaysWhy) {
  const std::string expected = "offshoot.yml:1:8: store: expected a path, or s3://bucket/prefix";
  EXPECT_EQ(error_of("store: s3://b/x\n"),
            expected + ", found 's3://b/x': the name of a bucket has 3 to 63 characters, and this one 1");
  EXPECT_EQ(error_of("store: s3:///x\n"),
            expected + ", found 's3:///x': the name of a bucket has 3 to 63 characters, and this one 0");
  EXPECT_EQ(error_of("store: s3://abc/a//b\n"), expected + ", found 's3://abc/a//b'") << "the bucket is not at fault";
  const auto bad = load("store: \"s3://${OFFSHOOT_B}/x\"\n", {{"OFFSHOOT_B", "ab"}});
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().why.find("3 to 63 characters, and this one 2"), std::string::npos) << bad.error().why;
}

// --- hostile files

struct Hostile {
  std::string name;
  std::string text;
  std::string says;  ///< part of the message
};

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

std::string alias_bomb() {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(before + ", ", 8) + before + "]\n";
  }
  return text + "dbt: {vars: {x: *a11}}\n";
}

class HostileSettings : public testing::TestWithParam<Hostile> {};

TEST_P(HostileSettings, A1a_G2_AreRefusedWithAPlace) {
  const auto settings = load(GetParam().text, {{"GITHUB_TOKEN", "leaked"}, {"AWS_SECRET", "leaked"}});
  const auto message = error_of(settings);
  EXPECT_NE(message.find(GetParam().says), std::string::npos) << message;
  EXPECT_EQ(message.find("leaked"), std::string::npos);
  EXPECT_LT(message.size(), 2000U);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileSettings,
    testing::Values(
        Hostile{"AliasBomb", alias_bomb(), "values, aliases expanded"},
        Hostile{"DeepNesting", "dbt: {vars: {x: " + repeated("[", 200) + repeated("]", 200) + "}}", "nested deeper"},
        Hostile{"VeryDeepNesting", repeated("[", 100'000), "offshoot.yml:"},
        Hostile{"DuplicateKeys", "branch: {prefix: shop}\nbranch: {prefix: evil}\n",
                "offshoot.yml:2:1: the key 'branch'"},
        Hostile{"Huge", "# " + std::string(2U << 20, 'x'), "at most 1048576"},
        Hostile{"Tabs", "branch:\n\tprefix: shop\n", "offshoot.yml:2:"},
        Hostile{"WrongTypes", "branch: {prefix: {a: 1}, keep: [1], isolate: }\ndbt: {vars: text}\n",
                "branch.prefix: expected 3 to 20"},
        Hostile{"PythonObject", "dbt: {vars: {x: !!python/object/apply:os.system ['id']}}\n", "1:17: the tag"},
        Hostile{"PythonObjectAtTheTop", "!!python/object/apply:os.system [id]\n", "the tag"},
        Hostile{"NulByte", std::string("branch: {prefix: sh\0op}\n", 24), "NUL byte"},
        Hostile{"EscapedNulByte", "store: \"a\\0b\"\n", "store: expected a path"},
        Hostile{"RunnersToken", "dbt: {vars: {x: \"${GITHUB_TOKEN}\"}}\n",
                "'GITHUB_TOKEN' is not the name of a variable"},
        Hostile{"RunnersTokenPassed", "pass_env: [GITHUB_TOKEN]\ndbt: {vars: {x: \"${GITHUB_TOKEN}\"}}\n",
                "1:11: pass_env"},
        Hostile{"NameThatIsNotPassed", "store: \"s3://x/${AWS_SECRET}\"\n",
                "1:8: store: '${AWS_SECRET}' may not be read"},
        Hostile{"VariableElsewhere", "branch: {prefix: \"${AWS_SECRET}\"}\n", "'${…}' is not read here"},
        Hostile{"UnclosedVariable", "store: \"${AWS_SECRET\"\n", "is not the name of a variable"},
        Hostile{"NewlineInPrefix", "branch: {prefix: \"shop\\nx\"}\n", "found 'shop\\x0ax'"},
        Hostile{"QuotesInPrefix", "branch: {prefix: 'x\"; drop schema prod; --'}\n", "1:18: branch.prefix: expected"},
        Hostile{"NegativeNumbers", "build: {threads: -4}\nbranch: {keep: -7d}\n", "2:16: branch.keep"},
        Hostile{"OptionAsSelection", "build: {select: --vars=x}\n", "does not begin with '-'"},
        Hostile{"InvalidUtf8", "branch: {prefix: \"\xff\xfe\xfa\"}\n", "branch.prefix: expected"},
        Hostile{"KeyThatIsAMapping", "{a: b}: c\n", "a key is not plain text"}),
    [](const auto& hostile) { return hostile.param.name; });

TEST(RandomSettings, G3_NoBytesCrashTheReader) {
  const auto text = io::read_file(docs);
  ASSERT_TRUE(text);
  const auto example = between(*text, "## A complete example", "```yaml\n", "```");
  const std::string bytes = "\n\t :,-[]{}&*!|>'\"%@`#?$\\\0\xff<~a0";
  std::minstd_rand random(7);
  for (unsigned i = 0; i < offshoot::tests::cases(1000); ++i) {
    std::string broken = example;
    for (int j = 0; j < 3; ++j) broken[random() % broken.size()] = bytes[random() % bytes.size()];
    if (const auto settings = load(broken); !settings) error_of(settings);
  }
}

// --- ${NAME}

TEST(SettingsVariables, AreReadInStoreAndVars) {
  const auto settings = load(
      "store: s3://acme/${OFFSHOOT_TEAM}/${TEAM}\ndbt: {vars: {a: ['x${TEAM}y'], '${TEAM}': 1}}\npass_env: [TEAM]\n",
      {{"OFFSHOOT_TEAM", "data"}, {"TEAM", "a-b"}});
  ASSERT_TRUE(settings) << error_of(settings);
  EXPECT_EQ(settings->store, "s3://acme/data/a-b");
  EXPECT_EQ(settings->dbt.vars, R"({"${TEAM}":1,"a":["xa-by"]})");
}

TEST(SettingsVariables, CannotLeaveTheirPlace) {
  const std::map<std::string, std::string> environment{{"OFFSHOOT_X", R"("], "b": "${HOME})"}, {"HOME", "/secret"}};
  const auto settings = load("dbt: {vars: {a: ['${OFFSHOOT_X}']}}", environment);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->dbt.vars, R"({"a":["\"], \"b\": \"${HOME}"]})");
}

TEST(SettingsVariables, AreCheckedWhenRead) {
  const auto settings = load("store: \"${OFFSHOOT_STORE}\"\n", {{"OFFSHOOT_STORE_", "x"}});
  EXPECT_EQ(error_of(settings),
            "offshoot.yml:1:8: store: the environment variable OFFSHOOT_STORE is not set; "
            "pass it in the workflow's env, or remove it from the settings");
  const auto bad = load("store: \"s3://acme/${OFFSHOOT_PART}\"\n", {{"OFFSHOOT_PART", "../secret"}});
  EXPECT_EQ(error_of(bad),
            "offshoot.yml:1:8: store: expected a path, or s3://bucket/prefix once its variables are read");
}

// --- pull requests

TEST(PullRequestSettings, A1a_WhatDecidesComesFromTheBase) {
  const std::string base = "branch: {prefix: shop}\nstore: .kept\n";
  const std::string head =
      "branch: {prefix: evil, keep: 1h}\nstore: /tmp/x\nlint: {fail_on: never}\nbuild: {select: 'tag:x'}\n"
      "dbt: {production: ci, target: prod, project: sub, profiles: /tmp}\npass_env: [HOME]\ncomment: {when: never}\n";
  std::vector<std::string> notes;
  const auto settings = load_settings_for_pull_request({.file_text = head}, base, notes);
  ASSERT_TRUE(settings) << error_of(settings);
  Settings expected;
  expected.branch.prefix = "shop";
  expected.store = ".kept";
  expected.build.select = "tag:x";
  expected.dbt.project = "sub";
  EXPECT_EQ(*settings, expected);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(
      notes[0],
      "this pull request changes dbt.profiles, dbt.target, dbt.production, branch.prefix, branch.keep, lint.fail_on, "
      "store, comment.when, pass_env in offshoot.yml, which takes effect once it is merged: what decides where "
      "things go and what counts is read from the base commit");
}

TEST(PullRequestSettings, SameFilesNeedNoNote) {
  std::vector<std::string> notes;
  const auto settings =
      load_settings_for_pull_request({.file_text = "branch: {prefix: shop}"}, "branch: {prefix: shop}", notes);
  EXPECT_EQ(settings->branch.prefix, "shop");
  EXPECT_TRUE(notes.empty());
}

TEST(PullRequestSettings, A1a_TheHeadCannotAllowItselfAVariable) {
  const std::string head = "pass_env: [SECRET]\ndbt: {vars: {x: '${SECRET}'}}\n";
  const std::map<std::string, std::string> environment{{"SECRET", "s3cr3t"}};
  std::vector<std::string> notes;
  const auto refused = load_settings_for_pull_request({.file_text = head, .environment = environment}, "", notes);
  EXPECT_NE(error_of(refused).find("offshoot.yml:2:13: dbt.vars: '${SECRET}' may not be read"), std::string::npos)
      << error_of(refused);
  const auto allowed =
      load_settings_for_pull_request({.file_text = head, .environment = environment}, "pass_env: [SECRET]", notes);
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->dbt.vars, R"({"x":"s3cr3t"})");
}

TEST(PullRequestSettings, A1a_TheHeadsStoreIsNeverRead) {
  std::vector<std::string> notes;
  const auto settings = load_settings_for_pull_request(
      {.file_text = "store: 's3://evil/${OFFSHOOT_KEY}'", .environment = {{"OFFSHOOT_KEY", "k"}}},
      "store: 's3://ours/${OFFSHOOT_KEY}'", notes);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->store, "s3://ours/k");
}

TEST(PullRequestSettings, VariablesAndFlagsOverrideBoth) {
  std::vector<std::string> notes;
  const auto settings = load_settings_for_pull_request(
      {.file_text = "branch: {prefix: evil}", .flags = {"branch.prefix=by_hand"}}, std::nullopt, notes);
  EXPECT_EQ(settings->branch.prefix, "by_hand");
  EXPECT_TRUE(notes.empty());
}

TEST(PullRequestSettings, ABrokenBaseIsNamed) {
  std::vector<std::string> notes;
  const auto settings = load_settings_for_pull_request({.file_text = ""}, "brnach: {}", notes);
  EXPECT_EQ(error_of(settings), "offshoot.yml of the base commit:1:1: unknown key 'brnach'; did you mean 'branch'?");
}

// --- the page

TEST(SettingsDocs, TheCompleteExampleLoads) {
  const auto text = io::read_file(docs);
  ASSERT_TRUE(text);
  const auto example = between(*text, "## A complete example", "```yaml\n", "```");
  const auto settings = load(example);
  ASSERT_TRUE(settings) << error_of(settings);
  Settings expected;
  expected.dbt.target = "ci";
  expected.dbt.production = "prod";
  expected.branch.isolate = "schema";
  expected.branch.prefix = "shop";
  expected.compare.data = "summary";
  expected.pass_env = {"SNOWFLAKE_PASSWORD"};
  EXPECT_EQ(*settings, expected);
  for (const auto& setting : settings_table()) {
    const std::string key(setting.key.substr(setting.key.find('.') + 1));
    EXPECT_NE(example.find(key + ":"), std::string::npos) << setting.key << " is missing from the complete example";
  }
}

TEST(SettingsDocs, EverySnippetLoads) {
  const auto text = io::read_file(docs);
  ASSERT_TRUE(text);
  int snippets = 0;
  const std::string fence = "```yaml\n";
  for (std::size_t at = 0; (at = text->find(fence, at)) != std::string::npos; ++snippets) {
    at += fence.size();
    const auto snippet = text->substr(at, text->find("```", at) - at);
    const auto settings = load(snippet, {{"OFFSHOOT_RUN_BY", "ada"}});
    EXPECT_TRUE(settings) << snippet << error_of(settings);
  }
  EXPECT_GE(snippets, 6);
}

TEST(SettingsDocs, TheReferenceIsWhatTheTableSays) {
  const std::string begin = "<!-- reference -->\n";
  const std::string end = "<!-- /reference -->";
  auto text = io::read_file(docs);
  ASSERT_TRUE(text);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    const auto start = text->find(begin) + begin.size();
    text->replace(start, text->find(end) - start, "\n" + settings_reference() + "\n");
    ASSERT_TRUE(io::write_file(docs, *text));
  }
  EXPECT_EQ(between(*text, begin, begin, end), "\n" + settings_reference() + "\n");
}

TEST(StoreSetting, StandsAloneOrWithItsTime) {
  SettingsSources sources{.file_text = "store: s3://bucket/a\n"};
  auto settings = load_settings(sources);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->store, "s3://bucket/a");
  EXPECT_EQ(settings->store_keep, std::chrono::hours(24 * 90));
  sources.file_text = "store: {at: s3://bucket/b, keep: 30d}\n";
  settings = load_settings(sources);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->store, "s3://bucket/b");
  EXPECT_EQ(settings->store_keep, std::chrono::hours(24 * 30));
  sources.file_text = "store: {keap: 30d}\n";
  const auto wrong = load_settings(sources);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().hint, "did you mean 'keep'?");
  sources.file_text = "store: [a]\n";
  EXPECT_FALSE(load_settings(sources));
  sources.file_text = "branch: {at: x}\n";
  EXPECT_FALSE(load_settings(sources));
}

}  // namespace
}  // namespace offshoot::app
