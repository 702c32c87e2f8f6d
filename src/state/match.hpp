// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/clock.hpp"
#include "model/outcome.hpp"
#include "state/compare.hpp"
#include "state/graph.hpp"
#include "state/manifest.hpp"
#include "state/selector.hpp"

namespace offshoot::state {

/// Finds the nodes that a criterion names, before its graph operators.
class Matcher {
 public:
  /// All three must outlive this.
  Matcher(const Manifest& head, const Graph& graph, const Comparison& comparison, io::Instant now)
      : head_(head), graph_(graph), comparison_(comparison), now_(now) {}

  /// A pattern that dbt would refuse, and what makes dbt stop, are errors.
  [[nodiscard]] Result<NodeSet> match(const Term& term) const;

 private:
  [[nodiscard]] bool names(const Term& term, NodeIndex node) const;
  [[nodiscard]] Result<NodeSet> match_path(const Term& term) const;

  const Manifest& head_;
  const Graph& graph_;
  const Comparison& comparison_;
  io::Instant now_;
};

}  // namespace offshoot::state
