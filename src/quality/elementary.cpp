// SPDX-License-Identifier: Apache-2.0
#include "quality/elementary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include "io/clock.hpp"
#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::quality {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr const char* doing = "making Elementary's report";
constexpr std::size_t longest_reason = 500;
constexpr std::uintmax_t largest_package_file = 1U << 20;
constexpr std::uintmax_t largest_page = 256U << 20;

Failed failure(std::string why, std::string hint) {
  return Failed{ExitStatus::could_not_run, doing, std::move(why), std::move(hint), {}};
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blank = " \t\r";
  const auto first = line.find_first_not_of(blank);
  return first == std::string_view::npos ? std::string_view()
                                         : line.substr(first, line.find_last_not_of(blank) - first + 1);
}

/// Takes the first line off `text`, without blanks around it.
std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// edr reads its settings from `.edr` in the home folder before it looks at its arguments, and without them asks a
/// registry for its newest version and reports home. So it gets a home folder with settings of ours in which everything
/// else of the true one stands as a link: a warehouse's login may lie there.
Result<void> make_home(const fs::path& home, const io::Environment& environment) {
  constexpr std::string_view settings =
      "anonymous_usage_tracking: false\n"
      "disable_elementary_version_check: true\n"
      "disable_elementary_logo_print: true\n"
      "run_dbt_deps_if_needed: false\n";
  if (auto written = io::write_file(home / ".edr" / "config.yml", settings); !written) return written;
  const auto true_home = environment.find("HOME");
  if (true_home == environment.end()) return {};
  std::error_code error;
  for (fs::directory_iterator entry(true_home->second, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;  // what cannot be linked is as if it were not there
    if (entry->path().filename() != ".edr") fs::create_symlink(entry->path(), home / entry->path().filename(), ignored);
  }
  return {};
}

/// The folder for edr's own dbt project, which loads every package that stands in it: the two that it asks for. It is
/// found through a variable that edr's dbt_project.yml reads, so nothing is written where edr is installed. The
/// versions need not be those of edr's packages.yml, because edr's own check of them is switched off with `dbt deps`.
Result<void> link_packages(const fs::path& from, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  for (const char* name : {"elementary", "dbt_utils"}) {
    if (!fs::is_regular_file(from / name / "dbt_project.yml", error)) {
      return tl::unexpected(failure(fmt::format("the dbt package '{}' is not in '{}'", name, from.string()),
                                    "run `dbt deps` in the project; edr needs its packages elementary and dbt_utils"));
    }
    fs::create_directory_symlink(fs::absolute(from / name, error), folder / name, error);
    if (error) return tl::unexpected(failure(fmt::format("linking '{}': {}", name, error.message()), ""));
  }
  return {};
}

io::Environment edr_environment(const ElementaryRequest& request, const fs::path& scratch) {
  io::Environment environment = request.environment;
  environment["HOME"] = (scratch / "home").string();
  environment["DBT_PACKAGES_FOLDER"] = (scratch / "packages").string();
  environment["DBT_TARGET_PATH"] = (scratch / "dbt").string();
  environment["EDR_INTERNAL_TARGET_PATH"] = (scratch / "dbt").string();
  environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false";
  environment["DO_NOT_TRACK"] = "1";
  environment["PYTHONUTF8"] = "1";
  environment.erase("DBT_PROFILE");  // it would win over the profile `elementary`
  return environment;
}

/// edr finds its log file only by a `--target-path` that stands apart from its value.
io::Command edr_command(const ElementaryRequest& request, const fs::path& scratch, const fs::path& page) {
  io::Command command;
  command.argv = {request.edr.string(),
                  "report",
                  "--profiles-dir=" + request.profiles_dir.string(),
                  "--profile-target=" + request.target,
                  "--target-path",
                  (scratch / "edr").string(),
                  "--file-path=" + page.string(),
                  "--open-browser=false"};
  command.environment = edr_environment(request, scratch);
  command.folder = scratch;
  return command;
}

/// The first error that edr's dbt logged, on one line; empty when it logged none.
std::string dbt_error(std::string_view output) {
  while (!output.empty()) {
    const auto line = next_line(output);
    if (!line.starts_with('{')) continue;
    const auto event = io::parse_json(line, doing);
    if (!event || !event->is_object() || !event->contains("data")) continue;
    const auto& data = (*event)["data"];
    if (!data.is_object() || !data.contains("exc") || !data["exc"].is_string()) continue;
    std::string words;
    std::string_view text = data["exc"].get_ref<const std::string&>();
    while (!text.empty()) {
      const auto part = next_line(text);
      if (!part.empty()) words += fmt::format("{}{}", words.empty() ? "" : " ", part);
    }
    return words.substr(0, longest_reason);
  }
  return {};
}

std::string last_line(std::string_view output) {
  std::string_view last;
  while (!output.empty()) {
    const auto line = next_line(output);
    if (!line.empty()) last = line;
  }
  return std::string(last.substr(0, longest_reason));
}

std::string hint_for(std::string_view why) {
  const auto says = [why](std::string_view words) { return why.find(words) != std::string_view::npos; };
  if (says("Could not set lock")) return "another process holds the branch's DuckDB file";
  if (says("does not exist")) return "Elementary's own models must be built in the branch: dbt run --select elementary";
  if (says("package(s)")) return "run `dbt deps` in the project; edr needs its packages elementary and dbt_utils";
  return "try `edr report` by hand with the same profile; set elementary: off to do without";
}

/// Why edr did not finish well; nothing when it did.
std::optional<Failed> broken(const io::Output& ran, milliseconds limit) {
  if (ran.exit.cancelled) return Failed{ExitStatus::interrupted, doing, "it was stopped", "", {}};
  if (ran.exit.timed_out) {
    return failure(fmt::format("edr took longer than {} s", std::chrono::duration<double>(limit).count()),
                   "edr starts dbt some twelve times; give it more time, or set elementary: off");
  }
  if (ran.exit.ok()) return std::nullopt;
  auto why = dbt_error(ran.out);
  if (why.empty()) why = last_line(ran.err.empty() ? ran.out : ran.err);
  if (ran.exit.signal != 0)
    return failure(fmt::format("edr was ended by signal {}: {}", ran.exit.signal, why), hint_for(why));
  return failure(fmt::format("edr ended with status {}: {}", ran.exit.status, why), hint_for(why));
}

/// "elementary 0.26.1", from the "Running with edr=0.26.1" that edr begins its log with.
std::string tool_name(std::string_view output) {
  constexpr std::string_view mark = "Running with edr=";
  const auto at = output.find(mark);
  if (at == std::string_view::npos) return "elementary";
  const auto version = output.substr(at + mark.size());
  return fmt::format("elementary {}",
                     version.substr(0, version.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz.+-")));
}

/// True when `file` names Elementary's package, by its name on the hub or its git address, outside a comment.
bool names_elementary(const fs::path& file) {
  const auto text = io::read_file(file, largest_package_file);
  if (!text) return false;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto line = next_line(rest);
    const auto code = line.substr(0, line.find('#'));
    if (code.find("elementary-data/") != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

Outcome<Quality> elementary_report(const ElementaryRequest& request) {
  if (!io::find_program(request.edr.string(), request.environment)) {
    return failure(fmt::format("there is no '{}'", request.edr.string()),
                   "install it beside dbt: pip install elementary-data; or set elementary: off");
  }
  const auto scratch = io::TemporaryFolder::make("elementary");
  if (!scratch) return scratch.error();
  if (auto made = make_home(scratch->path() / "home", request.environment); !made) return made.error();
  const auto packages = request.packages.value_or(request.project_dir / "dbt_packages");
  if (auto linked = link_packages(packages, scratch->path() / "packages"); !linked) return linked.error();

  const auto page = scratch->path() / page_name;
  io::RunOptions options;
  options.limit = request.limit;
  options.stop = request.stop;
  const io::Stopwatch watch;
  const auto ran = io::run(edr_command(request, scratch->path(), page), options);
  if (!ran) return ran.error();
  // edr writes an empty page when it fails, and its status tells.
  if (auto why = broken(*ran, request.limit)) return *std::move(why);

  const auto html = io::read_file(page, largest_page);
  if (!html || html->empty()) return failure("edr ended well and wrote no page", hint_for(""));
  if (auto kept = io::write_file(request.output_folder / page_name, *html); !kept) return kept.error();
  return Quality{page_name, tool_name(ran->out), watch.seconds()};
}

bool has_elementary(const fs::path& project_dir) {
  std::error_code error;
  if (fs::is_regular_file(project_dir / "dbt_packages" / "elementary" / "dbt_project.yml", error)) return true;
  return std::ranges::any_of(std::initializer_list<const char*>{"package-lock.yml", "packages.yml", "dependencies.yml"},
                             [&](const char* name) { return names_elementary(project_dir / name); });
}

}  // namespace offshoot::quality
