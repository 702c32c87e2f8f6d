// SPDX-License-Identifier: Apache-2.0
#include "io/yaml.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <regex>
#include <set>
#include <vector>

namespace offshoot::io {

namespace {

constexpr std::size_t max_bytes = 1U << 20;  // requirement G2
constexpr int max_depth = 100;
constexpr int max_nodes = 100'000;

struct Limits {
  const std::string& file;
  int visited = 0;
};

Failed at(const std::string& file, const YAML::Mark& mark, std::string why, std::string hint = {}) {
  const bool known = !mark.is_null();
  return Failed{ExitStatus::usage, "reading " + file, std::move(why), std::move(hint),
                Place{file, known ? mark.line + 1 : 0, known ? mark.column + 1 : 0}};
}

/// Visits the tree with aliases expanded, and complains of what G2 forbids.
std::optional<Failed> check(const YAML::Node& node, int depth, Limits& limits) {
  if (++limits.visited > max_nodes) {
    return at(limits.file, node.Mark(), fmt::format("it has more than {} values, aliases expanded", max_nodes));
  }
  if (depth > max_depth) {
    return at(limits.file, node.Mark(), fmt::format("it is nested deeper than {} levels", max_depth));
  }
  if (node.IsSequence()) {
    for (const auto& item : node) {
      if (auto problem = check(item, depth + 1, limits)) return problem;
    }
  } else if (node.IsMap()) {
    std::set<std::string> keys;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return at(limits.file, entry.first.Mark(), "a key is not plain text");
      if (!keys.insert(entry.first.Scalar()).second) {
        return at(limits.file, entry.first.Mark(), fmt::format("the key '{}' stands there twice", entry.first.Scalar()),
                  "remove one of the two");
      }
      if (auto problem = check(entry.second, depth + 1, limits)) return problem;
    }
  }
  return std::nullopt;
}

/// "<<", which takes another map's entries in. yaml-cpp leaves it as it stands; PyYAML, and so dbt, does it.
bool is_merge_key(const YAML::Node& key) { return key.Scalar() == "<<" && key.Tag() != "!"; }

nlohmann::ordered_json map_to_json(const YAML::Node& node);

/// An unquoted scalar by YAML 1.1's core types, as PyYAML (so dbt) reads it. What JSON cannot say as a number of the
/// same text (octal, 1_000, .inf, dates) stays a string and so means the same to the next reader only if it was one
/// before: profiles hold none of these.
nlohmann::ordered_json plain_scalar(const std::string& text) {
  static const std::set<std::string> yes{"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
  static const std::set<std::string> no{"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
  static const std::set<std::string> null{"", "~", "null", "Null", "NULL"};
  static const std::regex integer("[-+]?(0|[1-9][0-9]*)");
  static const std::regex number(R"([-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?)");
  if (null.contains(text)) return nullptr;
  if (yes.contains(text)) return true;
  if (no.contains(text)) return false;
  if (text.size() < 20 && std::regex_match(text, integer)) {
    long long value = 0;
    const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
    if (std::from_chars(begin, text.data() + text.size(), value).ec == std::errc()) return value;
  }
  if (text.size() < 40 && std::regex_match(text, number)) return std::stod(text);
  return text;
}

nlohmann::ordered_json map_to_json(const YAML::Node& node) {
  auto object = nlohmann::ordered_json::object();
  std::vector<YAML::Node> merged;
  for (const auto& entry : node) {
    if (!is_merge_key(entry.first)) {
      object[entry.first.Scalar()] = to_json(entry.second);
    } else if (entry.second.IsSequence()) {
      for (const auto& map : entry.second) merged.push_back(map);
    } else {
      merged.push_back(entry.second);
    }
  }
  // What a map says itself counts before what it merges, and an earlier merged map before a later one.
  for (const auto& from : merged) {
    if (!from.IsMap()) continue;
    const auto inherited = map_to_json(from);
    for (const auto& item : inherited.items()) {
      if (!object.contains(item.key())) object[item.key()] = item.value();
    }
  }
  return object;
}

}  // namespace

Result<YAML::Node> parse_yaml(std::string_view text, const std::string& file) {
  if (text.size() > max_bytes) {
    return failed(ExitStatus::usage, "reading " + file,
                  fmt::format("it has {} bytes; at most {} are accepted", text.size(), max_bytes));
  }
  if (text.find('\0') != std::string_view::npos) {
    return failed(ExitStatus::usage, "reading " + file, "it holds a NUL byte", "save it as plain UTF-8 text");
  }
  try {
    YAML::Node root = YAML::Load(std::string(text));
    Limits limits{file};
    if (auto problem = check(root, 0, limits)) return tl::unexpected(std::move(*problem));
    return root;
  } catch (const YAML::Exception& error) {
    return tl::unexpected(at(file, error.mark, "it is not YAML: " + error.msg));
  }
}

nlohmann::ordered_json to_json(const YAML::Node& node) {
  if (node.IsSequence()) {
    auto array = nlohmann::ordered_json::array();
    for (const auto& item : node) array.push_back(to_json(item));
    return array;
  }
  if (node.IsMap()) return map_to_json(node);
  if (!node.IsScalar()) return nullptr;
  const bool quoted = node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str";
  return quoted ? nlohmann::ordered_json(node.Scalar()) : plain_scalar(node.Scalar());
}

}  // namespace offshoot::io
