// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flow/deployed.hpp"
#include "flow/project_at_hand.hpp"

namespace offshoot::flow {

/// The target's warehouse under the user's own profile.
dbt::WarehouseAt warehouse_of(const ProjectAtHand& at_hand);

/// Whether an exchange that was noted has happened: its own mark in the warehouse says so.
Result<bool> has_happened(const ProjectAtHand& at_production, const Deployed& version, dbt::Session& session);

/// The same, and where it has not happened what it needs is taken away first: a run that was only stopped, and goes on
/// after its lease is another's, cannot exchange anything any more.
Result<bool> has_happened_for_good(const ProjectAtHand& at_production, const Deployed& version,
                                   const std::string& repository, dbt::Session& session);

/// Drops places beside production that nobody needs: those whose time is over, and those that no kept version of
/// production refers to, left by runs that were killed. Says what could not be dropped.
std::vector<std::string> sweep_beside(const Context& context, const ProjectAtHand& at_production,
                                      const std::string& production_file, dbt::Session& session);

}  // namespace offshoot::flow
