// SPDX-License-Identifier: Apache-2.0
#include "state/graph.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace offshoot::state {

Edges::Edges(std::size_t nodes, const std::vector<std::pair<NodeIndex, NodeIndex>>& pairs)
    : begin_(nodes + 1, 0), to_(pairs.size()) {
  for (const auto& [from, to] : pairs) ++begin_[from + 1];
  for (std::size_t i = 0; i < nodes; ++i) begin_[i + 1] += begin_[i];
  std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
  for (const auto& [from, to] : pairs) to_[next[from]++] = to;
}

Result<Graph> Graph::of(const Manifest& manifest) {
  const std::span<const Entry> nodes = manifest.nodes();
  Graph graph;
  graph.enabled_.resize(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    graph.enabled_[i] = nodes[i].collection == Collection::exposures || manifest.enabled(nodes[i]);
  }
  std::vector<std::pair<NodeIndex, NodeIndex>> dependencies, up, down;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!graph.enabled_[i] || nodes[i].collection == Collection::sources) continue;
    for (const std::optional<std::string>& id : manifest.depends_on(nodes[i], "nodes")) {
      const Entry* parent = id ? manifest.find_node(*id) : nullptr;
      if (id && parent == nullptr && manifest.find_disabled(*id) != nullptr) {
        return failed(ExitStatus::usage, "reading the graph of " + manifest.name(),
                      fmt::format("'{}' reads '{}', which is disabled", nodes[i].unique_id, *id),
                      "enable it, or disable what reads it as well");
      }
      if (parent == nullptr) {
        return failed(ExitStatus::could_not_run, "reading the graph of " + manifest.name(),
                      fmt::format("'{}' depends on '{}', which is not there", nodes[i].unique_id, id.value_or("null")),
                      "write the manifest again: dbt parse");
      }
      const auto from = static_cast<NodeIndex>(parent - nodes.data());
      const auto to = static_cast<NodeIndex>(i);
      dependencies.emplace_back(to, from);
      if (!graph.enabled_[from]) continue;
      up.emplace_back(to, from);
      down.emplace_back(from, to);
    }
  }
  graph.dependencies_ = Edges(nodes.size(), dependencies);
  graph.parents_ = Edges(nodes.size(), up);
  graph.children_ = Edges(nodes.size(), down);
  if (const std::vector<NodeIndex> circle = graph.find_circle(); !circle.empty()) {
    std::string names;
    for (const NodeIndex node : circle) names += fmt::format("{} -> ", nodes[node].unique_id);
    return failed(ExitStatus::usage, "reading the graph of " + manifest.name(),
                  fmt::format("nodes depend on one another in a circle, which dbt does not run: {}{}", names,
                              nodes[circle.front()].unique_id),
                  "break the circle of refs");
  }
  return graph;
}

std::vector<NodeIndex> Graph::find_circle() const {
  // What has no parent left is in no circle: taken away until nothing changes, only circles and what is below stay.
  std::vector<std::size_t> waiting(size());
  std::vector<NodeIndex> free;
  for (NodeIndex node = 0; node < size(); ++node) {
    waiting[node] = parents(node).size();
    if (waiting[node] == 0) free.push_back(node);
  }
  for (std::size_t i = 0; i < free.size(); ++i) {
    for (const NodeIndex child : children(free[i])) {
      if (--waiting[child] == 0) free.push_back(child);
    }
  }
  if (free.size() == size()) return {};
  const auto stays = [&](NodeIndex node) { return waiting[node] != 0; };
  NodeIndex step = 0;
  while (!stays(step)) ++step;
  // Each that stays has a parent that stays: going up, one is met again.
  std::vector<NodeIndex> way;
  while (std::find(way.begin(), way.end(), step) == way.end()) {
    way.push_back(step);
    const std::span<const NodeIndex> above = parents(step);
    step = *std::find_if(above.begin(), above.end(), stays);
  }
  way.erase(way.begin(), std::find(way.begin(), way.end(), step));
  std::reverse(way.begin(), way.end());
  std::rotate(way.begin(), std::min_element(way.begin(), way.end()), way.end());
  return way;
}

NodeSet Graph::walk(const NodeSet& start, const Edges& edges, std::size_t depth) const {
  NodeSet found(size());
  std::vector<NodeIndex> layer = start.members();
  for (std::size_t i = 0; i < depth && !layer.empty(); ++i) {
    std::vector<NodeIndex> next;
    for (const NodeIndex node : layer) {
      for (const NodeIndex neighbour : edges.of(node)) {
        if (found.contains(neighbour)) continue;
        found.insert(neighbour);
        next.push_back(neighbour);
      }
    }
    layer = std::move(next);
  }
  return found;
}

std::vector<NodeIndex> Graph::ways_down_from(const std::vector<NodeIndex>& start) const {
  std::vector<NodeIndex> before(size(), no_node);
  NodeSet seen(size());
  for (const NodeIndex node : start) seen.insert(node);
  std::vector<NodeIndex> queue = start;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const NodeIndex node = queue[i];
    for (const NodeIndex child : children(node)) {
      if (seen.contains(child)) continue;
      seen.insert(child);
      before[child] = node;
      queue.push_back(child);
    }
  }
  return before;
}

}  // namespace offshoot::state
