// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "flow/redacted.hpp"

namespace offshoot::flow {
namespace {

TEST(Redacted, C3_VariablesAndEnvironmentAreTakenOutAndNothingElseIsTouched) {
  const std::string before =
      R"({"nodes": {"a":  {"env": "kept", "args": {"vars": "kept"}}}, "metadata": {"env": {"X": "canary"}, "b": 1.50},)"
      R"( "args": {"vars": {"k": "canary"}, "which": "build"}, "after": [1,   2]})";
  const auto after = redacted_artifact(before);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->find("canary"), std::string::npos);
  const auto json = nlohmann::json::parse(*after);
  EXPECT_EQ(json["metadata"]["env"]["X"], "redacted");
  EXPECT_EQ(json["args"]["vars"]["k"], "redacted");
  EXPECT_EQ(json["args"]["which"], "build");
  EXPECT_EQ(json["nodes"]["a"]["env"], "kept");
  EXPECT_TRUE(after->starts_with(R"({"nodes": {"a":  {"env": "kept", "args": {"vars": "kept"}}}, "metadata": )"));
  EXPECT_TRUE(after->ends_with(R"(, "after": [1,   2]})"));
}

TEST(Redacted, C3_VariablesGivenAsTextAreTakenOut) {
  const auto after = redacted_artifact(R"({"args": {"vars": "{k: canary}"}})");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->find("canary"), std::string::npos);
}

TEST(Redacted, C3_TheLogHoldsNoValueOfAVariable) {
  const std::string log =
      "args {'vars': \"{'k': 'canary', 'deep': {'x': ['other canary', 12, true]}}\"}\nselect 'canary'\nenv-canary";
  const std::string after = redacted_log(log, R"({"k": "canary", "deep": {"x": ["other canary", 12, true]}})",
                                         {{"DBT_ENV_CUSTOM_ENV_A", "env-canary"}});
  EXPECT_EQ(after.find("canary"), std::string::npos) << after;
  EXPECT_NE(after.find("12, true"), std::string::npos);
  EXPECT_EQ(redacted_log("all of it", "{}", {}), "all of it");
}

TEST(Redacted, WhatIsNoObjectIsNotKept) {
  for (const char* text : {"", "[]", "{", "null", "{\"metadata\": "}) EXPECT_FALSE(redacted_artifact(text)) << text;
  EXPECT_EQ(*redacted_artifact("{}"), "{}");
}

}  // namespace
}  // namespace offshoot::flow
