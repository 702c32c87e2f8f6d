// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lint/sqlfluff_output.hpp"

namespace offshoot::lint {
namespace {

TEST(Records, AreReadWithPlacesAndWarnings) {
  const auto records = read_records(R"([{"filepath": "models/a.sql", "violations": [
      {"start_line_no": 3, "start_line_pos": 7, "code": "LT01", "description": "one space", "name": "layout.spacing",
       "warning": true, "fixes": [], "end_line_no": 3}],
      "statistics": {"source_chars": 12}}])");
  ASSERT_TRUE(records) << records.error().why;
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().path, "models/a.sql");
  EXPECT_TRUE(records->front().read);
  ASSERT_EQ(records->front().findings.size(), 1U);
  EXPECT_EQ(records->front().findings.front(), (LintFinding{.path = "",
                                                            .line = 3,
                                                            .column = 7,
                                                            .rule = "LT01",
                                                            .name = "layout.spacing",
                                                            .message = "one space",
                                                            .warning = true}));
}

TEST(Records, AFileThatWasNotRenderedIsNotRead) {
  const auto records = read_records(R"([{"filepath": "a.sql", "violations": [], "statistics": {"source_chars": 0}}])");
  ASSERT_TRUE(records);
  EXPECT_FALSE(records->front().read);
}

TEST(Records, AFileThatCannotBeParsedIsReadAndItsFindingConcernsTheWhole) {
  const auto records = read_records(R"([{"filepath": "a.sql", "violations": [{"start_line_no": 1, "start_line_pos": 0,
      "code": "TMP"}], "statistics": {"source_chars": 0}}])");
  ASSERT_TRUE(records);
  EXPECT_TRUE(records->front().read);
  EXPECT_EQ(records->front().findings.front().column, 0);
}

TEST(Records, B6_NamesThatAreNotUtf8ComeBackByteForByte) {
  const auto records = read_records(R"([{"filepath": "\udcff\udc80\udcc3b\u00fc\ud83d\ude00\\udcff.sql"}])");
  ASSERT_TRUE(records) << records.error().why;
  EXPECT_EQ(records->front().path,
            "\xff\x80\xc3"
            "b\xc3\xbc\xf0\x9f\x98\x80\\udcff.sql");
}

TEST(Records, OtherHalvesOfPairsBecomeTheReplacementCharacter) {
  const auto records = read_records(R"([{"filepath": "\ud83d \udc00 \ud83dx"}])");
  ASSERT_TRUE(records) << records.error().why;
  EXPECT_EQ(records->front().path, "\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbdx");
}

TEST(Records, WrongTypesAreSurvived) {
  const auto records = read_records(R"([1, {"filepath": 7, "violations": [null, {"start_line_no": "x",
      "start_line_pos": -99999999999, "code": [], "warning": "yes"}], "statistics": []}, {"violations": 3}])");
  ASSERT_TRUE(records) << records.error().why;
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ(records->front().findings.front(), (LintFinding{}));
}

TEST(Records, WhatIsNotAListOfThemIsAnError) {
  for (const std::string_view text : {"", "{}", "nonsense", "[", "\"\\ud8\"", "[\"\\u\"]x"}) {
    EXPECT_FALSE(read_records(text)) << text;
  }
}

TEST(Words, OfSqlfluffSayWhyAFileWasPassedOver) {
  constexpr std::string_view err =
      "something\n\x1b[0mWARNING    Exact file path ./macros/m.sql was given but it was ignored by an ignore pattern "
      "\n";
  EXPECT_EQ(why_unlinted(err, "macros/m.sql"),
            "Exact file path ./macros/m.sql was given but it was ignored by an ignore pattern");
  EXPECT_EQ(why_unlinted("WARNING 10.sql is too large", "0.sql"), "sqlfluff passed over it and does not say why");
  EXPECT_EQ(why_unlinted(err, "models/a.sql"), "sqlfluff passed over it and does not say why");
}

TEST(Words, OfSqlfluffSayWhyItBroke) {
  EXPECT_EQ(why_broken("\nUser Error: No dialect was specified. You must\nansi, athena\n"),
            "User Error: No dialect was specified. You must");
  EXPECT_EQ(why_broken("Traceback\n  File\nIOException: lock\n\n"), "IOException: lock");
  EXPECT_EQ(why_broken(" \n"), "it says nothing");
  EXPECT_LE(why_broken(std::string(100000, 'x')).size(), 500U);
}

}  // namespace
}  // namespace offshoot::lint
