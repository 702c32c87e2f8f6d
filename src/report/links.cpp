// SPDX-License-Identifier: Apache-2.0
#include "report/links.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "report/escape.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t longest_url = 500;

bool all_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

bool is_sha(std::string_view sha) {
  return sha.size() == 40 && sha.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_server(std::string_view url) {
  const bool http = url.starts_with("https://") || url.starts_with("http://");
  return http && url.size() <= 200 && all_of(url, ":/.-_~") && !url.ends_with('/');
}

bool is_repository(std::string_view name) {
  return name.size() <= 200 && all_of(name, "._-/") && std::count(name.begin(), name.end(), '/') == 1 &&
         !name.starts_with('/') && !name.ends_with('/');
}

bool is_plain_path(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  return ("/" + path + "/").find("/../") == std::string::npos;
}

std::string package_of(const std::string& unique_id) {
  const std::size_t begin = unique_id.find('.');
  if (begin == std::string::npos) return {};
  return unique_id.substr(begin + 1, unique_id.find('.', begin + 1) - begin - 1);
}

std::string short_enough(const std::string& url) { return url.size() <= longest_url ? url : std::string(); }

}  // namespace

std::string repository_path(const std::string& project_dir, const std::string& file) {
  return project_dir.empty() || project_dir == "." ? file : project_dir + "/" + file;
}

Links::Links(const Run& run) {
  const Origin& origin = run.origin;
  if (is_server(origin.server_url) && is_repository(origin.repository)) {
    repository_ = origin.server_url + "/" + origin.repository;
    if (origin.run_url.starts_with(repository_ + "/")) run_ = short_enough(link_target(origin.run_url));
  }
  const Change* change = run.change.finished();
  const Plan* plan = run.plan.finished();
  if (change == nullptr) return;
  if (is_sha(proposed(*change)) && !change->uncommitted) head_ = proposed(*change);
  if (plan == nullptr) return;
  project_dir_ = plan->project_dir;
  std::set<std::string> changed;
  for (const ChangedFile& file : change->files) changed.insert(file.path);
  for (const PlannedNode& node : plan->nodes) {
    if (changed.contains(repository_path(project_dir_, node.file))) own_packages_.insert(package_of(node.unique_id));
  }
}

std::string Links::file(const std::string& path, int line) const {
  if (repository_.empty() || head_.empty() || !is_plain_path(path)) return {};
  const std::string at = line > 0 ? fmt::format("#L{}", line) : "";
  return short_enough(fmt::format("{}/blob/{}/{}{}", repository_, head_, url_path(path), at));
}

std::string Links::commit(const std::string& sha) const {
  return repository_.empty() || !is_sha(sha) ? std::string() : fmt::format("{}/commit/{}", repository_, sha);
}

std::string Links::node_file(const PlannedNode& node) const {
  if (node.file.empty() || !own_packages_.contains(package_of(node.unique_id))) return {};
  return file(repository_path(project_dir_, node.file));
}

}  // namespace offshoot::report
