// SPDX-License-Identifier: Apache-2.0
#include "store/aws_files.hpp"

#include <filesystem>
#include <system_error>

#include "io/files.hpp"

namespace offshoot::store {

namespace fs = std::filesystem;

namespace {

enum class Kind { credentials, config };

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// "[profile ci]" and "[default]" in a config file, "[ci]" in a credentials file. Empty = a section of another kind.
std::string profile_of(std::string_view line, Kind kind) {
  std::string_view name = trimmed(line.substr(1, line.find(']') - 1));
  if (kind == Kind::credentials || name == "default") return std::string(name);
  constexpr std::string_view before = "profile";
  if (!name.starts_with(before) || name.size() == before.size()) return {};
  return std::string(trimmed(name.substr(before.size())));
}

void take(std::string_view text, Kind kind, AwsProfiles& profiles) {
  std::string profile;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (content.front() == '[') {
      profile = profile_of(content, kind);
      continue;
    }
    const auto equals = content.find('=');
    const bool nested = line.front() == ' ' || line.front() == '\t';  // "s3 =" and what stands under it
    if (profile.empty() || nested || equals == std::string_view::npos) continue;
    std::string_view value = content.substr(equals + 1);
    for (const char* comment : {" #", " ;"}) value = value.substr(0, value.find(comment));
    profiles[profile][std::string(trimmed(content.substr(0, equals)))] = trimmed(value);
  }
}

Result<void> read(const fs::path& file, Kind kind, AwsProfiles& profiles) {
  std::error_code error;
  if (file.empty() || !fs::exists(file, error)) return {};
  constexpr std::uintmax_t largest = 1U << 20;
  const auto text = io::read_file(file, largest);
  if (!text) return tl::unexpected(text.error());
  take(*text, kind, profiles);
  return {};
}

}  // namespace

std::string variable(const io::Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::string value_in(const AwsProfiles& profiles, const std::string& profile, const std::string& key) {
  const auto found = profiles.find(profile);
  if (found == profiles.end()) return {};
  const auto value = found->second.find(key);
  return value == found->second.end() ? "" : value->second;
}

std::string aws_profile_name(const io::Environment& environment) {
  const std::string name = variable(environment, "AWS_PROFILE");
  return name.empty() ? "default" : name;
}

Result<AwsProfiles> read_aws_profiles(const io::Environment& environment) {
  const std::string home = variable(environment, "HOME");
  const auto place = [&](const char* name, const char* usual) -> fs::path {
    const std::string set = variable(environment, name);
    if (!set.empty()) return set;
    return home.empty() ? fs::path() : fs::path(home) / ".aws" / usual;
  };
  AwsProfiles profiles;
  if (auto read_in = read(place("AWS_CONFIG_FILE", "config"), Kind::config, profiles); !read_in) {
    return tl::unexpected(read_in.error());
  }
  if (auto read_in = read(place("AWS_SHARED_CREDENTIALS_FILE", "credentials"), Kind::credentials, profiles); !read_in) {
    return tl::unexpected(read_in.error());
  }
  return profiles;
}

}  // namespace offshoot::store
