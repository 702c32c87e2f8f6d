// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/lineage.hpp"
#include "report/phrases.hpp"
#include "report/sections.hpp"
#include "report/words.hpp"

namespace offshoot::report {
namespace {

/// Whether a name may be pasted into a shell.
bool is_pasteable(std::string_view name) {
  return !name.empty() && name.size() <= 120 && name.front() != '-' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") ==
             std::string_view::npos;
}

/// The name by which dbt selects it.
std::string selector_of(const std::string& unique_id) {
  if (unique_id.starts_with("unit_test.")) return unique_id.substr(unique_id.rfind('.') + 1);
  return short_name(unique_id);
}

/// `dbt build` runs a unit test only before its model, which may not be selected.
std::string_view command_for(const std::vector<std::string>& unique_ids) {
  const bool unit_tests = std::all_of(unique_ids.begin(), unique_ids.end(),
                                      [](const std::string& id) { return id.starts_with("unit_test."); });
  return unit_tests ? "dbt test --select " : "dbt build --select ";
}

/// What a plan says. Each section_… function adds its section, if there is something to say.
class Plans {
 public:
  explicit Plans(const Telling& telling) : run_(telling.run), digest_(telling.digest), links_(telling.links) {}

  std::vector<Section> all(const Plan& plan) {
    section_unreadable(plan);
    section_verified(plan);
    section_nodes(plan);
    section_promotions(plan);
    section_lineage(plan);
    section_removed(plan);
    section_left_out(plan);
    section_idle_files(plan);
    section_deferred(plan);
    section_unproven(plan);
    section_by_hand(plan);
    section_plan_notes(plan);
    return std::move(sections_);
  }

 private:
  void section_idle_files(const Plan& plan) {
    Section section{.importance = 9, .share = 0.1, .one = "file", .many = "files"};
    for (const IdleFile& file : plan.idle_files) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", linked(code(file.path), links_.file(file.path)), text(file.because, 160)));
    }
    const std::string title =
        counted(plan.idle_files.size(), "changed file selects nothing", "changed files select nothing");
    if (digest_.objects + digest_.tests == 0) return sections_.push_back(listed(std::move(section), title));
    section.open = unfold(title);
    section.close = fold_end;
    sections_.push_back(std::move(section));
  }

  /// What was built and why: one table for each way by which nodes got in.
  void section_nodes(const Plan& plan) {
    std::vector<const PlannedNode*> changed;
    std::vector<const PlannedNode*> below;
    std::vector<const PlannedNode*> missing;
    std::vector<const PlannedNode*> tests;
    std::set<std::string> shown;
    for (const PlannedNode& node : plan.nodes) {
      if (is_test(node)) continue;
      (is_changed(node) ? changed : is_missing_in_production(node) ? missing : below).push_back(&node);
      shown.insert(node.unique_id);
    }
    std::size_t test_count = 0;
    for (const PlannedNode& node : plan.nodes) {
      if (!is_test(node)) continue;
      ++test_count;
      const bool beside = std::any_of(node.depends_on.begin(), node.depends_on.end(),
                                      [&](const std::string& parent) { return shown.contains(parent); });
      if (is_changed(node) || !beside) tests.push_back(&node);
    }
    Section section{.importance = 7, .share = 0.3, .one = "node", .many = "nodes"};
    add_table(section, "Changed", changed);
    add_table(section, "Below what changed", below);
    add_table(section, "Read by what is built, and not to be had from production", missing);
    add_table(section, "Tests that changed, or whose models are not built here", tests);
    std::vector<std::string> parts;
    if (!changed.empty()) parts.push_back(fmt::format("{} changed", changed.size()));
    if (!below.empty()) parts.push_back(fmt::format("{} below", below.size()));
    if (!missing.empty()) parts.push_back(fmt::format("{} not in production", missing.size()));
    if (test_count > 0) parts.push_back(counted(test_count, "test", "tests"));
    section.open = unfold(fmt::format(
        "<b>{}</b>: {}", was_built() ? "What was built, and why" : "What was planned, and why", joined(parts, ", ")));
    section.close = fold_end;
    sections_.push_back(std::move(section));
  }

  [[nodiscard]] bool was_built() const { return run_.build.finished() != nullptr; }

  void add_table(Section& section, std::string_view title, std::vector<const PlannedNode*> nodes) const {
    std::stable_partition(nodes.begin(), nodes.end(), [this](const PlannedNode* node) {
      const NodeResult* result = digest_.result(node->unique_id);
      return result != nullptr && is_failing(result->status);
    });
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::string head =
          i > 0 ? std::string()
                : fmt::format("{}**{}**\n\n| | node | why | tests | time |\n| --- | --- | --- | ---: | ---: |\n",
                              section.entries.empty() ? "" : "\n", title);
      section.entries.push_back(head + node_row(*nodes[i]));
    }
  }

  [[nodiscard]] std::string node_row(const PlannedNode& node) const {
    const NodeResult* result = digest_.result(node.unique_id);
    const std::string name = linked(cell_code(short_name(node.unique_id), 120), links_.node_file(node));
    const std::string what = is_test(node) ? std::string() : " " + text(kind(node), 60);
    const bool timed = result != nullptr && !is_failing(result->status);
    return fmt::format("| {} | {}{} | {} | {} | {} |\n", result == nullptr ? "·" : icon(result->status), name, what,
                       why(node), tests_of(node), timed ? duration(result->seconds) : "");
  }

  [[nodiscard]] static std::string why(const PlannedNode& node) {
    constexpr std::size_t most = 3;
    std::vector<std::string> parts;
    for (const Phrase& phrase : phrases(node, most)) {
      const std::string quoted = phrase.quoted.empty() ? "" : " " + cell_code(phrase.quoted, 120);
      parts.push_back(phrase.words + quoted);
    }
    if (node.reasons.size() > most) parts.push_back(fmt::format("{} more", node.reasons.size() - most));
    return joined(parts, "; ");
  }

  /// "5/6": how many of its tests passed.
  [[nodiscard]] std::string tests_of(const PlannedNode& node) const {
    std::size_t all = 0;
    std::size_t passed = 0;
    for (const PlannedNode* test : digest_.tests_on(node.unique_id)) {
      ++all;
      const NodeResult* result = digest_.result(test->unique_id);
      if (result != nullptr && !is_failing(result->status)) ++passed;
    }
    if (all == 0) return {};
    return was_built() ? fmt::format("{}/{}", passed, all) : fmt::format("{}", all);
  }

  void section_lineage(const Plan& plan) {
    const std::string diagram = lineage_diagram(plan, digest_);
    if (diagram.empty()) return;
    const std::string legend = was_built() ? "✓ built · ✗ fails, or a test of it does · ○ not built · " : "";
    const std::string exposures = diagram.find("([") == std::string::npos ? "" : " · rounded: an exposure";
    sections_.push_back({.importance = 8,
                         .share = 0.15,
                         .open = unfold("Lineage"),
                         .entries = {fenced(diagram, "mermaid") +
                                     fmt::format("\n<sub>{}dashed: read from production{}</sub>\n", legend, exposures)},
                         .close = std::string(fold_end)});
  }

  void section_promotions(const Plan& plan) {
    Section section{.importance = 8, .share = 0.1, .one = "node", .many = "nodes"};
    for (const Promotion& one : plan.promotions) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", code(short_name(one.unique_id), 120), text(promotion_words(one), 300)));
    }
    if (section.entries.empty()) return;
    const auto promoted = static_cast<std::size_t>(
        std::ranges::count_if(plan.promotions, [](const Promotion& one) { return !one.from.empty(); }));
    sections_.push_back(listed(std::move(section), fmt::format("{} promoted from a branch, {} built", promoted,
                                                               plan.promotions.size() - promoted)));
  }

  void section_removed(const Plan& plan) {
    Section section{.importance = 8, .share = 0.1, .one = "removed node", .many = "removed nodes"};
    for (const RemovedNode& node : plan.removed) {
      section.entries.push_back(fmt::format("- {} {}: {}\n", text(node.resource_type, 30),
                                            code(short_name(node.unique_id), 120), text(node.because, 200)));
    }
    if (section.entries.empty()) return;
    section.entries.back() += "\nTheir relations stay in production until they are dropped there.\n";
    sections_.push_back(listed(std::move(section), counted(plan.removed.size(), "node is no longer in the project",
                                                           "nodes are no longer in the project")));
  }

  void section_left_out(const Plan& plan) {
    Section section{.importance = 9, .share = 0.08, .one = "node", .many = "nodes"};
    for (const LeftOut& node : plan.left_out) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", code(short_name(node.unique_id), 120), text(node.because, 200)));
    }
    if (section.entries.empty()) return;
    sections_.push_back(
        listed(std::move(section), counted(plan.left_out.size(), "node is", "nodes are") +
                                       " left out, where dbt builds: only comments and whitespace changed"));
  }

  /// What will fail for want of something to read: in the open, for it is known before the build.
  void section_unreadable(const Plan& plan) {
    Section section{.importance = 2, .share = 0.15, .one = "relation", .many = "relations"};
    for (const Unreadable& one : plan.unreadable) {
      section.entries.push_back(
          fmt::format("- ⚠️ {}: {}\n", code(short_name(one.unique_id), 120), text(unreadable_words(one), 400)));
    }
    section.open = "\n**Read by what is built, and not to be found**\n\n";
    sections_.push_back(std::move(section));
  }

  /// Where dbt was asked for its own selection and has another.
  void section_verified(const Plan& plan) {
    if (!plan.verified || *plan.verified == Verified{}) return;
    Section section{.importance = 3, .share = 0.15, .one = "node", .many = "nodes"};
    for (const std::string& id : plan.verified->only_dbt) {
      section.entries.push_back(fmt::format("- only dbt: {}\n", code(id, 160)));
    }
    for (const std::string& id : plan.verified->only_here) {
      section.entries.push_back(fmt::format("- only offshoot: {}\n", code(id, 160)));
    }
    section.open = fmt::format("\n⚠️ **{}**\n\n", difference_title(*plan.verified));
    sections_.push_back(std::move(section));
  }

  void section_deferred(const Plan& plan) {
    if (plan.deferred.empty()) return;
    Section section{.importance = 10, .share = 0.08, .one = "relation", .many = "relations"};
    for (const Deferred& deferred : plan.deferred) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", code(short_name(deferred.unique_id), 120), code(deferred.relation.rendered, 160)));
    }
    std::string title =
        counted(plan.deferred.size(), "relation is read from production", "relations are read from production");
    if (!plan.production.assumption.empty()) title += ", " + text(plan.production.assumption, 120);
    section.open = unfold(title);
    section.close = fold_end;
    if (!plan.production.source.empty()) {
      section.close = fmt::format("\nProduction is known from {}.\n{}", text(plan.production.source, 80), fold_end);
    }
    sections_.push_back(std::move(section));
  }

  void section_unproven(const Plan& plan) {
    if (plan.unproven.empty()) return;
    Section section{.importance = 9, .share = 0.08, .one = "node", .many = "nodes"};
    for (const Unproven& unproven : plan.unproven) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", code(short_name(unproven.unique_id), 120), text(unproven.what, 120)));
    }
    section.open = unfold(counted(plan.unproven.size(), "node does", "nodes do") +
                          " what cannot be proven to stay in the branch; the warehouse's grants stop it");
    section.close = fold_end;
    sections_.push_back(std::move(section));
  }

  void section_by_hand(const Plan& plan) {
    std::vector<std::string> commands;
    if (const std::string all = build_of_changes(plan); !all.empty()) commands.push_back(all);
    if (const std::string failed = build_of_failures(); !failed.empty()) {
      commands.push_back("# only what failed\n" + failed);
    }
    if (commands.empty()) return;
    sections_.push_back({.importance = 11,
                         .share = 0.05,
                         .open = unfold("Build it by hand"),
                         .entries = {fenced(joined(commands, "\n"), "sh")},
                         .close = std::string(fold_end)});
  }

  /// Empty where there are too many, or one has a name that is not safe to paste.
  [[nodiscard]] static std::string build_of_changes(const Plan& plan) {
    std::set<std::string> parents;
    for (const PlannedNode& node : plan.nodes) {
      if (!is_test(node)) parents.insert(node.depends_on.begin(), node.depends_on.end());
    }
    std::vector<std::string> selectors;
    std::vector<std::string> ids;
    for (const PlannedNode& node : plan.nodes) {
      if (!is_changed(node) || !is_executed(node)) continue;
      const std::string name = selector_of(node.unique_id);
      if (!is_pasteable(name)) return {};
      selectors.push_back(name + (parents.contains(node.unique_id) ? "+" : ""));
      ids.push_back(node.unique_id);
    }
    if (selectors.empty() || selectors.size() > 40) return {};
    return std::string(command_for(ids)) + joined(selectors, " ");
  }

  [[nodiscard]] std::string build_of_failures() const {
    std::vector<std::string> selectors;
    std::vector<std::string> ids;
    for (const Trouble& failure : digest_.failures) {
      const std::string name = selector_of(failure.result->unique_id);
      if (!is_pasteable(name)) return {};
      selectors.push_back(name + (failure.skipped_below.empty() ? "" : "+"));
      ids.push_back(failure.result->unique_id);
    }
    if (selectors.empty() || selectors.size() > 20) return {};
    return std::string(command_for(ids)) + joined(selectors, " ");
  }

  void section_plan_notes(const Plan& plan) {
    Section section{.importance = 12, .share = 0.05, .one = "note", .many = "notes"};
    for (const std::string& note : plan.notes) section.entries.push_back(fmt::format("- {}\n", text(note, 400)));
    section.open = unfold(counted(plan.notes.size(), "note on the plan", "notes on the plan"));
    section.close = fold_end;
    sections_.push_back(std::move(section));
  }

  const Run& run_;
  const Digest& digest_;
  const Links& links_;
  std::vector<Section> sections_{};
};

}  // namespace

std::vector<Section> plan_sections(const Telling& telling) {
  const Plan* plan = telling.run.plan.finished();
  return plan == nullptr ? std::vector<Section>() : Plans(telling).all(*plan);
}

}  // namespace offshoot::report
