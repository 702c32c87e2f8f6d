// SPDX-License-Identifier: Apache-2.0
#include "app/init.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>

#include "app/inputs.hpp"
#include "embedded/template_settings.hpp"
#include "embedded/template_workflow.hpp"
#include "embedded/template_workflow_comments.hpp"
#include "io/files.hpp"
#include "io/yaml.hpp"

namespace offshoot::app {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t largest_file = 1U << 20;

// --- the file system

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::string joined(const std::string& folder, std::string_view name) {
  return folder == "." ? std::string(name) : fmt::format("{}/{}", folder, name);
}

/// Folders that hold other people's projects, or none.
bool is_worth_a_look(const std::string& name) {
  constexpr std::array<std::string_view, 6> skipped{"dbt_packages", "dbt_modules", "node_modules",
                                                    "target",       "venv",        "site-packages"};
  return !name.starts_with('.') && std::ranges::find(skipped, name) == skipped.end();
}

/// Folders below `folder` that hold a dbt_project.yml. A project inside another one is its package, and not looked for.
void find_projects(const fs::path& root, const std::string& folder, int depth, std::vector<std::string>& found) {
  constexpr int deepest = 5;
  if (is_file(root / folder / "dbt_project.yml")) {
    found.push_back(folder);
    return;
  }
  if (depth == deepest) return;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(root / folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    if (entry->is_symlink(gone) || !entry->is_directory(gone)) continue;
    if (std::string name = entry->path().filename().string(); is_worth_a_look(name)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  for (const auto& name : names) find_projects(root, joined(folder, name), depth + 1, found);
}

/// May this path stand in a workflow, between double quotes? No quotes, no `${{`, nothing a shell or YAML reads.
bool is_safe_path(std::string_view path) {
  return !path.empty() && path.front() != '-' && path.front() != '/' &&
         path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/ +-") ==
             std::string_view::npos;
}

bool is_safe_ref(std::string_view ref) {
  return is_safe_path(ref) && ref.find_first_of(" +") == std::string_view::npos;
}

bool is_safe_word(std::string_view word) {
  return word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
         std::string_view::npos;
}

bool is_arn(std::string_view text) {
  return text.starts_with("arn:aws") && text.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789:/_+=,.@-") == std::string_view::npos;
}

bool is_sha(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string ref_in(const fs::path& file) {
  constexpr std::string_view symbolic = "ref: refs/";
  const auto text = io::read_file(file, 4096);
  if (!text || !text->starts_with(symbolic)) return {};
  const auto ref = std::string_view(*text).substr(symbolic.size());
  return std::string(ref.substr(0, ref.find_first_of("\r\n")));
}

/// As a clone remembers it; else the branch that is checked out, if it has one of the usual names; else main.
std::string default_branch_of(const fs::path& root) {
  constexpr std::string_view remote = "remotes/origin/";
  if (const auto ref = ref_in(root / ".git/refs/remotes/origin/HEAD"); ref.starts_with(remote)) {
    return ref.substr(remote.size());
  }
  const auto head = ref_in(root / ".git/HEAD");
  return head == "heads/master" || head == "heads/trunk" ? head.substr(6) : "main";
}

// --- dbt's files

/// The value of `key` in a mapping, `<<` included; a null node where there is none.
YAML::Node child(const YAML::Node& node, std::string_view key) {
  if (!node.IsMap()) return {};
  for (const auto& entry : node) {
    if (entry.first.Scalar() == key) return entry.second;
  }
  return key == "<<" ? YAML::Node() : child(child(node, "<<"), key);
}

std::string scalar(const YAML::Node& node) { return node.IsScalar() ? node.Scalar() : std::string(); }

/// The first file of `names` in `folders`; empty = none is there.
std::string first_file(const fs::path& root, const std::vector<std::string>& folders,
                       std::initializer_list<std::string_view> names) {
  for (const auto& folder : folders) {
    for (const auto name : names) {
      if (const auto path = joined(folder, name); is_file(root / path)) return path;
    }
  }
  return {};
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

bool skip(std::string_view& text, char c) {
  skip_blanks(text);
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// Adds each NAME of `env_var('NAME')` and `env_var('NAME', default)` to `required`.
void collect_variables(std::string_view text, std::map<std::string, bool>& required) {
  constexpr std::string_view call = "env_var";
  for (std::size_t at = 0; (at = text.find(call, at)) != std::string_view::npos;) {
    at += call.size();
    auto rest = text.substr(at);
    if (!skip(rest, '(')) continue;
    skip_blanks(rest);
    if (!rest.starts_with('\'') && !rest.starts_with('"')) continue;
    const auto end = rest.find(rest.front(), 1);
    if (end == std::string_view::npos) continue;
    const auto name = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    const bool has_default = skip(rest, ',');
    if (is_passable_name(name)) required[std::string(name)] |= !has_default;
  }
}

bool is_production(std::string_view target) { return target == "prod" || target == "production"; }

/// Fills in what the profile says. A profile that cannot be read leaves the request as it is: dbt will say why.
void read_profile(const std::string& text, const std::string& file, const std::string& profile, InitRequest& request) {
  const auto root = io::parse_yaml(text, file);
  if (!root) return;
  const auto outputs = child(child(*root, profile), "outputs");
  if (!outputs.IsMap()) return;
  const auto target = scalar(child(child(*root, profile), "target"));
  if (is_safe_word(target)) request.default_target = target.empty() ? "default" : target;
  request.has_production = child(outputs, "prod").IsMap() || child(outputs, "production").IsMap();
  if (is_production(request.default_target)) {
    for (const auto* name : {"ci", "dev", "development", "test", "staging"}) {
      if (request.target.empty() && child(outputs, name).IsMap()) request.target = name;
    }
  }
  auto output = child(outputs, request.target.empty() ? request.default_target : request.target);
  if (!output.IsMap()) output = outputs.begin()->second;
  if (const auto adapter = scalar(child(output, "type")); is_safe_word(adapter)) request.adapter = adapter;
}

void find_requirements(const fs::path& root, InitRequest& request) {
  const auto names = {"requirements.txt", "requirements-dbt.txt", "dbt-requirements.txt", "requirements/dbt.txt",
                      "requirements-dev.txt"};
  for (const auto& folder : {request.project_dir, std::string(".")}) {
    for (const auto* name : names) {
      const auto path = joined(folder, name);
      const auto text = io::read_file(root / path, largest_file);
      if (!text || text->find("dbt-") == std::string::npos) continue;
      request.requirements = path;
      request.new_requirements = false;
      request.has_sqlfluff = text->find("sqlfluff") != std::string::npos;
      return;
    }
  }
  const auto usual = joined(request.project_dir, "requirements.txt");
  request.requirements = is_file(root / usual) ? joined(request.project_dir, "dbt-requirements.txt") : usual;
}

// --- writing

using Values = std::map<std::string_view, std::string>;

/// A template's line with its @{name} replaced. A line of nothing but @{name} becomes the lines of its value, each as
/// far indented; of an empty value, no line at all.
void fill_line(std::string_view line, const Values& values, std::string& result) {
  const auto indent = std::min(line.find_first_not_of(' '), line.size());
  const bool alone = line.substr(indent).starts_with("@{") && line.find('}') == line.size() - 1;
  std::string filled;
  for (auto begin = line.find("@{"); begin != std::string_view::npos; begin = line.find("@{")) {
    const auto end = line.find('}', begin);
    filled += line.substr(0, begin);
    filled += values.at(line.substr(begin + 2, end - begin - 2));
    line.remove_prefix(end + 1);
  }
  filled += line;
  if (alone && filled.size() == indent) return;
  for (const char c : filled) {
    result += c;
    if (c == '\n') result.append(indent, ' ');
  }
  result += '\n';
}

std::string fill(std::string_view text, const Values& values) {
  std::string result;
  while (!text.empty()) {
    const auto end = text.find('\n');
    fill_line(text.substr(0, end), values, result);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

std::string lines(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, "\n")); }

/// Is this variable shown in GitHub's settings, or kept secret? When in doubt, a secret.
bool is_secret(std::string_view name) {
  constexpr std::array<std::string_view, 20> harmless{
      "HOST", "PORT",    "USER",    "USERNAME", "DBNAME",   "DATABASE", "SCHEMA", "ROLE",    "WAREHOUSE", "ACCOUNT",
      "PATH", "PROJECT", "DATASET", "REGION",   "LOCATION", "CATALOG",  "TARGET", "THREADS", "METHOD",    "ENV"};
  return name.starts_with("DBT_ENV_SECRET_") || std::ranges::none_of(harmless, [&](std::string_view word) {
           return name == word || (name.ends_with(word) && name[name.size() - word.size() - 1] == '_');
         });
}

std::string variable_line(const std::string& name) {
  return fmt::format("{0}: ${{{{ {1}.{0} }}}}", name, is_secret(name) ? "secrets" : "vars");
}

/// The `env:` of the step that runs offshoot. An unset secret would arrive as empty text and hide a default, so what
/// has one stays a comment.
std::string env_lines(const InitRequest& request) {
  std::vector<std::string> required;
  std::vector<std::string> optional;
  for (const auto& [name, is_required] : request.variables) {
    if (is_required) {
      required.push_back("  " + variable_line(name));
    } else {
      optional.push_back("#  " + variable_line(name));
    }
  }
  std::vector<std::string> block;
  if (!required.empty()) block = {"env: # what the dbt project reads through env_var()"};
  block.insert(block.end(), required.begin(), required.end());
  if (!optional.empty()) {
    block.emplace_back(required.empty() ? "# env: # read by the dbt project with a default; uncomment what you set"
                                        : "#  Read by the dbt project with a default; uncomment what you set:");
  }
  block.insert(block.end(), optional.begin(), optional.end());
  return lines(block);
}

/// The step that logs in to AWS by OIDC (requirement C5); no key of AWS is kept anywhere.
std::string aws_lines(const InitRequest& request) {
  if (request.aws_role.empty()) return {};
  return lines({"- name: Log in to AWS",
                "  uses: aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3",
                "  with:", fmt::format("    role-to-assume: {}", request.aws_role),
                fmt::format("    aws-region: {}", request.aws_region), "    role-duration-seconds: 3600"});
}

bool needs_secrets(const InitRequest& request) {
  return std::ranges::any_of(request.variables, [](const ReadName& v) { return v.required && is_secret(v.name); });
}

std::string setting_lines(const InitRequest& request) {
  std::vector<std::string> settings;
  std::vector<std::string> dbt;
  if (request.project_dir != ".") dbt.push_back(fmt::format("  project: \"{}\"", request.project_dir));
  if (!request.profiles_dir.empty() && request.profiles_dir != request.project_dir) {
    dbt.push_back(fmt::format("  profiles: \"{}\"", request.profiles_dir));
  }
  if (!request.target.empty()) {
    dbt.push_back(fmt::format("  target: {} # the profile's own default, {}, is production's", request.target,
                              request.default_target));
  }
  if (!dbt.empty()) {
    settings.insert(settings.end(), {"", "dbt:"});
    settings.insert(settings.end(), dbt.begin(), dbt.end());
  }
  Settings probe;
  if (find_setting("branch.prefix")->write(probe, request.project_name)) {
    settings.insert(
        settings.end(),
        {"", "branch:", fmt::format("  prefix: {0} # pull request 7 lives in {0}_pr_7", request.project_name)});
  }
  if (!request.has_sqlfluff) {
    settings.insert(settings.end(),
                    {"", "lint:", fmt::format("  sql: off # sqlfluff does not stand in {}", request.requirements)});
  }
  return lines(settings);
}

std::string requirement_lines(const InitRequest& request) {
  return lines(
      {"# The dbt environment that offshoot's workflow installs: pin here what production runs.", "dbt-core<2",
       request.adapter.empty() ? "# dbt-postgres, or whichever adapter your warehouse needs" : "dbt-" + request.adapter,
       "sqlfluff", "sqlfluff-templater-dbt", ""});
}

std::optional<Failed> check(const InitRequest& request) {
  const std::string doing = "writing a workflow";
  for (const auto& path : {request.project_dir, request.requirements}) {
    if (!is_safe_path(path)) {
      return Failed{ExitStatus::usage, doing, "the path of the dbt project cannot stand in a workflow as it is",
                    "letters, digits, spaces and ._+-/ can; rename the folder, or write the workflow by hand",
                    Place{path, 0, 0}};
    }
  }
  if (!is_safe_path(request.profiles_dir.empty() ? "." : request.profiles_dir)) {
    return Failed{ExitStatus::usage, doing, "the path of profiles.yml cannot stand in offshoot.yml as it is",
                  "letters, digits, spaces and ._+-/ can", Place{request.profiles_dir, 0, 0}};
  }
  if (!is_safe_ref(request.default_branch)) {
    return Failed{ExitStatus::usage,
                  doing,
                  "the default branch's name cannot stand in a workflow as it is",
                  "letters, digits and ._-/ can; write the workflow by hand",
                  {}};
  }
  if (!request.aws_role.empty() &&
      (!is_arn(request.aws_role) || !is_safe_word(request.aws_region) || request.aws_region.empty())) {
    return Failed{ExitStatus::usage,
                  doing,
                  "the AWS role or region is none",
                  "give --aws-role arn:aws:iam::… and --aws-region",
                  {}};
  }
  for (const auto& word : {request.adapter, request.target, request.default_target}) {
    if (!is_safe_word(word))
      return Failed{ExitStatus::usage, doing, "the profile has an unusual name of a target", "", {}};
  }
  if (request.version.empty() || !is_safe_word(request.version) || !is_sha(request.action_sha)) {
    return Failed{ExitStatus::usage,
                  doing,
                  "the commit of the action is not known",
                  fmt::format("give --action-sha: the commit of the tag v{}, which its release names", request.version),
                  {}};
  }
  return std::nullopt;
}

}  // namespace

Result<InitRequest> look_around(const fs::path& repo_root, const std::string& project) {
  InitRequest request;
  std::vector<std::string> projects;
  find_projects(repo_root, project.empty() ? "." : project, 0, projects);
  if (projects.empty()) {
    return failed(ExitStatus::usage, "looking for the dbt project", "no dbt_project.yml is there",
                  "run it in a repository with a dbt project, or name its folder with --project-dir");
  }
  if (projects.size() > 1) {
    return failed(ExitStatus::usage, "looking for the dbt project",
                  fmt::format("there are {}: {}", projects.size(), fmt::join(projects, ", ")),
                  "name the folder of one with --project-dir");
  }
  request.project_dir = projects.front();
  request.default_branch = default_branch_of(repo_root);
  find_requirements(repo_root, request);

  const auto project_file = joined(request.project_dir, "dbt_project.yml");
  const auto project_text = io::read_file(repo_root / project_file, largest_file);
  if (!project_text) return tl::unexpected(project_text.error());
  const auto project_yaml = io::parse_yaml(*project_text, project_file);
  if (!project_yaml) return tl::unexpected(project_yaml.error());
  request.project_name = scalar(child(*project_yaml, "name"));

  std::map<std::string, bool> variables;
  collect_variables(*project_text, variables);
  if (const auto text = io::read_file(repo_root / request.project_dir / "packages.yml", largest_file)) {
    collect_variables(*text, variables);
  }
  const auto profiles = first_file(repo_root, {request.project_dir, "."},
                                   {"profiles.yml", "profiles/profiles.yml", ".dbt/profiles.yml", "ci/profiles.yml"});
  if (const auto text = io::read_file(repo_root / profiles, largest_file); !profiles.empty() && text) {
    const auto slash = profiles.rfind('/');
    request.profiles_dir = slash == std::string::npos ? "." : profiles.substr(0, slash);
    const auto profile = scalar(child(*project_yaml, "profile"));
    read_profile(*text, profiles, profile.empty() ? request.project_name : profile, request);
    collect_variables(*text, variables);
  }
  for (const auto& [name, required] : variables) request.variables.push_back({name, required});
  return request;
}

Result<std::vector<InitFile>> init_files(const InitRequest& request) {
  if (auto problem = check(request)) return tl::unexpected(std::move(*problem));
  const Values values{{"version", request.version},
                      {"action_sha", request.action_sha},
                      {"default_branch", request.default_branch},
                      {"requirements", request.requirements},
                      {"settings", setting_lines(request)},
                      {"env", env_lines(request)},
                      {"aws", aws_lines(request)},
                      {"oidc_permission", request.aws_role.empty() ? "" : "id-token: write # to log in to AWS by OIDC"},
                      {"branch_environment", needs_secrets(request) ? "environment: offshoot # holds the secrets of "
                                                                      "branches, never production's"
                                                                    : ""}};
  std::vector<InitFile> files{{"offshoot.yml", fill(embedded::template_settings, values)},
                              {".github/workflows/offshoot.yml", fill(embedded::template_workflow, values)}};
  if (request.comments) {
    files.push_back({".github/workflows/offshoot-comments.yml", fill(embedded::template_workflow_comments, values)});
  }
  if (request.new_requirements) files.push_back({request.requirements, requirement_lines(request)});
  return files;
}

std::vector<std::string> next_steps(const InitRequest& request) {
  std::vector<std::string> steps;
  if (request.profiles_dir.empty()) {
    steps.emplace_back(
        "put a profiles.yml beside dbt_project.yml that reads its secrets through env_var(), and run init again");
  } else if (request.adapter.empty()) {
    steps.emplace_back("name your adapter in " + request.requirements + ": the profile does not say which it is");
  }
  if (!request.profiles_dir.empty() && !request.has_production) {
    steps.emplace_back("set dbt.production in offshoot.yml: no output of the profile is named prod or production");
  }
  if (is_production(request.default_target) && request.target.empty()) {
    steps.emplace_back("add an output for branches to the profile: its only default is production's");
  }
  for (const auto& [name, required] : request.variables) {
    if (!required) continue;
    steps.push_back(is_secret(name)
                        ? fmt::format("add the secret {} to GitHub's environments offshoot and production", name)
                        : fmt::format("add the variable {} to GitHub's settings of the repository", name));
  }
  steps.emplace_back("remove the job deploy from the workflow if something else deploys production");
  steps.emplace_back("commit the files and open a pull request");
  return steps;
}

}  // namespace offshoot::app
