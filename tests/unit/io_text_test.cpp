// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "io/clock.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "io/nearest.hpp"
#include "io/yaml.hpp"

namespace offshoot::io {
namespace {

TEST(Nearest, SuggestsOnlyWhatIsNear) {
  EXPECT_EQ(nearest("porduction", {"ci", "production"}), "production");
  EXPECT_EQ(nearest("warehouse", {"ci", "production"}), "");
  EXPECT_EQ(quoted_list({"a", "b", "c"}), "'a', 'b' and 'c'");
  EXPECT_EQ(quoted_list({"a", "b", "c"}, 1), "'a' and 2 more");
  EXPECT_EQ(quoted_list({}), "none");
}

TEST(Files, WritesWholeOrNothing) {
  const auto folder = TemporaryFolder::make("test");
  const auto path = folder->path() / "a" / "b.txt";
  ASSERT_TRUE(write_file(path, "one", 0600));
  ASSERT_TRUE(write_file(path, "two", 0600));
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(read_file(path, 2));
  EXPECT_FALSE(read_file(folder->path()));
  EXPECT_FALSE(read_file(folder->path() / "absent"));
}

TEST(Files, LargeOnesArriveWholeWithPaddingBehind) {
  const auto folder = TemporaryFolder::make("test");
  ASSERT_TRUE(folder);
  const auto path = folder->path() / "large";
  for (const std::size_t size : {0U, 1U, 4096U, (5U << 20) + 3}) {
    const std::string bytes(size, 'x');
    ASSERT_TRUE(write_file(path, bytes));
    auto read = read_buffer(path);
    ASSERT_TRUE(read);
    const Buffer moved = std::move(*read);
    EXPECT_EQ(moved.view(), bytes);
    EXPECT_EQ(std::string_view(moved.view().data() + size, Buffer::padding), std::string(Buffer::padding, '\0'));
  }
}

TEST(Files, OnesThatSayTheyAreEmptyAreReadToTheirEnd) {
  const auto read = read_buffer("/proc/self/status");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->view().starts_with("Name:"));
  EXPECT_GT(read->size(), 64U);
}

TEST(Files, Sha256) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Json, G1_RefusesDepthDuplicatesAndNonsense) {
  EXPECT_TRUE(parse_json(R"({"a": [1, "]]]]{{{{"]})", "reading"));
  for (const std::string& text : {std::string(300, '['), std::string(R"({"a":1,"a":2})"), std::string("{"),
                                  std::string("NaN"), std::string("[1,]"), std::string("\"\xed\xa0\x80\"")}) {
    const auto value = parse_json(text, "reading x");
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().doing, "reading x");
    EXPECT_EQ(value.error().status, ExitStatus::usage);
  }
}

TEST(Json, IsReadAsItIsWritten) {
  for (const char* text : {R"({"a":[1,-2,0.5,true,null,"x"],"b":{"c":{},"d":[[]]}})", "[]", "7", R"("x")", "null"}) {
    const auto value = parse_json(text, "reading");
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(to_line(*value), text);
  }
  for (const char* text : {"", "[1,]", R"({"a"})", "[1e999]", "{} {}", "\"\xff\""}) EXPECT_FALSE(parse_json(text, "x"));
}

TEST(Json, G1_WideObjectsTakeLinearTime) {
  std::string wide = "{";
  for (int i = 0; i < 100'000; ++i) wide += fmt::format("{}\"{}\":{{}}", i == 0 ? "" : ",", i);
  const auto value = parse_json(wide + "}", "reading");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->size(), 100'000U);
}

TEST(Json, WritingNeverThrows) { EXPECT_EQ(to_line(nlohmann::json("\xff")), "\"\xef\xbf\xbd\""); }

TEST(Yaml, G2_RefusesBombsDepthDuplicatesAndSize) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string("*") + static_cast<char>(c - 1) + ",";
    bomb += "]\n";
  }
  EXPECT_FALSE(parse_yaml(bomb, "f.yml"));
  EXPECT_FALSE(parse_yaml(std::string(200, '['), "f.yml"));
  EXPECT_FALSE(parse_yaml(std::string((1U << 20) + 1, 'a'), "f.yml"));
  EXPECT_FALSE(parse_yaml(std::string("a\0b", 3), "f.yml"));
  const auto duplicate = parse_yaml("a: 1\nb: 2\na: 3\n", "f.yml");
  ASSERT_FALSE(duplicate);
  EXPECT_EQ(duplicate.error().place, (Place{"f.yml", 3, 1}));
}

TEST(Yaml, BecomesJsonWithTheTypesThatPyYamlGives) {
  const auto root = parse_yaml(
      "a: '5432'\nb: 5432\nc: true\nd: 'true'\ne: null\nf: \"{{ env_var('X') }}\"\ng: [1.5, -2, ~]\nh: yes\ni: 007\n"
      "j: {k: text}\n",
      "f.yml");
  ASSERT_TRUE(root);
  EXPECT_EQ(to_line(to_json(*root)),
            R"({"a":"5432","b":5432,"c":true,"d":"true","e":null,"f":"{{ env_var('X') }}","g":[1.5,-2,null],"h":true,)"
            R"("i":"007","j":{"k":"text"}})");
}

TEST(Yaml, MergeKeysAreDone) {
  const auto root =
      parse_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {\"<<\": 1}\nd: {<<: [{x: 5}, *a]}\n", "f.yml");
  ASSERT_TRUE(root);
  EXPECT_EQ(to_line(to_json(*root)), R"({"a":{"x":1,"y":2},"b":{"y":3,"x":1},"c":{"<<":1},"d":{"x":5,"y":2}})");
}

TEST(Clock, Rfc3339RoundTrips) {
  Instant instant;
  ASSERT_TRUE(parse_rfc3339("2026-02-28T23:59:59Z", instant));
  EXPECT_EQ(rfc3339(instant), "2026-02-28T23:59:59Z");
  for (const char* text : {"2026-02-30T00:00:00Z", "2026-02-28", "", "2026-02-28T23:59:59+00:00", "x"}) {
    EXPECT_FALSE(parse_rfc3339(text, instant)) << text;
  }
}

}  // namespace
}  // namespace offshoot::io
