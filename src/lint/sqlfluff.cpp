// SPDX-License-Identifier: Apache-2.0
#include "lint/sqlfluff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <tuple>
#include <utility>

#include "io/clock.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "lint/project_settings.hpp"
#include "lint/sqlfluff_output.hpp"

namespace offshoot::lint {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr const char* linting = "linting the changed SQL";
constexpr const char* by_hand = "run `sqlfluff lint` on the changed files by hand to see all of its output";

/// Bytes of file names that one sqlfluff is given; the system takes about 2 MiB with the environment.
constexpr std::size_t longest_file_list = 256U << 10;

/// sqlfluff passes over files of more than 20,000 bytes by default, so what is larger than this need not be read.
constexpr std::uintmax_t largest_sql_file = 16U << 20;

Failed failure(ExitStatus status, std::string why, std::string hint) {
  return Failed{status, linting, std::move(why), std::move(hint), {}};
}

/// One file as sqlfluff gets it.
struct Target {
  const ChangedFile* file = nullptr;
  std::string name;  ///< the path that sqlfluff gets, relative to where it starts, without "./"
  bool empty = false;
};

/// What sqlfluff is started with, and on what.
struct Job {
  io::Command command;  ///< all but the files
  std::vector<Target> targets{};
  fs::path output;  ///< where sqlfluff writes its findings
};

bool is_sql(const ChangedFile& file) {
  return file.path.ends_with(".sql") && file.kind == EntryKind::file && file.status != FileStatus::deleted &&
         file.status != FileStatus::mode_changed;
}

/// The changed SQL files of the project. `project` is its folder relative to the repository, "." for the root.
std::vector<const ChangedFile*> sql_files(const LintRequest& request, const std::string& project) {
  std::vector<const ChangedFile*> files;
  for (const auto& file : request.files) {
    if (is_sql(file) && (project == "." || file.path.starts_with(project + "/"))) files.push_back(&file);
  }
  return files;
}

/// `value` as TOML. A JSON string is a TOML string; null, which TOML does not have, is left out of its object.
std::string as_toml(const nlohmann::json& value) {
  std::string out;
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      if (member.is_null()) continue;
      out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", io::to_line(nlohmann::json(key)), as_toml(member));
    }
    return fmt::format("{{{}}}", out);
  }
  if (value.is_array()) {
    for (const auto& member : value) {
      if (!member.is_null()) out += fmt::format("{}{}", out.empty() ? "" : ", ", as_toml(member));
    }
    return fmt::format("[{}]", out);
  }
  return io::to_line(value);
}

/// Settings that stand above the project's own, for its dbt templater. Given as TOML because sqlfluff takes "1" and
/// "true" in INI for numbers and truths; TOML it reads only from a file of this name.
Result<fs::path> write_settings(const nlohmann::json& sqlfluff, const fs::path& folder) {
  auto path = folder / "pyproject.toml";
  const auto text = fmt::format("[tool]\nsqlfluff = {}\n", as_toml(sqlfluff));
  if (auto written = io::write_file(path, text, 0600); !written) return tl::unexpected(written.error());
  return path;
}

/// The templater reads `project_dir`, `profiles_dir`, `target` and `target_path` from its settings first and from
/// DBT_… variables only then; so ours stand in settings that win over the project's. It connects to the warehouse and
/// caches the relations of every schema before it renders anything, and stays connected (sqlfluff-templater-dbt 4.4).
nlohmann::json dbt_templater(const LintRequest& request, const nlohmann::json& vars, const fs::path& target_path) {
  nlohmann::json settings{{"project_dir", request.project_dir.string()}, {"target_path", target_path.string()}};
  if (!request.profiles_dir.empty()) settings["profiles_dir"] = request.profiles_dir.string();
  if (request.target) settings["target"] = *request.target;
  if (vars.is_object() && !vars.empty()) settings["context"] = vars;
  return {{"templater", {{"dbt", std::move(settings)}}}};
}

io::Environment quiet(io::Environment environment) {
  environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false";
  environment["DO_NOT_TRACK"] = "1";
  environment["PYTHONUTF8"] = "1";
  return environment;
}

std::vector<std::string> common_arguments(const LintRequest& request, const fs::path& settings,
                                          const fs::path& output) {
  return {request.sqlfluff.string(),
          "lint",
          "--format",
          "json",
          "--nofail",
          "--nocolor",
          "--disable-progress-bar",
          "--config=" + settings.string(),
          "--write-output=" + output.string()};
}

/// sqlfluff on the files where they stand, with the project's own settings.
Result<Job> trusted_job(const LintRequest& request, const std::vector<const ChangedFile*>& files,
                        const fs::path& scratch) {
  const auto vars = io::parse_json(request.vars, "reading dbt's variables");
  if (!vars) return tl::unexpected(vars.error());
  const auto settings = write_settings(dbt_templater(request, *vars, scratch / "target"), scratch);
  if (!settings) return tl::unexpected(settings.error());
  const auto start = starting_folder(request.project_dir, request.repository_root);
  const auto output = scratch / "findings.json";
  Job job{{common_arguments(request, *settings, output), quiet(request.environment), start}, {}, output};
  for (const auto* file : files) {
    const auto path = request.repository_root / file->path;
    std::error_code error;
    const auto size = fs::file_size(path, error);
    job.targets.push_back({file, path.lexically_relative(start).string(), !error && size == 0});
  }
  return job;
}

/// The settings for files that may not bring their own. The rules are those that look at words and blanks alone: what
/// stands in Jinja is not rendered, and would be taken for SQL that cannot be parsed by every other rule.
nlohmann::json untrusted_settings(const LintRequest& request) {
  return {{"core",
           {{"dialect", dialect_of(request.adapter)},
            {"templater", "raw"},
            {"encoding", "utf-8"},
            {"rules", "CP01,LT01,LT12,LT13"},
            {"ignore", "lexing,parsing,templating"}}}};
}

Failed refusal(const ChangedFile& file) {
  auto refused =
      failure(ExitStatus::refused, fmt::format("'{}' changes sqlfluff's settings in a comment", file.path),
              "such a comment can run code of the pull request; remove it, or lint a branch of the repository itself");
  refused.place = Place{file.path, 0, 0};
  return refused;
}

/// sqlfluff on copies in a folder of ours, where no settings file of the head lies on its way.
Result<Job> untrusted_job(const LintRequest& request, const std::vector<const ChangedFile*>& files,
                          const fs::path& scratch) {
  const auto settings = write_settings(untrusted_settings(request), scratch);
  if (!settings) return tl::unexpected(settings.error());
  const auto output = scratch / "findings.json";
  Job job{{common_arguments(request, *settings, output), quiet(request.environment), scratch / "sql"}, {}, output};
  job.command.environment["HOME"] = (scratch / "home").string();
  job.command.argv.insert(job.command.argv.end(),
                          {"--ignore-local-config", "--disregard-sqlfluffignores", "--templater=raw"});
  for (const auto* file : files) {
    const auto sql = io::read_file(request.repository_root / file->path, largest_sql_file);
    if (!sql) return tl::unexpected(sql.error());
    if (gives_sqlfluff_orders(*sql)) return tl::unexpected(refusal(*file));
    const auto name = fmt::format("{}.sql", job.targets.size());
    if (auto written = io::write_file(scratch / "sql" / name, *sql, 0600); !written) {
      return tl::unexpected(written.error());
    }
    job.targets.push_back({file, name, sql->empty()});
  }
  return job;
}

/// Why sqlfluff did not finish; nothing when it did.
std::optional<Failed> broken(const io::Output& ran, milliseconds limit) {
  if (ran.exit.cancelled) return failure(ExitStatus::interrupted, "it was stopped", "");
  if (ran.exit.timed_out) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
    return failure(ExitStatus::could_not_run, fmt::format("sqlfluff took longer than {} s", seconds), by_hand);
  }
  const auto words = why_broken(ran.err.empty() ? ran.out : ran.err);
  if (ran.exit.signal != 0) {
    return failure(ExitStatus::could_not_run,
                   fmt::format("sqlfluff was ended by signal {}: {}", ran.exit.signal, words), by_hand);
  }
  if (ran.exit.status != 0) {
    const bool no_dialect = words.find("No dialect was specified") != std::string::npos;
    return failure(ExitStatus::could_not_run, fmt::format("sqlfluff broke with status {}: {}", ran.exit.status, words),
                   no_dialect ? "set `dialect` under [sqlfluff] in the project's .sqlfluff" : by_hand);
  }
  return std::nullopt;
}

/// A templater that cannot connect stops sqlfluff half way, with a finding and status 0.
std::optional<Failed> halted(const io::Output& ran, const std::vector<FileRecord>& records) {
  if (ran.err.find("Fatal linting error") == std::string::npos) return std::nullopt;
  std::string why = "sqlfluff stopped half way";
  for (const auto& record : records) {
    for (const auto& finding : record.findings) {
      if (finding.rule == "TMP") why = finding.message.substr(0, finding.message.find('\n'));
    }
  }
  return failure(ExitStatus::could_not_run, std::move(why),
                 "sqlfluff's dbt templater opens the warehouse: check its profile");
}

bool is_changed_line(const ChangedFile& file, int line) {
  return std::ranges::any_of(file.lines, [line](LineRange r) { return r.first <= line && line <= r.last; });
}

/// The tag of dbt's ({% snapshot %}) for which the jinja templater gives up a file whole; empty where it does not.
std::string unknown_tag(const FileRecord& record) {
  constexpr std::string_view before = "unknown tag '";
  for (const auto& finding : record.findings) {
    const auto at = finding.message.find(before);
    if (finding.rule != "TMP" || at == std::string::npos) continue;
    const std::string rest = finding.message.substr(at + before.size());
    return rest.substr(0, rest.find('\''));
  }
  return {};
}

/// Puts what sqlfluff says of some files into `lint`.
void collect(const LintRequest& request, std::span<const Target> targets, std::vector<FileRecord> records,
             std::string_view standard_error, Lint& lint) {
  std::map<std::string, FileRecord, std::less<>> by_name;
  for (auto& record : records) by_name.insert_or_assign(record.path, std::move(record));
  const bool whole_files = request.settings.sql == "changed-files";
  const bool untrusted = request.trust == Trust::untrusted;
  for (const auto& target : targets) {
    const auto& path = target.file->path;
    const auto found = by_name.find(target.name);
    if (const auto tag = found == by_name.end() ? "" : unknown_tag(found->second); !tag.empty()) {
      lint.unlinted.push_back({path, fmt::format("sqlfluff's jinja templater does not know {{% {} %}}; its dbt "
                                                 "templater does",
                                                 tag)});
      continue;
    }
    const bool read = found != by_name.end() && (found->second.read || target.empty);
    if (read) {
      lint.files.push_back(path);
    } else {
      // What .sqlfluffignore names is passed over on purpose: there is nothing to tell.
      if (auto why = why_unlinted(standard_error, target.name);
          why.find("ignored by an ignore pattern") == std::string::npos) {
        lint.unlinted.push_back({path, std::move(why)});
      }
    }
    if (found == by_name.end()) continue;
    for (auto& finding : found->second.findings) {
      finding.path = path;
      const bool whole_file = whole_files || finding.column == 0;
      finding.on_changed_line = whole_file || is_changed_line(*target.file, finding.line);
      finding.line = std::max(finding.line, 1);
      finding.column = std::max(finding.column, 1);
      finding.warning = finding.warning || untrusted;
      lint.findings.push_back(std::move(finding));
    }
  }
}

/// How many of `targets` fit into one command; at least one.
std::size_t one_command(std::span<const Target> targets) {
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < targets.size() && (count == 0 || bytes + targets[count].name.size() < longest_file_list)) {
    bytes += targets[count++].name.size() + sizeof(char*) + 3;
  }
  return count;
}

/// One sqlfluff on some of the job's files.
std::optional<Failed> lint_some(const LintRequest& request, const Job& job, std::span<const Target> targets,
                                const io::RunOptions& options, Lint& lint) {
  auto command = job.command;
  command.argv.emplace_back("--");
  for (const auto& target : targets) command.argv.push_back("./" + target.name);
  std::error_code ignored;
  fs::remove(job.output, ignored);
  const auto ran = io::run(command, options);
  if (!ran) return ran.error();
  if (auto why = broken(*ran, request.limit)) return why;
  const auto text = io::read_file(job.output);
  if (!text) return failure(ExitStatus::could_not_run, "sqlfluff ended well and wrote no findings", by_hand);
  auto records = read_records(*text);
  if (!records) return records.error();
  if (auto why = halted(*ran, *records)) return why;
  collect(request, targets, std::move(*records), ran->err, lint);
  return std::nullopt;
}

Outcome<Lint> run_job(const LintRequest& request, const Job& job) {
  Lint lint;
  const io::Stopwatch watch;
  for (std::span<const Target> rest(job.targets); !rest.empty();) {
    const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(watch.seconds()));
    io::RunOptions options;
    options.limit = std::max(request.limit - spent, milliseconds(1));
    options.stop = request.stop;
    const auto count = one_command(rest);
    if (auto why = lint_some(request, job, rest.first(count), options, lint)) return *std::move(why);
    rest = rest.subspan(count);
  }
  std::ranges::sort(lint.findings, {}, [](const LintFinding& f) { return std::tie(f.path, f.line, f.column, f.rule); });
  std::ranges::sort(lint.files);
  std::ranges::sort(lint.unlinted, {}, &Unlinted::path);
  return lint;
}

/// "sqlfluff 4.4.0", from the "sqlfluff, version 4.4.0" that it prints.
Result<std::string> tool_name(const LintRequest& request) {
  io::RunOptions options;
  options.limit = std::min(request.limit, milliseconds(std::chrono::minutes(1)));
  options.stop = request.stop;
  const auto ran = io::run({{request.sqlfluff.string(), "--version"}, quiet(request.environment), {}}, options);
  if (!ran) return tl::unexpected(ran.error());
  if (auto why = broken(*ran, options.limit)) return tl::unexpected(*std::move(why));
  const auto line = ran->out.substr(0, ran->out.find_first_of("\r\n"));
  return "sqlfluff " + line.substr(line.find_last_of(' ') + 1);
}

bool is_installed(const LintRequest& request) {
  return io::find_program(request.sqlfluff.string(), request.environment).has_value();
}

/// Files that sqlfluff cannot be given because they are not there; they leave `files`.
std::vector<Unlinted> take_absent(const LintRequest& request, std::vector<const ChangedFile*>& files) {
  std::vector<Unlinted> absent;
  std::erase_if(files, [&](const ChangedFile* file) {
    std::error_code error;
    if (fs::symlink_status(request.repository_root / file->path, error).type() == fs::file_type::regular) return false;
    absent.push_back({file->path, "it is not in the work tree"});
    return true;
  });
  return absent;
}

}  // namespace

Outcome<Lint> lint_sql(const LintRequest& request) {
  if (request.settings.sql == "off") return Skipped{"lint.sql is off"};
  const auto project = request.project_dir.lexically_normal().lexically_relative(request.repository_root).string();
  auto files = sql_files(request, project);
  if (files.empty()) return Skipped{"no SQL file changed"};
  if (!is_installed(request)) {
    return failure(ExitStatus::could_not_run, fmt::format("there is no '{}'", request.sqlfluff.string()),
                   "install it beside dbt: pip install sqlfluff sqlfluff-templater-dbt; or set lint.sql: off");
  }
  const auto scratch = io::TemporaryFolder::make("lint");
  if (!scratch) return scratch.error();
  auto absent = take_absent(request, files);
  const auto job = request.trust == Trust::untrusted ? untrusted_job(request, files, scratch->path())
                                                     : trusted_job(request, files, scratch->path());
  if (!job) return job.error();
  auto tool = tool_name(request);
  if (!tool) return tool.error();
  auto outcome = run_job(request, *job);
  if (auto* lint = outcome.finished()) {
    lint->tool = *std::move(tool);
    lint->unlinted.insert(lint->unlinted.end(), absent.begin(), absent.end());
    std::ranges::sort(lint->unlinted, {}, &Unlinted::path);
  }
  return outcome;
}

}  // namespace offshoot::lint
