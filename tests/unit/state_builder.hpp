// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "state/selection.hpp"

namespace offshoot::state::test {

using nlohmann::json;

/// A manifest as dbt writes it, made by hand: one project "shop", only the keys that count.
struct Builder {
  json root = {{"metadata",
                {{"dbt_schema_version", "https://schemas.getdbt.com/dbt/manifest/v12.json"},
                 {"dbt_version", "1.11.16"},
                 {"adapter_type", "duckdb"},
                 {"project_name", "shop"}}},
               {"nodes", json::object()},
               {"sources", json::object()},
               {"macros", json::object()},
               {"docs", json::object()},
               {"exposures", json::object()},
               {"metrics", json::object()},
               {"disabled", json::object()},
               {"semantic_models", json::object()},
               {"unit_tests", json::object()},
               {"saved_queries", json::object()},
               {"functions", json::object()}};

  /// The entry, to change it. `id` is "model.shop.orders"; the map follows from its first word.
  json& add(const std::string& id, std::vector<std::string> parents = {}, std::vector<std::string> macros = {}) {
    const std::string type = id.substr(0, id.find('.'));
    const std::string name = id.substr(id.rfind('.') + 1);
    json entry = {{"unique_id", id},
                  {"resource_type", type},
                  {"name", name},
                  {"package_name", "shop"},
                  {"fqn", {"shop", name}},
                  {"created_at", 1764000000.25},
                  {"original_file_path", type == "source" ? "models/sources.yml" : "models/" + name + ".sql"},
                  {"description", ""},
                  {"config", {{"enabled", true}}},
                  {"unrendered_config", json::object()}};
    if (type != "source") entry["depends_on"] = {{"macros", macros}, {"nodes", parents}};
    if (type == "model" || type == "snapshot" || type == "test" || type == "seed") {
      entry["raw_code"] = type == "seed" ? "" : "select 1 as " + name;
      entry["columns"] = json::object();
    }
    if (type == "model") {
      entry["config"]["materialized"] = "view";
      entry["contract"] = {{"enforced", false}, {"checksum", nullptr}};
      entry["constraints"] = json::array();
      entry["access"] = "protected";
      entry["version"] = nullptr;
    }
    if (type == "seed") entry["checksum"] = {{"name", "sha256"}, {"checksum", "1"}};
    json& map = root[map_of(type)];
    map[id] = entry;
    return map[id];
  }

  json& add_macro(const std::string& name, std::vector<std::string> calls = {}) {
    const std::string id = "macro.shop." + name;
    root["macros"][id] = {{"unique_id", id},
                          {"name", name},
                          {"package_name", "shop"},
                          {"original_file_path", "macros/" + name + ".sql"},
                          {"macro_sql", "{% macro " + name + "() %}1{% endmacro %}"},
                          {"depends_on", {{"macros", calls}}}};
    return root["macros"][id];
  }

  /// As dbt writes the same project at another time.
  void parse_again() {
    for (const char* map :
         {"nodes", "sources", "exposures", "metrics", "semantic_models", "unit_tests", "saved_queries"}) {
      for (json& entry : root[map]) entry["created_at"] = 1764012345.5;
    }
  }

  json& operator[](const std::string& id) { return root[map_of(id.substr(0, id.find('.')))][id]; }

  void disable(const std::string& id) {
    json& map = root[map_of(id.substr(0, id.find('.')))];
    json entry = map[id];
    entry["config"]["enabled"] = false;
    map.erase(id);
    root["disabled"][id] = json::array({entry});
  }

  [[nodiscard]] Result<Manifest> read() const { return Manifest::parse(root.dump(), "test"); }

 private:
  static std::string map_of(const std::string& type) {
    if (type == "source") return "sources";
    if (type == "exposure") return "exposures";
    if (type == "metric") return "metrics";
    if (type == "semantic_model") return "semantic_models";
    if (type == "unit_test") return "unit_tests";
    if (type == "saved_query") return "saved_queries";
    if (type == "function") return "functions";
    if (type == "macro") return "macros";
    return "nodes";
  }
};

inline Result<Selection> selected(const Builder& base, const Builder& head, const SelectRequest& request = {}) {
  const Result<Manifest> b = base.read();
  if (!b) return tl::unexpected(b.error());
  const Result<Manifest> h = head.read();
  if (!h) return tl::unexpected(h.error());
  return select(*b, *h, request);
}

using Ids = std::vector<std::string>;

inline Ids ids(const std::vector<PlannedNode>& nodes) {
  Ids all;
  for (const PlannedNode& node : nodes) all.push_back(node.unique_id);
  return all;
}

/// The ids that a selector selects; {"error: …"} where it is one.
inline Ids ids_of(const Builder& base, const Builder& head, const std::string& selector,
                  IndirectSelection mode = IndirectSelection::eager) {
  const Result<Selection> selection =
      selected(base, head, SelectRequest{.select = selector, .exclude = "", .indirect_selection = mode});
  if (!selection) return {"error: " + selection.error().why};
  return ids(selection->selected);
}

/// The reasons of one node, as "<kind number> detail"; empty where the node is not selected.
inline std::vector<Reason> reasons_of(const Builder& base, const Builder& head, const std::string& id,
                                      const std::string& selector = "state:modified+") {
  const Result<Selection> selection = selected(base, head, SelectRequest{.select = selector, .exclude = ""});
  if (!selection) return {};
  const auto at = std::find_if(selection->selected.begin(), selection->selected.end(),
                               [&](const PlannedNode& node) { return node.unique_id == id; });
  return at == selection->selected.end() ? std::vector<Reason>{} : at->reasons;
}

inline bool mentions(const std::vector<std::string>& notes, const std::string& text) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

}  // namespace offshoot::state::test
