// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "dbt/dbt_command.hpp"
#include "dbt/session.hpp"

// A plan in the words of dbt's command line, which knows selectors and no unique ids.

namespace offshoot::dbt {

/// The node of that unique id, in whichever part of the manifest; null where there is none.
const nlohmann::json* find_node(const nlohmann::json& manifest, const std::string& unique_id);

/// The parse that a kept manifest came from, so that dbt need not parse again.
void add_partial_parse(Arguments& arguments, const std::filesystem::path& manifest_path);

/// The arguments that select exactly the request's nodes, for `ls` and for the command itself.
Result<Arguments> selection_of(const BuildRequest& request, const nlohmann::json& manifest,
                               const std::filesystem::path& manifest_path);

/// What dbt will run, of what `dbt ls` listed for those arguments. It must be the plan: an unknown name selects nothing
/// and succeeds. What dbt passes over by its own rules is in the results, with the reason.
Result<BuildOutput> announce(const BuildRequest& request, const nlohmann::json& manifest,
                             const std::set<std::string>& listed);

/// Makes a state in `folder` of what is deferred, each node under the name that it is read by, and defers to it.
Result<void> add_deferral(Arguments& selection, const BuildRequest& request, nlohmann::json manifest,
                          const std::filesystem::path& folder);

}  // namespace offshoot::dbt
