// SPDX-License-Identifier: Apache-2.0
#include "state/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <future>
#include <unordered_map>

#include "state/blind_spots.hpp"
#include "state/compare.hpp"
#include "state/definition.hpp"
#include "state/graph.hpp"
#include "state/match.hpp"
#include "state/selector.hpp"

namespace offshoot::state {

namespace {

/// What dbt selects from when nothing is asked for.
constexpr std::string_view everything = "fqn:* source:* exposure:* metric:* semantic_model:*";

/// How far selectors of selectors.yml may nest, and how many criteria they may come to: they name one another, and
/// nothing keeps a manifest from having them do so in a circle.
constexpr std::size_t deepest_definition = 300;
constexpr std::size_t most_definitions = 10'000;

/// One evaluated criterion, for the reasons.
struct Answer {
  const Term* term = nullptr;
  NodeSet named;     ///< before the graph operators
  NodeSet selected;  ///< with them, before tests are added
};

/// What dbt keeps while it evaluates: nodes that are in, and tests that come in if their other parents do.
struct Found {
  NodeSet direct;
  NodeSet with_indirect;
};

/// Evaluates selectors as dbt's NodeSelector does, step for step.
class Evaluator {
 public:
  Evaluator(const Manifest& head, const Graph& graph, const Matcher& matcher, IndirectSelection mode)
      : head_(head), graph_(graph), matcher_(matcher), mode_(mode), sources_(graph.size()) {
    for (NodeIndex node = 0; node < graph.size(); ++node) {
      if (head.nodes()[node].collection == Collection::sources) sources_.insert(node);
    }
  }

  Result<Found> evaluate(const Selector& selector) {
    Found all{NodeSet(graph_.size()), NodeSet(graph_.size())};
    for (const std::vector<Term>& terms : selector) {
      Result<Found> found = intersection(terms);
      if (!found) return found;
      all.direct |= found->direct;
      all.with_indirect |= found->with_indirect;
    }
    all.direct = incorporate(all);
    return all;
  }

  [[nodiscard]] const std::vector<Answer>& answers() const { return answers_; }

 private:
  Result<Found> intersection(const std::vector<Term>& terms) {
    std::optional<Found> all;
    for (const Term& term : terms) {
      Result<Found> found = criterion(term);
      if (!found) return found;
      if (!all) {
        all = std::move(*found);
      } else {
        all->direct &= found->direct;
        all->with_indirect &= found->with_indirect;
      }
    }
    if (!all) return Found{NodeSet(graph_.size()), NodeSet(graph_.size())};
    all->direct = incorporate(*all);
    return std::move(*all);
  }

  Result<Found> criterion(const Term& term) { return criterion(term, mode_); }

  Result<Found> criterion(const Term& term, IndirectSelection mode) {
    Result<NodeSet> named = term.method == Method::selector ? selected_by_name(term.value) : matcher_.match(term);
    if (!named) return tl::unexpected(std::move(named.error()));
    NodeSet selected = *named;
    if (term.childrens_parents) {
      selected |= graph_.below(*named, any_depth);
      selected |= graph_.above(selected, any_depth);
    }
    if (term.above) selected |= graph_.above(*named, *term.above);
    if (term.below) selected |= graph_.below(*named, *term.below);
    answers_.push_back({&term, std::move(*named), selected});
    // A selector of selectors.yml has settled by itself which tests are in.
    if (term.method == Method::selector) return Found{selected, selected};
    return add_tests(selected, mode);
  }

  Result<NodeSet> selected_by_name(const std::string& pattern) {
    Result<Found> found = definitions(pattern);
    if (!found) return tl::unexpected(std::move(found.error()));
    return std::move(found->direct);
  }

  Result<Found> definitions(const std::string& pattern, std::size_t depth = 0) {
    Result<std::vector<Definition>> read = find_definitions(head_, pattern);
    if (!read) return tl::unexpected(std::move(read.error()));
    // Kept: answers point to their criteria.
    const Definition& all =
        definitions_.emplace_back(Definition{.kind = Definition::Kind::union_of, .parts = std::move(*read)});
    return definition(all, depth + 1);
  }

  /// dbt does not settle anew which tests come in where sets of a definition are combined.
  Result<Found> definition(const Definition& wanted, std::size_t depth) {
    if (depth > deepest_definition || ++definitions_seen_ > most_definitions) {
      return failed(
          ExitStatus::usage, "evaluating the selectors of selectors.yml",
          fmt::format("they name one another in a circle, or come to more than {} criteria", most_definitions));
    }
    if (wanted.kind == Definition::Kind::criterion) return criterion(wanted.term, wanted.mode.value_or(mode_));
    if (wanted.kind == Definition::Kind::named) return definitions(wanted.name, depth);
    std::optional<Found> all;
    for (const Definition& part : wanted.parts) {
      Result<Found> found = definition(part, depth + 1);
      if (!found) return found;
      if (!all) {
        all = std::move(*found);
      } else if (wanted.kind == Definition::Kind::union_of) {
        all->direct |= found->direct;
        all->with_indirect |= found->with_indirect;
      } else if (wanted.kind == Definition::Kind::intersection_of) {
        all->direct &= found->direct;
        all->with_indirect &= found->with_indirect;
      } else {
        all->direct -= found->direct;
        all->with_indirect -= found->with_indirect;
      }
    }
    return all ? std::move(*all) : Found{NodeSet(graph_.size()), NodeSet(graph_.size())};
  }

  [[nodiscard]] bool is_test(NodeIndex node) const {
    const Kind kind = kind_of(head_, head_.nodes()[node]);
    return kind == Kind::generic_test || kind == Kind::singular_test || kind == Kind::unit_test;
  }

  [[nodiscard]] bool depends_only_on(NodeIndex node, const NodeSet& set) const {
    const std::span<const NodeIndex> parents = graph_.dependencies(node);
    return std::all_of(parents.begin(), parents.end(), [&](NodeIndex parent) { return set.contains(parent); });
  }

  [[nodiscard]] Found add_tests(const NodeSet& selected, IndirectSelection mode) const {
    Found found{selected, selected};
    if (mode == IndirectSelection::empty) return found;
    NodeSet buildable = selected;
    if (mode == IndirectSelection::buildable) {
      buildable |= graph_.above(selected, any_depth);
      buildable |= sources_;
    }
    for (const NodeIndex test : graph_.below(selected, 1).members()) {
      if (!is_test(test)) continue;
      const bool in = mode == IndirectSelection::eager || depends_only_on(test, buildable);
      (in ? found.direct : found.with_indirect).insert(test);
    }
    found.with_indirect |= found.direct;
    return found;
  }

  /// Tests that were left out and whose parents have come together since. dbt does not look at unit tests here, nor,
  /// when it asks what is buildable, at sources.
  [[nodiscard]] NodeSet incorporate(const Found& found) const {
    NodeSet selected = found.direct;
    if (mode_ != IndirectSelection::cautious && mode_ != IndirectSelection::buildable) return selected;
    NodeSet reachable = selected;
    if (mode_ == IndirectSelection::buildable) reachable |= graph_.above(selected, any_depth);
    for (const NodeIndex node : found.with_indirect.members()) {
      const bool candidate = head_.nodes()[node].collection == Collection::nodes;
      if (candidate && depends_only_on(node, reachable)) selected.insert(node);
    }
    return selected;
  }

  const Manifest& head_;
  const Graph& graph_;
  const Matcher& matcher_;
  IndirectSelection mode_;
  NodeSet sources_;
  std::vector<Answer> answers_;
  std::deque<Definition> definitions_;
  std::size_t definitions_seen_ = 0;
};

/// Says why each selected node is in.
class Explainer {
 public:
  Explainer(const Manifest& head, const Graph& graph, Comparison& comparison, const std::vector<Answer>& answers,
            const NodeSet& selected)
      : head_(head),
        graph_(graph),
        comparison_(comparison),
        answers_(answers),
        selected_(selected),
        modified_(graph.size()),
        downstream_(graph.size()) {
    for (const Answer& answer : answers) {
      if (!is_change(*answer.term)) continue;
      modified_ |= answer.named;
      if (answer.term->below || answer.term->childrens_parents) downstream_ |= answer.selected;
    }
    std::vector<NodeIndex> start = modified_.members();
    std::sort(start.begin(), start.end(), [&](NodeIndex a, NodeIndex b) { return id(a) < id(b); });
    before_ = graph.ways_down_from(start);
  }

  std::vector<Reason> reasons(NodeIndex node) {
    if (modified_.contains(node)) return own_reasons(node);
    const bool reached = before_[node] != no_node;
    if (is_test(node)) {
      const NodeIndex parent = reached && selected_.contains(before_[node]) ? before_[node] : selected_parent(node);
      if (parent != no_node) return {{.kind = ReasonKind::test_of, .detail = name(parent), .path = way_to(parent)}};
    }
    if (reached && downstream_.contains(node)) {
      std::vector<std::string> path = way_to(before_[node]);
      const Entry* cause = head_.find_node(path.front());
      return {{.kind = ReasonKind::upstream, .detail = head_.text(*cause, Field::name), .path = std::move(path)}};
    }
    return {{.kind = ReasonKind::requested, .detail = asked_by(node)}};
  }

 private:
  static bool is_change(const Term& term) {
    return term.method == Method::state && term.value != "old" && term.value != "unmodified";
  }
  [[nodiscard]] std::string_view id(NodeIndex node) const { return head_.nodes()[node].unique_id; }
  [[nodiscard]] std::string name(NodeIndex node) const { return head_.text(head_.nodes()[node], Field::name); }
  [[nodiscard]] bool is_test(NodeIndex node) const {
    const Kind kind = kind_of(head_, head_.nodes()[node]);
    return kind == Kind::generic_test || kind == Kind::singular_test || kind == Kind::unit_test;
  }

  std::vector<Reason> own_reasons(NodeIndex node) {
    Pieces pieces = piece::none;
    for (const Answer& answer : answers_) {
      if (!is_change(*answer.term) || !answer.named.contains(node)) continue;
      pieces = pieces | comparison_.counted(node, answer.term->value);
    }
    return comparison_.explain(node, pieces);
  }

  [[nodiscard]] NodeIndex selected_parent(NodeIndex node) const {
    for (const NodeIndex parent : graph_.parents(node)) {
      if (selected_.contains(parent)) return parent;
    }
    return no_node;
  }

  /// From the modified node down to `node`, both included.
  [[nodiscard]] std::vector<std::string> way_to(NodeIndex node) const {
    std::vector<std::string> way;
    for (NodeIndex step = node; step != no_node; step = before_[step]) way.emplace_back(id(step));
    std::reverse(way.begin(), way.end());
    return way;
  }

  /// The criterion that names the node, else the first that selects it.
  [[nodiscard]] std::string asked_by(NodeIndex node) const {
    const auto by_name = std::find_if(answers_.begin(), answers_.end(),
                                      [&](const Answer& answer) { return answer.named.contains(node); });
    if (by_name != answers_.end()) return by_name->term->raw;
    const auto by_graph = std::find_if(answers_.begin(), answers_.end(),
                                       [&](const Answer& answer) { return answer.selected.contains(node); });
    return by_graph == answers_.end() ? "" : by_graph->term->raw;
  }

  const Manifest& head_;
  const Graph& graph_;
  Comparison& comparison_;
  const std::vector<Answer>& answers_;
  const NodeSet& selected_;
  NodeSet modified_;    ///< named by a criterion that asks for changes
  NodeSet downstream_;  ///< selected by one that asks for what is below as well
  std::vector<NodeIndex> before_;
};

/// What `dbt ls` lists when no type is asked for.
bool is_listed(std::string_view resource_type) {
  constexpr std::array<std::string_view, 11> types = {"model",          "snapshot",  "seed",    "test",
                                                      "source",         "exposure",  "metric",  "saved_query",
                                                      "semantic_model", "unit_test", "function"};
  return std::find(types.begin(), types.end(), resource_type) != types.end();
}

PlannedNode planned(const Manifest& head, const Entry& entry) {
  NodeInfo info = head.info(entry);
  return {.unique_id = std::move(info.unique_id),
          .resource_type = std::move(info.resource_type),
          .name = std::move(info.name),
          .file = std::move(info.original_file_path),
          .materialized = std::move(info.materialized),
          .depends_on = std::move(info.depends_on_nodes)};
}

/// Nodes of one manifest that the other does not have, by what would make them the same node under another name.
class Renames {
 public:
  Renames(const Manifest& base, const Manifest& head) : base_(base) {
    for (const Entry& entry : base.nodes()) {
      if (head.find_node(entry.unique_id) == nullptr && head.find_disabled(entry.unique_id) == nullptr) {
        add(base, entry, &Candidates::old);
      }
    }
    for (const Entry& entry : head.nodes()) {
      if (base.find_node(entry.unique_id) == nullptr) add(head, entry, &Candidates::now);
    }
  }

  /// The new name of a removed node; empty where none or more than one would do.
  [[nodiscard]] std::string_view new_name(const Entry& removed) const {
    const auto found = by_body_.find(body(base_, removed));
    if (found == by_body_.end() || found->second.old.size() != 1 || found->second.now.size() != 1) return {};
    return found->second.now[0];
  }

 private:
  struct Candidates {
    std::vector<std::string_view> old, now;
  };
  void add(const Manifest& manifest, const Entry& entry, std::vector<std::string_view> Candidates::* side) {
    std::string key = body(manifest, entry);
    if (!key.empty()) (by_body_[std::move(key)].*side).push_back(entry.unique_id);
  }
  /// Type and content; empty for what has none that is its own.
  static std::string body(const Manifest& manifest, const Entry& entry) {
    const Kind kind = kind_of(manifest, entry);
    if (!is_node_like(kind) || kind == Kind::generic_test || kind == Kind::hidden_node) return {};
    std::string content =
        kind == Kind::seed ? std::string(manifest.raw(entry, Field::checksum)) : manifest.text(entry, Field::raw_code);
    if (content.find_first_not_of(" \t\r\n") == std::string::npos) return {};
    return std::string(manifest.raw(entry, Field::resource_type)) + content;
  }

  const Manifest& base_;
  std::unordered_map<std::string, Candidates> by_body_;
};

std::vector<RemovedNode> removed_nodes(const Manifest& base, const Manifest& head) {
  const Renames renames(base, head);
  std::vector<RemovedNode> removed;
  for (const Entry& entry : base.nodes()) {
    if (head.find_node(entry.unique_id) != nullptr) continue;
    std::string type = base.text(entry, Field::resource_type);
    if (!is_listed(type)) continue;
    std::string because = "deleted";
    if (head.find_disabled(entry.unique_id) != nullptr) {
      because = "disabled";
    } else if (const std::string_view name = renames.new_name(entry); !name.empty()) {
      because = fmt::format("renamed to {}", name);
    }
    removed.push_back({.unique_id = std::string(entry.unique_id),
                       .resource_type = std::move(type),
                       .file = base.text(entry, Field::original_file_path),
                       .because = std::move(because)});
  }
  std::sort(removed.begin(), removed.end(),
            [](const RemovedNode& a, const RemovedNode& b) { return a.unique_id < b.unique_id; });
  return removed;
}

void note_contracts(std::vector<std::string>& notes, const Comparison& comparison, io::Instant now) {
  std::vector<BrokenContract> broken = comparison.broken_contracts();
  const std::vector<BrokenContract> removed = comparison.removed_contracts(now);
  broken.insert(broken.end(), removed.begin(), removed.end());
  for (const BrokenContract& contract : broken) {
    notes.push_back(
        fmt::format("the contract of {} is broken: {}", contract.unique_id, fmt::join(contract.changes, "; ")));
  }
}

Result<void> check_versions(const Manifest& base, const Manifest& head) {
  if (base.dbt_version() == head.dbt_version()) return {};
  return failed(ExitStatus::usage, fmt::format("comparing {} with {}", head.name(), base.name()),
                fmt::format("one was written by dbt '{}' and the other by dbt '{}', which would make unchanged nodes "
                            "look changed",
                            head.dbt_version(), base.dbt_version()),
                fmt::format("parse the base again with dbt {}", head.dbt_version()));
}

/// A request, read.
struct Question {
  Selector include;
  Selector exclude;
  IndirectSelection mode;
  io::Instant now;
};

Result<Question> read_request(const SelectRequest& request) {
  Result<Selector> include = parse_selector(request.select, "the selection");
  if (!include) return tl::unexpected(std::move(include.error()));
  if (include->empty()) include = parse_selector(everything, "the selection");
  Result<Selector> exclude = parse_selector(request.exclude, "the exclusion");
  if (!exclude) return tl::unexpected(std::move(exclude.error()));
  return Question{std::move(*include), std::move(*exclude), request.indirect_selection,
                  request.now.value_or(io::now())};
}

/// What a question selects.
struct Answered {
  NodeSet set;
  std::vector<PlannedNode> nodes{};  ///< of these what `dbt ls` lists, sorted by unique_id, with reasons
};

Result<Answered> answer(const Manifest& head, const Graph& graph, Comparison& comparison, const Question& question) {
  const Matcher matcher(head, graph, comparison, question.now);
  Evaluator included(head, graph, matcher, question.mode);
  Result<Found> found = included.evaluate(question.include);
  if (!found) return tl::unexpected(std::move(found.error()));
  Result<Found> excluded = Evaluator(head, graph, matcher, question.mode).evaluate(question.exclude);
  if (!excluded) return tl::unexpected(std::move(excluded.error()));
  Answered answered{std::move(found->direct)};
  answered.set -= excluded->direct;

  Explainer explainer(head, graph, comparison, included.answers(), answered.set);
  for (const NodeIndex node : answered.set.members()) {
    PlannedNode planned_node = planned(head, head.nodes()[node]);
    if (!is_listed(planned_node.resource_type)) continue;
    planned_node.reasons = explainer.reasons(node);
    answered.nodes.push_back(std::move(planned_node));
  }
  std::ranges::sort(answered.nodes, {}, &PlannedNode::unique_id);
  return answered;
}

/// Why dbt would have a node in the plan of which only comments and whitespace changed.
std::string why_left_out(const Manifest& head, const PlannedNode& node) {
  if (node.reasons.empty()) return "dbt counts comments and whitespace";
  const Reason& reason = node.reasons.front();
  const auto name_of = [&](const std::string& id) {
    const Entry* entry = head.find_node(id);
    return entry == nullptr ? id : head.text(*entry, Field::name);
  };
  switch (reason.kind) {
    case ReasonKind::body:
      return "only its comments and whitespace changed";
    case ReasonKind::macros:
      return fmt::format("only comments and whitespace of the macro {} changed", reason.detail);
    case ReasonKind::upstream:
      return fmt::format("below {}, of which only comments and whitespace changed", name_of(reason.path.front()));
    case ReasonKind::test_of:
      return fmt::format("tests {}, which is left out", reason.detail);
    default:
      return "dbt counts comments and whitespace";
  }
}

/// What dbt selects, where every byte of code counts, and what of it is left out here.
void compare_with_strict(Selection& selection, const Manifest& head, const std::vector<PlannedNode>& strict) {
  for (const PlannedNode& node : strict) {
    selection.as_dbt.push_back(node.unique_id);
    if (!std::ranges::binary_search(selection.selected, node.unique_id, {}, &PlannedNode::unique_id)) {
      selection.left_out.push_back({node.unique_id, why_left_out(head, node)});
    }
  }
}

}  // namespace

std::optional<IndirectSelection> indirect_selection_of(std::string_view name) {
  if (name == "eager") return IndirectSelection::eager;
  if (name == "cautious") return IndirectSelection::cautious;
  if (name == "buildable") return IndirectSelection::buildable;
  if (name == "empty") return IndirectSelection::empty;
  return std::nullopt;
}

Result<Selection> select(const Manifest& base, const Manifest& head, const SelectRequest& request) {
  if (Result<void> checked = check_versions(base, head); !checked) return tl::unexpected(checked.error());
  const Result<Question> question = read_request(request);
  if (!question) return tl::unexpected(question.error());
  std::future<Result<Graph>> beside = std::async(std::launch::async, [&] { return Graph::of(head); });
  Comparison comparison(base, head, request.compare_more_unrendered_values, request.same_code);
  const Result<Graph> graph = beside.get();
  if (!graph) return tl::unexpected(graph.error());
  Result<Answered> answered = answer(head, *graph, comparison, *question);
  if (!answered) return tl::unexpected(std::move(answered.error()));
  Selection selection;
  selection.selected = std::move(answered->nodes);
  if (comparison.reformatted().empty()) {
    compare_with_strict(selection, head, selection.selected);
  } else {
    Comparison strict(base, head, request.compare_more_unrendered_values);
    const Result<Answered> as_dbt = answer(head, *graph, strict, *question);
    if (!as_dbt) return tl::unexpected(as_dbt.error());
    compare_with_strict(selection, head, as_dbt->nodes);
  }
  selection.removed = removed_nodes(base, head);
  selection.notes = blind_spots(base, head, comparison, answered->set, request.file_changed);
  note_contracts(selection.notes, comparison, question->now);
  return selection;
}

BuildList build_list(const Selection& selection, const Manifest& head, LoneUnitTests lone_unit_tests) {
  const auto has_code = [&](const PlannedNode& node) {
    const Entry* entry = head.find_node(node.unique_id);
    return entry == nullptr || head.info(*entry).has_code;
  };
  BuildList list;
  const auto is_selected = [&](const std::string& unique_id) {
    return std::ranges::binary_search(selection.selected, unique_id, {}, &PlannedNode::unique_id);
  };
  const auto is_lone = [&](const PlannedNode& node) {
    return node.resource_type == "unit_test" && (node.depends_on.empty() || !is_selected(node.depends_on[0]));
  };
  std::vector<std::string> without_code, lone;
  for (const PlannedNode& node : selection.selected) {
    const std::string_view type = node.resource_type;
    const bool is_code = type == "model" || type == "snapshot" || type == "test";
    const bool blank = is_code && !has_code(node);
    if (blank) without_code.push_back(node.unique_id);
    const bool without_model = lone_unit_tests == LoneUnitTests::go && is_lone(node);
    if (without_model) lone.push_back(node.unique_id);
    const bool passed_over = type == "source" || type == "metric" || type == "semantic_model" ||
                             (type == "model" && node.materialized == "ephemeral");
    (blank || without_model || passed_over ? list.unbuilt : list.nodes).push_back(node);
  }
  if (!without_code.empty()) {
    list.notes.push_back(fmt::format("nodes without code, which dbt does not build: {}", some_of(without_code)));
  }
  if (!lone.empty()) {
    list.notes.push_back(fmt::format(
        "unit tests whose model is not selected, which dbt build leaves out and dbt test runs: {}", some_of(lone)));
  }
  return list;
}

}  // namespace offshoot::state
