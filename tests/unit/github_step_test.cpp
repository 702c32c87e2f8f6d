// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "github/step.hpp"
#include "io/files.hpp"
#include "long_form.hpp"
#include "runner_rules.hpp"

namespace offshoot::github {
namespace {

using offshoot::tests::env_file_pairs;
using offshoot::tests::runner_command;

/// Text that has broken output files and logs before.
std::string hostile(std::mt19937_64& random) {
  static const std::vector<std::string> atoms{
      "\n",     "\r",      "\r\n", "=",    "<<",         "EOF",        "x\nINJECT=1", "ghadelimiter_",
      "::",     "::error", "##[",  "]",    "##[error]x", "set-output", " name=x",     "stop-commands",
      "%0A",    "%",       ",",    ":",    " ",          "\t",         "\u00A0",      "\u2028",
      "\u3000", "\x1B[1m", "é",    "\xff", "::a::b",     "group",      "a",           "verdict<<EOF"};
  std::uniform_int_distribution<std::size_t> atom(0, atoms.size() - 1);
  std::string out;
  for (int left = std::uniform_int_distribution<int>(0, 9)(random); left > 0; --left) out += atoms[atom(random)];
  return out;
}

TEST(Outputs, B2_AnyValueIsReadBackAsItIs) {
  std::mt19937_64 random(2);
  for (unsigned i = 0; i < offshoot::tests::cases(4000); ++i) {
    const std::string value = hostile(random);
    const auto block = output_block("verdict", value, "ghadelimiter_0123456789abcdef0123456789abcdef");
    if (value.ends_with('\r')) {
      EXPECT_FALSE(block) << "the runner would take it for a part of the line's end";
      continue;
    }
    ASSERT_TRUE(block);
    const auto pairs = env_file_pairs(*block);
    ASSERT_TRUE(pairs) << *block;
    ASSERT_EQ(pairs->size(), 1U) << *block;
    EXPECT_EQ(pairs->front().first, "verdict");
    EXPECT_EQ(pairs->front().second, value);
  }
}

TEST(Outputs, B2_WhatWouldNotBeReadBackIsRefused) {
  EXPECT_FALSE(output_block("verdict", "a\nghadelimiter_1\nb", "ghadelimiter_1"));
  EXPECT_FALSE(output_block("verdict", std::string("a\0b", 3), "d"));
  EXPECT_FALSE(output_block("other", "a", "d"));
  EXPECT_FALSE(output_block("verdict\nx", "a", "d"));
}

TEST(Outputs, B2_DelimitersAreFreshAndRandom) {
  auto folder = io::TemporaryFolder::make("test");
  ASSERT_TRUE(folder);
  const Step step{.output = folder->path() / "output"};
  for (const Output& output : outputs_table()) ASSERT_TRUE(set_output(step, output.name, "x"));
  const std::string text = *io::read_file(step.output);
  const auto pairs = env_file_pairs(text);
  ASSERT_TRUE(pairs);
  EXPECT_EQ(pairs->size(), outputs_table().size());
  std::set<std::string> delimiters;
  for (std::size_t at = 0; (at = text.find("<<", at)) != std::string::npos; ++at) {
    const std::string delimiter = text.substr(at + 2, text.find('\n', at) - at - 2);
    EXPECT_EQ(delimiter.size(), std::string("ghadelimiter_").size() + 32);
    delimiters.insert(delimiter);
  }
  EXPECT_EQ(delimiters.size(), outputs_table().size());
}

TEST(Summary, I8_NeverPastTheRunnersLimit) {
  auto folder = io::TemporaryFolder::make("test");
  ASSERT_TRUE(folder);
  const Step step{.summary = folder->path() / "summary"};
  ASSERT_TRUE(add_to_summary(step, std::string(600'000, 'a')));
  ASSERT_TRUE(add_to_summary(step, std::string(600'000, 'b')));
  EXPECT_EQ(io::read_file(step.summary)->size(), 600'000U);
  ASSERT_TRUE(add_to_summary(step, std::string(summary_room(step), 'c')));
  EXPECT_LE(io::read_file(step.summary)->size(), 1024U * 1024U);
  EXPECT_EQ(summary_room(step), 0U);
}

TEST(AnnotationCommands, B5_AFileNameComesThrough) {
  const std::string text = annotation_commands({{.path = "a,line=1::x%0A.sql",
                                                 .first_line = 3,
                                                 .last_line = 4,
                                                 .title = "LT01, layout: x",
                                                 .message = "one\ntwo % ::error::three"}});
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  const auto command = runner_command(text.substr(0, text.size() - 1));
  ASSERT_TRUE(command);
  EXPECT_EQ(command->name, "error");
  const std::vector<std::pair<std::string, std::string>> properties{
      {"file", "a,line=1::x%0A.sql"}, {"line", "3"}, {"endLine", "4"}, {"title", "LT01, layout: x"}};
  EXPECT_EQ(command->properties, properties);
  EXPECT_EQ(command->message, "one\ntwo % ::error::three");
}

TEST(AnnotationCommands, B5_AnyTextComesThroughInOneLine) {
  std::mt19937_64 random(5);
  for (unsigned i = 0; i < offshoot::tests::cases(2000); ++i) {
    const Annotation annotation{.path = hostile(random), .title = hostile(random), .message = hostile(random)};
    const std::string text = annotation_commands({annotation});
    ASSERT_EQ(text.find_first_of("\r\n"), text.size() - 1);
    const auto command = runner_command(text.substr(0, text.size() - 1));
    ASSERT_TRUE(command) << text;
    EXPECT_EQ(command->properties.size(), 4U);
  }
}

TEST(AnnotationCommands, B5_NoMoreThanTenOfALevel) {
  std::vector<Annotation> all(25, {.level = Annotation::Level::error, .path = "a.sql"});
  all.resize(35, {.level = Annotation::Level::warning, .path = "a.sql"});
  const std::string text = annotation_commands(all);
  std::size_t errors = 0;
  std::size_t warnings = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    errors += text.compare(at, 8, "::error ") == 0 ? 1 : 0;
    warnings += text.compare(at, 10, "::warning ") == 0 ? 1 : 0;
  }
  EXPECT_EQ(errors, 10U);
  EXPECT_EQ(warnings, 10U);
  EXPECT_NE(text.find("::error title=offshoot::and 16 more\n"), std::string::npos);
}

TEST(StepOf, I12_OnlyTlsOrThisMachineGetsTheToken) {
  const auto token = [](const std::string& url) {
    return step_of({{"GITHUB_API_URL", url}, {"GITHUB_TOKEN", "t"}}).access.token;
  };
  EXPECT_EQ(token("https://ghe.test/api/v3"), "t");
  EXPECT_EQ(token(""), "t");
  EXPECT_EQ(token("http://127.0.0.1:4010"), "t");
  EXPECT_EQ(token("http://ghe.test/api/v3"), "");
  EXPECT_EQ(token("http://127.0.0.1.evil.test"), "");
  EXPECT_EQ(token("http://localhost@evil.test"), "");
  EXPECT_EQ(token("ftp://127.0.0.1"), "");
  EXPECT_EQ(step_of({{"GITHUB_API_URL", "https://ghe.test/api/v3/"}}).access.api_url, "https://ghe.test/api/v3");
}

TEST(StepOf, TheHeadIsThePullRequestsOwn) {
  auto folder = io::TemporaryFolder::make("test");
  ASSERT_TRUE(folder);
  const std::string event = folder->path() / "event.json";
  const std::string of_event(40, 'a');
  const std::string of_merge(40, 'b');
  const auto head = [&](const std::string& text) {
    EXPECT_TRUE(io::write_file(event, text));
    return step_of({{"GITHUB_EVENT_PATH", event}, {"GITHUB_SHA", of_merge}}).head_sha;
  };
  EXPECT_EQ(head(R"({"pull_request": {"head": {"sha": ")" + of_event + R"("}}})"), of_event);
  EXPECT_EQ(head(R"({"pull_request": {"head": {"sha": "--help"}}})"), of_merge);
  EXPECT_EQ(head(R"({"pull_request": null})"), of_merge);
  EXPECT_EQ(head(R"([1])"), of_merge);
  EXPECT_EQ(head("no json"), of_merge);
}

}  // namespace
}  // namespace offshoot::github
