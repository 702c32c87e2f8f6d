// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>

#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// How the newest check of a tree ended.
struct Review {
  std::string run{};
  bool passed = false;
  std::set<std::string> nodes{};  ///< of its plan
};

/// The review of the commit's tree. Absent also where it cannot be read: what is not known has not been reviewed.
std::optional<Review> review_of(const Context& context, const Commit& head);

/// Keeps how a check ended under the tree that it checked, for the deploy of the same tree. A check of changes that are
/// not committed, or of a head that is not trusted, is not kept. Best effort: without it the deploy says so.
void keep_review(const Context& context, const Run& run);

/// Compares a deploy's plan with what was checked of the same tree (requirement L2): notes what was not reviewed. With
/// `deploy.review: require` a tree that no check has passed is refused.
std::optional<Failed> weigh_review(const Context& context, const Commit& head, const Plan& plan, Run& run);

}  // namespace offshoot::flow
