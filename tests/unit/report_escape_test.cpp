// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "long_form.hpp"
#include "report/escape.hpp"
#include "runner_rules.hpp"

namespace offshoot::report {
namespace {

TEST(Escape, I9_InvalidUtf8BecomesReplacementCharacters) {
  EXPECT_EQ(clean("a\xff"
                  "b"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(clean("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // overlong
  EXPECT_EQ(clean("\xED\xA0\x80").substr(0, 3), "\xEF\xBF\xBD");      // surrogate
  EXPECT_EQ(clean("\xF4\x90\x80\x80").substr(0, 3), "\xEF\xBF\xBD");  // above U+10FFFF
  EXPECT_EQ(clean("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // cut
  EXPECT_EQ(clean("größe 日本 😀"), "größe 日本 😀");
}

TEST(Escape, B4_ControlsGoAndLinesEndAtCarriageReturns) {
  EXPECT_EQ(clean("\x1B[1;31mred\x1B[0m\x07"), "red");
  EXPECT_EQ(clean("\x1B]0;title\x07"
                  "after"),
            "after");
  EXPECT_EQ(clean("\x1B]8;;https://evil.test\x1B\\link"), "link");
  EXPECT_EQ(clean("a\r\nb\rc\td"), "a\nb\nc\td");
  EXPECT_EQ(clean(std::string("a\0b\x7F", 4) + "\xC2\x9B"
                                               "c"),
            "abc");
}

TEST(Escape, I9_WhatIsInvisibleIsShown) {
  EXPECT_EQ(clean("a\u202Eb\u200Bc\uFEFF"), "a\\u{202e}b\\u{200b}c\\u{feff}");
  EXPECT_EQ(clean("\U000E0041"), "\\u{e0041}");
}

TEST(Escape, OneLineIsCutBetweenCharacters) {
  EXPECT_EQ(one_line("  a\nb\tc  "), "a b c");
  EXPECT_EQ(one_line("ääääää", 10), "äää…");
  EXPECT_EQ(one_line("abc", 3), "abc");
  EXPECT_LE(one_line(std::string(100000, 'x'), 50).size(), 50U);
  EXPECT_EQ(one_line(std::string(1000, '\x01') + "end", 10), "…");
}

TEST(Escape, FirstLinesSayWhatIsLeftOut) {
  std::size_t cut = 9;
  EXPECT_EQ(first_lines("a\nb\nc\n\n", 3, 100, cut), "a\nb\nc");
  EXPECT_EQ(cut, 0U);
  EXPECT_EQ(first_lines("a\nb\nc", 2, 100, cut), "a\nb");
  EXPECT_EQ(cut, 1U);
  EXPECT_EQ(first_lines("aaaa\nbbbb\ncccc", 9, 9, cut), "aaaa\nbbbb");
  EXPECT_EQ(cut, 1U);
  EXPECT_EQ(first_lines("ääää", 9, 5, cut), "ää…");
  EXPECT_EQ(cut, 0U);
  EXPECT_EQ(first_lines("", 9, 5, cut), "");
}

TEST(Escape, I9_TextComesToLifeInNoWay) {
  EXPECT_EQ(text("hi @octocat"), "hi @&#8203;octocat");
  EXPECT_EQ(text("#12"), "&#35;&#8203;12");
  EXPECT_EQ(text("GH-1"), "GH-&#8203;1");
  EXPECT_EQ(text("at 1a2b3c4d"), "at <code>1a2b3c4d</code>");
  EXPECT_EQ(text("https://evil.test"), "https:&#8203;//evil.test");
  EXPECT_EQ(text("www.evil.test"), "www&#8203;.evil.test");
  EXPECT_EQ(text("<img src=x>"), "&#60;img src=x&#62;");
  EXPECT_EQ(text("![a](b)"), "&#33;&#91;a&#93;&#40;b&#41;");
  EXPECT_EQ(text("*a* _b_ fct_orders ~~c~~"), "&#42;a&#42; &#95;b&#95; fct_orders &#126;&#126;c&#126;&#126;");
  EXPECT_EQ(text(":tada:"), ":&#8203;tada:");
  EXPECT_EQ(text("a | b"), "a &#124; b");
  EXPECT_EQ(text("/merge"), "&#47;merge");
  EXPECT_EQ(text("doing: why"), "doing: why");
}

TEST(Escape, I9_CodeSpansOutlastTheirBackticks) {
  EXPECT_EQ(code("a"), "`a`");
  EXPECT_EQ(code("a`b"), "``a`b``");
  EXPECT_EQ(code("`a``"), "``` `a`` ```");
  EXPECT_EQ(code(""), "<code></code>");
  EXPECT_EQ(code("a\nb"), "`a b`");
  EXPECT_EQ(code("a|b"), "`a|b`");
  EXPECT_EQ(cell_code("a|`b"), "<code>a&#124;&#96;b</code>");
}

TEST(Escape, I9_FencesOutlastWhatTheyHold) {
  EXPECT_EQ(fenced("a", "text"), "```text\na\n```\n");
  EXPECT_EQ(fenced("````\na", "sql"), "`````sql\n````\na\n`````\n");
  EXPECT_EQ(fenced("/merge\n  /close\n/ 2\natlantis apply", ""),
            "```\n\u200B/merge\n\u200B  /close\n/ 2\n\u200B"
            "atlantis apply\n```\n");
}

TEST(Escape, I6_NothingLooksLikeTheHiddenLine) {
  EXPECT_EQ(fenced("<!-- offshoot:v1 -->", "").find("<!--"), std::string::npos);
  EXPECT_EQ(code("<!-- offshoot:v1 -->").find("<!--"), std::string::npos);
  EXPECT_EQ(text("<!-- offshoot:v1 -->").find("<!--"), std::string::npos);
}

TEST(Escape, MermaidLabelsHoldOnlyPlainCharacters) {
  EXPECT_EQ(mermaid_label("fct_orders"), "fct_orders");
  EXPECT_EQ(mermaid_label("a\"];b"), "a#34;#93;#59;b");
  EXPECT_EQ(mermaid_label("größe"), "größe");
  EXPECT_EQ(mermaid_label(""), "-");
}

TEST(Escape, B4_NoLineIsAWorkflowCommand) {
  EXPECT_EQ(without_commands("::error::x\n  ::warning::y\na ::z"), "\u200B::error::x\n  \u200B::warning::y\na ::z");
  EXPECT_EQ(without_commands("x ##[error]y"), "x #\u200B#[error]y");
  EXPECT_EQ(without_commands("###[a"), "##\u200B#[a");
  EXPECT_EQ(without_commands("\u3000::error::x"), "\u3000\u200B::error::x");
  EXPECT_EQ(terminal_line("a\n::error::x"), "a ::error::x");
}

TEST(Escape, B4_JsonSaysTheSameWithoutACommand) {
  const std::string json = R"({"##[error]a": ["###[b", "##[##[c", "\u0023#[d", "# #[e"]})";
  const std::string without = json_without_commands(json);
  EXPECT_EQ(without.find("##["), std::string::npos) << without;
  EXPECT_EQ(nlohmann::json::parse(without), nlohmann::json::parse(json));
}

TEST(Escape, B4_TheRunnerSeesNoCommandInAnyOutput) {
  static const std::vector<std::string> atoms{"::",
                                              "##[",
                                              "]",
                                              "error",
                                              "set-output name=x",
                                              "stop-commands",
                                              "::error::",
                                              "##[error]",
                                              "##[group]",
                                              " ",
                                              "\t",
                                              "\n",
                                              "\r",
                                              "\v",
                                              "\f",
                                              "\u0085",
                                              "\u00A0",
                                              "\u1680",
                                              "\u2003",
                                              "\u2028",
                                              "\u3000",
                                              "\uFEFF",
                                              "\u200B",
                                              "#",
                                              "[",
                                              ":",
                                              "x",
                                              "\xff",
                                              "\x1B[31m",
                                              "\x1F",
                                              "::add-mask::"};
  std::mt19937_64 random(4);
  std::uniform_int_distribution<std::size_t> atom(0, atoms.size() - 1);
  std::size_t before = 0;
  for (unsigned i = 0; i < offshoot::tests::cases(40'000); ++i) {
    std::string output;
    for (int left = std::uniform_int_distribution<int>(1, 12)(random); left > 0; --left) output += atoms[atom(random)];
    const auto commands = [](std::string_view all) {
      std::size_t found = 0;
      while (!all.empty()) found += offshoot::tests::runner_command(offshoot::tests::next_line(all).first) ? 1 : 0;
      return found;
    };
    before += commands(output);
    ASSERT_EQ(commands(without_commands(output)), 0U) << without_commands(output);
    ASSERT_EQ(commands(without_commands(clean(output))), 0U);
    ASSERT_EQ(commands(terminal_line(output)), 0U);
  }
  EXPECT_GT(before, 1000U) << "the texts hold commands before they are cleaned";
}

TEST(Escape, ColumnsAreThoseOfATerminal) {
  EXPECT_EQ(columns("abc"), 3U);
  EXPECT_EQ(columns("größe"), 5U);
  EXPECT_EQ(columns("日本"), 4U);
  EXPECT_EQ(columns("a\u0301"), 1U);
  EXPECT_EQ(columns("\x1B[31mabc\x1B[0m"), 3U);
  EXPECT_EQ(first_columns("abcdef", 4), "abc…");
  EXPECT_EQ(first_columns("日本日本", 4), "日…");
  EXPECT_EQ(first_columns("abc", 3), "abc");
  EXPECT_EQ(first_columns("abc", 0), "");
}

TEST(Escape, OnlyPlainHttpUrlsAreLinked) {
  EXPECT_EQ(link_target("https://s3.test/a?b=1&c=%20"), "https://s3.test/a?b=1&amp;c=%20");
  EXPECT_EQ(link_target("javascript:alert(1)"), "");
  EXPECT_EQ(link_target("https://x.test/a b"), "");
  EXPECT_EQ(link_target("https://x.test/)"), "");
  EXPECT_EQ(link_target("https://x.test/\n"), "");
  EXPECT_EQ(url_path("models/a b (1).sql"), "models/a%20b%20%281%29.sql");
}

}  // namespace
}  // namespace offshoot::report
