// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dbt/profiles.hpp"
#include "dbt/session.hpp"
#include "flow/context.hpp"
#include "flow/deferral.hpp"
#include "flow/project_at_hand.hpp"
#include "model/change.hpp"
#include "state/manifest.hpp"

namespace offshoot::flow {

/// Production, as far as a branch reads it.
struct ProductionAtHand {
  Production known{};
  ProductionRelations relations{};                ///< empty: there is nothing to defer to
  std::vector<dbt::ReadOnlyDatabase> attached{};  ///< DuckDB: files that the branch reads beside its own
  std::optional<std::string> sources_database{};  ///< where sources without a database of their own are read
  std::vector<std::string> notes{};
};

/// Where production's relations are said to be: by `dbt.production_state` if set, else by what `deploy` kept, else by
/// the base commit, whose relations under the production target are given, and then the report says what it assumes.
Result<ProductionAtHand> look_at_production(const Context& context, const ProjectAtHand& at_hand, const Change& change,
                                            const dbt::ProjectAt& head_at, const dbt::Parsed& head,
                                            const ProductionRelations& of_base, dbt::Session& session);

/// Defers what the plan does not build to production's relations, after asking the warehouse which of them exist; what
/// does not is added to the plan (see defer_or_add). Sources that are not there, and what cannot be built, are named in
/// `plan.unreadable`. `sources_database`: where the branch reads sources that name no database of their own; absent =
/// where the head does.
Result<void> defer_to_what_exists(const Context& context, const ProjectAtHand& at_hand, Plan& plan,
                                  const state::Manifest& head, const ProductionAtHand& production,
                                  const std::optional<std::string>& sources_database, dbt::Session& session);

/// Production as a deploy reads it: what its own plan does not build. `head` was parsed for `at_production`'s target.
ProductionAtHand production_itself(const ProjectAtHand& at_production, const state::Manifest& head,
                                   const dbt::Credentials& credentials);

/// The relations that a manifest names: of one parsed for production, where production's are.
ProductionRelations relations_in(const state::Manifest& manifest);

}  // namespace offshoot::flow
