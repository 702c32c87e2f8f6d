// SPDX-License-Identifier: Apache-2.0
#include "branch/isolation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "branch/names.hpp"

namespace offshoot::branch {

namespace {

constexpr std::size_t named_at_most = 10;

std::string mend_for(const Branch& branch, const RelationName& relation) {
  if (folded(relation.database) != folded(branch.database)) {
    return fmt::format(
        "it names the database '{}' itself: take `database` out of its config, or build it from "
        "target.database in generate_database_name",
        relation.database);
  }
  return fmt::format(
      "its schema '{}' does not begin with the target's: let generate_schema_name put target.schema in "
      "front of custom schemas, or take the hard-coded schema out",
      relation.schema);
}

}  // namespace

std::vector<Escape> escapes(const Branch& branch, const std::map<std::string, RelationName>& relations) {
  std::vector<Escape> found;
  for (const auto& [unique_id, relation] : relations) {
    const bool outside_database = folded(relation.database) != folded(branch.database);
    const bool outside_schema = branch.isolation == Isolation::schema && !belongs_to(relation.schema, branch.name);
    if (outside_database || outside_schema) {
      found.push_back({unique_id, relation, mend_for(branch, relation)});
    } else if (relation.schema.size() > longest_identifier) {
      found.push_back({unique_id, relation,
                       fmt::format("its schema has {} bytes and the warehouse keeps {}: shorten branch.prefix or the "
                                   "custom schema",
                                   relation.schema.size(), longest_identifier)});
    }
  }
  return found;
}

Result<void> prove_isolation(const Branch& branch, const std::map<std::string, RelationName>& relations) {
  const auto outside = escapes(branch, relations);
  if (outside.empty()) return {};
  std::string why =
      fmt::format("{} of {} relations would lie outside the branch {}:", outside.size(), relations.size(), branch.name);
  for (std::size_t i = 0; i < std::min(outside.size(), named_at_most); ++i) {
    why += fmt::format("\n  {} -> {}", outside[i].unique_id, outside[i].relation.rendered);
  }
  if (outside.size() > named_at_most) why += fmt::format("\n  and {} more", outside.size() - named_at_most);
  return failed(ExitStatus::refused, "proving that the build stays in its branch", std::move(why),
                outside.front().mend);
}

std::vector<std::string> schemas_of(const Branch& branch, const std::map<std::string, RelationName>& relations) {
  std::set<std::string> schemas;
  if (branch.isolation == Isolation::schema) schemas.insert(branch.name);
  for (const auto& [unique_id, relation] : relations) schemas.insert(relation.schema);
  return {schemas.begin(), schemas.end()};
}

}  // namespace offshoot::branch
