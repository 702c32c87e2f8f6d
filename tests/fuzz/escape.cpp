// SPDX-License-Identifier: Apache-2.0
// Text of the project on its way into a log, a terminal and a comment.
#include "report/escape.hpp"

#include <algorithm>
#include <string>

#include "fuzz.hpp"

using namespace offshoot;

namespace {

bool starts_a_command(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\v\f\r");
  return begin != std::string_view::npos && line.substr(begin).starts_with("::");
}

void require_no_commands(const std::string& output) {
  fuzz::require(output.find("##[") == std::string::npos, "no ##[ is left");
  for (std::size_t at = 0; at <= output.size();) {
    const std::size_t end = std::min(output.find_first_of("\r\n", at), output.size());
    fuzz::require(!starts_a_command(std::string_view(output).substr(at, end - at)), "no line begins with ::");
    at = end + 1;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view raw = fuzz::view(data, size);
  require_no_commands(report::without_commands(raw));
  require_no_commands(report::without_commands(report::without_commands(raw)));
  fuzz::require(report::json_without_commands(std::string(raw)).find("##[") == std::string::npos, "no ##[ in JSON");
  const std::string line = report::terminal_line(raw, 100);
  fuzz::require(line.size() <= 100 && line.find_first_of("\n\r\x1b") == std::string::npos, "a line is one, and short");
  const std::string cleaned = report::clean(raw);
  fuzz::require(report::clean(cleaned) == cleaned, "what is clean stays as it is");
  for (const std::string& shown :
       {report::text(raw, 100), report::cell_code(raw, 100), report::mermaid_label(raw, 30)}) {
    fuzz::require(shown.find('\n') == std::string::npos, "text within a line has no newline");
    fuzz::require(shown.find("<!--") == std::string::npos, "no comment begins");
  }
  (void)report::code(raw, 100);
  const std::string fence = report::fenced(cleaned, "sql");
  fuzz::require(fence.ends_with('\n'), "a fence ends its line");
  std::size_t cut = 0;
  (void)report::first_lines(raw, 3, 100, cut);
  (void)report::columns(cleaned);
  (void)report::first_columns(report::one_line(raw), 20);
  return 0;
}
