// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/files.hpp"
#include "state/json.hpp"

namespace offshoot::state {
namespace {

/// Text with the padding that a file's buffer has.
class Buffer {
 public:
  explicit Buffer(std::string text) : text_(std::move(text)) { text_.reserve(text_.size() + json_padding); }
  [[nodiscard]] Raw raw() const { return text_; }

 private:
  std::string text_;
};

Value value_of(const std::string& text) { return decode(Buffer(text).raw()).value(); }

bool same(const std::string& left, const std::string& right) {
  return same_json(Buffer(left).raw(), Buffer(right).raw());
}

std::string nested(std::size_t depth) {
  return R"({"a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

TEST(Outline, G1_NestingUpTo256IsTaken) {
  EXPECT_EQ(outline_error(nested(256)), std::nullopt);
  EXPECT_NE(outline_error(nested(257)), std::nullopt);
  EXPECT_NE(outline_error(R"({"a":)" + std::string(5'000'000, '[')), std::nullopt);
}

TEST(Outline, G1_BracketsAndStringsMustEnd) {
  for (const char* broken : {"", "   ", "[]", "null", "{", R"({"a)", R"({"a": "b\")", R"({"a": [})", R"({"a": ]})",
                             "{} x", "{}{}", R"({"a": [1, 2)", "\xEF\xBB\xBF{}"}) {
    EXPECT_NE(outline_error(broken), std::nullopt) << broken;
  }
  for (const char* fine : {"{}", " {} \n", R"({"a": "}]\""})", R"({"a": "\\"})", R"({"a": [{"b": []}], "c": NaN})"}) {
    EXPECT_EQ(outline_error(fine), std::nullopt) << fine;
  }
}

TEST(Json, EqualsAsPythonDoes) {
  EXPECT_TRUE(same(R"({"a": 1, "b": [1, 2]})", R"({ "b":[1,2], "a":1.0 })"));
  EXPECT_TRUE(same("1", "true"));
  EXPECT_TRUE(same("0", "false"));
  EXPECT_TRUE(same("0", "-0"));
  EXPECT_TRUE(same("1e2", "100"));
  EXPECT_TRUE(same(R"("gr\u00f6\u00dfe")", "\"größe\""));
  EXPECT_TRUE(same("null", ""));
  EXPECT_TRUE(same("NaN", "NaN"));
  EXPECT_FALSE(same("1", "\"1\""));
  EXPECT_FALSE(same("[1, 2]", "[2, 1]"));
  EXPECT_FALSE(same("{}", "[]"));
  EXPECT_FALSE(same("null", "false"));
  EXPECT_FALSE(same(R"({"a": null})", "{}"));
  EXPECT_FALSE(same("18446744073709551617", "18446744073709551616"));
}

TEST(Json, WhatCannotBeDecodedDiffers) {
  EXPECT_FALSE(same(R"("\ud800")", R"("\ud801")"));
  EXPECT_FALSE(same("[1, nonsense]", "[1, nonsenses]"));
  EXPECT_TRUE(same(R"("\ud800")", R"("\ud800")"));
}

TEST(Json, G1_WhatOnlyLooksLikeJsonIsNotDecoded) {
  for (const char* text : {R"(["a" "b"])", R"(["a",])", R"([,"a"])", R"({"a" 1})", R"({"a":})", R"({"a":1,})", "[1 2]",
                           "[1]x", "[tru]", "[\"a\"", "{]", R"({1:2})", "[\"a\\\"]", "["}) {
    const io::Buffer buffer = io::Buffer::copy_of(text);
    EXPECT_FALSE(decode(buffer.view())) << text;
  }
}

TEST(Json, BriefIsForPeople) {
  EXPECT_EQ(brief(value_of(R"("table")")), "table");
  EXPECT_EQ(brief(value_of(R"({"b": [1, true, null], "a": "x\"y"})")), R"({"a": "x\"y", "b": [1, true, null]})");
  EXPECT_EQ(brief(value_of(R"("one\ntwo")")), "one two");
  EXPECT_EQ(brief(value_of("\"" + std::string(9, 'x') + "ü\""), 10), std::string(9, 'x') + "…");
}

TEST(Json, CursorStaysWithinWhatItIsGiven) {
  const Buffer buffer(R"({"a": {"b": [1, "}"]}, "c" : "d", "e": -1.5})");
  EXPECT_EQ(member(buffer.raw(), "a"), R"({"b": [1, "}"]})");
  EXPECT_EQ(member(buffer.raw(), "c"), R"("d")");
  EXPECT_EQ(member(buffer.raw(), "e"), "-1.5");
  EXPECT_EQ(member(buffer.raw(), "b"), "");
  for (const char* broken : {R"({"a" 1})", "{1: 2}", R"({"a":})", R"({"a": 1 2})", R"({"a": 1,})"}) {
    Cursor cursor{Raw(broken)};
    std::string_view key;
    ASSERT_TRUE(cursor.enter('{'));
    while (cursor.next_key(key)) cursor.take();
    EXPECT_TRUE(cursor.broken()) << broken;
  }
}

TEST(Json, AStringEndsAtItsQuoteWhateverItsLength) {
  for (std::size_t length = 0; length < 40; ++length) {
    for (const std::string tail : {"", "\\\"", "\\\\", "\xA2", "!#"}) {
      const std::string text = "\"" + std::string(length, 'a') + tail + "\"";
      const io::Buffer buffer = io::Buffer::copy_of(text + ", \"\"]");
      Cursor cursor(buffer.view());
      EXPECT_EQ(cursor.take(), text);
      const io::Buffer open = io::Buffer::copy_of(text.substr(0, text.size() - 1));
      EXPECT_EQ(Cursor(open.view()).take(), "") << text;
    }
  }
}

TEST(Json, ListsOfStringsKeepTheirNulls) {
  const Buffer buffer(R"(["a", null, "b\u00fc"])");
  const std::vector<std::optional<std::string>> expected = {"a", std::nullopt, "bü"};
  EXPECT_EQ(decode_strings(buffer.raw()), expected);
  EXPECT_TRUE(decode_strings(Buffer("{}").raw()).empty());
}

TEST(Json, TruthIsPythons) {
  for (const char* yes : {"1", "true", R"("false")", "[0]", R"({"a": 0})"}) EXPECT_TRUE(value_of(yes).truthy()) << yes;
  for (const char* no : {"0", "0.0", "false", "null", R"("")", "[]", "{}"}) EXPECT_FALSE(value_of(no).truthy()) << no;
}

}  // namespace
}  // namespace offshoot::state
