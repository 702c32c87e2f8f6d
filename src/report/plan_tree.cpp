// SPDX-License-Identifier: Apache-2.0
#include "report/plan_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/phrases.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t most_children = 20;
constexpr std::size_t deepest = 12;
constexpr std::size_t most_lines = 400;
constexpr std::size_t tests_named = 3;

std::string name_of(const std::string& unique_id) { return one_line(short_name(unique_id), 120); }

std::string names(const std::vector<std::string>& ids, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(ids.size(), most); ++i) out += (i == 0 ? "" : ", ") + name_of(ids[i]);
  return ids.size() > most ? fmt::format("{} and {} more", out, ids.size() - most) : out;
}

/// "model, table"; what says more than the name alone.
std::string kind(const PlannedNode& node) {
  const bool same = node.materialized.empty() || node.materialized == node.resource_type;
  return one_line(same ? node.resource_type : node.resource_type + ", " + node.materialized, 40);
}

/// One line of the tree: a node, or a macro that made nodes change.
struct Branch {
  const PlannedNode* node = nullptr;  ///< absent = a macro, or what is not in the plan
  std::string what{};                 ///< of such a one
  std::vector<std::string> below{};   ///< keys of other lines
  std::vector<std::string> tests{};   ///< unique ids
};

class Tree {
 public:
  Tree(const std::vector<const PlannedNode*>& nodes, const Paint& paint) : paint_(paint) {
    for (const PlannedNode* node : nodes) {
      if (is_changed(*node) || !is_missing_in_production(*node)) branches_[node->unique_id].node = node;
    }
    for (const PlannedNode* node : nodes) {
      if (branches_.contains(node->unique_id)) place(*node);
    }
  }

  std::string str() {
    for (const std::string& root : roots_) write(root, "", "", 0);
    // Nothing is left over, unless the reasons lead in a circle.
    for (const auto& [key, branch] : branches_) {
      if (branch.node != nullptr && !hangs_as_test_.contains(key)) write(key, "", "", 0);
    }
    if (lines_ > most_lines) out_ += fmt::format("  … and {} more lines\n", lines_ - most_lines);
    return out_;
  }

 private:
  /// Puts a node below its cause.
  void place(const PlannedNode& node) {
    const std::string& id = node.unique_id;
    if (const Reason* macro = only_macros(node)) {
      hang("macro " + macro->path.front(), id, "macro " + name_of(macro->path.front()));
      return;
    }
    if (is_changed(node) || node.reasons.empty()) {
      roots_.push_back(id);
      return;
    }
    const Reason& reason = node.reasons.front();
    const std::string above = cause_in_plan(node, reason);
    if (above.empty()) {
      const std::string cause = reason.path.empty() ? reason.detail : name_of(reason.path.front());
      hang("other " + cause, id, one_line(cause, 120));
    } else if (is_test(node) && reason.kind == ReasonKind::test_of) {
      branches_[above].tests.push_back(id);
      hangs_as_test_.insert(id);
    } else {
      branches_[above].below.push_back(id);
      parent_[id] = above;
    }
  }

  /// Below a line that is no node of the plan.
  void hang(const std::string& key, const std::string& id, const std::string& what) {
    Branch& branch = branches_[key];
    if (branch.what.empty()) roots_.push_back(key);
    branch.what = what;
    branch.below.push_back(id);
    parent_[id] = key;
  }

  /// The first macro, where macros are all that changed in a node.
  static const Reason* only_macros(const PlannedNode& node) {
    const bool only = std::ranges::all_of(node.reasons, [](const Reason& r) { return r.kind == ReasonKind::macros; });
    return only && !node.reasons.empty() && !node.reasons.front().path.empty() ? &node.reasons.front() : nullptr;
  }

  /// The nearest node on the way down from the cause that has a line; else the first of its parents that has one.
  [[nodiscard]] std::string cause_in_plan(const PlannedNode& node, const Reason& reason) const {
    for (auto step = reason.path.rbegin(); step != reason.path.rend(); ++step) {
      if (*step != node.unique_id && branches_.contains(*step)) return *step;
    }
    for (const std::string& parent : node.depends_on) {
      if (branches_.contains(parent)) return parent;
    }
    return {};
  }

  void write(const std::string& key, const std::string& first, const std::string& rest, std::size_t depth) {
    if (!written_.insert(key).second) return;
    const Branch& branch = branches_.at(key);
    line(first + (depth == 0 ? paint_("●", Paint::Tone::good) + " " : "") + words(key, branch));
    const std::string inner = depth == 0 ? "" : rest;
    if (depth == deepest && !branch.below.empty()) {
      return line(fmt::format("{}└─ {}", inner, paint_(fmt::format("… {} more below", count_below(key)), dim)));
    }
    std::vector<std::string> below = branch.below;
    std::ranges::stable_partition(below, [&](const std::string& id) { return branches_.at(id).below.empty(); });
    const std::size_t shown = std::min(below.size(), most_children);
    const bool cut = shown < below.size();
    if (!branch.tests.empty()) {
      line(fmt::format(
          "{}{} {}", inner, below.empty() ? "└─" : "├─",
          paint_(counted(branch.tests.size(), "test", "tests") + ": " + names(branch.tests, tests_named), dim)));
    }
    for (std::size_t i = 0; i < shown; ++i) {
      const bool last = i + 1 == shown && !cut;
      write(below[i], inner + (last ? "└─ " : "├─ "), inner + (last ? "   " : "│  "), depth + 1);
    }
    if (!cut) return;
    std::size_t more = 0;
    for (std::size_t i = shown; i < below.size(); ++i) more += 1 + count_below(below[i]);
    line(fmt::format("{}└─ {}", inner, paint_(fmt::format("… and {} more", more), dim)));
  }

  /// How many lines stand below, none of which is written any more.
  std::size_t count_below(const std::string& key) {
    std::size_t count = 0;
    written_.insert(key);
    for (const std::string& id : branches_.at(key).below) {
      if (written_.insert(id).second) count += 1 + count_below(id);
    }
    return count;
  }

  [[nodiscard]] std::string words(const std::string& key, const Branch& branch) const {
    if (branch.node == nullptr) return fmt::format("{}  {}", branch.what, paint_("changed", dim));
    const PlannedNode& node = *branch.node;
    std::vector<std::string> why;
    if (const Reason* macro = only_macros(node)) {
      why = macro_words(node, *macro);
    } else if (is_changed(node)) {
      why = own_words(node);
    }
    if (const auto others = other_causes(key, node); !others.empty()) why.push_back("also below " + names(others, 3));
    std::string out = fmt::format("{}  {}", name_of(key), paint_(kind(node), dim));
    if (!why.empty()) out += fmt::format("  {}", fmt::join(why, "; "));
    return out;
  }

  static std::vector<std::string> own_words(const PlannedNode& node) {
    constexpr std::size_t most = 4;
    std::vector<std::string> words;
    for (const Phrase& phrase : phrases(node, most)) {
      if (phrase.words == "below") continue;  // told as "also below"
      words.push_back(phrase.words + (phrase.quoted.empty() ? "" : " " + one_line(phrase.quoted, 160)));
    }
    if (node.reasons.size() > most) words.push_back(fmt::format("{} more", node.reasons.size() - most));
    return words;
  }

  /// How the macro above is reached, and which others changed.
  static std::vector<std::string> macro_words(const PlannedNode& node, const Reason& macro) {
    std::vector<std::string> words;
    if (macro.path.size() > 1) words.push_back("through " + names({macro.path.begin() + 1, macro.path.end()}, 3));
    std::vector<std::string> others;
    for (std::size_t i = 1; i < node.reasons.size(); ++i) others.push_back(one_line(node.reasons[i].detail, 120));
    if (!others.empty()) words.push_back(fmt::format("also macro {}", fmt::join(others, ", ")));
    return words;
  }

  /// Parents that have lines of their own elsewhere.
  [[nodiscard]] std::vector<std::string> other_causes(const std::string& key, const PlannedNode& node) const {
    const auto placed = parent_.find(key);
    std::vector<std::string> others;
    for (const std::string& parent : node.depends_on) {
      const bool has_line = branches_.contains(parent) && parent != key;
      if (has_line && (placed == parent_.end() || placed->second != parent)) others.push_back(parent);
    }
    return others;
  }

  void line(const std::string& text) {
    if (++lines_ <= most_lines) out_ += "  " + text + "\n";
  }

  static constexpr Paint::Tone dim = Paint::Tone::dim;
  const Paint& paint_;
  std::map<std::string, Branch> branches_;
  std::vector<std::string> roots_;
  std::map<std::string, std::string> parent_;
  std::set<std::string> hangs_as_test_;
  std::set<std::string> written_;
  std::string out_;
  std::size_t lines_ = 0;
};

}  // namespace

std::string plan_tree(const std::vector<const PlannedNode*>& nodes, const Paint& paint) {
  return Tree(nodes, paint).str();
}

}  // namespace offshoot::report
