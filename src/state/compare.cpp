// SPDX-License-Identifier: Apache-2.0
#include "state/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <unordered_set>

#include "state/difference.hpp"

namespace offshoot::state {

namespace {

/// Changed macros that are told for one node; the others are counted.
constexpr std::size_t macros_told = 5;

/// What counts for "modified", by kind.
Pieces counting_pieces(Kind kind) {
  const Pieces most = piece::added | piece::configs | piece::properties | piece::macros;
  switch (kind) {
    case Kind::generic_test:
      return most;
    case Kind::unit_test:
      return piece::added | piece::properties | piece::macros;
    case Kind::source:
      return piece::relation | piece::configs | piece::properties;
    case Kind::exposure:
    case Kind::metric:
    case Kind::semantic_model:
    case Kind::saved_query:
      return piece::configs | piece::properties | piece::macros;
    case Kind::model:
      return most | piece::body | piece::descriptions | piece::relation | piece::contract;
    default:
      return most | piece::body | piece::descriptions | piece::relation;
  }
}

/// "modified", "unmodified" and "modified.contract" are the values for which dbt looks at contracts.
bool looks_at_contracts(std::string_view state) {
  return state == "modified" || state == "unmodified" || state == "modified.contract";
}

bool looks_at_macros(std::string_view state) {
  return state == "modified" || state == "unmodified" || state == "modified.macros";
}

/// The moment of "2024-05-01T00:00:00+00:00", where an absent zone is UTC; absent = it is not that.
std::optional<io::Instant> moment_of(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) < 3) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  io::Instant moment = std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                       std::chrono::seconds(second);
  const std::size_t zone = text.find_first_of("+-", std::min<std::size_t>(text.size(), 11));
  int zone_hours = 0, zone_minutes = 0;
  if (zone != std::string::npos && std::sscanf(text.c_str() + zone + 1, "%2d:%2d", &zone_hours, &zone_minutes) == 2) {
    const auto offset = std::chrono::hours(zone_hours) + std::chrono::minutes(zone_minutes);
    moment += text[zone] == '-' ? offset : -offset;
  }
  return moment;
}

bool past_deprecation(const Manifest& manifest, const Entry& entry, io::Instant now) {
  const std::optional<io::Instant> moment = moment_of(manifest.text(entry, Field::deprecation_date));
  return moment && *moment < now;
}

bool is_versioned(const Manifest& manifest, const Entry& entry) {
  const Raw version = manifest.raw(entry, Field::version);
  return !version.empty() && version != "null";
}

Reason reason(ReasonKind kind, std::string detail = {}) { return {.kind = kind, .detail = std::move(detail)}; }

void add_reasons(std::vector<Reason>& reasons, ReasonKind kind, std::vector<std::string> details) {
  for (std::string& detail : details) reasons.push_back(reason(kind, std::move(detail)));
}

std::string_view last_part(std::string_view unique_id) { return unique_id.substr(unique_id.rfind('.') + 1); }

}  // namespace

Kind kind_of(const Manifest& manifest, const Entry& entry) {
  switch (entry.collection) {
    case Collection::sources:
      return Kind::source;
    case Collection::exposures:
      return Kind::exposure;
    case Collection::metrics:
      return Kind::metric;
    case Collection::semantic_models:
      return Kind::semantic_model;
    case Collection::unit_tests:
      return Kind::unit_test;
    case Collection::saved_queries:
      return Kind::saved_query;
    case Collection::functions:
      return Kind::function;
    default:
      break;
  }
  const Raw type = manifest.raw(entry, Field::resource_type);
  if (type == "\"model\"") return Kind::model;
  if (type == "\"seed\"") return Kind::seed;
  if (type == "\"test\"") {
    return manifest.raw(entry, Field::test_metadata).empty() ? Kind::singular_test : Kind::generic_test;
  }
  if (type == "\"snapshot\"") return Kind::other_node;
  return Kind::hidden_node;
}

bool is_node_like(Kind kind) { return kind <= Kind::other_node; }

Comparison::Comparison(const Manifest& base, const Manifest& head, bool compare_more_unrendered_values,
                       SameCode same_code)
    : base_(&base), head_(&head), more_(compare_more_unrendered_values), same_code_(std::move(same_code)) {
  find_changed_macros();
  const std::span<const Entry> nodes = head.nodes();
  kinds_.reserve(nodes.size());
  old_.reserve(nodes.size());
  for (const Entry& entry : nodes) {
    kinds_.push_back(kind_of(head, entry));
    old_.push_back(base.find_node(entry.unique_id));
  }
  pieces_.resize(nodes.size(), piece::none);
  for (std::size_t i = 0; i < nodes.size(); ++i) compare(static_cast<NodeIndex>(i));
}

bool Comparison::is_same_code(const Entry& now, const Entry& old, Field field) {
  if (same_json(head_->raw(now, field), base_->raw(old, field))) return true;
  if (!same_code_ || !same_code_(base_->text(old, field), head_->text(now, field))) return false;
  reformatted_.push_back(now.unique_id);
  return true;
}

void Comparison::find_changed_macros() {
  for (const Entry& macro : head_->macros()) {
    const Entry* old = base_->find_macro(macro.unique_id);
    if (old == nullptr || !is_same_code(macro, *old, Field::macro_sql)) changed_macros_.push_back(macro.unique_id);
  }
  for (const Entry& macro : base_->macros()) {
    if (head_->find_macro(macro.unique_id) == nullptr) changed_macros_.push_back(macro.unique_id);
  }
  std::sort(changed_macros_.begin(), changed_macros_.end());
  if (changed_macros_.empty()) return;
  for (const Entry& macro : head_->macros()) {
    macro_calls_.emplace(macro.unique_id, head_->depends_on(macro, "macros"));
  }
}

bool Comparison::is_changed(std::string_view macro) const {
  return std::binary_search(changed_macros_.begin(), changed_macros_.end(), macro);
}

const Comparison::MacroList& Comparison::macros_of(std::string_view macro) const {
  static const MacroList nothing;
  const auto found = macro_calls_.find(macro);
  return found == macro_calls_.end() ? nothing : found->second;
}

/// dbt walks depth first and stops at the first changed macro, or with an error at the first null.
Comparison::MacroVerdict Comparison::macro_verdict(Raw list) {
  const auto known = verdicts_.find(list);
  if (known != verdicts_.end()) return known->second;
  MacroVerdict& verdict = verdicts_[list];
  verdict = MacroVerdict::same;
  const MacroList first = decode_strings(list);
  std::unordered_set<std::string_view> visited;
  std::vector<std::pair<const MacroList*, std::size_t>> walk{{&first, 0}};
  while (!walk.empty()) {
    auto& [macros, next] = walk.back();
    if (next == macros->size()) {
      walk.pop_back();
      continue;
    }
    const std::optional<std::string>& macro = (*macros)[next++];
    if (!macro) return verdict = MacroVerdict::dangling;
    if (!visited.insert(*macro).second) continue;
    if (is_changed(*macro)) return verdict = MacroVerdict::modified;
    walk.emplace_back(&macros_of(*macro), 0);
  }
  return verdict;
}

/// The changed macros that a list leads to, breadth first, each with the macros on the way to it.
const std::vector<Reason>& Comparison::macro_reasons(Raw list) {
  const auto known = macro_reasons_.find(list);
  if (known != macro_reasons_.end()) return known->second;
  std::vector<Reason>& reasons = macro_reasons_[list];
  const MacroList first = decode_strings(list);
  std::unordered_map<std::string_view, std::string_view> caller;  // empty = the node itself
  std::vector<std::string_view> queue;
  const auto meet = [&](const MacroList& macros, std::string_view by) {
    for (const std::optional<std::string>& macro : macros) {
      if (macro && caller.emplace(*macro, by).second) queue.push_back(*macro);
    }
  };
  meet(first, {});
  std::size_t more = 0;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::string_view macro = queue[i];
    if (is_changed(macro) && reasons.size() == macros_told) {
      ++more;
    } else if (is_changed(macro)) {
      Reason& told = reasons.emplace_back(reason(ReasonKind::macros, std::string(last_part(macro))));
      for (std::string_view step = macro; !step.empty(); step = caller[step]) told.path.emplace_back(step);
    }
    meet(macros_of(macro), macro);
  }
  if (more > 0) reasons.push_back(reason(ReasonKind::macros, fmt::format("and {} more", more)));
  return reasons;
}

bool Comparison::same_contract(const Entry& entry, const Entry& old) {
  if (head_->raw(entry, Field::contract) == base_->raw(old, Field::contract)) return true;
  const bool was_enforced = contract_enforced(*base_, old);
  const bool is_enforced = contract_enforced(*head_, entry);
  if (!was_enforced) return !is_enforced;
  const auto checksum = [](Raw contract) { return member(contract, "checksum"); };
  if (is_enforced &&
      same_json(checksum(head_->raw(entry, Field::contract)), checksum(base_->raw(old, Field::contract)))) {
    return true;
  }
  std::vector<std::string> breaking =
      breaking_changes({*head_, *base_, entry, old, Kind::model}, head_->adapter_type());
  if (!breaking.empty()) {
    broken_.push_back({.unique_id = std::string(entry.unique_id),
                       .original_file_path = head_->text(entry, Field::original_file_path),
                       .versioned = is_versioned(*head_, entry),
                       .changes = std::move(breaking)});
  }
  return false;
}

void Comparison::compare(NodeIndex node) {
  const Entry& entry = head_->nodes()[node];
  const Kind kind = kinds_[node];
  Pieces found = piece::none;
  const auto add = [&](bool differs, Pieces piece) {
    if (differs) found = found | piece;
  };
  if (!changed_macros_.empty() && kind != Kind::source) {
    const MacroVerdict verdict = macro_verdict(member(head_->raw(entry, Field::depends_on), "macros"));
    add(verdict == MacroVerdict::modified, piece::macros);
    if (verdict == MacroVerdict::dangling && !dangling_) dangling_ = node;
  }
  if (old_[node] == nullptr) {
    add(true, piece::added);
  } else if (head_->around_created_at(entry) != base_->around_created_at(*old_[node])) {
    const Pair pair{*head_, *base_, entry, *old_[node], kind};
    if (is_node_like(kind)) {
      const bool is_sql = kind != Kind::seed && head_->raw(entry, Field::language) != "\"python\"";
      add(!same_body(pair) && !(is_sql && is_same_code(entry, pair.old, Field::raw_code)), piece::body);
      add(!changed_descriptions(pair).empty(), piece::descriptions);
    }
    if (is_node_like(kind) || kind == Kind::source) add(!changed_relation(pair, more_).empty(), piece::relation);
    if (kind != Kind::unit_test) add(!changed_configs(pair).empty(), piece::configs);
    if (kind == Kind::model) add(!same_contract(entry, pair.old), piece::contract);
    add(!changed_properties(pair).empty(), piece::properties);
  }
  pieces_[node] = found;
}

Result<void> Comparison::check(std::string_view state, io::Instant now) const {
  if (looks_at_macros(state) && dangling_) {
    const Entry& entry = head_->nodes()[*dangling_];
    return failed(ExitStatus::usage, fmt::format("comparing '{}'", entry.unique_id),
                  "it depends on a macro or a generic test that does not exist",
                  fmt::format("look for a typo in {}, or install the packages: dbt deps",
                              head_->text(entry, Field::original_file_path)));
  }
  if (!looks_at_contracts(state)) return {};
  std::vector<BrokenContract> broken = broken_;
  const std::vector<BrokenContract> removed = removed_contracts(now);
  broken.insert(broken.end(), removed.begin(), removed.end());
  for (const BrokenContract& contract : broken) {
    if (!contract.versioned) continue;
    return failed(
        ExitStatus::usage, fmt::format("comparing the contract of '{}'", contract.unique_id),
        fmt::format("a breaking change of a versioned model, at which dbt stops: {}",
                    fmt::join(contract.changes, "; ")),
        fmt::format("add a new version of the model instead, or undo the change in {}", contract.original_file_path));
  }
  return {};
}

Pieces Comparison::counted(NodeIndex node, std::string_view state) const {
  const Pieces pieces = pieces_[node];
  const Kind kind = kinds_[node];
  if (state == "new") return pieces & piece::added;
  if (state == "modified") return pieces & counting_pieces(kind);
  if (state == "modified.macros") return pieces & piece::macros;
  if (state == "modified.configs") {
    return kind == Kind::unit_test ? piece::none : pieces & (piece::added | piece::configs);
  }
  if (state == "modified.relation" && kind == Kind::source) return pieces & (piece::added | piece::relation);
  if (!is_node_like(kind)) return piece::none;
  if (state == "modified.body") return pieces & (piece::added | piece::body);
  if (state == "modified.persisted_descriptions") return pieces & (piece::added | piece::descriptions);
  if (state == "modified.relation") return pieces & (piece::added | piece::relation);
  if (state == "modified.contract") return pieces & (piece::added | piece::contract);
  return piece::none;
}

bool Comparison::matches(NodeIndex node, std::string_view state) const {
  if (state == "old") return old_[node] != nullptr;
  if (state == "unmodified") return counted(node, "modified") == piece::none;
  return counted(node, state) != piece::none;
}

std::vector<Reason> Comparison::explain(NodeIndex node, Pieces pieces) {
  const Entry& entry = head_->nodes()[node];
  std::vector<Reason> reasons;
  if ((pieces & piece::added) != piece::none) {
    const bool was_disabled = base_->find_disabled(entry.unique_id) != nullptr;
    reasons.push_back(reason(ReasonKind::added, was_disabled ? "disabled in the base" : ""));
  }
  if (old_[node] != nullptr) {
    const Pair pair{*head_, *base_, entry, *old_[node], kinds_[node]};
    if ((pieces & piece::body) != piece::none) reasons.push_back(reason(ReasonKind::body));
    if ((pieces & piece::configs) != piece::none) add_reasons(reasons, ReasonKind::configs, changed_configs(pair));
    if ((pieces & piece::relation) != piece::none)
      add_reasons(reasons, ReasonKind::relation, changed_relation(pair, more_));
    if ((pieces & piece::descriptions) != piece::none) {
      reasons.push_back(
          reason(ReasonKind::persisted_descriptions, fmt::format("{}", fmt::join(changed_descriptions(pair), ", "))));
    }
    if ((pieces & piece::contract) != piece::none) {
      const auto broken = std::find_if(broken_.begin(), broken_.end(),
                                       [&](const BrokenContract& c) { return c.unique_id == entry.unique_id; });
      reasons.push_back(reason(ReasonKind::contract, broken != broken_.end()
                                                         ? fmt::format("breaking: {}", fmt::join(broken->changes, "; "))
                                                     : contract_enforced(*base_, pair.old) ? "changed, not breaking"
                                                                                           : "now enforced"));
    }
    if ((pieces & piece::properties) != piece::none)
      add_reasons(reasons, ReasonKind::properties, changed_properties(pair));
  }
  // Of a new node that is reason enough, though a macro it calls be new as well.
  if ((pieces & piece::macros) != piece::none && (pieces & piece::added) == piece::none) {
    const std::vector<Reason>& told = macro_reasons(member(head_->raw(entry, Field::depends_on), "macros"));
    reasons.insert(reasons.end(), told.begin(), told.end());
  }
  return reasons;
}

std::vector<BrokenContract> Comparison::removed_contracts(io::Instant now) const {
  std::vector<BrokenContract> broken;
  for (const Entry& old : base_->nodes()) {
    if (old.collection != Collection::nodes) continue;
    const Entry* disabled = head_->find_disabled(old.unique_id);
    if (disabled == nullptr && head_->find_node(old.unique_id) != nullptr) continue;
    const Manifest& manifest = disabled != nullptr ? *head_ : *base_;
    const Entry& removed = disabled != nullptr ? *disabled : old;
    if (manifest.raw(removed, Field::resource_type) != "\"model\"" || !contract_enforced(manifest, removed) ||
        past_deprecation(manifest, removed, now)) {
      continue;
    }
    broken.push_back({.unique_id = std::string(old.unique_id),
                      .original_file_path = manifest.text(removed, Field::original_file_path),
                      .versioned = is_versioned(manifest, removed),
                      .changes = {manifest.enabled(removed) ? "it was deleted or renamed" : "it was disabled"}});
  }
  return broken;
}

std::vector<std::string_view> Comparison::unseen_macros() const {
  std::unordered_set<std::string_view> seen;
  std::vector<const MacroList*> lists;
  std::vector<MacroList> first;
  std::unordered_set<Raw> known;
  const std::span<const Entry> nodes = head_->nodes();
  if (changed_macros_.empty()) return {};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Raw list = member(head_->raw(nodes[i], Field::depends_on), "macros");
    if (kinds_[i] != Kind::hidden_node && known.insert(list).second) first.push_back(decode_strings(list));
  }
  lists.reserve(first.size());
  for (const MacroList& list : first) lists.push_back(&list);
  while (!lists.empty()) {
    const MacroList& list = *lists.back();
    lists.pop_back();
    for (const std::optional<std::string>& macro : list) {
      if (macro && seen.insert(*macro).second) lists.push_back(&macros_of(*macro));
    }
  }
  std::vector<std::string_view> unseen;
  std::copy_if(changed_macros_.begin(), changed_macros_.end(), std::back_inserter(unseen),
               [&](std::string_view macro) { return !seen.contains(macro); });
  return unseen;
}

}  // namespace offshoot::state
