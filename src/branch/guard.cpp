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
  for (const auto& forbidden : context.forbidden) {
    const bool custom_schema_of_it = is_branch_name(forbidden, context.prefix) && belongs_to(name, forbidden);
    if (name == forbidden || custom_schema_of_it) {
      return fmt::format("'{}' is, or begins as, a name in profiles.yml", marked.name);
    }
  }
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
