// SPDX-License-Identifier: Apache-2.0
#include "flow/project_at_hand.hpp"

#include "dbt/packages.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

Result<ProjectAtHand> look_at_project(const Context& context) {
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
  auto names = dbt::environment_names(at_hand.folder, at_hand.profile.file);
  if (!names) return tl::unexpected(names.error());
  const auto* output = at_hand.profile.output(at_hand.target);
  const std::string adapter = output != nullptr ? output->type.value.value_or("") : "";
  at_hand.child_environment = dbt::with_bin_first(
      dbt::child_environment(context.environment, *names, context.settings.pass_env, adapter), at_hand.dbt.bin);
  for (const auto& name : *names) {
    const auto variable = at_hand.child_environment.find(name);
    if (variable != at_hand.child_environment.end()) at_hand.read_variables.insert(*variable);
  }
  return at_hand;
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
