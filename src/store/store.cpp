// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "io/files.hpp"

namespace offshoot::store {

namespace fs = std::filesystem;

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

Result<fs::path> FolderStore::path_of(const std::string& key) const {
  if (!is_key(key)) {
    return failed(ExitStatus::refused, "looking into the store " + folder_.string(),
                  fmt::format("'{}' is not a key", key));
  }
  return folder_ / key;
}

Result<std::optional<std::string>> FolderStore::get(const std::string& key) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  std::error_code error;
  if (!fs::exists(*path, error)) return std::optional<std::string>{};
  return io::read_file(*path).map([](std::string&& bytes) { return std::optional(std::move(bytes)); });
}

Result<void> FolderStore::put(const std::string& key, std::string_view bytes) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  const fs::path ignore = folder_ / ".gitignore";
  std::error_code error;
  if (!fs::exists(ignore, error)) {
    if (auto written = io::write_file(ignore, "*\n"); !written) return written;
  }
  return io::write_file(*path, bytes);
}

Result<std::vector<std::string>> FolderStore::list(const std::string& prefix) {
  std::vector<std::string> keys;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    const std::string key = it->path().lexically_relative(folder_).generic_string();
    if (is_key(key) && key.starts_with(prefix)) keys.push_back(key);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return failed(ExitStatus::could_not_run, "listing the store " + folder_.string(), error.message());
  }
  std::ranges::sort(keys);
  return keys;
}

Result<void> FolderStore::remove(const std::string& key) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  std::error_code error;
  fs::remove(*path, error);
  if (error) return failed(ExitStatus::could_not_run, "removing " + path->string(), error.message());
  return {};
}

std::string FolderStore::location(const std::string& key) const { return (folder_ / key).string(); }

}  // namespace offshoot::store
