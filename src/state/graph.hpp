// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "model/outcome.hpp"
#include "state/manifest.hpp"

namespace offshoot::state {

/// A node of the head, as its position in Manifest::nodes().
using NodeIndex = std::uint32_t;
inline constexpr NodeIndex no_node = std::numeric_limits<NodeIndex>::max();

/// A set of the head's nodes.
class NodeSet {
 public:
  explicit NodeSet(std::size_t nodes = 0) : in_(nodes, 0) {}
  [[nodiscard]] bool contains(NodeIndex node) const { return in_[node] != 0; }
  void insert(NodeIndex node) { in_[node] = 1; }
  /// In ascending order.
  [[nodiscard]] std::vector<NodeIndex> members() const {
    std::vector<NodeIndex> all;
    for (std::size_t i = 0; i < in_.size(); ++i) {
      if (in_[i] != 0) all.push_back(static_cast<NodeIndex>(i));
    }
    return all;
  }
  NodeSet& operator|=(const NodeSet& other) {
    return combine(other, [](bool a, bool b) { return a || b; });
  }
  NodeSet& operator&=(const NodeSet& other) {
    return combine(other, [](bool a, bool b) { return a && b; });
  }
  NodeSet& operator-=(const NodeSet& other) {
    return combine(other, [](bool a, bool b) { return a && !b; });
  }
  bool operator==(const NodeSet&) const = default;

 private:
  template <class Rule>
  NodeSet& combine(const NodeSet& other, Rule rule) {
    std::transform(in_.begin(), in_.end(), other.in_.begin(), in_.begin(), [&](std::uint8_t a, std::uint8_t b) {
      return static_cast<std::uint8_t>(rule(a != 0, b != 0) ? 1 : 0);
    });
    return *this;
  }
  std::vector<std::uint8_t> in_;
};

/// For each node its neighbours, in one array.
class Edges {
 public:
  Edges() = default;
  /// `pairs` (from, to) in any order.
  Edges(std::size_t nodes, const std::vector<std::pair<NodeIndex, NodeIndex>>& pairs);
  [[nodiscard]] std::span<const NodeIndex> of(NodeIndex node) const {
    return std::span(to_).subspan(begin_[node], begin_[node + 1] - begin_[node]);
  }

 private:
  std::vector<std::uint32_t> begin_;
  std::vector<NodeIndex> to_;
};

/// dbt's graph: the enabled nodes of a manifest, with an edge from what is depended on to what depends.
class Graph {
 public:
  /// A node that depends on what the manifest does not hold is an error, as it is for dbt; so are nodes that depend on
  /// one another.
  static Result<Graph> of(const Manifest& manifest);

  [[nodiscard]] std::size_t size() const { return enabled_.size(); }
  [[nodiscard]] bool enabled(NodeIndex node) const { return enabled_[node]; }
  /// All it depends on, enabled or not.
  [[nodiscard]] std::span<const NodeIndex> dependencies(NodeIndex node) const { return dependencies_.of(node); }
  [[nodiscard]] std::span<const NodeIndex> parents(NodeIndex node) const { return parents_.of(node); }
  [[nodiscard]] std::span<const NodeIndex> children(NodeIndex node) const { return children_.of(node); }

  /// What is at most `depth` edges above (below) a member of `start`; members themselves only where that holds of them.
  [[nodiscard]] NodeSet above(const NodeSet& start, std::size_t depth) const { return walk(start, parents_, depth); }
  [[nodiscard]] NodeSet below(const NodeSet& start, std::size_t depth) const { return walk(start, children_, depth); }

  /// For every node the next one on a shortest way up to a member of `start`; no_node for members and what they do not
  /// reach. Among ways of one length the one of the first member, by `start`'s order.
  [[nodiscard]] std::vector<NodeIndex> ways_down_from(const std::vector<NodeIndex>& start) const;

 private:
  /// Nodes of which each depends on the one before it, and the first on the last; none = there is no circle.
  [[nodiscard]] std::vector<NodeIndex> find_circle() const;
  [[nodiscard]] NodeSet walk(const NodeSet& start, const Edges& edges, std::size_t depth) const;
  std::vector<bool> enabled_;
  Edges dependencies_, parents_, children_;
};

inline constexpr std::size_t any_depth = std::numeric_limits<std::size_t>::max();

}  // namespace offshoot::state
