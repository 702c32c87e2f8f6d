// SPDX-License-Identifier: Apache-2.0
#include "dbt/session_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace offshoot::dbt {

namespace {

using Json = nlohmann::json;

struct KindOfError {
  std::string_view kind;
  ExitStatus status;
  std::string_view hint;
};

constexpr std::array<KindOfError, 11> kinds{{
    {"compilation", ExitStatus::usage, ""},
    {"parsing", ExitStatus::usage, ""},
    {"project", ExitStatus::usage, "`dbt debug` in the project's folder shows the same"},
    {"profile", ExitStatus::usage, "check profiles.yml; `offshoot doctor` says which one is read"},
    {"dependency", ExitStatus::usage, "run `dbt deps` in the project's folder and commit package-lock.yml"},
    {"usage", ExitStatus::usage, ""},
    {"connection", ExitStatus::could_not_run,
     "check that the warehouse can be reached from here and that the profile's credentials are set"},
    {"locked", ExitStatus::could_not_run,
     "the DuckDB file is held by another process: close it (a notebook, a BI tool, another dbt), or work on a copy"},
    {"database", ExitStatus::could_not_run, "check what the target's user may do"},
    {"interrupted", ExitStatus::interrupted, ""},
    {"internal", ExitStatus::could_not_run, "dbt's log has more; please report it with that"},
}};

/// Some messages say what to do, whatever their kind.
std::string_view hint_for(std::string_view message) {
  if (message.find("Env var required but not provided") != std::string_view::npos) {
    return "set the variable for this step; if only models or macros read it, also name it in pass_env";
  }
  if (message.starts_with("branches are not supported on")) {
    return "`offshoot plan`, `state` and `lint` work with every adapter, and so does a deploy in place";
  }
  return {};
}

/// A macro of ours that refuses says why in a line of its own, to which dbt adds where in our macros that was. Empty:
/// it is no such message.
std::string own_words(std::string_view message) {
  constexpr std::string_view sign = "\n  offshoot: ";
  const auto begin = message.find(sign);
  if (begin == std::string_view::npos) return {};
  const auto words = message.substr(begin + sign.size());
  return std::string(words.substr(0, words.find('\n')));
}

}  // namespace

std::string text_of(const Json& object, const char* key) {
  const Json& value = value_of(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

double number_of(const Json& object, const char* key) {
  const Json& value = value_of(object, key);
  return value.is_number() ? value.get<double>() : 0.0;
}

bool flag_of(const Json& object, const char* key) {
  const Json& value = value_of(object, key);
  return value.is_boolean() && value.get<bool>();
}

const Json& value_of(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

Failed session_error(const std::string& doing, std::string_view kind, std::string message) {
  const auto found = std::ranges::find(kinds, kind, &KindOfError::kind);
  const auto& known = found == kinds.end() ? kinds.back() : *found;
  if (auto words = own_words(message); !words.empty()) message = std::move(words);
  const auto hint = hint_for(message);
  return {known.status, doing, std::move(message), std::string(hint.empty() ? known.hint : hint), {}};
}

Failed session_error(const std::string& doing, const Json& error) {
  auto message = text_of(error, "message");
  const auto kind = text_of(error, "kind");
  const auto node = text_of(error, "node");
  if (message.empty()) message = "dbt gave no reason";
  if (!own_words(message).empty()) return session_error(doing, kind, std::move(message));
  if (!node.empty() && message.find(node) == std::string::npos) message = fmt::format("{}: {}", node, message);
  auto failure = session_error(doing, kind, std::move(message));
  if (const auto file = text_of(error, "file"); !file.empty()) {
    const double line = number_of(error, "line");
    failure.place = Place{file, line > 0 && line < 1e9 ? static_cast<int>(line) : 0, 0};
  }
  return failure;
}

std::string_view kind_of_message(std::string_view message) {
  struct Sign {
    std::string_view text;
    std::string_view kind;
  };
  constexpr std::array<Sign, 12> signs{{{"Could not set lock on file", "locked"},
                                        {"Conflicting lock is held", "locked"},
                                        {"database is locked", "locked"},
                                        {"Env var required but not provided", "parsing"},
                                        {"Compilation Error", "compilation"},
                                        {"Parsing Error", "parsing"},
                                        {"Could not find profile", "profile"},
                                        {"profile", "profile"},
                                        {"dbt deps", "dependency"},
                                        {"could not connect", "connection"},
                                        {"Database Error", "database"},
                                        {"No such option", "usage"}}};
  for (const auto& sign : signs) {
    if (message.find(sign.text) != std::string_view::npos) return sign.kind;
  }
  return "internal";
}

Failed interrupted(const std::string& doing) { return {ExitStatus::interrupted, doing, "interrupted", "", {}}; }

std::string last_lines(const std::filesystem::path& log, int lines) {
  constexpr std::streamoff most = 4096;
  std::ifstream file(log, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  const std::streamoff take = std::min(size, most);
  std::string text(static_cast<std::size_t>(std::max<std::streamoff>(take, 0)), '\0');
  file.seekg(size - take);
  file.read(text.data(), take);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t begin = text.size();
  for (int i = 0; i < lines && begin != std::string::npos && begin > 0; ++i) begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

}  // namespace offshoot::dbt
