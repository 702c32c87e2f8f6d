// SPDX-License-Identifier: Apache-2.0
#include "report/words.hpp"

#include <fmt/format.h>

#include "report/digest.hpp"
#include "report/escape.hpp"

namespace offshoot::report {

namespace {

constexpr std::size_t open_entries = 8;  // longer lists are folded

}  // namespace

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

std::string unfold(std::string_view summary) { return fmt::format("\n<details>\n<summary>{}</summary>\n\n", summary); }

Section listed(Section section, std::string_view title) {
  const bool folded = section.entries.size() > open_entries;
  section.open = folded ? unfold(fmt::format("<b>{}</b>", title)) : fmt::format("\n**{}**\n\n", title);
  section.close = folded ? fold_end : std::string_view();
  return section;
}

std::string names(const std::vector<const PlannedNode*>& nodes, std::size_t most) {
  std::vector<std::string> shown;
  for (const PlannedNode* node : nodes) {
    if (shown.size() < most) shown.push_back(code(short_name(node->unique_id), 80));
  }
  const std::string more = nodes.size() > most ? fmt::format(" and {} more", nodes.size() - most) : "";
  return joined(shown, ", ") + more;
}

std::string cut_mark(std::size_t cut, std::string_view before) {
  return cut == 0 ? std::string() : fmt::format("\n{}… {} more", before, counted(cut, "line", "lines"));
}

std::string kind(const PlannedNode& node) {
  const bool plain = node.materialized.empty() || node.materialized == node.resource_type;
  return plain ? node.resource_type : fmt::format("{}, {}", node.resource_type, node.materialized);
}

}  // namespace offshoot::report
