// SPDX-License-Identifier: Apache-2.0
#include "dbt/plan_as_selectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dbt/session_error.hpp"
#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::dbt {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr std::array<const char*, 7> node_sections{"nodes",   "unit_tests",    "exposures",      "functions",
                                                   "metrics", "saved_queries", "semantic_models"};

bool is_ephemeral(const Json& node) { return text_of(value_of(node, "config"), "materialized") == "ephemeral"; }

bool is_blank(const Json& node) {
  return text_of(node, "resource_type") != "seed" && node.contains("raw_code") &&
         text_of(node, "raw_code").find_first_not_of(" \t\r\n") == std::string::npos;
}

/// `fqn:shop.marts.dim_customers`: dbt has no selector for unique ids, and this one names at least the node.
Result<std::string> selector_of(const Json& manifest, const std::string& unique_id) {
  const std::string doing = "handing the plan to dbt";
  const Json* node = find_node(manifest, unique_id);
  if (node == nullptr) {
    return failed(ExitStatus::could_not_run, doing, fmt::format("'{}' is not in the manifest", unique_id));
  }
  std::string selector = "fqn:";
  for (const auto& part : value_of(*node, "fqn")) {
    const auto text = part.is_string() ? part.get<std::string>() : std::string();
    const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (!plain) {
      return failed(
          ExitStatus::usage, doing,
          fmt::format("'{}' cannot be selected on dbt's command line because of '{}' in its path", unique_id, text),
          "rename it, or install dbt-core as a Python package, which needs no selectors");
    }
    selector += (selector.size() > 4 ? "." : "") + text;
  }
  return selector;
}

/// What dbt passes over by its own rules, and why; empty = it runs.
std::string why_not_run(const BuildRequest& request, const std::set<std::string>& asked, const Json& node) {
  const auto type = text_of(node, "resource_type");
  if (is_blank(node) && type != "unit_test") return "its file is empty";
  const Json& parents = value_of(value_of(node, "depends_on"), "nodes");
  const bool orphan = parents.is_array() && !parents.empty() && parents.front().is_string() &&
                      !asked.contains(parents.front().get<std::string>());
  if (type == "unit_test" && request.dbt_command == "build" && orphan) {
    return "dbt build runs a unit test only together with its model";
  }
  return {};
}

Failed other_set(const std::string& unique_id) {
  return {
      ExitStatus::could_not_run,
      "handing the plan to dbt",
      fmt::format("dbt's selectors give another set of nodes than the plan's; '{}' is in one of them only", unique_id),
      "install dbt-core as a Python package, which is given exact ids",
      {}};
}

}  // namespace

const Json* find_node(const Json& manifest, const std::string& unique_id) {
  for (const char* section : node_sections) {
    const Json& members = value_of(manifest, section);
    if (const auto found = members.is_object() ? members.find(unique_id) : members.end();
        members.is_object() && found != members.end()) {
      return &*found;
    }
  }
  return nullptr;
}

void add_partial_parse(Arguments& arguments, const fs::path& manifest_path) {
  const auto partial = manifest_path.parent_path() / "partial_parse.msgpack";
  std::error_code error;
  if (fs::exists(partial, error)) append(arguments, {"--partial-parse-file-path", partial.string()});
}

Result<Arguments> selection_of(const BuildRequest& request, const Json& manifest, const fs::path& manifest_path) {
  Arguments arguments;
  append(arguments, {"--indirect-selection", "empty", "--target-path", request.target_path.string()});
  add_partial_parse(arguments, manifest_path);
  arguments.emplace_back("--select");
  for (const auto& unique_id : request.nodes) {
    auto selector = selector_of(manifest, unique_id);
    if (!selector) return tl::unexpected(selector.error());
    arguments.push_back(std::move(*selector));
  }
  return arguments;
}

Result<BuildOutput> announce(const BuildRequest& request, const Json& manifest, const std::set<std::string>& listed) {
  const std::set<std::string> asked(request.nodes.begin(), request.nodes.end());
  for (const auto& unique_id : listed) {
    if (!asked.contains(unique_id)) return tl::unexpected(other_set(unique_id));
  }
  BuildOutput output;
  for (const auto& unique_id : asked) {
    const Json& node = *find_node(manifest, unique_id);
    if (const auto reason = why_not_run(request, asked, node); !reason.empty()) {
      NodeResult result;
      result.unique_id = unique_id;
      result.status = NodeStatus::not_run;
      result.message = reason;
      output.results.push_back(std::move(result));
    } else if (!listed.contains(unique_id)) {
      return tl::unexpected(other_set(unique_id));
    } else {
      (is_ephemeral(node) ? output.compiled_only : output.announced).push_back(unique_id);
    }
  }
  return output;
}

Result<void> add_deferral(Arguments& selection, const BuildRequest& request, Json manifest, const fs::path& folder) {
  Json nodes = Json::object();
  for (const auto& [unique_id, relation] : request.deferred) {
    const Json* node = find_node(manifest, unique_id);
    if (node == nullptr) continue;
    Json moved = *node;
    moved["database"] = relation.database.empty() ? Json() : Json(relation.database);
    moved["schema"] = relation.schema;
    moved["alias"] = relation.identifier;
    moved["relation_name"] = relation.rendered;
    nodes[unique_id] = std::move(moved);
  }
  manifest["nodes"] = std::move(nodes);
  if (auto written = io::write_file(folder / "manifest.json", io::to_line(manifest), 0600); !written) return written;
  selection.insert(selection.begin(), {"--defer", "--favor-state", "--state", folder.string()});
  return {};
}

}  // namespace offshoot::dbt
