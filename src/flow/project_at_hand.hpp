// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "change/relevance.hpp"
#include "change/repository.hpp"
#include "dbt/environment.hpp"
#include "dbt/profiles.hpp"
#include "dbt/project.hpp"
#include "dbt/session.hpp"
#include "flow/context.hpp"

namespace offshoot::flow {

/// What a flow knows of the dbt project before dbt is started: read from files alone.
struct ProjectAtHand {
  std::filesystem::path folder;  ///< of dbt_project.yml, absolute
  std::string in_repository;     ///< the same, relative to the repository's root; "." for the root
  dbt::Project project;
  dbt::Profile profile;
  std::string target;                     ///< the neutral one, that both sides are parsed for
  std::optional<std::string> production;  ///< the target that is deferred to and deployed; absent = there is none
  dbt::DbtEnvironment dbt;
  io::Environment read_variables;     ///< those that the project and its profile read through env_var()
  io::Environment child_environment;  ///< what dbt, sqlfluff and edr see
  std::vector<std::string> notes{};   ///< sentences for the report
};

/// Reads project, profile and dbt's whereabouts. Starts nothing.
Result<ProjectAtHand> look_at_project(const Context& context);

/// The same of a head that is not trusted: its profile tells the dialect at most, and no variable is read for it.
Result<ProjectAtHand> look_at_untrusted_project(const Context& context);

/// Starts dbt; it is imported while the caller does something else.
Result<std::unique_ptr<dbt::Session>> start_dbt(const Context& context, const ProjectAtHand& at_hand);

/// The project under its own profile, for `target`.
dbt::ProjectAt neutral(const Context& context, const ProjectAtHand& at_hand, const std::string& target);

/// The head's project with the packages that its lock names.
struct Head {
  dbt::ProjectAt at{};
  std::string note{};  ///< a sentence for the report; empty = nothing to say
};

/// Gives the head its packages. Where the project's own folder for them is missing it is filled, as `dbt deps` would:
/// sqlfluff and edr look there.
Result<Head> provide_head(const Context& context, const ProjectAtHand& at_hand, dbt::Session& session);

/// Whether the head's packages are where sqlfluff and edr look for them.
bool has_own_packages(const ProjectAtHand& at_hand);

/// Where dbt reads the project, for telling which changed files matter. `adapter_type` and links are included.
change::ProjectLayout layout_of(const Context& context, const ProjectAtHand& at_hand,
                                const change::Repository& repository, const Commit& commit);

}  // namespace offshoot::flow
