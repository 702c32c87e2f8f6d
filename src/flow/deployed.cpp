// SPDX-License-Identifier: Apache-2.0
#include "flow/deployed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::flow {

using nlohmann::json;

namespace {

constexpr int format_version = 1;

std::string folder_of(const Context& context, const std::string& target) {
  return context.origin.repository_id + "/state/production/" + target + "/";
}

std::string version_key(const Context& context, const std::string& target, const std::string& run) {
  return folder_of(context, target) + run + "/version.json";
}

json to_json(const Kept& kept) {
  json relations = json::array();
  for (const auto& one : kept.relations) {
    relations.push_back({{"schema", one.schema},
                         {"identifier", one.identifier},
                         {"kept_in", one.kept_in},
                         {"staged_in", one.staged_in}});
  }
  return {{"branch", kept.branch},
          {"until", kept.until},
          {"file", kept.file},
          {"staged", kept.staged},
          {"relations", std::move(relations)}};
}

std::string to_text(const Deployed& version) {
  return json{{"version", format_version},
              {"sha", version.sha},
              {"tree_sha", version.tree_sha},
              {"run", version.run},
              {"at", version.at},
              {"mode", version.mode},
              {"manifest", version.manifest_key},
              {"manifest_sha256", version.manifest_sha256},
              {"previous", version.previous},
              {"kept", version.kept ? to_json(*version.kept) : json()}}
             .dump(2) +
         "\n";
}

/// Absent: it is not what to_text writes.
std::optional<Deployed> parse_version(const std::string& text) {
  const auto parsed = io::parse_json(text, "reading what is deployed");
  if (!parsed || !parsed->is_object()) return std::nullopt;
  try {
    if (parsed->at("version") != format_version) return std::nullopt;
    Deployed version{.sha = parsed->at("sha"),
                     .tree_sha = parsed->at("tree_sha"),
                     .run = parsed->at("run"),
                     .at = parsed->at("at"),
                     .mode = parsed->at("mode"),
                     .manifest_key = parsed->at("manifest"),
                     .manifest_sha256 = parsed->at("manifest_sha256"),
                     .previous = parsed->at("previous")};
    if (const json& kept = parsed->at("kept"); !kept.is_null()) {
      version.kept = Kept{kept.at("branch"), kept.at("until"), kept.at("file"), kept.at("staged"), {}};
      for (const auto& one : kept.at("relations")) {
        version.kept->relations.push_back(
            {one.at("schema"), one.at("identifier"), one.at("kept_in"), one.at("staged_in")});
      }
    }
    return version;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Result<void> read_owed(const Context& context, const std::string& target, WhatIsDeployed& known) {
  const std::string doing = "reading what the last deploy left undone";
  const auto bytes = context.store.get(folder_of(context, target) + "owed.json");
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return {};
  const auto parsed = io::parse_json(**bytes, doing);
  if (!parsed) return failed(ExitStatus::usage, doing, parsed.error().why);
  try {
    known.owed_by = parsed->at("run").get<std::string>();
    known.owed = parsed->at("nodes").get<std::set<std::string>>();
  } catch (const json::exception& error) {
    return failed(ExitStatus::usage, doing, error.what());
  }
  return {};
}

}  // namespace

Result<std::vector<Deployed>> kept_versions(const Context& context, const std::string& target) {
  const auto keys = context.store.list(folder_of(context, target));
  if (!keys) return tl::unexpected(keys.error());
  std::vector<Deployed> versions;
  for (const auto& key : *keys) {
    if (!key.ends_with("/version.json")) continue;
    const auto bytes = context.store.get(key);
    if (!bytes) return tl::unexpected(bytes.error());
    if (auto version = *bytes ? parse_version(**bytes) : std::nullopt) versions.push_back(std::move(*version));
  }
  std::ranges::sort(versions, std::ranges::greater(), &Deployed::run);
  return versions;
}

Result<std::optional<std::string>> manifest_of(const Context& context, const Deployed& version) {
  auto bytes = context.store.get(version.manifest_key);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes || io::sha256_hex(**bytes) != version.manifest_sha256) return std::optional<std::string>{};
  return std::move(*bytes);
}

Result<WhatIsDeployed> what_is_deployed(const Context& context, const std::string& target) {
  WhatIsDeployed known;
  const auto pointer = context.store.get(folder_of(context, target) + "current.json");
  if (!pointer) return tl::unexpected(pointer.error());
  if (!*pointer) return known;
  auto version = parse_version(**pointer);
  if (!version) {
    known.why_not = "the pointer to it is damaged";
    return known;
  }
  auto manifest = manifest_of(context, *version);
  if (!manifest) return tl::unexpected(manifest.error());
  if (!*manifest) {
    known.why_not = fmt::format("its manifest ({}) is missing or damaged", version->sha.substr(0, 7));
    return known;
  }
  const auto owed = read_owed(context, target, known);
  if (!owed && owed.error().status == ExitStatus::usage) {
    known.why_not = "the list of what the last deploy left undone is damaged";
    return known;
  }
  if (!owed) return tl::unexpected(owed.error());
  known.current = std::move(*version);
  known.manifest = std::move(**manifest);
  return known;
}

Result<void> point_to(const Context& context, const std::string& target, const Deployed& version) {
  const std::string text = to_text(version);
  if (auto kept = context.store.put(version_key(context, target, version.run), text); !kept) return kept;
  return context.store.put(folder_of(context, target) + "current.json", text);
}

Result<void> keep_manifest(const Context& context, const std::string& target, Deployed& version,
                           const std::string& manifest) {
  version.manifest_key = folder_of(context, target) + version.run + "/manifest.json";
  version.manifest_sha256 = io::sha256_hex(manifest);
  return context.store.put(version.manifest_key, manifest);
}

Result<void> note_pending(const Context& context, const std::string& target, const Deployed& version) {
  return context.store.put(folder_of(context, target) + "pending.json", to_text(version));
}

Result<std::optional<Deployed>> pending(const Context& context, const std::string& target) {
  const auto bytes = context.store.get(folder_of(context, target) + "pending.json");
  if (!bytes) return tl::unexpected(bytes.error());
  return *bytes ? parse_version(**bytes) : std::nullopt;
}

Result<void> forget_pending(const Context& context, const std::string& target) {
  return context.store.remove(folder_of(context, target) + "pending.json");
}

Result<void> forget_version(const Context& context, const std::string& target, const std::string& run) {
  return context.store.remove(version_key(context, target, run));
}

Result<void> note_owed(const Context& context, const std::string& target, const std::set<std::string>& nodes) {
  const std::string key = folder_of(context, target) + "owed.json";
  if (nodes.empty()) return context.store.remove(key);
  return context.store.put(key, json{{"run", context.run_id}, {"nodes", nodes}}.dump(1) + "\n");
}

}  // namespace offshoot::flow
