// SPDX-License-Identifier: Apache-2.0
#include "dbt/project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "io/files.hpp"
#include "io/nearest.hpp"
#include "io/yaml.hpp"

namespace offshoot::dbt {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t max_bytes = 1U << 20;

/// A YAML file whose values are asked for by key; the first wrong one is kept as the error.
class Values {
 public:
  Values(const YAML::Node& root, std::string file) : root_(root), file_(std::move(file)) {}

  [[nodiscard]] bool has(const char* key) const { return root_.IsMap() && get(key).IsDefined() && !get(key).IsNull(); }
  [[nodiscard]] YAML::Node get(const char* key) const { return std::as_const(root_)[key]; }

  std::string text(const char* key, std::string otherwise = {}) {
    if (!has(key)) return otherwise;
    const auto node = get(key);
    if (node.IsScalar()) return node.Scalar();
    complain(node, fmt::format("'{}' must be text", key));
    return otherwise;
  }

  std::vector<std::string> list(const char* key, std::vector<std::string> otherwise = {}) {
    if (!has(key)) return otherwise;
    const auto node = get(key);
    std::vector<std::string> items;
    bool good = node.IsSequence();
    for (std::size_t i = 0; good && i < node.size(); ++i) {
      good = node[i].IsScalar();
      if (good) items.push_back(node[i].Scalar());
    }
    if (good) return items;
    complain(node, fmt::format("'{}' must be a list of text", key), fmt::format("write {}: [\"...\"]", key));
    return otherwise;
  }

  void complain(const YAML::Node& node, std::string why, std::string hint = {}) {
    if (error_) return;
    const auto mark = node.Mark();
    const bool known = !mark.is_null();
    error_ = Failed{ExitStatus::usage, "reading " + file_, std::move(why), std::move(hint),
                    Place{file_, known ? mark.line + 1 : 0, known ? mark.column + 1 : 0}};
  }

  [[nodiscard]] const YAML::Node& root() const { return root_; }
  [[nodiscard]] const std::optional<Failed>& error() const { return error_; }

 private:
  YAML::Node root_;
  std::string file_;
  std::optional<Failed> error_;
};

Result<Values> read_values(const fs::path& file) {
  const auto text = io::read_file(file, max_bytes);
  if (!text) return tl::unexpected(text.error());
  auto root = io::parse_yaml(*text, file.string());
  if (!root) return tl::unexpected(root.error());
  return Values(*root, file.string());
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::string scalar(const YAML::Node& entry, const char* key) {
  const YAML::Node value = entry[key];
  return value.IsDefined() && value.IsScalar() ? value.Scalar() : std::string();
}

/// A version that names just one: "1.3.0", "v1.2", a sha; not ">=1.0.0".
std::string exact(const std::string& version) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '+' || c == '_' || c == '/';
  };
  return std::ranges::all_of(version, plain) ? version : std::string();
}

Package read_package(const YAML::Node& entry) {
  struct Form {
    const char* key;
    Package::Kind kind;
    const char* version;
  };
  constexpr std::array<Form, 4> forms{{{"local", Package::Kind::local, nullptr},
                                       {"package", Package::Kind::hub, "version"},
                                       {"git", Package::Kind::git, "revision"},
                                       {"tarball", Package::Kind::tarball, nullptr}}};
  Package package;
  if (!entry.IsMap()) return package;
  package.name = scalar(entry, "name");
  for (const auto& form : forms) {
    if (const auto source = scalar(entry, form.key); !source.empty()) {
      package.kind = form.kind;
      package.source = source;
      if (form.version != nullptr) package.version = exact(scalar(entry, form.version));
      return package;
    }
  }
  return package;
}

/// The packages that a file names; none where it is absent.
Result<std::vector<Package>> read_packages(const fs::path& file) {
  std::vector<Package> packages;
  if (!is_file(file)) return packages;
  auto values = read_values(file);
  if (!values) return tl::unexpected(values.error());
  if (!values->has("packages")) return packages;
  const auto list = values->get("packages");
  if (!list.IsSequence()) {
    values->complain(list, "'packages' must be a list", "see dbt's documentation of packages.yml");
    return tl::unexpected(*values->error());
  }
  for (const auto& entry : list) packages.push_back(read_package(entry));
  return packages;
}

Result<void> read_package_files(Project& project) {
  for (const char* name : {"packages.yml", "dependencies.yml"}) {
    auto packages = read_packages(project.folder / name);
    if (!packages) return tl::unexpected(packages.error());
    if (packages->empty()) continue;
    project.packages_file = name;
    project.packages = std::move(*packages);
    break;
  }
  const auto lock = project.folder / "package-lock.yml";
  project.has_lock = is_file(lock);
  auto locked = read_packages(lock);
  if (!locked) return tl::unexpected(locked.error());
  project.locked = std::move(*locked);
  return {};
}

std::optional<bool> read_flag(const Values& values, const char* flag) {
  const auto flags = values.get("flags");
  if (!flags.IsDefined() || !flags.IsMap()) return std::nullopt;
  const YAML::Node value = std::as_const(flags)[flag];
  if (!value.IsDefined() || !value.IsScalar()) return std::nullopt;
  const auto json = io::to_json(value);
  return json.is_boolean() ? std::optional(json.get<bool>()) : std::nullopt;
}

void read_paths(Values& values, Project& project) {
  // As dbt: the older names count where the newer are absent.
  project.model_paths = values.list(values.has("model-paths") ? "model-paths" : "source-paths", {"models"});
  project.seed_paths = values.list(values.has("seed-paths") ? "seed-paths" : "data-paths", {"seeds"});
  project.snapshot_paths = values.list("snapshot-paths", {"snapshots"});
  project.test_paths = values.list("test-paths", {"tests"});
  project.analysis_paths = values.list("analysis-paths", {"analyses"});
  project.macro_paths = values.list("macro-paths", {"macros"});
  project.function_paths = values.list("function-paths", {"functions"});
  project.asset_paths = values.list("asset-paths");

  std::vector<std::string> all;
  for (const auto* paths : {&project.model_paths, &project.seed_paths, &project.snapshot_paths, &project.analysis_paths,
                            &project.macro_paths, &project.test_paths, &project.function_paths}) {
    all.insert(all.end(), paths->begin(), paths->end());
  }
  project.docs_paths = values.list("docs-paths", std::move(all));
  project.target_path = values.text("target-path", "target");
  project.packages_install_path = values.text("packages-install-path", "dbt_packages");
  project.clean_targets = values.list("clean-targets", {project.target_path});
}

Failed no_project(const fs::path& folder) {
  Failed failure{ExitStatus::usage, "looking for the dbt project", "", "", {}};
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    failure.why = fmt::format("there is no folder {}", folder.string());
    failure.hint = "set dbt.project to the folder of dbt_project.yml";
    return failure;
  }
  failure.why = fmt::format("there is no dbt_project.yml in {}", folder.string());
  std::vector<std::string> names;
  for (const auto& path : find_projects(folder)) names.push_back(path.string());
  if (names.empty()) {
    failure.hint = "set dbt.project to the folder of dbt_project.yml";
  } else if (names.size() == 1) {
    failure.hint = fmt::format("there is one in '{0}': set dbt.project: {0}", names.front());
  } else {
    failure.hint = fmt::format("set dbt.project to one of {}", io::quoted_list(names));
  }
  return failure;
}

bool is_worth_a_look(const fs::path& folder) {
  constexpr std::array<std::string_view, 8> skipped{"dbt_packages", "dbt_modules", "node_modules", "target",
                                                    "logs",         "venv",        "__pycache__",  "site-packages"};
  const std::string name = folder.filename().string();
  return !name.starts_with('.') && std::ranges::find(skipped, name) == skipped.end();
}

}  // namespace

std::vector<std::string> Project::local_packages() const {
  std::vector<std::string> folders;
  for (const auto* list : {&packages, &locked}) {
    for (const auto& package : *list) {
      if (package.kind != Package::Kind::local) continue;
      if (std::ranges::find(folders, package.source) == folders.end()) folders.push_back(package.source);
    }
  }
  return folders;
}

std::vector<fs::path> find_projects(const fs::path& folder) {
  constexpr int deepest = 3;
  constexpr int most_folders = 5000;
  std::vector<fs::path> found;
  std::error_code error;
  int seen = 0;
  // Symlinks are not followed: the iterator's default.
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_symlink(ignored) || !it->is_directory(ignored)) continue;
    if (++seen > most_folders) break;
    const bool skip = !is_worth_a_look(it->path());
    if (skip || it.depth() + 1 >= deepest) it.disable_recursion_pending();
    if (!skip && is_file(it->path() / "dbt_project.yml")) found.push_back(it->path().lexically_relative(folder));
  }
  std::ranges::sort(found);
  return found;
}

Result<Project> read_project(const fs::path& folder) {
  const auto file = folder / "dbt_project.yml";
  if (!is_file(file)) return tl::unexpected(no_project(folder));
  auto values = read_values(file);
  if (!values) return tl::unexpected(values.error());
  if (!values->root().IsMap()) {
    values->complain(values->root(), "it holds no settings", "it must at least have name: and profile:");
    return tl::unexpected(*values->error());
  }

  Project project;
  std::error_code error;
  project.folder = fs::absolute(folder, error).lexically_normal();
  project.name = values->text("name");
  project.profile = values->text("profile");
  read_paths(*values, project);
  if (values->has("require-dbt-version") && values->get("require-dbt-version").IsScalar()) {
    project.require_dbt_version = {values->text("require-dbt-version")};
  } else {
    project.require_dbt_version = values->list("require-dbt-version");
  }
  project.compare_more_unrendered_values = read_flag(*values, "state_modified_compare_more_unrendered_values");
  if (project.name.empty()) values->complain(values->root(), "it has no 'name'", "add name: <your project>");
  if (values->error()) return tl::unexpected(*values->error());
  if (auto read = read_package_files(project); !read) return tl::unexpected(read.error());
  return project;
}

}  // namespace offshoot::dbt
