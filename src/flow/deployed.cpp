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

std::string pointer_key(const Context& context, const std::string& target) {
  return folder_of(context, target) + "current.json";
}

std::string pending_key(const Context& context, const std::string& target) {
  return folder_of(context, target) + "pending.json";
}

std::string owed_key(const Context& context, const std::string& target) {
  return folder_of(context, target) + "owed.json";
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

json to_json(const Deployed& version) {
  return {{"version", format_version},
          {"sha", version.sha},
          {"tree_sha", version.tree_sha},
          {"run", version.run},
          {"at", version.at},
          {"mode", version.mode},
          {"manifest", version.manifest_key},
          {"manifest_sha256", version.manifest_sha256},
          {"previous", version.previous},
          {"committed", version.committed},
          {"history", version.history},
          {"kept", version.kept ? to_json(*version.kept) : json()}};
}

std::string to_text(const json& value) { return value.dump(2) + "\n"; }

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
                     .committed = parsed->at("committed"),
                     .history = parsed->at("history"),
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

/// What stands in owed.json; the run that it says left them.
struct Owed {
  std::string run{};
  std::set<std::string> nodes{};
};

Result<Owed> parse_owed(const std::optional<std::string>& bytes) {
  const std::string doing = "reading what the last deploy left undone";
  if (!bytes) return Owed{};
  const auto parsed = io::parse_json(*bytes, doing);
  if (!parsed) return failed(ExitStatus::usage, doing, parsed.error().why);
  try {
    return Owed{parsed->at("run").get<std::string>(), parsed->at("nodes").get<std::set<std::string>>()};
  } catch (const json::exception& error) {
    return failed(ExitStatus::usage, doing, error.what());
  }
}

std::string owed_text(const std::string& run, const std::set<std::string>& nodes) {
  return to_text(json{{"run", nodes.empty() ? "" : run}, {"nodes", nodes}});
}

Result<void> read_owed(const Context& context, const std::string& target, WhatIsDeployed& known) {
  const auto bytes = context.store.get(owed_key(context, target));
  if (!bytes) return tl::unexpected(bytes.error());
  auto owed = parse_owed(*bytes);
  if (!owed) return tl::unexpected(owed.error());
  known.owed_by = std::move(owed->run);
  known.owed = std::move(owed->nodes);
  return {};
}

/// A pointer that points nowhere yet: a deploy is under way for the first time.
bool points_nowhere(const std::string& text) {
  const auto parsed = io::parse_json(text, "reading what is deployed");
  if (!parsed || !parsed->is_object() || !parsed->contains("sha") || !parsed->contains("damaged")) return false;
  return parsed->at("sha") == "" && parsed->at("damaged") == false;
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
  const auto pointer = context.store.get(pointer_key(context, target));
  if (!pointer) return tl::unexpected(pointer.error());
  if (!*pointer || points_nowhere(**pointer)) return known;
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

Result<void> claim(ProductionLock& lock) {
  const std::string key = pointer_key(lock.context(), lock.target());
  const auto before = lock.read(key);
  if (!before) return tl::unexpected(before.error());
  const auto version = *before ? parse_version(**before) : std::nullopt;
  if (auto owed = lock.read(owed_key(lock.context(), lock.target())); !owed) return tl::unexpected(owed.error());
  const bool damaged = *before && !version && !points_nowhere(**before);
  json pointer = version ? to_json(*version) : json{{"version", format_version}, {"sha", ""}, {"damaged", damaged}};
  pointer["number"] = lock.number();
  return lock.write(key, to_text(pointer));
}

Result<void> point_to(ProductionLock& lock, const Deployed& version) {
  json pointer = to_json(version);
  const std::string key = version_key(lock.context(), lock.target(), version.run);
  if (auto kept = lock.context().store.put(key, to_text(pointer)); !kept) return kept;
  pointer["number"] = lock.number();
  return lock.write(pointer_key(lock.context(), lock.target()), to_text(pointer));
}

Result<void> keep_manifest(ProductionLock& lock, Deployed& version, const std::string& manifest) {
  version.manifest_key = folder_of(lock.context(), lock.target()) + version.run + "/manifest.json";
  version.manifest_sha256 = io::sha256_hex(manifest);
  return lock.context().store.put(version.manifest_key, manifest);
}

Result<void> note_pending(ProductionLock& lock, const Deployed& version) {
  return lock.write(pending_key(lock.context(), lock.target()), to_text(to_json(version)));
}

Result<std::optional<Deployed>> pending(ProductionLock& lock) {
  const auto bytes = lock.read(pending_key(lock.context(), lock.target()));
  if (!bytes) return tl::unexpected(bytes.error());
  return *bytes ? parse_version(**bytes) : std::nullopt;
}

Result<void> forget_pending(ProductionLock& lock) {
  return lock.write(pending_key(lock.context(), lock.target()), "null\n");
}

Result<void> forget_version(ProductionLock& lock, const std::string& run) {
  return lock.context().store.remove(version_key(lock.context(), lock.target(), run));
}

Result<void> note_owed(ProductionLock& lock, const std::set<std::string>& nodes) {
  const std::string key = owed_key(lock.context(), lock.target());
  std::set<std::string> all = nodes;
  const auto another = lock.was_written_by_another(key);
  if (!another) return tl::unexpected(another.error());
  if (*another) {
    const auto bytes = lock.read(key);
    if (!bytes) return tl::unexpected(bytes.error());
    if (auto theirs = parse_owed(*bytes)) all.merge(theirs->nodes);
  }
  return lock.write(key, owed_text(lock.context().run_id, all));
}

Result<void> add_owed(const Context& context, const std::string& target, const std::set<std::string>& nodes) {
  const std::string key = owed_key(context, target);
  constexpr int tries = 5;
  for (int n = 0; n < tries; ++n) {
    const auto object = context.store.read(key);
    if (!object) return tl::unexpected(object.error());
    const auto before = parse_owed(*object ? std::optional((*object)->bytes) : std::nullopt);
    if (!before) return {};  // what is damaged leads to a full build
    std::set<std::string> all = before->nodes;
    all.insert(nodes.begin(), nodes.end());
    const auto version = *object ? std::optional((*object)->version) : std::nullopt;
    const auto written = context.store.put_if(key, owed_text(context.run_id, all), version);
    if (!written) return tl::unexpected(written.error());
    if (written->written) return {};
  }
  return failed(ExitStatus::could_not_run, "noting what production may hold", "others write it all the time");
}

}  // namespace offshoot::flow
