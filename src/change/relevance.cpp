// SPDX-License-Identifier: Apache-2.0
#include "change/relevance.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "change/paths.hpp"

namespace offshoot::change {

namespace {

using Names = std::vector<std::string>;
using NameViews = std::vector<std::string_view>;

/// What dbt does with a file, going by its path.
enum class Role {
  none,    ///< nothing: `because` says why
  sql,     ///< SQL with Jinja
  yaml,    ///< properties and settings
  docs,    ///< Markdown that may hold docs blocks
  opaque,  ///< compared byte for byte
};

struct Part {
  Role role = Role::none;
  std::string because;
};

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string lower_extension(std::string_view path) {
  const std::string_view name = base_name(path);
  const std::size_t dot = name.rfind('.');
  std::string extension(dot == std::string_view::npos ? std::string_view() : name.substr(dot));
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::ranges::find(all, text) != all.end();
}

/// A file's text as dbt takes it.
std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

/// The places of one project in its repository.
class Project {
 public:
  explicit Project(const ProjectLayout& layout) {
    root_ = place(".", layout.project_dir).value_or(".");
    for (const auto* paths : {&layout.model_paths, &layout.macro_paths, &layout.seed_paths, &layout.snapshot_paths,
                              &layout.test_paths, &layout.analysis_paths, &layout.function_paths}) {
      add(source_, *paths);
    }
    docs_ = source_;
    add(docs_, layout.docs_paths);
    add(foreign_, layout.local_packages);
    add(foreign_, {layout.packages_install_path});
    add(assets_, layout.asset_paths);
    add(output_, {layout.target_path, layout.log_path});
    for (const std::string& path : layout.linked_places) push(linked_, place(".", path));
    profiles_ = {root_};
    for (const std::string& path : layout.profiles_dirs) push(profiles_, place(".", path));
  }

  /// What dbt does with the file at `path`. First what it reads, so that no other rule hides a file from it.
  [[nodiscard]] Part part(const std::string& path) const {
    if (const Role role = role_of_settings(path); role != Role::none) return {role, ""};
    if (any_holds(linked_, path)) return {Role::opaque, ""};
    if (is_lint_settings(path)) return {Role::none, "sqlfluff settings: lint only"};
    if (const Role role = role_of_source(path); role != Role::none) return {role, ""};
    return {Role::none, because_not(path)};
  }

  /// Whether a link or submodule at `path` may bring files to dbt or take them away.
  [[nodiscard]] bool may_hold_sources(const std::string& path) const {
    const auto touches = [&](const std::string& folder) { return lies_in(path, folder) || lies_in(folder, path); };
    return lies_in(path, root_) || lies_in(root_, path) || std::ranges::any_of(docs_, touches) ||
           std::ranges::any_of(foreign_, touches) || std::ranges::any_of(linked_, touches) ||
           std::ranges::any_of(profiles_, touches);
  }

 private:
  static void push(Names& places, std::optional<std::string> place) {
    if (place) places.push_back(std::move(*place));
  }

  void add(Names& places, const Names& paths) const {
    for (const std::string& path : paths) push(places, place(root_, path));
  }

  static bool any_holds(const Names& folders, std::string_view path) {
    return std::ranges::any_of(folders, [&](const std::string& folder) { return lies_in(path, folder); });
  }

  static std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
  }

  Role role_of_settings(const std::string& path) const {
    const std::string_view name = base_name(path);
    const std::string folder = folder_of(path);
    // dbt reads .env from its working folder upward.
    if (name == ".env" && lies_in(root_, folder)) return Role::opaque;
    if (is_one_of(name, {"profiles.yml", "profiles.yaml"}) && is_in(profiles_, folder)) return Role::yaml;
    if (folder != root_) return Role::none;
    if (name == ".dbtignore") return Role::opaque;
    const bool settings = is_one_of(
        name, {"dbt_project.yml", "dbt_project.yaml", "packages.yml", "packages.yaml", "dependencies.yml",
               "dependencies.yaml", "package-lock.yml", "package-lock.yaml", "selectors.yml", "selectors.yaml"});
    return settings ? Role::yaml : Role::none;
  }

  static bool is_in(const Names& all, const std::string& one) { return std::ranges::find(all, one) != all.end(); }

  static bool is_lint_settings(std::string_view path) {
    return is_one_of(base_name(path), {".sqlfluff", ".sqlfluffignore"});
  }

  /// By dbt's own rules: the name's extension in any case, and no name that begins with '.', '#' or '~'.
  Role role_of_source(const std::string& path) const {
    const std::string_view name = base_name(path);
    const std::string extension = lower_extension(path);
    const bool foreign = any_holds(foreign_, path);
    if (foreign && name == ".dbtignore") return Role::opaque;
    if (is_one_of(name.substr(0, 1), {".", "#", "~"})) return Role::none;
    if (extension == ".md") return foreign || any_holds(docs_, path) ? Role::docs : Role::none;
    if (!foreign && !any_holds(source_, path)) return Role::none;
    if (extension == ".sql") return Role::sql;
    if (extension == ".yml" || extension == ".yaml") return Role::yaml;
    return extension == ".py" || extension == ".csv" ? Role::opaque : Role::none;
  }

  std::string because_not(const std::string& path) const {
    if (any_holds(output_, path)) return "written by dbt";
    const bool inside = lies_in(path, root_) || any_holds(docs_, path) || any_holds(foreign_, path);
    if (any_holds(assets_, path) || (inside && lower_extension(path) == ".md")) return "documentation";
    return inside ? "ignored by dbt" : "outside the dbt project";
  }

  std::string root_;
  Names source_;    ///< folders that dbt reads
  Names docs_;      ///< folders in which it looks for docs blocks
  Names foreign_;   ///< packages, with settings of their own
  Names linked_;    ///< places that links in the project lead to
  Names assets_;    ///< copied beside the documentation
  Names output_;    ///< written by dbt
  Names profiles_;  ///< folders of profiles.yml
};

class Sorter {
 public:
  Sorter(const ProjectLayout& layout, const ReadBytes& base, const ReadBytes& head, const RelevanceOptions& options)
      : project_(layout), base_(base), head_(head), options_(options) {}

  /// Why the file cannot alter what dbt builds; absent: it may.
  [[nodiscard]] std::optional<std::string> idle_because(const ChangedFile& file) const {
    if (file.kind != EntryKind::file || file.status == FileStatus::type_changed) return special(file);
    const Part now = project_.part(file.path);
    const Part before = file.old_path.empty() ? now : project_.part(file.old_path);
    if (now.role == Role::none && before.role == Role::none) return now.because;
    if (file.status == FileStatus::mode_changed) return "only its permissions changed";
    const bool all_docs =
        (now.role == Role::docs || now.role == Role::none) && (before.role == Role::docs || before.role == Role::none);
    if (all_docs) return without_docs_blocks(file);
    if (file.status == FileStatus::modified && options_.skip_formatting) return formatting(file, now.role);
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<std::string> special(const ChangedFile& file) const {
    const bool moves = !file.old_path.empty() && project_.may_hold_sources(file.old_path);
    if (moves || project_.may_hold_sources(file.path)) return std::nullopt;
    return "outside the dbt project";
  }

  /// Markdown counts for its docs blocks; any Jinja statement is taken for one.
  [[nodiscard]] std::optional<std::string> without_docs_blocks(const ChangedFile& file) const {
    const std::string& old_path = file.old_path.empty() ? file.path : file.old_path;
    if (file.status != FileStatus::added && may_hold_blocks(base_(old_path))) return std::nullopt;
    if (file.status != FileStatus::deleted && may_hold_blocks(head_(file.path))) return std::nullopt;
    return "documentation";
  }

  static bool may_hold_blocks(const std::optional<std::string>& bytes) {
    return !bytes || bytes->find("{%") != std::string::npos;
  }

  [[nodiscard]] std::optional<std::string> formatting(const ChangedFile& file, Role role) const {
    if (role == Role::opaque) return std::nullopt;
    const auto before = base_(file.path);
    const auto after = head_(file.path);
    if (!before || !after) return std::nullopt;
    if (role == Role::sql) {
      const Sameness sameness = compare_sql(trim(*before), trim(*after), options_.dialect);
      if (sameness == Sameness::same) return "comments and whitespace only";
    } else if (compare_yaml(*before, *after) == Sameness::same) {
      return "comments, layout or order of keys only";
    }
    return std::nullopt;
  }

  Project project_;
  const ReadBytes& base_;
  const ReadBytes& head_;
  const RelevanceOptions& options_;
};

}  // namespace

Relevance relevance(const Change& change, const ProjectLayout& layout, const ReadBytes& base, const ReadBytes& head,
                    const RelevanceOptions& options) {
  const Sorter sorter(layout, base, head, options);
  Relevance result;
  for (const ChangedFile& file : change.files) {
    if (auto because = sorter.idle_because(file)) {
      result.idle.push_back({file.path, std::move(*because)});
    } else {
      result.relevant.push_back(file.path);
    }
  }
  return result;
}

}  // namespace offshoot::change
