// SPDX-License-Identifier: Apache-2.0
#include "flow/project_at_hand.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <system_error>

#include "dbt/packages.hpp"
#include "io/files.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

/// Folder and settings of the project, no more.
Result<ProjectAtHand> find_project(const Context& context) {
  const fs::path folder = (context.repository_root / context.settings.dbt.project).lexically_normal();
  ProjectAtHand at_hand;
  at_hand.in_repository = folder.lexically_relative(context.repository_root).generic_string();
  if (at_hand.in_repository.starts_with("..")) {
    return failed(ExitStatus::usage, "looking for the dbt project",
                  "dbt.project '" + context.settings.dbt.project + "' lies outside the repository",
                  "give it relative to the repository's root");
  }
  auto project = dbt::read_project(folder);
  if (!project) return tl::unexpected(project.error());
  at_hand.folder = project->folder;
  at_hand.project = std::move(*project);
  return at_hand;
}

/// The names that env_var() may read: those that the files of the commit read which decides (requirement D1). A head
/// that names one more is told so, and gets it once it is merged.
Result<std::set<std::string>> names_to_read(const Context& context, ProjectAtHand& at_hand) {
  auto own = dbt::environment_names(at_hand.folder, at_hand.profile.file);
  if (!own || !context.trusted_commit) return own;
  const auto repository = change::Repository::open(context.repository_root, context.trust_owner);
  if (!repository) return own;  // an exported tree: it is that commit
  const auto commit = repository->commit(*context.trusted_commit);
  if (!commit) return tl::unexpected(commit.error());
  const fs::path profile = at_hand.profile.file.lexically_relative(context.repository_root);
  const bool profile_in_repository = !profile.empty() && *profile.begin() != "..";
  const fs::path folder = context.scratch / "deciding-files";
  const auto copy = [&](const std::string& path, const fs::path& to) -> Result<void> {
    const auto bytes = repository->read_file(*commit, path);
    if (!bytes) return tl::unexpected(bytes.error());
    return *bytes ? io::write_file(to, **bytes, 0600) : Result<void>{};
  };
  for (const char* name : {"dbt_project.yml", "packages.yml", "dependencies.yml"}) {
    const fs::path path = (fs::path(at_hand.in_repository) / name).lexically_normal();
    if (auto copied = copy(path.generic_string(), folder / name); !copied) return tl::unexpected(copied.error());
  }
  if (profile_in_repository) {
    if (auto copied = copy(profile.generic_string(), folder / "profiles.yml"); !copied) {
      return tl::unexpected(copied.error());
    }
  }
  std::error_code error;
  const fs::path read = folder / "profiles.yml";
  const bool has_profile = fs::exists(read, error);
  auto decided =
      dbt::environment_names(folder, profile_in_repository ? (has_profile ? read : fs::path()) : at_hand.profile.file);
  if (!decided) return decided;
  std::vector<std::string> fresh;
  std::ranges::set_difference(*own, *decided, std::back_inserter(fresh));
  for (const auto& name : fresh) {
    const bool asked = std::ranges::find(context.settings.pass_env, name) != context.settings.pass_env.end();
    if (asked || !context.environment.contains(name)) continue;
    at_hand.notes.push_back("This pull request is the first to read " + name +
                            " through env_var(): dbt gets it once that is merged, or pass_env of the base names it.");
  }
  return decided;
}

}  // namespace

Result<ProjectAtHand> look_at_untrusted_project(const Context& context) {
  auto at_hand = find_project(context);
  if (!at_hand) return at_hand;
  at_hand->child_environment = dbt::child_environment(context.environment, {}, {}, "");
  at_hand->child_environment["HOME"] = (context.scratch / "home").string();
  auto profile = dbt::read_profile(at_hand->project, {context.settings.dbt.profiles, context.repository_root, {}});
  if (profile) {
    if (auto target = dbt::choose_target(*profile, context.settings.dbt.target)) at_hand->target = std::move(*target);
    at_hand->profile = std::move(*profile);
  }
  auto dbt =
      dbt::find_dbt({context.settings.dbt.python, at_hand->folder, context.repository_root, context.environment});
  // A program that the head itself holds is not started.
  if (dbt && dbt->bin.lexically_relative(context.repository_root).native().starts_with("..")) {
    at_hand->dbt = std::move(*dbt);
  }
  return at_hand;
}

Result<ProjectAtHand> look_at_project(const Context& context) {
  auto found = find_project(context);
  if (!found) return found;
  ProjectAtHand& at_hand = *found;
  auto profile =
      dbt::read_profile(at_hand.project, {context.settings.dbt.profiles, context.repository_root, context.environment});
  if (!profile) return tl::unexpected(profile.error());
  at_hand.profile = std::move(*profile);
  auto target = dbt::choose_target(at_hand.profile, context.settings.dbt.target);
  if (!target) return tl::unexpected(target.error());
  at_hand.target = std::move(*target);
  auto production = dbt::choose_production(at_hand.profile, context.settings.dbt.production);
  if (!production) return tl::unexpected(production.error());
  at_hand.production = std::move(*production);

  auto environment =
      dbt::find_dbt({context.settings.dbt.python, at_hand.folder, context.repository_root, context.environment});
  if (!environment) return tl::unexpected(environment.error());
  at_hand.dbt = std::move(*environment);
  const auto names = names_to_read(context, at_hand);
  if (!names) return tl::unexpected(names.error());
  const auto* output = at_hand.profile.output(at_hand.target);
  const std::string adapter = output != nullptr ? output->type.value.value_or("") : "";
  at_hand.child_environment = dbt::with_bin_first(
      dbt::child_environment(context.environment, *names, context.settings.pass_env, adapter), at_hand.dbt.bin);
  for (const auto& name : *names) {
    const auto variable = at_hand.child_environment.find(name);
    if (variable != at_hand.child_environment.end()) at_hand.read_variables.insert(*variable);
  }
  return found;
}

Result<std::unique_ptr<dbt::Session>> start_dbt(const Context& context, const ProjectAtHand& at_hand) {
  return dbt::start_session({.dbt = at_hand.dbt,
                             .environment = at_hand.child_environment,
                             .folder = at_hand.folder,
                             .scratch = context.scratch / "session",
                             .stop = context.stop});
}

dbt::ProjectAt neutral(const Context& context, const ProjectAtHand& at_hand, const std::string& target) {
  return {.project_dir = at_hand.folder,
          .profiles_dir = at_hand.profile.file.parent_path(),
          .profile = at_hand.profile.name,
          .target = target,
          .vars = context.settings.dbt.vars};
}

bool has_own_packages(const ProjectAtHand& at_hand) {
  return !dbt::why_not_installed(at_hand.project, at_hand.folder / at_hand.project.packages_install_path);
}

Result<Head> provide_head(const Context& context, const ProjectAtHand& at_hand, dbt::Session& session) {
  Head head{.at = neutral(context, at_hand, at_hand.target)};
  auto packages = dbt::provide_packages(
      at_hand.project, {head.at, context.settings.dbt.deps, context.cache, context.scratch / "head-packages"}, session);
  if (!packages) return tl::unexpected(packages.error());
  head.note = std::move(packages->note);
  if (packages->install_path.empty()) return head;

  const fs::path own = at_hand.folder / at_hand.project.packages_install_path;
  std::error_code error;
  if (!fs::exists(own, error)) {
    fs::copy(packages->install_path, own, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    if (!error) return head;
  }
  head.at.packages_install_path = std::move(packages->install_path);
  return head;
}

change::ProjectLayout layout_of(const Context& context, const ProjectAtHand& at_hand,
                                const change::Repository& repository, const Commit& commit) {
  const dbt::Project& project = at_hand.project;
  change::ProjectLayout layout{.project_dir = at_hand.in_repository,
                               .model_paths = project.model_paths,
                               .macro_paths = project.macro_paths,
                               .seed_paths = project.seed_paths,
                               .snapshot_paths = project.snapshot_paths,
                               .test_paths = project.test_paths,
                               .analysis_paths = project.analysis_paths,
                               .function_paths = project.function_paths,
                               .docs_paths = project.docs_paths,
                               .asset_paths = project.asset_paths,
                               .packages_install_path = project.packages_install_path,
                               .target_path = project.target_path,
                               .local_packages = project.local_packages()};
  const fs::path profiles = at_hand.profile.file.parent_path().lexically_relative(context.repository_root);
  if (!profiles.empty() && *profiles.begin() != "..") layout.profiles_dirs.push_back(profiles.generic_string());
  if (auto linked = repository.linked_places(commit, at_hand.in_repository)) layout.linked_places = std::move(*linked);
  return layout;
}

}  // namespace offshoot::flow
