// SPDX-License-Identifier: Apache-2.0
#include "io/json.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace offshoot::io {

namespace {

constexpr std::size_t max_depth = 256;  // requirement G1

/// Counts brackets outside strings, so that depth is refused before any parser sees the text.
bool deeper_than(std::string_view text, std::size_t limit) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, std::string_view doing) {
  if (deeper_than(text, max_depth)) {
    return failed(ExitStatus::usage, std::string(doing), fmt::format("it is nested deeper than {} levels", max_depth));
  }
  std::vector<std::set<std::string>> keys;
  std::string duplicate;
  const auto watch_keys = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key && !keys.back().insert(parsed.get_ref<const std::string&>()).second) {
      duplicate = parsed.get_ref<const std::string&>();
    }
    return true;
  };
  try {
    auto value = nlohmann::json::parse(text, watch_keys);
    if (!duplicate.empty()) {
      return failed(ExitStatus::usage, std::string(doing), fmt::format("the key '{}' stands there twice", duplicate));
    }
    return value;
  } catch (const nlohmann::json::exception& error) {
    return failed(ExitStatus::usage, std::string(doing), fmt::format("it is not JSON: {}", error.what()));
  }
}

std::string to_line(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_line(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace offshoot::io
