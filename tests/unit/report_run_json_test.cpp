// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "report/run_json.hpp"

namespace offshoot::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path root = OFFSHOOT_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

json golden(const std::string& name) { return json::parse(read(root / "tests/golden/report" / name / "run.json")); }

std::string why_not(const json& run) {
  const auto result = from_json(run.dump(), "kept/run.json");
  return result ? "" : result.error().doing + ": " + result.error().why;
}

/// As much of JSON Schema as docs/run.schema.json uses. Remembers which properties it came by.
class Schema {
 public:
  explicit Schema(json schema) : root_(std::move(schema)) {}

  void check(const json& value) { check(value, root_, "$"); }
  [[nodiscard]] const std::set<std::string>& problems() const { return problems_; }

  /// Properties that the schema names and no checked value had.
  [[nodiscard]] std::set<std::string> unseen() const {
    std::set<std::string> out;
    collect(root_, "run", out);
    for (const auto& [name, schema] : root_["$defs"].items()) collect(schema, name, out);
    for (const std::string& name : seen_) out.erase(name);
    return out;
  }

 private:
  static void collect(const json& schema, const std::string& name, std::set<std::string>& out) {
    for (const auto& [key, property] : schema["properties"].items()) out.insert(name + "." + key);
  }

  bool check(const json& value, const json& schema, const std::string& at, const std::string& name = "run") {
    if (schema.contains("$ref")) {
      const std::string target = schema["$ref"].get<std::string>().substr(std::string("#/$defs/").size());
      return check(value, root_["$defs"][target], at, target);
    }
    if (schema.contains("oneOf")) return check_one_of(value, schema["oneOf"], at);
    if (schema.contains("const")) return expect(value == schema["const"], at + " is another constant");
    if (schema.contains("enum")) {
      const json& words = schema["enum"];
      return expect(std::find(words.begin(), words.end(), value) != words.end(), at + " is not in the enumeration");
    }
    const std::string type = schema["type"];
    if (type == "object") return check_object(value, schema, at, name);
    if (type == "array") {
      bool good = expect(value.is_array(), at + " is no array");
      for (std::size_t i = 0; good && i < value.size(); ++i) {
        good = check(value[i], schema["items"], at + "[" + std::to_string(i) + "]");
      }
      return good;
    }
    const bool is = (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
                    (type == "integer" && value.is_number_integer()) || (type == "number" && value.is_number()) ||
                    (type == "null" && value.is_null());
    return expect(is, at + " is no " + type);
  }

  bool check_one_of(const json& value, const json& choices, const std::string& at) {
    const std::set<std::string> before = problems_;
    std::size_t matches = 0;
    for (const json& choice : choices) matches += check(value, choice, at, "outcome") ? 1 : 0;
    problems_ = before;
    return expect(matches == 1, at + " matches " + std::to_string(matches) + " choices");
  }

  bool check_object(const json& value, const json& schema, const std::string& at, const std::string& name) {
    if (!expect(value.is_object(), at + " is no object")) return false;
    bool good = true;
    for (const auto& [key, property] : value.items()) {
      const bool known = schema["properties"].contains(key);
      good = expect(known, at + "." + key + " is not in the schema") && good;
      if (!known) continue;
      seen_.insert(name + "." + key);
      good = check(property, schema["properties"][key], at + "." + key) && good;
    }
    for (const json& key : schema["required"]) {
      good = expect(value.contains(key), at + "." + key.get<std::string>() + " is missing") && good;
    }
    for (const auto& [key, property] : schema["properties"].items()) {
      const bool required = std::ranges::find(schema["required"], json(key)) != schema["required"].end();
      const bool told = property.value("description", "").find("missing: ") != std::string::npos;
      good = expect(required || told, at + "." + key + " may be missing, and nothing says what that means") && good;
    }
    return good;
  }

  bool expect(bool good, const std::string& problem) {
    if (!good) problems_.insert(problem);
    return good;
  }

  json root_;
  std::set<std::string> seen_;
  std::set<std::string> problems_;
};

TEST(RunJson, TheSchemaNamesEveryKeyThatIsWrittenAndNoOther) {
  Schema schema(json::parse(read(root / "docs/run.schema.json")));
  for (const auto& entry : fs::directory_iterator(root / "tests/golden/report")) {
    if (!fs::exists(entry.path() / "run.json")) continue;
    const auto run = from_json(read(entry.path() / "run.json"), "run.json");
    ASSERT_TRUE(run) << entry.path() << run.error().why;
    schema.check(json::parse(to_json(*run)));
  }
  schema.check(json::parse(to_json(offshoot::Run{})));
  EXPECT_EQ(schema.problems(), std::set<std::string>());
  EXPECT_EQ(schema.unseen(), std::set<std::string>());
}

TEST(RunJson, AnEmptyRunComesBack) {
  const offshoot::Run run{};
  const auto back = from_json(to_json(run), "run.json");
  ASSERT_TRUE(back) << back.error().why;
  EXPECT_EQ(*back, run);
}

TEST(RunJson, NumbersComeBackExactly) {
  offshoot::Run run{};
  run.seconds = 0.1 + 0.2;
  run.build =
      Build{.results = {{.unique_id = "m", .seconds = 1e-9, .failures = std::numeric_limits<long long>::max()}}};
  const auto back = from_json(to_json(run), "run.json");
  ASSERT_TRUE(back) << back.error().why;
  EXPECT_EQ(*back, run);
}

TEST(RunJson, BytesThatAreNotUtf8BecomeReplacementCharactersAndInfinityZero) {
  offshoot::Run run{};
  run.id = "a\xff\xc3(";
  run.seconds = std::numeric_limits<double>::infinity();
  const auto back = from_json(to_json(run), "run.json");
  ASSERT_TRUE(back) << back.error().why;
  EXPECT_EQ(back->id, "a\xEF\xBF\xBD\xEF\xBF\xBD(");
  EXPECT_EQ(back->seconds, 0);
}

TEST(RunJson, KeysStandInTheOrderOfTheModel) {
  const std::string text = to_json(offshoot::Run{});
  EXPECT_TRUE(text.starts_with("{\n  \"version\": 1,\n  \"offshoot_version\": \"\",\n  \"id\": \"\",")) << text;
  EXPECT_TRUE(text.ends_with("\n}\n"));
}

TEST(RunJson, AnotherVersionIsAClearError) {
  json run = golden("all-passed");
  run["version"] = 2;
  EXPECT_EQ(why_not(run), "reading 'kept/run.json': it has version 2, and this offshoot reads version 1");
  EXPECT_EQ(why_not(json::object({{"version", 7}})),
            "reading 'kept/run.json': it has version 7, and this offshoot reads version 1");
}

TEST(RunJson, KeysThatAreNotKnownAreIgnored) {
  json run = golden("failing-test");
  const auto before = from_json(run.dump(), "run.json");
  run["later"] = {1, 2, 3};
  run["plan"]["value"]["nodes"][0]["later"] = "x";
  EXPECT_EQ(from_json(run.dump(), "run.json"), before);
}

TEST(RunJson, EachFieldIsChecked) {
  const auto broken = [](const std::string& pointer, const json& value) {
    json run = golden("failing-test");
    run[json::json_pointer(pointer)] = value;
    return why_not(run);
  };
  const std::string begin = "reading 'kept/run.json': ";
  EXPECT_EQ(broken("/seconds", "1"), begin + "seconds is not a number");
  EXPECT_EQ(broken("/policy", 1), begin + "policy is not an object");
  EXPECT_EQ(broken("/policy/lint_fails", 1), begin + "policy.lint_fails is not true or false");
  EXPECT_EQ(broken("/notes", "x"), begin + "notes is not an array");
  EXPECT_EQ(broken("/notes", json::array({1})), begin + "notes[0] is not a string");
  EXPECT_EQ(broken("/change/state", "done"), begin + "change.state is not finished, skipped or failed");
  EXPECT_EQ(broken("/interrupted_by", 4000000000U), begin + "interrupted_by is not an integer in range");
  EXPECT_EQ(broken("/interrupted_by", -4000000000LL), begin + "interrupted_by is not an integer in range");
  EXPECT_EQ(broken("/interrupted_by", 1.5), begin + "interrupted_by is not an integer in range");
  EXPECT_EQ(broken("/branch/value/isolation", "none"), begin + "branch.value.isolation is not one of schema, database");
  EXPECT_EQ(broken("/build/value/results/0/status", "great").substr(begin.size(), 44),
            "build.value.results[0].status is not one of ");
}

TEST(RunJson, NoFieldMayBeMissing) {
  const json whole = golden("failing-test");
  for (const auto& [key, value] : whole.items()) {
    json run = whole;
    run.erase(key);
    EXPECT_EQ(why_not(run), "reading 'kept/run.json': " + key + " is missing");
  }
}

TEST(RunJson, AFailedStageKeepsItsPlaceAndStatus) {
  offshoot::Run run{};
  run.plan = Failed{.status = ExitStatus::refused, .doing = "a", .why = "b", .hint = "c", .place = Place{"d", 1, 2}};
  const auto back = from_json(to_json(run), "run.json");
  ASSERT_TRUE(back) << back.error().why;
  EXPECT_EQ(*back, run);
  json odd = json::parse(to_json(run));
  odd["plan"]["status"] = 6;
  EXPECT_EQ(why_not(odd), "reading 'kept/run.json': plan.status is not an exit status");
}

TEST(RunJson, G1_WhatIsNoJsonIsAnErrorThatNamesTheFile) {
  for (const std::string text : {"", "[", "[]", "null", "{\"version\":1,\"version\":1}", "\xff"}) {
    const auto run = from_json(text, "kept/run.json");
    ASSERT_FALSE(run) << text;
    EXPECT_EQ(run.error().doing, "reading 'kept/run.json'");
    EXPECT_EQ(run.error().status, ExitStatus::usage);
  }
  EXPECT_FALSE(from_json(std::string(100000, '['), "run.json"));
}

}  // namespace
}  // namespace offshoot::report
