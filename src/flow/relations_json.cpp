// SPDX-License-Identifier: Apache-2.0
#include "flow/relations_json.hpp"

#include "io/json.hpp"

namespace offshoot::flow {

std::string to_json(const ProductionRelations& relations) {
  auto object = nlohmann::ordered_json::object();
  for (const auto& [unique_id, relation] : relations) {
    object[unique_id] = {relation.database, relation.schema, relation.identifier, relation.rendered};
  }
  return io::to_line(object);
}

Result<ProductionRelations> parse_relations(std::string_view text, const std::string& name) {
  const std::string doing = "reading " + name;
  const auto object = io::parse_json(text, doing);
  if (!object) return tl::unexpected(object.error());
  try {
    ProductionRelations relations;
    for (const auto& [unique_id, parts] : object->get<std::map<std::string, std::array<std::string, 4>>>()) {
      relations.emplace(unique_id, RelationName{parts[0], parts[1], parts[2], parts[3]});
    }
    return relations;
  } catch (const nlohmann::json::exception& error) {
    return failed(ExitStatus::could_not_run, doing, error.what(), "remove it from the store");
  }
}

ProductionRelations relations_of(const std::map<std::string, dbt::ResolvedNode>& resolved) {
  ProductionRelations relations;
  for (const auto& [unique_id, node] : resolved) {
    if (!node.relation.rendered.empty()) relations.emplace(unique_id, node.relation);
  }
  return relations;
}

}  // namespace offshoot::flow
