// SPDX-License-Identifier: Apache-2.0
#include "branch/guard.hpp"

#include <fmt/format.h>

#include "branch/names.hpp"

namespace offshoot::branch {

namespace {

bool is_the_warehouses_own(const std::string& name) {
  static const std::set<std::string> known{"public", "information_schema", "main", "temp", "system"};
  return known.contains(name) || name.starts_with("pg_");
}

}  // namespace

std::optional<std::string> why_not_drop(const Marked& marked, const DropContext& context) {
  const std::string name = folded(marked.name);
  if (is_the_warehouses_own(name)) return fmt::format("'{}' is the warehouse's own", marked.name);
  if (context.forbidden.contains(name))
    return fmt::format("'{}' is named in profiles.yml or used by main", marked.name);
  if (!marked.mark) return fmt::format("'{}' carries no owner's mark", marked.name);
  const OwnerMark& mark = *marked.mark;
  if (mark.repository_id != context.repository_id) {
    return fmt::format("'{}' belongs to another repository ({})", marked.name, mark.repository_id);
  }
  if (!is_branch_name(mark.branch, context.prefix)) {
    return fmt::format("'{}' is marked for '{}', which is no branch with the prefix '{}'", marked.name, mark.branch,
                       context.prefix);
  }
  if (!belongs_to(name, mark.branch)) {
    return fmt::format("'{}' is marked for '{}' and its name says otherwise", marked.name, mark.branch);
  }
  return std::nullopt;
}

bool expired(const OwnerMark& mark, io::Instant now) {
  io::Instant end;
  return io::parse_rfc3339(mark.expires, end) && now >= end;
}

}  // namespace offshoot::branch
