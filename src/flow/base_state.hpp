// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "change/repository.hpp"
#include "dbt/session.hpp"
#include "flow/context.hpp"
#include "flow/deferral.hpp"
#include "flow/project_at_hand.hpp"

namespace offshoot::flow {

/// The base, as dbt sees it.
struct BaseState {
  std::filesystem::path manifest;            ///< manifest.json
  std::filesystem::path partial_parse_file;  ///< the head's parse starts from it; empty = there is none
  ProductionRelations production{};          ///< where the base's nodes lie under the production target
  std::string origin;                        ///< "from the store", "parsed from a1b2c3d"
  std::string note{};                        ///< a sentence for the report; empty = nothing to say
};

/// The base's state: from the store, where it is kept under a key of all that it depends on (the base's git trees,
/// dbt's and the adapters' versions, profile, target, variables, environment variables), else parsed from a temporary
/// work tree of the base commit, and kept. A base that dbt cannot parse is an error.
Result<BaseState> base_state(const Context& context, const ProjectAtHand& at_hand, const change::Repository& repository,
                             const Commit& base, dbt::Session& session);

/// A state in which nothing exists: what everything is compared with when there is no base to be had.
Result<BaseState> empty_state(const Context& context, const std::filesystem::path& head_manifest);

}  // namespace offshoot::flow
