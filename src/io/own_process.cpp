// SPDX-License-Identifier: Apache-2.0
#include "io/own_process.hpp"

#include <fmt/format.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX's
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace offshoot::io {

namespace {

/// What /proc/<pid>/stat says, as proc(5) has it.
struct Stat {
  char state = '?';
  std::string threads{};
  std::string began{};  ///< in clock ticks since the boot
};

std::optional<Stat> stat_of(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  // The second field is the command in parentheses, which may hold anything.
  const auto end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(end + 1));
  Stat stat;
  std::string skipped;
  rest >> stat.state;
  for (int field = 4; field < 20; ++field) rest >> skipped;
  rest >> stat.threads >> skipped >> stat.began;
  return rest ? std::optional(std::move(stat)) : std::nullopt;
}

/// This boot and the namespace in which a process id means something; empty = not known.
std::string surroundings() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::error_code error;
  const auto ids = std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
  if (!std::getline(file, boot) || boot.empty() || error || ids.empty()) return {};
  return boot + " " + ids;
}

}  // namespace

std::string own_process() {
  const std::string where = surroundings();
  const auto stat = stat_of(::getpid());
  if (where.empty() || !stat) return {};
  return fmt::format("{} {} {}", where, ::getpid(), stat->began);
}

bool has_surely_ended(const std::string& process) {
  const std::string where = surroundings();
  if (where.empty() || !process.starts_with(where + " ")) return false;
  const std::string_view rest = std::string_view(process).substr(where.size() + 1);
  int pid = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), pid);
  const std::string_view after(end, static_cast<std::size_t>(rest.data() + rest.size() - end));
  if (error != std::errc() || pid <= 0 || after.size() < 2 || after.front() != ' ') return false;
  // Asked of the kernel first: /proc may hide the processes of others.
  if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
  const auto stat = stat_of(pid);
  if (!stat) return false;
  if (stat->began != after.substr(1)) return true;
  // Ended, and its parent has not looked yet: no thread of it can write any more.
  return stat->state == 'Z' && stat->threads == "1";
}

}  // namespace offshoot::io
