// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace offshoot::store {

namespace {

constexpr std::size_t longest_key = 1024;

bool is_part(std::string_view part) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !part.empty() && part != "." && part != ".." && std::ranges::all_of(part, plain);
}

}  // namespace

bool is_key(std::string_view key) {
  if (key.size() > longest_key) return false;
  while (true) {
    const auto slash = key.find('/');
    if (!is_part(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

std::string media_type_of(std::string_view key) {
  using Row = std::pair<std::string_view, const char*>;
  constexpr auto types = std::to_array<Row>({{".json", "application/json"},
                                             {".sarif", "application/sarif+json"},
                                             {".jsonl", "application/jsonl"},
                                             {".md", "text/markdown; charset=utf-8"},
                                             {".html", "text/html; charset=utf-8"},
                                             {".xml", "application/xml"},
                                             {".sql", "text/plain; charset=utf-8"},
                                             {".log", "text/plain; charset=utf-8"},
                                             {".txt", "text/plain; charset=utf-8"}});
  const auto found = std::ranges::find_if(types, [&](const Row& row) { return key.ends_with(row.first); });
  return found == types.end() ? "application/octet-stream" : found->second;
}

Result<std::optional<std::string>> Store::get(const std::string& key) {
  return read(key).map(
      [](std::optional<Object>&& object) { return object ? std::optional(std::move(object->bytes)) : std::nullopt; });
}

Result<std::vector<std::string>> Store::list(const std::string& prefix) {
  return list_objects(prefix).map([](const std::vector<Listed>& objects) {
    std::vector<std::string> keys;
    keys.reserve(objects.size());
    for (const auto& object : objects) keys.push_back(object.key);
    return keys;
  });
}

}  // namespace offshoot::store
