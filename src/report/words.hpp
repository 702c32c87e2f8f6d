// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/build.hpp"
#include "model/plan.hpp"
#include "report/budget.hpp"
#include "report/verdict.hpp"

/// What the sections of a comment are put together from. Whatever is passed as a string is markdown already.
namespace offshoot::report {

std::string_view icon(Conclusion conclusion);
std::string_view icon(NodeStatus status);
/// A link, or only what it shows where there is no URL.
std::string linked(const std::string& shown, const std::string& url);
std::string joined(const std::vector<std::string>& parts, std::string_view by);
/// The beginning of a fold; `summary` is HTML. It ends with fold_end.
std::string unfold(std::string_view summary);
inline constexpr std::string_view fold_end = "\n</details>\n";
/// A list of one line each under a title: in the open while it is short.
Section listed(Section section, std::string_view title);
/// The first names as code, and how many more there are.
std::string names(const std::vector<const PlannedNode*>& nodes, std::size_t most);
/// "… 3 more lines" on a line of its own, after `before`; empty where nothing was cut.
std::string cut_mark(std::size_t cut, std::string_view before = "");
/// "model, table"
std::string kind(const PlannedNode& node);

}  // namespace offshoot::report
