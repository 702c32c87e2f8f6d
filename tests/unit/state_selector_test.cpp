// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "state/glob.hpp"
#include "state/graph.hpp"
#include "state/selector.hpp"

namespace offshoot::state {
namespace {

Term term_of(const std::string& text) {
  const Result<Selector> selector = parse_selector(text, "--select");
  return selector && selector->size() == 1 && selector->front().size() == 1 ? selector->front().front() : Term{};
}

TEST(Selector, OperatorsAndMethods) {
  EXPECT_EQ(term_of("state:modified+"),
            (Term{.raw = "state:modified+", .method = Method::state, .value = "modified", .below = any_depth}));
  EXPECT_EQ(term_of("2+m1+3"), (Term{.raw = "2+m1+3", .value = "m1", .above = 2, .below = 3}));
  EXPECT_EQ(term_of("@source:raw"),
            (Term{.raw = "@source:raw", .method = Method::source, .value = "raw", .childrens_parents = true}));
  EXPECT_EQ(
      term_of("config.meta.owner:x"),
      (Term{.raw = "config.meta.owner:x", .method = Method::config, .arguments = {"meta", "owner"}, .value = "x"}));
  EXPECT_EQ(term_of("models/a.sql").method, Method::path);
  EXPECT_EQ(term_of("a.SQL").method, Method::file);
  EXPECT_EQ(term_of("shop.a").method, Method::fqn);
  EXPECT_EQ(term_of("2m").value, "2m");
}

TEST(Selector, SpacesUniteAndCommasIntersect) {
  const Result<Selector> selector = parse_selector("  a,tag:b   c ", "--select");
  ASSERT_TRUE(selector);
  ASSERT_EQ(selector->size(), 2U);
  EXPECT_EQ(selector->front().size(), 2U);
  EXPECT_TRUE(parse_selector("  ", "--select")->empty());
}

TEST(Selector, WhatIsNotKnownIsAnErrorAndNeverAGuess) {
  for (const char* unknown : {"nope:x", "result:error", "source_status:fresher", "state:modified.vars", "state:",
                              "state:mod", "@a+", "a,", ",a", "+", "config:x", "tag.a:b", "resource_type:nope",
                              "test_type:nope", "version:5", "source:a.b.c.d", "exposure:a.b.c", "größe:x"}) {
    const Result<Selector> selector = parse_selector(unknown, "--select");
    ASSERT_FALSE(selector) << unknown;
    EXPECT_EQ(selector.error().status, ExitStatus::usage) << unknown;
    EXPECT_NE(selector.error().doing.find("--select"), std::string::npos);
  }
}

TEST(Glob, IsPythonsFnmatch) {
  EXPECT_TRUE(glob_match("stg_*", "stg_orders"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(glob_match("gr??e", "größe"));
  EXPECT_TRUE(glob_match("[a-c]x", "bx"));
  EXPECT_TRUE(glob_match("[!a-c]x", "dx"));
  EXPECT_TRUE(glob_match("[]]", "]"));
  EXPECT_TRUE(glob_match("a[", "a["));
  EXPECT_FALSE(glob_match("[!a-c]x", "ax"));
  EXPECT_FALSE(glob_match("A", "a"));
  EXPECT_FALSE(glob_match("a?", "a"));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_TRUE(glob_match("\xFF*", "\xFF\xFE"));
  EXPECT_FALSE(glob_match(std::string(50, '*') + "b", std::string(100'000, 'a')));
}

TEST(Glob, PathsAreMatchedByComponent) {
  EXPECT_TRUE(PathPattern("models/*.sql").matches("models/a.sql", false));
  EXPECT_FALSE(PathPattern("models/*.sql").matches("models/x/a.sql", false));
  EXPECT_TRUE(PathPattern("models/**/a.sql").matches("models/a.sql", false));
  EXPECT_TRUE(PathPattern("models/**/a.sql").matches("models/x/y/a.sql", false));
  EXPECT_TRUE(PathPattern("models/**").matches("models/x", true));
  EXPECT_FALSE(PathPattern("models/**").matches("models/a.sql", false));
  EXPECT_TRUE(PathPattern("./models/").matches("models", true));
  for (const char* refused : {"/models", "../x", "models/../x", ".", "", "models/**x"}) {
    EXPECT_FALSE(PathPattern(refused).refused().empty()) << refused;
  }
}

}  // namespace
}  // namespace offshoot::state
