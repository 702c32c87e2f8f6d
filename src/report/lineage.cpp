// SPDX-License-Identifier: Apache-2.0
#include "report/lineage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "report/escape.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t most_planned = 24;
constexpr std::size_t most_deferred = 6;

// The fills, strokes and text colours of GitHub's own labels: they read well on its light and its dark page.
constexpr std::string_view styles =
    "  classDef built fill:#dafbe1,stroke:#1a7f37,color:#0a3622\n"
    "  classDef failing fill:#ffebe9,stroke:#cf222e,color:#5c0a12\n"
    "  classDef waiting fill:#fff8c5,stroke:#9a6700,color:#4d2d00\n"
    "  classDef planned fill:#ddf4ff,stroke:#0969da,color:#0a3069\n"
    "  classDef production fill:#f6f8fa,stroke:#8c959f,color:#424a53,stroke-dasharray:4 3\n";

struct Look {
  std::string_view style;
  std::string_view icon;
};

enum class Tests { pass, fail };

Look look_of(const NodeResult* result, Tests tests) {
  if (result == nullptr) return {"planned", ""};
  if (result->status == NodeStatus::error || result->status == NodeStatus::fail || tests == Tests::fail) {
    return {"failing", "✗ "};
  }
  return is_failing(result->status) ? Look{"waiting", "○ "} : Look{"built", "✓ "};
}

/// Picks the nodes of the diagram and draws them.
class Diagram {
 public:
  Diagram(const Plan& plan, const Digest& digest) : plan_(plan), digest_(digest) {
    find_failing_tests();
    pick_planned();
    pick_deferred();
  }

  [[nodiscard]] std::string str() const {
    const std::string edges = drawn_edges();
    if (edges.empty()) return {};
    std::string out = "flowchart LR\n" + std::string(styles);
    for (const auto& [id, handle] : handles_) out += drawn_node(id, handle);
    if (left_out_ > 0) out += fmt::format("  more[\"and {} more\"]:::planned\n", left_out_);
    return out + edges;
  }

 private:
  void find_failing_tests() {
    for (const Trouble& failure : digest_.failures) {
      if (failure.node == nullptr || !is_test(*failure.node)) continue;
      tested_badly_.insert(failure.node->depends_on.begin(), failure.node->depends_on.end());
    }
  }

  [[nodiscard]] bool is_bad(const std::string& id) const {
    const NodeResult* result = digest_.result(id);
    return tested_badly_.contains(id) || (result != nullptr && is_failing(result->status));
  }

  void pick_planned() {
    std::vector<const PlannedNode*> nodes;
    for (const PlannedNode& node : plan_.nodes) {
      if (!is_test(node)) nodes.push_back(&node);
    }
    std::stable_sort(nodes.begin(), nodes.end(),
                     [this](const PlannedNode* a, const PlannedNode* b) { return rank(*a) < rank(*b); });
    left_out_ = nodes.size() > most_planned ? nodes.size() - most_planned : 0;
    nodes.resize(nodes.size() - left_out_);
    std::set<std::string> ids;
    for (const PlannedNode* node : nodes) ids.insert(node->unique_id);
    for (const std::string& id : ids) handles_.emplace(id, fmt::format("n{}", handles_.size() + 1));
  }

  [[nodiscard]] int rank(const PlannedNode& node) const {
    if (is_changed(node)) return is_bad(node.unique_id) ? 0 : 1;
    return is_bad(node.unique_id) ? 2 : 3;
  }

  void pick_deferred() {
    std::set<std::string> read;
    for (const auto& [id, handle] : handles_) {
      const PlannedNode* node = digest_.node(id);
      read.insert(node->depends_on.begin(), node->depends_on.end());
    }
    std::size_t picked = 0;
    for (const Deferred& deferred : plan_.deferred) {
      if (picked == most_deferred || !read.contains(deferred.unique_id)) continue;
      if (handles_.emplace(deferred.unique_id, fmt::format("p{}", picked + 1)).second) ++picked;
    }
  }

  [[nodiscard]] std::string drawn_node(const std::string& id, const std::string& handle) const {
    const PlannedNode* node = digest_.node(id);
    const bool planned = node != nullptr;
    const Tests tests = tested_badly_.contains(id) ? Tests::fail : Tests::pass;
    const Look look = planned ? look_of(digest_.result(id), tests) : Look{"production", ""};
    const bool exposure = planned && node->resource_type == "exposure";
    return fmt::format("  {}{}\"{}{}\"{}:::{}\n", handle, exposure ? "([" : "[", look.icon,
                       mermaid_label(short_name(id)), exposure ? "])" : "]", look.style);
  }

  [[nodiscard]] std::string drawn_edges() const {
    std::string out;
    for (const auto& [id, handle] : handles_) {
      const PlannedNode* node = digest_.node(id);
      if (node == nullptr) continue;
      const std::set<std::string> parents(node->depends_on.begin(), node->depends_on.end());
      for (const std::string& parent : parents) {
        const auto from = handles_.find(parent);
        if (from != handles_.end() && parent != id) out += fmt::format("  {} --> {}\n", from->second, handle);
      }
    }
    return out;
  }

  const Plan& plan_;
  const Digest& digest_;
  std::set<std::string> tested_badly_;          ///< unique ids of what a failing test tests
  std::map<std::string, std::string> handles_;  ///< by unique id, the name in the diagram
  std::size_t left_out_ = 0;
};

}  // namespace

std::string lineage_diagram(const Plan& plan, const Digest& digest) { return Diagram(plan, digest).str(); }

}  // namespace offshoot::report
