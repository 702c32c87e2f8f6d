// SPDX-License-Identifier: Apache-2.0
#include "github/step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

#include "github/text.hpp"
#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::github {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_of_summary = 1024UL * 1024UL - 1024UL;
constexpr std::size_t most_of_a_level = 10;
constexpr std::size_t longest_message = 4000;  // the runner cuts at 4,096 characters

std::string variable(const io::Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

bool is_sha(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The head of the event's pull request; empty where there is none.
std::string head_of_event(const std::string& file) {
  if (file.empty()) return {};
  const auto bytes = io::read_file(file, 32U << 20);
  if (!bytes) return {};
  const auto event = io::parse_json(*bytes, "");
  if (!event || !event->is_object()) return {};
  const Json pull_request = event->value("pull_request", Json());
  const Json head = pull_request.is_object() ? pull_request.value("head", Json()) : Json();
  const Json sha = head.is_object() ? head.value("sha", Json()) : Json();
  return sha.is_string() && is_sha(sha) ? sha.get<std::string>() : std::string();
}

/// Whether a token may be sent there: over TLS, or without leaving this machine.
bool may_get_token(const std::string& api_url) {
  const std::string origin = io::origin_of(api_url);
  if (origin.starts_with("https://")) return true;
  return std::ranges::any_of(
      std::array{"http://127.0.0.1", "http://localhost", "http://[::1]"},
      [&](std::string_view here) { return origin == here || origin.starts_with(std::string(here) + ":"); });
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// Escapes what the runner would take for the end of a command's message, or of one of its properties.
std::string escaped(std::string_view raw, bool property) {
  std::string out;
  for (const char c : raw) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    out += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

std::string_view command_of(Annotation::Level level) {
  switch (level) {
    case Annotation::Level::error:
      return "error";
    case Annotation::Level::warning:
      return "warning";
    case Annotation::Level::notice:
      break;
  }
  return "notice";
}

std::string command(const Annotation& annotation) {
  return fmt::format("::{} file={},line={},endLine={},title={}::{}\n", command_of(annotation.level),
                     escaped(as_utf8(annotation.path), true), annotation.first_line, annotation.last_line,
                     escaped(cut(as_utf8(annotation.title), 255), true),
                     escaped(cut(as_utf8(annotation.message), longest_message), false));
}

std::string random_hex(std::size_t digits) {
  std::random_device random;
  std::string out;
  while (out.size() < digits) out += fmt::format("{:08x}", random());
  return out.substr(0, digits);
}

}  // namespace

bool is_step(const io::Environment& environment) { return variable(environment, "GITHUB_ACTIONS") == "true"; }

Step step_of(const io::Environment& environment) {
  Step step;
  const auto of = [&](const char* name) { return variable(environment, name); };
  if (const std::string url = without_slash(of("GITHUB_API_URL")); !url.empty()) step.access.api_url = url;
  step.access.repository = of("GITHUB_REPOSITORY");
  if (may_get_token(step.access.api_url)) step.access.token = of("GITHUB_TOKEN");
  step.head_sha = head_of_event(of("GITHUB_EVENT_PATH"));
  if (step.head_sha.empty() && is_sha(of("GITHUB_SHA"))) step.head_sha = of("GITHUB_SHA");
  if (const std::string run = of("GITHUB_RUN_ID"); !run.empty()) {
    step.run_id = run + "-" + of("GITHUB_RUN_ATTEMPT");
    step.run_url = fmt::format("{}/{}/actions/runs/{}", of("GITHUB_SERVER_URL"), of("GITHUB_REPOSITORY"), run);
  }
  step.output = of("GITHUB_OUTPUT");
  step.summary = of("GITHUB_STEP_SUMMARY");
  step.temporary = of("RUNNER_TEMP");
  return step;
}

const std::vector<Output>& outputs_table() {
  static const std::vector<Output> table{
      {"verdict",
       "`passed`, `nothing-to-build`, `findings`, `could-not-run`, `locked`, `usage`, `refused` or "
       "`interrupted`"},
      {"branch-name", "the branch in the warehouse, such as `shop_pr_7`; empty where none was made"},
      {"plan-json", "path of a file with the plan: an array of nodes, each with its reasons"},
      {"report-url", "where the run is kept: a URL, or a path on the runner"},
      {"comment-url", "the comment on the pull request; empty where there is none"},
      {"run-json", "path of a file with the whole run, as docs/run.schema.json describes it"},
  };
  return table;
}

Result<std::string> output_block(std::string_view name, std::string_view value, std::string_view delimiter) {
  const std::string doing = fmt::format("setting the output '{}'", name);
  if (std::ranges::find(outputs_table(), name, &Output::name) == outputs_table().end()) {
    return failed(ExitStatus::could_not_run, doing, "there is no such output");
  }
  // A carriage return at the end would become part of the line's end.
  if (value.find(delimiter) != std::string_view::npos || value.find('\0') != std::string_view::npos ||
      value.ends_with('\r')) {
    return failed(ExitStatus::refused, doing, "its value would not be read back as it is");
  }
  return fmt::format("{0}<<{1}\n{2}\n{1}\n", name, delimiter, value);
}

Result<void> set_output(const Step& step, std::string_view name, std::string_view value) {
  if (step.output.empty()) return {};
  const auto block = output_block(name, value, "ghadelimiter_" + random_hex(32));
  if (!block) return tl::unexpected(block.error());
  return io::append_file(step.output, *block);
}

std::size_t summary_room(const Step& step) {
  std::error_code error;
  const auto size = fs::file_size(step.summary, error);
  const std::size_t used = error ? 0 : static_cast<std::size_t>(size);
  return used < most_of_summary ? most_of_summary - used : 0;
}

Result<void> add_to_summary(const Step& step, std::string_view markdown) {
  if (step.summary.empty() || markdown.size() > summary_room(step)) return {};
  return io::append_file(step.summary, markdown);
}

std::string annotation_commands(const std::vector<Annotation>& annotations) {
  std::string out;
  for (const auto level : {Annotation::Level::error, Annotation::Level::warning, Annotation::Level::notice}) {
    std::vector<const Annotation*> of_level;
    for (const Annotation& annotation : annotations) {
      if (annotation.level == level) of_level.push_back(&annotation);
    }
    const std::size_t shown = of_level.size() > most_of_a_level ? most_of_a_level - 1 : of_level.size();
    for (std::size_t i = 0; i < shown; ++i) out += command(*of_level[i]);
    if (of_level.size() > shown) {
      out += fmt::format("::{} title=offshoot::and {} more\n", command_of(level), of_level.size() - shown);
    }
  }
  return out;
}

}  // namespace offshoot::github
