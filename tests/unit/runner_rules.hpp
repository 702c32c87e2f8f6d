// SPDX-License-Identifier: Apache-2.0
// How GitHub's runner reads what a step writes, after its sources (FileCommandManager.cs, ActionCommand.cs), written
// anew for these tests. Where the runner fails the step, there is no value.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace offshoot::tests {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Takes the next line of `rest`, and what ended it.
inline std::pair<std::string, std::string> next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
  std::string line(rest.substr(0, end));
  const std::string_view after = rest.substr(end);
  const std::size_t ending = after.starts_with("\r\n") ? 2 : std::min<std::size_t>(after.size(), 1);
  std::string newline(after.substr(0, ending));
  rest.remove_prefix(end + ending);
  return {line, newline};
}

/// The keys and values of an output file.
inline std::optional<Pairs> env_file_pairs(std::string_view rest) {
  Pairs found;
  while (!rest.empty()) {
    const std::string line = next_line(rest).first;
    if (line.empty()) continue;
    const std::size_t equals = line.find('=');
    const std::size_t heredoc = line.find("<<");
    if (equals != std::string::npos && equals < heredoc) {
      if (equals == 0) return std::nullopt;
      found.emplace_back(line.substr(0, equals), line.substr(equals + 1));
      continue;
    }
    if (heredoc == std::string::npos || heredoc == 0 || heredoc + 2 == line.size()) return std::nullopt;
    const std::string delimiter = line.substr(heredoc + 2);
    std::string value;
    std::string newline;
    while (true) {
      if (rest.empty()) return std::nullopt;
      const auto [next, ending] = next_line(rest);
      if (next == delimiter) break;
      value += newline + next;
      newline = ending;
    }
    found.emplace_back(line.substr(0, heredoc), value);
  }
  return found;
}

/// A command that the runner sees in one line of a log.
struct RunnerCommand {
  std::string name;
  std::vector<std::pair<std::string, std::string>> properties{};
  std::string message{};
};

inline bool is_runner_command(std::string name) {
  constexpr std::array<std::string_view, 15> names{
      "add-mask", "add-matcher",    "add-path",   "debug",   "echo",       "endgroup",      "error",  "group",
      "notice",   "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning"};
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(names, name) != names.end();
}

inline std::string unescaped(std::string text, bool property) {
  std::vector<std::pair<std::string_view, std::string_view>> codes{{"%0D", "\r"}, {"%0A", "\n"}};
  if (property) codes.insert(codes.end(), {{"%3A", ":"}, {"%2C", ","}});
  codes.emplace_back("%25", "%");
  for (const auto& [code, is] : codes) {
    for (std::size_t at = 0; (at = text.find(code, at)) != std::string::npos; at += is.size()) {
      text.replace(at, code.size(), is);
    }
  }
  return text;
}

/// What .NET's TrimStart takes away.
inline std::string_view trimmed(std::string_view line) {
  constexpr std::array<std::string_view, 25> spaces{
      "\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u0085", "\u00A0", "\u1680",
      "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
      "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view space : spaces) {
      if (!line.starts_with(space)) continue;
      line.remove_prefix(space.size());
      again = true;
    }
  }
  return line;
}

inline std::optional<RunnerCommand> runner_command(std::string_view whole) {
  if (const std::string_view line = trimmed(whole); line.starts_with("::")) {
    const std::size_t end = line.find("::", 2);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = line.substr(2, end - 2);
    const std::size_t space = inside.find(' ');
    RunnerCommand command{std::string(inside.substr(0, space))};
    if (!is_runner_command(command.name)) return std::nullopt;
    std::string_view rest = space == std::string_view::npos ? std::string_view() : inside.substr(space + 1);
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, rest.find(','));
      if (const std::size_t equals = part.find('='); equals != std::string_view::npos) {
        command.properties.emplace_back(part.substr(0, equals), unescaped(std::string(part.substr(equals + 1)), true));
      }
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    }
    command.message = unescaped(std::string(line.substr(end + 2)), false);
    return command;
  }
  const std::size_t begin = whole.find("##[");
  const std::size_t end = begin == std::string_view::npos ? begin : whole.find(']', begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view inside = whole.substr(begin + 3, end - begin - 3);
  RunnerCommand command{std::string(inside.substr(0, inside.find(' ')))};
  return is_runner_command(command.name) ? std::optional(std::move(command)) : std::nullopt;
}

}  // namespace offshoot::tests
