// SPDX-License-Identifier: Apache-2.0
#include "io/own_environment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace offshoot::io {

namespace {

constexpr std::string_view hand_over = "OFFSHOOT_HANDED_OVER_BY";
constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/// What libraries read by themselves: where things are, the language, the way to the network.
constexpr std::array<std::string_view, 19> harmless{
    "PATH",       "HOME",          "LANG",         "LC_ALL",         "LC_CTYPE",          "TZ",          "TMPDIR",
    "HTTP_PROXY", "HTTPS_PROXY",   "NO_PROXY",     "ALL_PROXY",      "http_proxy",        "https_proxy", "no_proxy",
    "all_proxy",  "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "RUNNER_TRACKING_ID"};

Environment environment_of_the_process() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    const auto equals = variable.find('=');
    if (equals != std::string::npos) environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return environment;
}

void close_the_door() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__)  // its leak check looks into its own process
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

/// "NAME=value\0NAME=value\0…"
std::string packed(const Environment& environment) {
  std::string bytes;
  for (const auto& [name, value] : environment) {
    bytes += name;
    bytes += '=';
    bytes += value;
    bytes += '\0';
  }
  return bytes;
}

Environment unpacked(std::string_view bytes) {
  Environment environment;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\0'), bytes.size());
    const auto variable = bytes.substr(0, end);
    const auto equals = variable.find('=');
    if (equals != std::string_view::npos) environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return environment;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Starts this program again, if it can; returns if it cannot.
void hand_over_to_successor(char** argv, const Environment& environment) {
  const int fd = ::memfd_create("offshoot", MFD_ALLOW_SEALING);
  if (fd < 0) return;
  if (!write_all(fd, packed(environment)) || ::fcntl(fd, F_ADD_SEALS, seals) != 0) {
    ::close(fd);
    return;
  }
  std::vector<std::string> in_sight;
  for (const auto name : harmless) {
    const auto found = environment.find(std::string(name));
    if (found != environment.end()) in_sight.push_back(found->first + "=" + found->second);
  }
  in_sight.push_back(std::string(hand_over) + "=" + std::to_string(fd));
  std::vector<char*> pointers;
  for (auto& variable : in_sight) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  ::execve("/proc/self/exe", argv, pointers.data());
  ::close(fd);
}

/// The descriptor that our predecessor left, if it is one: a memory file with all of our seals.
int handed_over(const Environment& environment) {
  const auto found = environment.find(std::string(hand_over));
  if (found == environment.end()) return -1;
  int fd = -1;
  const auto& text = found->second;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (error != std::errc() || stop != text.data() + text.size() || fd < 0) return -1;
  return ::fcntl(fd, F_GET_SEALS) == seals ? fd : -1;
}

}  // namespace

Environment take_environment(char** argv) {
  close_the_door();
  Environment environment = environment_of_the_process();
  const int fd = handed_over(environment);
  if (fd < 0) {
    environment.erase(std::string(hand_over));
    hand_over_to_successor(argv, environment);
    return environment;
  }
  struct stat info{};
  std::string bytes;
  if (::fstat(fd, &info) == 0) bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t read = 0;
  while (read < bytes.size()) {
    const ssize_t n = ::pread(fd, bytes.data() + read, bytes.size() - read, static_cast<off_t>(read));
    if (n <= 0) break;
    read += static_cast<std::size_t>(n);
  }
  ::close(fd);
  ::prctl(PR_SET_NAME, "offshoot");  // exec took it for "exe"
  return unpacked(std::string_view(bytes).substr(0, read));
}

}  // namespace offshoot::io
