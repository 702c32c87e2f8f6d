// SPDX-License-Identifier: Apache-2.0
#include "report/markdown.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "report/budget.hpp"
#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/lineage.hpp"
#include "report/links.hpp"
#include "report/phrases.hpp"
#include "report/verdict.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t least_limit = 4000;
constexpr std::size_t detailed_failures = 10;  // the rest are one line each
constexpr std::size_t open_queries = 3;        // of so many failures the queries stand in the open
constexpr std::size_t open_entries = 8;        // longer lists are folded

std::string_view icon(Conclusion conclusion) {
  switch (conclusion) {
    case Conclusion::passed:
      return "✅";
    case Conclusion::nothing_to_build:
      return "⚪";
    case Conclusion::findings:
      return "❌";
    case Conclusion::could_not_run:
    case Conclusion::usage:
      return "⚠️";
    case Conclusion::locked:
      return "⏸️";
    case Conclusion::refused:
      return "⛔";
    case Conclusion::interrupted:
      return "⏹️";
  }
  return "❌";
}

std::string_view icon(NodeStatus status) {
  switch (status) {
    case NodeStatus::success:
    case NodeStatus::pass:
    case NodeStatus::no_op:
      return "✓";
    case NodeStatus::warn:
      return "⚠️";
    case NodeStatus::fail:
    case NodeStatus::error:
      return "❌";
    case NodeStatus::skipped:
    case NodeStatus::not_run:
    case NodeStatus::unaccounted:
      return "○";
  }
  return "○";
}

std::string linked(const std::string& shown, const std::string& url) {
  return url.empty() ? shown : fmt::format("[{}]({})", shown, url);
}

std::string joined(const std::vector<std::string>& parts, std::string_view by) {
  return fmt::format("{}", fmt::join(parts, by));
}

/// `summary` is HTML.
std::string unfold(std::string_view summary) { return fmt::format("\n<details>\n<summary>{}</summary>\n\n", summary); }
constexpr std::string_view fold_end = "\n</details>\n";

/// The first names as code, and how many more there are.
std::string names(const std::vector<const PlannedNode*>& nodes, std::size_t most) {
  std::vector<std::string> shown;
  for (const PlannedNode* node : nodes) {
    if (shown.size() < most) shown.push_back(code(short_name(node->unique_id), 80));
  }
  const std::string more = nodes.size() > most ? fmt::format(" and {} more", nodes.size() - most) : "";
  return joined(shown, ", ") + more;
}

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

/// Writes one comment. Each section_… function adds its section, if there is something to say.
class Comment {
 public:
  Comment(const Run& run, const CommentOptions& options)
      : run_(run), options_(options), digest_(run), links_(run), verdict_(verdict(run)) {}

  std::string str() {
    section_stopped();
    section_run_notes();
    section_failures();
    section_more_failures();
    section_undone();
    section_warnings();
    section_lint();
    section_unlinted();
    if (const Plan* plan = run_.plan.finished()) {
      section_unreadable(*plan);
      section_verified(*plan);
    }
    if (const Plan* plan = run_.plan.finished()) {
      section_nodes(*plan);
      section_lineage(*plan);
      section_removed(*plan);
      section_left_out(*plan);
      section_idle_files(*plan);
      section_deferred(*plan);
      section_unproven(*plan);
      section_by_hand(*plan);
      section_plan_notes(*plan);
    }
    section_dbt_messages();
    if (!stopped_) section_times();
    const std::string head = heading();
    const std::string foot = footer() + "\n" + hidden_line(run_, options_) + "\n";
    const std::size_t limit = std::max(options_.limit, least_limit);
    return head + fit(sections_, limit - head.size() - foot.size()) + foot;
  }

 private:
  // The head and the foot.

  [[nodiscard]] std::string heading() const {
    const std::string headline = fmt::format("## {} {}\n", icon(verdict_.conclusion), text(verdict_.headline));
    std::vector<std::string> about = counts();
    const std::vector<std::string> where = whereabouts();
    const bool own_line = was_built() && verdict_.conclusion != Conclusion::passed;
    if (own_line) return headline + paragraph(about) + paragraph(where);
    about.insert(about.end(), where.begin(), where.end());
    return headline + paragraph(about);
  }

  [[nodiscard]] static std::string paragraph(const std::vector<std::string>& parts) {
    if (parts.empty()) return {};
    std::string line = joined(parts, " · ");
    if (line.front() >= 'a' && line.front() <= 'z') line.front() = static_cast<char>(line.front() - 'a' + 'A');
    return "\n" + line + "\n";
  }

  /// What the headline does not say yet.
  [[nodiscard]] std::vector<std::string> counts() const {
    std::vector<std::string> parts;
    const bool passed = verdict_.conclusion == Conclusion::passed;
    if (run_.build.finished() != nullptr && !passed) {
      if (digest_.objects > 0) {
        parts.push_back(
            fmt::format("**{}** of {} built", digest_.objects_built, digest_.objects_counted(digest_.objects)));
      }
      if (digest_.tests > 0) {
        parts.push_back(
            fmt::format("**{}** of {} passed", digest_.tests_passed, counted(digest_.tests, "test", "tests")));
      }
      if (!digest_.warnings.empty()) parts.push_back(counted(digest_.warnings.size(), "warning", "warnings"));
    }
    if (const Lint* lint = run_.lint.finished(); lint != nullptr && !lint->files.empty()) {
      parts.push_back(digest_.lint_here.empty()
                          ? (lint->unlinted.empty() ? "lint clean" : "lint clean as far as it went")
                          : counted(digest_.lint_here.size(), "lint finding", "lint findings") + " on changed lines");
    }
    if (const Plan* plan = run_.plan.finished(); plan != nullptr && !plan->removed.empty()) {
      parts.push_back(counted(plan->removed.size(), "node removed", "nodes removed"));
    }
    return parts;
  }

  [[nodiscard]] std::vector<std::string> whereabouts() const {
    std::vector<std::string> parts;
    if (const Branch* branch = run_.branch.finished()) {
      const std::string_view kind = branch->isolation == Isolation::database ? "database" : "schema";
      parts.push_back(fmt::format("in {} {}", kind, code(branch->name, 60)));
    }
    if (const Change* change = run_.change.finished()) {
      const std::string head = linked(code(short_sha(change->head.sha)), links_.commit(change->head.sha));
      const std::string base = linked(code(short_sha(change->base.sha)), links_.commit(change->base.sha));
      const std::string and_more = change->uncommitted ? " with uncommitted changes" : "";
      parts.push_back(fmt::format("{}{} compared with {}", head, and_more, base));
      if (!change->base_is.empty()) parts.back() += fmt::format(" ({})", text(change->base_is, 60));
    }
    if (const Quality* quality = run_.quality.finished(); quality != nullptr && !quality->report.empty()) {
      parts.push_back("Elementary's report: " + code(quality->report, 120));
    }
    parts.push_back(duration(run_.seconds));
    if (!links_.run().empty()) parts.push_back(linked("log", links_.run()));
    if (const std::string report = link_target(options_.report_url); !report.empty()) {
      parts.push_back(linked("full report", report));
    }
    return parts;
  }

  [[nodiscard]] std::string footer() const {
    std::vector<std::string> parts{"offshoot " + text(run_.offshoot_version, 30)};
    if (!run_.id.empty()) parts.push_back("run " + code(run_.id, 60));
    if (!run_.started.empty()) parts.push_back("started " + code(run_.started, 30));
    return fmt::format("\n<sub>{}</sub>\n", joined(parts, " · "));
  }

  // What stopped the run.

  void section_stopped() {
    const bool failed_stage = std::any_of(digest_.stages.begin(), digest_.stages.end(),
                                          [](const StageRow& stage) { return stage.failure != nullptr; });
    stopped_ = failed_stage || verdict_.conclusion == Conclusion::could_not_run ||
               verdict_.conclusion == Conclusion::interrupted;
    if (!stopped_) return;
    Section section{.importance = 0, .share = 0.4};
    for (const StageRow& stage : digest_.stages) {
      if (stage.failure != nullptr) section.open += stop(*stage.failure);
    }
    section.open += "\n| stage | state | time | |\n| --- | --- | ---: | --- |\n";
    std::string rows;
    for (const StageRow& stage : digest_.stages) rows += stage_row(stage);
    section.entries.push_back(rows);
    sections_.push_back(std::move(section));
  }

  /// A failed stage: what was being done, why it stopped, what to do.
  [[nodiscard]] std::string stop(const Failed& failure) const {
    std::size_t cut = 0;
    const std::string why = first_lines(failure.why, 20, 2000, cut);
    std::string out = fmt::format("\n**{}**", text(failure.doing, 200));
    if (why.find('\n') == std::string::npos) {
      out += fmt::format(": {}\n", text(why, 600));
    } else {
      out += "\n\n" + fenced(why + cut_mark(cut), "text");
    }
    if (failure.place) out += fmt::format("\n{}\n", place(*failure.place));
    if (!failure.hint.empty()) out += fmt::format("\n→ {}\n", text(failure.hint, 400));
    return out;
  }

  [[nodiscard]] std::string place(const Place& at) const {
    const std::string line = at.line > 0 ? fmt::format(":{}", at.line) : "";
    const std::string column = at.line > 0 && at.column > 0 ? fmt::format(":{}", at.column) : "";
    return linked(code(at.file + line + column), links_.file(at.file, at.line));
  }

  [[nodiscard]] static std::string cut_mark(std::size_t cut, std::string_view before = "") {
    return cut == 0 ? std::string() : fmt::format("\n{}… {} more", before, counted(cut, "line", "lines"));
  }

  [[nodiscard]] std::string stage_row(const StageRow& stage) const {
    const std::string time = stage.seconds < 0 ? "" : duration(stage.seconds);
    if (stage.failure != nullptr) {
      return fmt::format("| {} | ❌ stopped | {} | see above |\n", stage.name, time);
    }
    if (stage.skipped != nullptr) {
      return fmt::format("| {} | ○ skipped | {} | {} |\n", stage.name, time, text(stage.skipped->because, 160));
    }
    return fmt::format("| {} | ✓ finished | {} | {} |\n", stage.name, time, stage_outcome(stage.name));
  }

  /// What a finished stage has to show, in a few words.
  [[nodiscard]] std::string stage_outcome(const std::string& stage) const {
    if (stage == "change") return outcome(run_.change.finished());
    if (stage == "plan") return outcome(run_.plan.finished());
    if (stage == "branch") return outcome(run_.branch.finished());
    if (stage == "build") return outcome(run_.build.finished());
    return stage == "lint" ? outcome(run_.lint.finished()) : outcome(run_.quality.finished());
  }

  [[nodiscard]] static std::string outcome(const Change* change) {
    return change == nullptr ? "" : counted(change->files.size(), "changed file", "changed files");
  }

  [[nodiscard]] std::string outcome(const Plan* plan) const {
    if (plan == nullptr) return {};
    const std::string base = plan->base_state.empty() ? "" : "; base " + text(plan->base_state, 80);
    const std::string verified = plan->verified ? "; " + difference_title(*plan->verified) : "";
    return counted(digest_.objects + digest_.tests, "node", "nodes") + base + verified;
  }

  [[nodiscard]] static std::string outcome(const Branch* branch) {
    if (branch == nullptr) return {};
    return fmt::format("{}, {}", cell_code(branch->name, 60), branch->reused ? "of an earlier run" : "new");
  }

  [[nodiscard]] std::string outcome(const Build* build) const {
    if (build == nullptr) return {};
    return fmt::format("{} built, {}", digest_.objects_counted(digest_.objects_built),
                       counted(digest_.tests_passed, "test passed", "tests passed"));
  }

  [[nodiscard]] static std::string outcome(const Lint* lint) {
    if (lint == nullptr) return {};
    return fmt::format("{}, {}", text(lint->tool, 40), counted(lint->files.size(), "file", "files"));
  }

  [[nodiscard]] static std::string outcome(const Quality* quality) {
    if (quality == nullptr) return {};
    const std::string page = quality->report.empty() ? "" : ": " + cell_code(quality->report, 120);
    return text(quality->tool, 40) + page;
  }

  void section_run_notes() {
    Section section{.importance = 3, .share = 0.1, .open = "\n> [!NOTE]\n", .one = "note", .many = "notes"};
    for (const std::string& note : run_.notes) section.entries.push_back(fmt::format("> - {}\n", text(note, 400)));
    sections_.push_back(std::move(section));
  }

  // What did not end well.

  void section_failures() {
    Section section{.importance = 1, .share = 0.45, .one = "failure", .many = "failures"};
    for (const Trouble& failure : digest_.failures) {
      if (section.entries.size() < detailed_failures) section.entries.push_back(detailed(failure));
    }
    sections_.push_back(std::move(section));
  }

  [[nodiscard]] std::string detailed(const Trouble& failure) const {
    const NodeResult& result = *failure.result;
    std::string out = fmt::format("\n#### {} {}\n", icon(result.status), code(short_name(result.unique_id), 120));
    const std::vector<std::string> about = about_failure(failure);
    if (!about.empty()) out += fmt::format("\n{}\n", joined(about, " · "));
    std::size_t cut = 0;
    if (const std::string message = first_lines(result.message, 15, 1500, cut); !message.empty()) {
      out += "\n" + fenced(message + cut_mark(cut), "text");
    }
    if (const std::string query = first_lines(result.query, 40, 2500, cut); !query.empty()) {
      const std::string block = fenced(query + cut_mark(cut, "-- "), "sql");
      const std::string_view title = result.failures > 0 ? "The query that returns these rows" : "Compiled SQL";
      const bool open = digest_.failures.size() <= open_queries && result.status == NodeStatus::fail;
      out += open ? fmt::format("\n{}:\n\n{}", title, block) : unfold(title) + block + std::string(fold_end);
    }
    if (!failure.skipped_below.empty()) {
      out += fmt::format("\nSkipped because of it: {}\n", names(failure.skipped_below, 8));
    }
    return out;
  }

  /// How it failed, what it is, where it stands.
  [[nodiscard]] std::vector<std::string> about_failure(const Trouble& failure) const {
    std::vector<std::string> parts;
    const NodeResult& result = *failure.result;
    if (result.failures > 0) {
      parts.push_back(fmt::format("**{}**", counted(static_cast<std::size_t>(result.failures), "row", "rows")));
    }
    if (failure.node == nullptr) return parts;
    const PlannedNode& node = *failure.node;
    parts.push_back(is_test(node) ? "test of " + tested(node) : text(kind(node), 60));
    if (!node.file.empty()) parts.push_back(node_file(node));
    return parts;
  }

  [[nodiscard]] static std::string kind(const PlannedNode& node) {
    const bool plain = node.materialized.empty() || node.materialized == node.resource_type;
    return plain ? node.resource_type : fmt::format("{}, {}", node.resource_type, node.materialized);
  }

  [[nodiscard]] std::string node_file(const PlannedNode& node) const {
    return linked(code(node.file), links_.node_file(node));
  }

  [[nodiscard]] static std::string tested(const PlannedNode& test) {
    std::vector<std::string> parents;
    for (const std::string& parent : test.depends_on) {
      if (parents.size() < 3) parents.push_back(code(short_name(parent), 80));
    }
    return parents.empty() ? "nothing" : joined(parents, ", ");
  }

  [[nodiscard]] static std::string brief(const Trouble& trouble) {
    const NodeResult& result = *trouble.result;
    std::string out = fmt::format("- {} {}: ", icon(result.status), code(short_name(result.unique_id), 120));
    if (result.failures > 0) {
      out += counted(static_cast<std::size_t>(result.failures), "row", "rows");
    } else {
      out += std::string(status_word(result.status));
      if (!result.message.empty()) out += ", " + text(result.message, 160);
    }
    if (!trouble.skipped_below.empty()) {
      out += fmt::format("; {} skipped because of it", trouble.skipped_below.size());
    }
    return out + "\n";
  }

  /// A list of one line each: in the open while it is short.
  void add_list(Section section, std::string_view title) {
    const bool folded = section.entries.size() > open_entries;
    section.open = folded ? unfold(fmt::format("<b>{}</b>", title)) : fmt::format("\n**{}**\n\n", title);
    section.close = folded ? fold_end : std::string_view();
    sections_.push_back(std::move(section));
  }

  void section_more_failures() {
    if (digest_.failures.size() <= detailed_failures) return;
    Section section{.importance = 4, .share = 0.2, .one = "failure", .many = "failures"};
    for (std::size_t i = detailed_failures; i < digest_.failures.size(); ++i) {
      section.entries.push_back(brief(digest_.failures[i]));
    }
    const std::string title = counted(section.entries.size(), "more failure", "more failures");
    add_list(std::move(section), title);
  }

  void section_undone() {
    Section section{.importance = 5, .share = 0.15, .one = "node", .many = "nodes"};
    for (const Trouble& trouble : digest_.undone) section.entries.push_back(brief(trouble));
    const std::string title =
        counted(section.entries.size(), "planned node was not built", "planned nodes were not built");
    add_list(std::move(section), title);
  }

  void section_warnings() {
    Section section{.importance = 6, .share = 0.1, .one = "warning", .many = "warnings"};
    for (const Trouble& warning : digest_.warnings) section.entries.push_back(brief(warning));
    add_list(std::move(section), counted(digest_.warnings.size(), "test warns", "tests warn"));
  }

  void section_lint() {
    if (digest_.lint_here.empty()) return;
    Section section{.importance = 2, .share = 0.2, .one = "lint finding", .many = "lint findings"};
    section.open = fmt::format("\n#### {} Lint on changed lines\n\n| line | rule | finding |\n| --- | --- | --- |\n",
                               run_.policy.lint_fails ? "❌" : "⚠️");
    for (const LintFinding* finding : digest_.lint_here) {
      const std::string where = linked(cell_code(fmt::format("{}:{}", finding->path, finding->line)),
                                       links_.file(finding->path, finding->line));
      const std::string name = finding->name.empty() ? "" : " " + text(finding->name, 60);
      section.entries.push_back(
          fmt::format("| {} | {}{} | {} |\n", where, cell_code(finding->rule, 40), name, text(finding->message, 200)));
    }
    if (digest_.lint_elsewhere > 0) {
      section.close = fmt::format("\n{} on lines that this change does not touch; they do not count.\n",
                                  counted(digest_.lint_elsewhere, "more finding is", "more findings are"));
    }
    sections_.push_back(std::move(section));
  }

  void section_unlinted() {
    const Lint* lint = run_.lint.finished();
    if (lint == nullptr) return;
    Section section{.importance = 6, .share = 0.1, .one = "file", .many = "files"};
    for (const Unlinted& file : lint->unlinted) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", linked(code(file.path), links_.file(file.path)), text(file.because, 200)));
    }
    add_list(std::move(section),
             counted(lint->unlinted.size(), "changed file was not linted", "changed files were not linted"));
  }

  // What the plan says.

  void section_idle_files(const Plan& plan) {
    Section section{.importance = 9, .share = 0.1, .one = "file", .many = "files"};
    for (const IdleFile& file : plan.idle_files) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", linked(code(file.path), links_.file(file.path)), text(file.because, 160)));
    }
    const std::string title =
        counted(plan.idle_files.size(), "changed file selects nothing", "changed files select nothing");
    if (digest_.objects + digest_.tests == 0) return add_list(std::move(section), title);
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
    sections_.push_back(
        {.importance = 8,
         .share = 0.15,
         .open = unfold("Lineage"),
         .entries = {fenced(diagram, "mermaid") + fmt::format("\n<sub>{}dashed: read from production</sub>\n", legend)},
         .close = std::string(fold_end)});
  }

  void section_removed(const Plan& plan) {
    Section section{.importance = 8, .share = 0.1, .one = "removed node", .many = "removed nodes"};
    for (const RemovedNode& node : plan.removed) {
      section.entries.push_back(fmt::format("- {} {}: {}\n", text(node.resource_type, 30),
                                            code(short_name(node.unique_id), 120), text(node.because, 200)));
    }
    if (section.entries.empty()) return;
    section.entries.back() += "\nTheir relations stay in production until they are dropped there.\n";
    add_list(std::move(section),
             counted(plan.removed.size(), "node is no longer in the project", "nodes are no longer in the project"));
  }

  void section_left_out(const Plan& plan) {
    Section section{.importance = 9, .share = 0.08, .one = "node", .many = "nodes"};
    for (const LeftOut& node : plan.left_out) {
      section.entries.push_back(
          fmt::format("- {}: {}\n", code(short_name(node.unique_id), 120), text(node.because, 200)));
    }
    if (section.entries.empty()) return;
    add_list(std::move(section), counted(plan.left_out.size(), "node is", "nodes are") +
                                     " left out, where dbt builds: only comments and whitespace changed");
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

  void section_dbt_messages() {
    const Build* build = run_.build.finished();
    if (build == nullptr) return;
    Section section{.importance = 12, .share = 0.08, .one = "message", .many = "messages"};
    for (const DbtMessage& message : build->messages) {
      section.entries.push_back(fmt::format("- {} {}: {}\n", message.level == "error" ? "❌" : "⚠️",
                                            code(message.code, 20), text(message.message, 300)));
    }
    section.open = unfold(counted(build->messages.size(), "message from dbt", "messages from dbt"));
    section.close = fold_end;
    sections_.push_back(std::move(section));
  }

  void section_times() {
    Section section{.importance = 13, .share = 0.05};
    section.open = unfold("Stages and times") + "| stage | state | time | result |\n| --- | --- | ---: | --- |\n";
    std::string rows;
    for (const StageRow& stage : digest_.stages) rows += stage_row(stage);
    section.entries.push_back(rows + slowest());
    section.close = fold_end;
    sections_.push_back(std::move(section));
  }

  /// The nodes that took longest, where that is worth a look.
  [[nodiscard]] std::string slowest() const {
    const Build* build = run_.build.finished();
    if (build == nullptr) return {};
    std::vector<const NodeResult*> slow;
    for (const NodeResult& result : build->results) {
      if (result.seconds >= 1) slow.push_back(&result);
    }
    std::stable_sort(slow.begin(), slow.end(),
                     [](const NodeResult* a, const NodeResult* b) { return a->seconds > b->seconds; });
    if (slow.empty()) return {};
    slow.resize(std::min<std::size_t>(slow.size(), 5));
    std::vector<std::string> parts;
    parts.reserve(slow.size());
    for (const NodeResult* result : slow) {
      parts.push_back(fmt::format("{} {}", code(short_name(result->unique_id), 80), duration(result->seconds)));
    }
    return fmt::format("\nSlowest: {}\n", joined(parts, ", "));
  }

  const Run& run_;
  const CommentOptions& options_;
  Digest digest_;
  Links links_;
  Verdict verdict_;
  std::vector<Section> sections_;
  bool stopped_ = false;
};

std::string only(std::string_view raw, std::string_view others, std::size_t most) {
  std::string out;
  for (const char c : raw) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (out.size() < most && (letter || others.find(c) != std::string_view::npos)) out += c;
  }
  return out;
}

}  // namespace

std::string hidden_line(const Run& run, const CommentOptions& options) {
  const Change* change = run.change.finished();
  return fmt::format("<!-- {} run={} head={} -->", only(options.marker, ":._-", 80), only(run.id, "-", 60),
                     only(change == nullptr ? "" : change->head.sha, "", 40));
}

std::string comment_markdown(const Run& run, const CommentOptions& options) { return Comment(run, options).str(); }

}  // namespace offshoot::report
