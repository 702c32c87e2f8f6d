// SPDX-License-Identifier: Apache-2.0
#include "dbt/dbt_log.hpp"

#include "dbt/session_error.hpp"
#include "io/json.hpp"

namespace offshoot::dbt {

namespace {

constexpr std::string_view result_mark = "OFFSHOOT_RESULT ";
constexpr std::string_view version_mark = "Running with dbt=";
constexpr std::size_t longest_reason = 8192;

void read_line(std::string_view line, DbtLog& log) {
  const auto entry = line.starts_with('{') ? io::parse_json(line, "reading dbt's log") : Result<nlohmann::json>();
  const auto& info = entry ? value_of(*entry, "info") : value_of({}, "info");
  if (!info.is_object()) {
    log.other += line;
    log.other += '\n';
    return;
  }
  const auto level = text_of(info, "level");
  auto message = text_of(info, "msg");
  if (log.invocation_id.empty()) log.invocation_id = text_of(info, "invocation_id");
  if (message.starts_with(version_mark)) log.dbt_version = message.substr(version_mark.size());
  if (message.starts_with(result_mark)) log.macro_result = message.substr(result_mark.size());
  if (level == "warn") log.warnings.push_back({level, text_of(info, "code"), message});
  if (level == "error") log.errors.push_back({level, text_of(info, "code"), message});
}

}  // namespace

std::string DbtLog::reasons() const {
  std::string text;
  for (const auto& error : errors) {
    if (error.message.empty()) continue;
    if (!text.empty()) text += '\n';
    text += error.message;
  }
  if (text.empty()) text = other;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > longest_reason) text.resize(longest_reason);
  return text;
}

DbtLog read_dbt_log(std::string_view text) {
  DbtLog log;
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (!line.empty()) read_line(line, log);
  }
  return log;
}

}  // namespace offshoot::dbt
