// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/paint.hpp"
#include "report/phrases.hpp"
#include "report/plan_tree.hpp"
#include "report/terminal.hpp"

namespace offshoot::report {
namespace {

std::string name_of(const std::string& unique_id) { return one_line(short_name(unique_id), 120); }

template <class T>
std::string bullets(std::string_view title, const std::vector<T>& items, auto&& line) {
  if (items.empty()) return {};
  std::string out = fmt::format("\n{} ({})\n", title, items.size());
  for (const T& item : items) out += fmt::format("  - {}\n", line(item));
  return out;
}

std::string removed(const std::vector<RemovedNode>& nodes) {
  return bullets("no longer in the project", nodes,
                 [](const RemovedNode& node) { return name_of(node.unique_id) + ": " + one_line(node.because, 200); });
}

std::string notes(const std::vector<std::string>& all) {
  return bullets("notes", all, [](const std::string& note) { return one_line(note, 400); });
}

std::string tree(const std::vector<const PlannedNode*>& nodes, const Paint& paint) {
  const std::string lines = plan_tree(nodes, paint);
  return lines.empty() ? "" : "\nwhat changed, and what follows\n" + lines;
}

std::string headline(const Plan& plan, const std::vector<const PlannedNode*>& missing) {
  std::size_t executed = 0;
  std::size_t changed = 0;
  std::size_t tests = 0;
  for (const PlannedNode& node : plan.nodes) {
    if (is_executed(node)) ++executed;
    if (is_test(node)) {
      ++tests;
    } else if (is_changed(node)) {
      ++changed;
    }
  }
  if (executed == 0) return "nothing to build\n";
  const std::size_t below = plan.nodes.size() - tests - changed - missing.size();
  return fmt::format("{} to build: {} changed, {} below, {}{}\n", counted(executed, "node", "nodes"), changed, below,
                     missing.empty() ? "" : fmt::format("{} not in production, ", missing.size()),
                     counted(tests, "test", "tests"));
}

std::string verified(const Plan& plan) {
  if (!plan.verified) return {};
  std::string out = "\n" + difference_title(*plan.verified) + "\n";
  for (const auto& [who, ids] : {std::pair("dbt", &plan.verified->only_dbt), {"offshoot", &plan.verified->only_here}}) {
    for (const std::string& id : *ids) out += fmt::format("  - only {}: {}\n", who, one_line(id, 200));
  }
  return out;
}

}  // namespace

std::string plan_terminal(const Plan& plan, bool colour) {
  const Paint paint(colour);
  std::vector<const PlannedNode*> shown;
  std::vector<const PlannedNode*> missing;
  for (const PlannedNode& node : plan.nodes) {
    const bool only_missing = is_missing_in_production(node) && !is_changed(node);
    (only_missing ? missing : shown).push_back(&node);
  }
  for (const PlannedNode& node : plan.unbuilt) shown.push_back(&node);
  std::string out = headline(plan, missing) + tree(shown, paint);
  out += bullets("read by what is built, and not to be had from production", missing, [](const PlannedNode* node) {
    std::vector<std::string> why;
    for (const Phrase& phrase : phrases(*node, 3)) why.push_back(phrase.words + " " + one_line(phrase.quoted, 120));
    return fmt::format("{}: {}", name_of(node->unique_id), fmt::join(why, "; "));
  });
  out += bullets("read, and not to be found", plan.unreadable, [](const Unreadable& one) {
    return name_of(one.unique_id) + ": " + one_line(unreadable_words(one), 300);
  });
  out += verified(plan);
  out += bullets("promoted, or built", plan.promotions, [](const Promotion& one) {
    return name_of(one.unique_id) + ": " + one_line(promotion_words(one), 300);
  });
  out += removed(plan.removed);
  out += bullets("left out, where dbt builds", plan.left_out,
                 [](const LeftOut& node) { return name_of(node.unique_id) + ": " + one_line(node.because, 200); });
  out += bullets("changed files that select nothing", plan.idle_files,
                 [](const IdleFile& file) { return one_line(file.path, 200) + ": " + one_line(file.because, 200); });
  out += bullets("read from production", plan.deferred, [](const Deferred& deferred) {
    return name_of(deferred.unique_id) + ": " + one_line(deferred.relation.rendered, 200);
  });
  out += bullets("not proven to stay in the branch", plan.unproven, [](const Unproven& unproven) {
    return name_of(unproven.unique_id) + ": " + one_line(unproven.what, 200);
  });
  std::vector<std::string> said = plan.notes;
  if (!plan.production.assumption.empty()) said.insert(said.begin(), plan.production.assumption);
  return without_commands(out + notes(said));
}

std::string selection_terminal(const std::vector<PlannedNode>& selected, const std::vector<RemovedNode>& gone,
                               const std::vector<std::string>& said, bool colour) {
  std::vector<const PlannedNode*> nodes;
  nodes.reserve(selected.size());
  for (const PlannedNode& node : selected) nodes.push_back(&node);
  const Paint paint(colour);
  return without_commands(counted(nodes.size(), "node", "nodes") + " selected\n" + tree(nodes, paint) + removed(gone) +
                          notes(said));
}

}  // namespace offshoot::report
