// SPDX-License-Identifier: Apache-2.0
#include "change/links.hpp"

#include <deque>

#include "change/paths.hpp"

namespace offshoot::change {

namespace {

constexpr int max_hops = 40;  // as Linux
constexpr int max_steps = 4096;
constexpr std::size_t max_depth = 256;

std::string join(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) {
    if (!path.empty()) path += '/';
    path += part;
  }
  return path.empty() ? "." : path;
}

}  // namespace

std::optional<LinkEnd> follow(const Links& links, std::string_view link) {
  LinkEnd end;
  std::vector<std::string> at;
  std::deque<std::string> todo;
  for (const std::string_view part : path_parts(link)) todo.emplace_back(part);
  for (int hops = 0, steps = 0; !todo.empty(); ++steps) {
    if (steps > max_steps || at.size() > max_depth) return std::nullopt;
    const std::string part = std::move(todo.front());
    todo.pop_front();
    if (part == "..") {
      if (at.empty()) return std::nullopt;
      at.pop_back();
      continue;
    }
    at.push_back(part);
    const auto found = links.find(join(at));
    if (found == links.end()) continue;
    if (++hops > max_hops || found->second.empty() || found->second.starts_with('/')) return std::nullopt;
    if (found->first != link) end.by.push_back(found->first);
    at.pop_back();
    const auto parts = path_parts(found->second);
    todo.insert(todo.begin(), parts.begin(), parts.end());
  }
  end.path = join(at);
  return end;
}

}  // namespace offshoot::change
