// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/sections.hpp"
#include "report/words.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t detailed_failures = 10;  // the rest are one line each
constexpr std::size_t open_queries = 3;        // of so many failures the queries stand in the open

/// What did not end well, and what the linters found. Each section_… function adds its section.
class Troubles {
 public:
  explicit Troubles(const Telling& telling) : run_(telling.run), digest_(telling.digest), links_(telling.links) {}

  std::vector<Section> troubles() {
    section_failures();
    section_more_failures();
    section_undone();
    section_warnings();
    return std::move(sections_);
  }

  std::vector<Section> lint() {
    section_lint();
    section_unlinted();
    return std::move(sections_);
  }

  std::vector<Section> messages() {
    section_dbt_messages();
    return std::move(sections_);
  }

 private:
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

  void section_more_failures() {
    if (digest_.failures.size() <= detailed_failures) return;
    Section section{.importance = 4, .share = 0.2, .one = "failure", .many = "failures"};
    for (std::size_t i = detailed_failures; i < digest_.failures.size(); ++i) {
      section.entries.push_back(brief(digest_.failures[i]));
    }
    const std::string title = counted(section.entries.size(), "more failure", "more failures");
    sections_.push_back(listed(std::move(section), title));
  }

  void section_undone() {
    Section section{.importance = 5, .share = 0.15, .one = "node", .many = "nodes"};
    for (const Trouble& trouble : digest_.undone) section.entries.push_back(brief(trouble));
    const std::string title =
        counted(section.entries.size(), "planned node was not built", "planned nodes were not built");
    sections_.push_back(listed(std::move(section), title));
  }

  void section_warnings() {
    Section section{.importance = 6, .share = 0.1, .one = "warning", .many = "warnings"};
    for (const Trouble& warning : digest_.warnings) section.entries.push_back(brief(warning));
    sections_.push_back(listed(std::move(section), counted(digest_.warnings.size(), "test warns", "tests warn")));
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
    sections_.push_back(listed(std::move(section), counted(lint->unlinted.size(), "changed file was not linted",
                                                           "changed files were not linted")));
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

  const Run& run_;
  const Digest& digest_;
  const Links& links_;
  std::vector<Section> sections_{};
};

}  // namespace

std::vector<Section> note_sections(const Telling& telling) {
  Section section{.importance = 3, .share = 0.1, .open = "\n> [!NOTE]\n", .one = "note", .many = "notes"};
  for (const std::string& note : telling.run.notes) section.entries.push_back(fmt::format("> - {}\n", text(note, 400)));
  return {std::move(section)};
}

std::vector<Section> trouble_sections(const Telling& telling) { return Troubles(telling).troubles(); }

std::vector<Section> lint_sections(const Telling& telling) { return Troubles(telling).lint(); }

std::vector<Section> message_sections(const Telling& telling) { return Troubles(telling).messages(); }

}  // namespace offshoot::report
