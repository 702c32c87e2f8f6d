// SPDX-License-Identifier: Apache-2.0
#include "dbt/dbt_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "dbt/session_error.hpp"
#include "io/json.hpp"

namespace offshoot::dbt {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

std::set<std::string> listed_ids(std::string_view text) {
  std::set<std::string> ids;
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const auto line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (!line.starts_with('{')) continue;
    if (const auto entry = io::parse_json(line, "reading dbt's list")) ids.insert(text_of(*entry, "unique_id"));
  }
  return ids;
}

/// "  - installed: 1.11.16" of dbt itself, "  - duckdb: 1.11.1 - Up to date!" of an adapter.
void add_version(Ready& ready, const std::string& line) {
  const auto dash = line.find("- ");
  const auto colon = line.find(": ", dash == std::string::npos ? 0 : dash);
  if (dash == std::string::npos || colon == std::string::npos) return;
  const auto name = line.substr(dash + 2, colon - dash - 2);
  auto version = line.substr(colon + 2);
  version = version.substr(version.find_first_not_of(' ') == std::string::npos ? 0 : version.find_first_not_of(' '));
  version = version.substr(0, version.find(' '));
  if (name == "installed") {
    ready.dbt_version = version;
  } else if (name != "latest" && name.find(' ') == std::string::npos) {
    ready.adapters[name] = version;
  }
}

Ready read_versions(const std::string& text) {
  Ready ready;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    add_version(ready, text.substr(begin, end - begin));
    begin = end + 1;
  }
  return ready;
}

}  // namespace

void append(Arguments& arguments, std::initializer_list<std::string> more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

Arguments command_arguments(const std::string& command, const fs::path& project_dir, const fs::path& profiles_dir,
                            const std::string& profile, const std::string& target) {
  Arguments arguments{"--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check"};
  append(arguments, {command, "--project-dir", project_dir.string(), "--profiles-dir", profiles_dir.string()});
  if (!profile.empty()) append(arguments, {"--profile", profile});
  if (!target.empty()) append(arguments, {"--target", target});
  return arguments;
}

Arguments project_arguments(const std::string& command, const ProjectAt& at) {
  auto arguments = command_arguments(command, at.project_dir, at.profiles_dir, at.profile, at.target);
  append(arguments, {"--vars", at.vars.empty() ? "{}" : at.vars});
  return arguments;
}

DbtCommand::DbtCommand(const SessionOptions& options)
    : options_(options), log_(options.scratch / "dbt.log"), linked_(options.stop, [this] { stop_.request_stop(); }) {}

Result<io::Output> DbtCommand::run(Arguments arguments, const std::string& doing) {
  if (stop_.stop_requested()) return tl::unexpected(interrupted(doing));
  arguments.insert(arguments.begin(), options_.dbt.command.string());
  const io::Command command{
      .argv = std::move(arguments), .environment = options_.environment, .folder = options_.folder};
  auto output = io::run(command, {.limit = options_.limit, .stop = stop_.get_token()});
  if (!output) return output;
  std::ofstream(log_, std::ios::binary | std::ios::app) << output->out << output->err;
  if (output->exit.cancelled) return tl::unexpected(interrupted(doing));
  if (output->exit.timed_out) {
    return failed(ExitStatus::could_not_run, doing,
                  fmt::format("it took longer than {} s",
                              std::chrono::duration_cast<std::chrono::seconds>(options_.limit).count()));
  }
  if (output->exit.signal != 0) {
    return failed(ExitStatus::could_not_run, doing, fmt::format("dbt was killed by signal {}", output->exit.signal),
                  last_lines(log_));
  }
  return output;
}

std::string DbtCommand::reason_of(const io::Output& output) {
  auto reason = read_dbt_log(output.out + "\n" + output.err).reasons();
  return reason.empty() ? fmt::format("dbt ended with status {}", output.exit.status) : reason;
}

Result<DbtLog> DbtCommand::succeed(Arguments arguments, const std::string& doing) {
  const auto output = run(std::move(arguments), doing);
  if (!output) return tl::unexpected(output.error());
  if (output->exit.status == 0) return read_dbt_log(output->out);
  const auto reason = reason_of(*output);
  return tl::unexpected(session_error(doing, kind_of_message(reason), reason));
}

Result<Json> DbtCommand::result_of(Arguments arguments, const std::string& doing) {
  const auto log = succeed(std::move(arguments), doing);
  if (!log) return tl::unexpected(log.error());
  if (!log->macro_result) {
    return failed(ExitStatus::could_not_run, doing, "dbt ended well and gave no result", last_lines(log_));
  }
  return io::parse_json(*log->macro_result, doing);
}

Result<std::set<std::string>> DbtCommand::list(const ProjectAt& at, const Arguments& selection,
                                               const std::string& doing) {
  auto arguments = project_arguments("ls", at);
  append(arguments, {"--quiet", "--output", "json", "--output-keys", "unique_id", "--log-path", log_folder().string()});
  arguments.insert(arguments.end(), selection.begin(), selection.end());
  const auto listed = run(std::move(arguments), doing);
  if (!listed) return tl::unexpected(listed.error());
  if (listed->exit.status != 0) {
    const auto reason = reason_of(*listed);
    return tl::unexpected(session_error(doing, kind_of_message(reason), reason));
  }
  return listed_ids(listed->out);
}

Result<Ready> DbtCommand::versions() {
  const std::string doing = "starting dbt";
  const auto output = run({"--version"}, doing);
  if (!output) return tl::unexpected(output.error());
  if (output->exit.status != 0) {
    return failed(ExitStatus::usage, doing,
                  fmt::format("{} --version ends with status {}", options_.dbt.command.string(), output->exit.status),
                  last_lines(log_));
  }
  return read_versions(output->out + output->err);
}

}  // namespace offshoot::dbt
