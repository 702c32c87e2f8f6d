// SPDX-License-Identifier: Apache-2.0
#include "branch/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "io/files.hpp"

namespace offshoot::branch {

namespace {

constexpr std::size_t hash_digits = 8;

/// The ref's letters and digits, everything else folded to single underscores: for people to recognise it by.
std::string slug(std::string_view ref, std::size_t room) {
  std::string result;
  for (const char c : folded(ref)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) {
      result += c;
    } else if (!result.empty() && result.back() != '_') {
      result += '_';
    }
  }
  result.resize(std::min(result.size(), room));
  while (!result.empty() && result.back() == '_') result.pop_back();
  return result.empty() ? "x" : result;
}

bool is_prefix(std::string_view prefix) {
  static const std::regex shape("[a-z][a-z0-9_]{2,19}");
  return std::regex_match(prefix.begin(), prefix.end(), shape);
}

}  // namespace

std::string folded(std::string_view name) {
  std::string result(name);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

Result<std::string> branch_name(std::string_view prefix, int pull_request, std::string_view ref) {
  const std::string doing = "naming the branch";
  if (!is_prefix(prefix)) {
    return failed(ExitStatus::usage, doing, fmt::format("'{}' cannot be a prefix", prefix),
                  "set branch.prefix to 3 to 20 of a-z, 0-9 and _, beginning with a letter");
  }
  if (pull_request > 0) return fmt::format("{}_pr_{}", prefix, pull_request);
  if (ref.empty()) {
    return failed(ExitStatus::usage, doing, "neither a pull request nor a git branch is known",
                  "check out a git branch, or give --pull-request");
  }
  const std::size_t room = longest_branch_name - prefix.size() - std::string_view("_b__").size() - hash_digits;
  return fmt::format("{}_b_{}_{}", prefix, slug(ref, room), io::sha256_hex(ref).substr(0, hash_digits));
}

bool is_branch_name(std::string_view name, std::string_view prefix) {
  static const std::regex rest("_(pr_[1-9][0-9]{0,9}|b_[a-z0-9][a-z0-9_]*_[0-9a-f]{8})");
  if (!is_prefix(prefix) || !name.starts_with(prefix) || name.size() > longest_branch_name) return false;
  name.remove_prefix(prefix.size());
  return std::regex_match(name.begin(), name.end(), rest);
}

bool belongs_to(std::string_view schema, std::string_view branch) {
  const std::string own = folded(schema);
  return own == branch || own.starts_with(fmt::format("{}_", branch));
}

}  // namespace offshoot::branch
