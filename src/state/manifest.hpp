// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/files.hpp"
#include "model/outcome.hpp"
#include "state/json.hpp"

namespace offshoot::state {

/// The map of the manifest that an entry stands in.
enum class Collection {
  nodes,
  sources,
  exposures,
  metrics,
  semantic_models,
  unit_tests,
  saved_queries,
  functions,
  disabled,
  macros,
  docs,
};

/// The keys of an entry that anything here reads.
enum class Field {
  access,
  alias,
  arguments,
  checksum,
  columns,
  config,
  constraints,
  contract,
  created_at,
  database,
  defaults,
  depends_on,
  deprecation_date,
  description,
  dimensions,
  entities,
  expect,
  exports,
  external,
  fqn,
  freshness,
  given,
  group,
  identifier,
  label,
  language,
  latest_version,
  loaded_at_field,
  macro_sql,
  maturity,
  measures,
  model,
  name,
  original_file_path,
  overloads,
  overrides,
  owner,
  package_name,
  patch_path,
  primary_entity,
  query_params,
  quoting,
  raw_code,
  relation_name,
  resource_type,
  returns,
  schema,
  source_name,
  tags,
  test_metadata,
  type,
  unrendered_config,
  unrendered_database,
  unrendered_schema,
  url,
  version,
  versions,
  count,
};

/// The key as the manifest spells it.
std::string_view key_of(Field field);

/// Where a value stands in the manifest's bytes; `length` 0 = the key is absent.
struct Span {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

/// One entry of a manifest: a node, source, macro, … Its values stay in the manifest's bytes and are decoded when asked
/// for.
struct Entry {
  std::string_view unique_id;  ///< lives as long as the manifest
  Collection collection = Collection::nodes;
  Span text;  ///< the whole object, brackets included
  std::array<Span, static_cast<std::size_t>(Field::count)> values{};
};

/// An entry in plain values, for those who do not compare.
struct NodeInfo {
  std::string unique_id;
  std::string resource_type;  ///< dbt's word
  std::string name;
  std::string package_name;
  std::vector<std::string> fqn;
  std::string original_file_path;  ///< relative to its package's folder
  std::string patch_path;          ///< of the YAML file that describes it: "shop://models/schema.yml"; may be empty
  std::string language;            ///< "sql", "python"; empty for what is no code
  std::string materialized;        ///< empty where there is none
  bool enabled = true;
  std::string access;
  std::string group;
  std::string version;  ///< empty = not versioned
  std::vector<std::string> tags;
  std::vector<std::string> depends_on_nodes;
  std::vector<std::string> depends_on_macros;
  std::string database;
  std::string schema;
  std::string identifier;     ///< the alias; of a source its identifier
  std::string relation_name;  ///< quoted as the adapter does; empty for what has no relation
  bool pre_hook = false;      ///< at least one
  bool post_hook = false;
  bool has_code = false;  ///< raw_code holds more than blanks
  bool operator==(const NodeInfo&) const = default;
};

/// Finds entries by their unique ids: positions in a table of twice their number or more, each with a part of its id's
/// hash beside it, so that mostly only the right id is looked at.
class IdTable {
 public:
  /// Adds entries[position]. False = one of that id is there already.
  bool add(std::span<const Entry> entries, std::uint32_t position);
  /// Null where there is none. `entries` must be those that were added.
  [[nodiscard]] const Entry* find(std::span<const Entry> entries, std::string_view unique_id) const;

 private:
  static constexpr std::uint32_t free_slot = std::numeric_limits<std::uint32_t>::max();
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t position = free_slot;
  };
  void grow();
  /// The slot of that id, or the free one where it belongs. The table must not be full.
  [[nodiscard]] std::size_t slot_of(std::span<const Entry> entries, std::string_view unique_id,
                                    std::uint32_t tag) const;

  std::vector<Slot> slots_;  ///< a power of two; a taken slot's entry is looked for onward
  std::size_t taken_ = 0;
};

/// A dbt manifest, read for comparison: all bytes of the file are kept, and of each entry where its values stand.
class Manifest {
 public:
  /// Reads a manifest.json of version 11, 12 or 20. Anything else, a file cut short, or one beyond requirement G1's
  /// limits is an error that names the path.
  static Result<Manifest> read(const std::filesystem::path& path);

  /// As `read`, of bytes; `name` stands in errors for the path.
  static Result<Manifest> parse(std::string_view bytes, const std::string& name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& dbt_version() const { return dbt_version_; }
  [[nodiscard]] const std::string& adapter_type() const { return adapter_type_; }
  [[nodiscard]] const std::string& project_name() const { return project_name_; }
  [[nodiscard]] int schema_version() const { return schema_version_; }
  /// The selectors of selectors.yml by name; empty where there are none.
  [[nodiscard]] Raw selectors() const { return bytes_.view().substr(selectors_.offset, selectors_.length); }

  /// Everything that takes part in dbt's graph, in the order of the file.
  [[nodiscard]] std::span<const Entry> nodes() const { return nodes_; }
  [[nodiscard]] std::span<const Entry> macros() const { return macros_; }
  /// The first of each disabled id.
  [[nodiscard]] std::span<const Entry> disabled() const { return disabled_; }
  [[nodiscard]] std::span<const Entry> docs() const { return docs_; }

  /// Null where there is none.
  [[nodiscard]] const Entry* find_node(std::string_view unique_id) const { return node_index_.find(nodes_, unique_id); }
  [[nodiscard]] const Entry* find_macro(std::string_view unique_id) const {
    return macro_index_.find(macros_, unique_id);
  }
  [[nodiscard]] const Entry* find_disabled(std::string_view unique_id) const {
    return disabled_index_.find(disabled_, unique_id);
  }

  /// A value as it is written; empty where the key is absent.
  [[nodiscard]] Raw raw(const Entry& entry, Field field) const {
    const Span span = entry.values[static_cast<std::size_t>(field)];
    return bytes_.view().substr(span.offset, span.length);
  }
  /// The whole entry as it is written, up to its `created_at` and from there on. The first is empty where it has none.
  [[nodiscard]] std::pair<Raw, Raw> around_created_at(const Entry& entry) const;
  /// The string; empty where it is absent or no string.
  [[nodiscard]] std::string text(const Entry& entry, Field field) const;
  /// `depends_on.nodes` or `.macros`; a null in it is absent.
  [[nodiscard]] std::vector<std::optional<std::string>> depends_on(const Entry& entry, std::string_view kind) const;
  /// config.enabled, which is true where it is not written.
  [[nodiscard]] bool enabled(const Entry& entry) const;
  [[nodiscard]] NodeInfo info(const Entry& entry) const;

 private:
  friend class ManifestReader;
  Manifest() = default;

  io::Buffer bytes_;
  std::deque<std::string> ids_;  ///< unique ids that the file writes with escapes
  std::string name_, dbt_version_, adapter_type_, project_name_;
  int schema_version_ = 0;
  Span selectors_;
  std::vector<Entry> nodes_, macros_, disabled_, docs_;
  IdTable node_index_, macro_index_, disabled_index_, docs_index_;
};

struct BaseAndHead {
  Manifest base, head;
};

/// Reads two manifests at the same time.
Result<BaseAndHead> read_both(const std::filesystem::path& base, const std::filesystem::path& head);

/// What one file of a project contributes to a manifest. Unique ids, in the order of the manifest.
struct FileContents {
  std::vector<std::string> nodes;      ///< defined in it
  std::vector<std::string> described;  ///< defined elsewhere and described in it: properties of models, …
  std::vector<std::string> disabled;   ///< defined in it and disabled
  std::vector<std::string> macros;
  std::vector<std::string> docs;
};

/// Answers what a file contributes, for the files of every package.
class FileIndex {
 public:
  explicit FileIndex(const Manifest& manifest);
  /// `path` is relative to the folder of `package`. Null = nothing comes from it.
  [[nodiscard]] const FileContents* find(std::string_view package, std::string_view path) const;

 private:
  std::unordered_map<std::string, FileContents> files_;  ///< by "package://path"
};

}  // namespace offshoot::state
