// SPDX-License-Identifier: Apache-2.0
#include "state/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <set>

namespace offshoot::state {

namespace {

constexpr std::uintmax_t largest_manifest = 512ULL << 20;

/// In the order of Field, which is the order of the alphabet.
constexpr std::array<std::string_view, static_cast<std::size_t>(Field::count)> keys = {
    "access",
    "alias",
    "arguments",
    "checksum",
    "columns",
    "config",
    "constraints",
    "contract",
    "created_at",
    "database",
    "defaults",
    "depends_on",
    "deprecation_date",
    "description",
    "dimensions",
    "entities",
    "expect",
    "exports",
    "external",
    "fqn",
    "freshness",
    "given",
    "group",
    "identifier",
    "label",
    "language",
    "latest_version",
    "loaded_at_field",
    "macro_sql",
    "maturity",
    "measures",
    "model",
    "name",
    "original_file_path",
    "overloads",
    "overrides",
    "owner",
    "package_name",
    "patch_path",
    "primary_entity",
    "query_params",
    "quoting",
    "raw_code",
    "relation_name",
    "resource_type",
    "returns",
    "schema",
    "source_name",
    "tags",
    "test_metadata",
    "type",
    "unrendered_config",
    "unrendered_database",
    "unrendered_schema",
    "url",
    "version",
    "versions",
};
static_assert(std::is_sorted(keys.begin(), keys.end()));

/// A number below 256 that is another one for each of the keys.
constexpr std::size_t key_number(std::string_view key) {
  if (key.size() < 3) return 0;
  const auto letter = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(key[i])); };
  return (letter(0) * 145 + letter(key.size() / 2) * 21 + letter(key.size() - 1) * 57 + key.size() * 232) % 256;
}

constexpr unsigned char no_key = 255;

constexpr std::array<unsigned char, 256> key_table = [] {
  std::array<unsigned char, 256> table{};
  table.fill(no_key);
  for (std::size_t i = 0; i < keys.size(); ++i) table[key_number(keys[i])] = static_cast<unsigned char>(i);
  return table;
}();

constexpr std::optional<std::size_t> field_index(std::string_view key) {
  const std::size_t index = key_table[key_number(key)];
  if (index == no_key || keys[index] != key) return std::nullopt;
  return index;
}

static_assert([] {
  for (const std::string_view key : keys) {
    if (!field_index(key)) return false;  // two keys have one number: choose other factors
  }
  return true;
}());

struct Section {
  std::string_view key;
  Collection collection;
};

constexpr std::array<Section, 11> sections = {{
    {"nodes", Collection::nodes},
    {"sources", Collection::sources},
    {"exposures", Collection::exposures},
    {"metrics", Collection::metrics},
    {"semantic_models", Collection::semantic_models},
    {"unit_tests", Collection::unit_tests},
    {"saved_queries", Collection::saved_queries},
    {"functions", Collection::functions},
    {"disabled", Collection::disabled},
    {"macros", Collection::macros},
    {"docs", Collection::docs},
}};

std::vector<std::string> present(std::vector<std::optional<std::string>> strings) {
  std::vector<std::string> kept;
  for (std::optional<std::string>& text : strings) {
    if (text) kept.push_back(std::move(*text));
  }
  return kept;
}

std::uint32_t tag_of(std::string_view unique_id) {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(unique_id));
}

/// A list of strings, or one string for a list of one.
std::vector<std::string> string_list(Raw raw) {
  if (std::optional<std::string> one = decode_string(raw)) return {std::move(*one)};
  return present(decode_strings(raw));
}

}  // namespace

bool IdTable::add(std::span<const Entry> entries, std::uint32_t position) {
  if (2 * (taken_ + 1) > slots_.size()) grow();
  const std::string_view unique_id = entries[position].unique_id;
  const std::uint32_t tag = tag_of(unique_id);
  Slot& slot = slots_[slot_of(entries, unique_id, tag)];
  if (slot.position != free_slot) return false;
  slot = {tag, position};
  ++taken_;
  return true;
}

const Entry* IdTable::find(std::span<const Entry> entries, std::string_view unique_id) const {
  if (slots_.empty()) return nullptr;
  const std::uint32_t position = slots_[slot_of(entries, unique_id, tag_of(unique_id))].position;
  return position == free_slot ? nullptr : &entries[position];
}

std::size_t IdTable::slot_of(std::span<const Entry> entries, std::string_view unique_id, std::uint32_t tag) const {
  std::size_t at = tag & (slots_.size() - 1);
  while (slots_[at].position != free_slot &&
         (slots_[at].tag != tag || entries[slots_[at].position].unique_id != unique_id)) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return at;
}

void IdTable::grow() {
  std::vector<Slot> slots(std::max<std::size_t>(2 * slots_.size(), 64));
  slots.swap(slots_);
  for (const Slot& old : slots) {
    if (old.position == free_slot) continue;
    std::size_t at = old.tag & (slots_.size() - 1);
    while (slots_[at].position != free_slot) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = old;
  }
}

std::string_view key_of(Field field) { return keys[static_cast<std::size_t>(field)]; }

/// Reads one manifest. `why` is kept at the first thing that is wrong, and everything then winds up.
class ManifestReader {
 public:
  ManifestReader(io::Buffer bytes, std::string name) {
    manifest_.bytes_ = std::move(bytes);
    manifest_.name_ = std::move(name);
  }

  Result<Manifest> read() {
    if (manifest_.bytes_.size() > largest_manifest) return broken("it is larger than 512 MiB");
    // dbt writes more than this for an entry. Room that stays empty is never touched, and costs no memory.
    manifest_.nodes_.reserve(manifest_.bytes_.size() / 1024);
    io::prefer_huge_pages(manifest_.nodes_.data(), manifest_.nodes_.capacity() * sizeof(Entry));
    const bool read = read_document();
    // The outline of what was read to its end is in order; of the rest it tells best what is wrong.
    if (!read) {
      if (std::optional<std::string> wrong = outline_error(manifest_.bytes_.view())) return broken(std::move(*wrong));
    }
    if (!version_error_.empty()) {
      return failed(ExitStatus::usage, doing(), version_error_, "parse the project with dbt 1.7 or newer: dbt parse");
    }
    if (!read) return broken(why_);
    return std::move(manifest_);
  }

 private:
  [[nodiscard]] std::string doing() const { return "reading the manifest " + manifest_.name_; }
  [[nodiscard]] tl::unexpected<Failed> broken(std::string why) const {
    return failed(ExitStatus::could_not_run, doing(), std::move(why), "write it again: dbt parse");
  }
  bool wrong(std::string why) {
    if (why_.empty()) why_ = std::move(why);
    return false;
  }

  bool read_document() {
    Cursor cursor(manifest_.bytes_.view());
    std::string_view key;
    bool described = false;
    bool has_nodes = false;
    bool has_macros = false;
    if (!cursor.enter('{')) return wrong("it is not a JSON object");
    while (cursor.next_key(key)) {
      if (!sections_seen_.insert(key).second) return wrong(fmt::format("the key \"{}\" is there twice", key));
      if (key == "metadata") {
        described = true;
        if (!read_metadata(cursor.take())) return false;
        continue;
      }
      if (key == "selectors") {
        manifest_.selectors_ = span_of(cursor.take());
        continue;
      }
      const auto section =
          std::find_if(sections.begin(), sections.end(), [&](const Section& known) { return known.key == key; });
      if (section == sections.end()) {
        cursor.take();
      } else if (!read_section(*section, cursor)) {
        return false;
      }
      has_nodes = has_nodes || key == "nodes";
      has_macros = has_macros || key == "macros";
    }
    if (!cursor.at_end()) return wrong("it is not JSON");
    // A part that is missing must never look like a part in which nothing changed.
    return (described && has_nodes && has_macros) ||
           wrong("it lacks \"metadata\", \"nodes\" or \"macros\": it is not a dbt manifest");
  }

  /// A key without its escapes. A view into the file where it has none, else kept by the manifest.
  std::string_view unescaped_key(std::string_view key) {
    if (key.find('\\') == std::string_view::npos) return key;
    const std::optional<std::string> text = decode_string({key.data() - 1, key.size() + 2});
    return text ? manifest_.ids_.emplace_back(*text) : std::string_view{};
  }

  [[nodiscard]] Span span_of(Raw value) const {
    return {static_cast<std::uint32_t>(value.data() - manifest_.bytes_.view().data()),
            static_cast<std::uint32_t>(value.size())};
  }

  bool read_metadata(Raw metadata) {
    if (!metadata.starts_with('{')) return wrong("\"metadata\" is not an object");
    const std::string schema = decode_string(member(metadata, "dbt_schema_version")).value_or("");
    manifest_.dbt_version_ = decode_string(member(metadata, "dbt_version")).value_or("");
    manifest_.adapter_type_ = decode_string(member(metadata, "adapter_type")).value_or("");
    manifest_.project_name_ = decode_string(member(metadata, "project_name")).value_or("");
    read_schema_version(schema);
    return true;
  }

  /// "https://schemas.getdbt.com/dbt/manifest/v12.json"
  void read_schema_version(std::string_view schema) {
    constexpr std::string_view before = "/dbt/manifest/v";
    const std::size_t at = schema.find(before);
    int version = 0;
    if (at != std::string_view::npos) {
      std::from_chars(schema.data() + at + before.size(), schema.data() + schema.size(), version);
    }
    manifest_.schema_version_ = version;
    if (version == 11 || version == 12 || version == 20) return;
    version_error_ = schema.empty()
                         ? "it does not say which version of dbt's manifest it is"
                         : fmt::format("dbt_schema_version is '{}'; versions 11, 12 and 20 are known", schema);
  }

  bool read_section(const Section& section, Cursor& cursor) {
    if (!cursor.enter('{')) {
      return cursor.take() == "null" || wrong(fmt::format("{}: it is not an object", section.key));
    }
    std::string_view key;
    while (cursor.next_key(key)) {
      Entry entry;
      entry.collection = section.collection;
      entry.unique_id = unescaped_key(key);
      if (entry.unique_id.empty()) return wrong(fmt::format("{}: a unique id cannot be read", section.key));
      const bool read =
          section.collection == Collection::disabled ? read_first(entry, cursor) : read_entry(entry, cursor);
      if (!read || !keep(section.collection, entry)) return false;
    }
    return !cursor.broken() || wrong(fmt::format("{}: it is not JSON", section.key));
  }

  /// `disabled` holds a list for each id. An empty one is as good as none.
  bool read_first(Entry& entry, Cursor& cursor) {
    if (!cursor.enter('[')) return wrong(fmt::format("disabled: '{}' is not a list", entry.unique_id));
    for (bool first = true; cursor.next_item(); first = false) {
      if (!first) {
        cursor.take();
      } else if (!read_entry(entry, cursor)) {
        return false;
      }
    }
    return true;
  }

  bool read_entry(Entry& entry, Cursor& cursor) {
    if (!cursor.enter('{')) return wrong(fmt::format("'{}' is not an object", entry.unique_id));
    const std::size_t start = cursor.offset_in(manifest_.bytes_.view()) - 1;
    std::string_view key;
    while (cursor.next_key(key)) {
      const Raw value = cursor.take();
      const std::optional<std::size_t> index = field_index(key);
      if (!index || value.empty()) continue;
      if (entry.values[*index].length != 0)
        return wrong(fmt::format("'{}' has the key \"{}\" twice", entry.unique_id, key));
      entry.values[*index] = span_of(value);
    }
    const std::size_t end = cursor.offset_in(manifest_.bytes_.view());
    entry.text = {static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(end - start)};
    return !cursor.broken() || wrong(fmt::format("'{}' is not JSON", entry.unique_id));
  }

  bool keep(Collection collection, const Entry& entry) {
    switch (collection) {
      case Collection::disabled:
        return keep(manifest_.disabled_, manifest_.disabled_index_, entry);
      case Collection::macros:
        return keep(manifest_.macros_, manifest_.macro_index_, entry);
      case Collection::docs:
        return keep(manifest_.docs_, manifest_.docs_index_, entry);
      default:
        break;
    }
    if (manifest_.raw(entry, Field::resource_type).empty()) {
      return wrong(fmt::format("{}: it has no resource_type", entry.unique_id));
    }
    return keep(manifest_.nodes_, manifest_.node_index_, entry);
  }

  bool keep(std::vector<Entry>& entries, IdTable& index, const Entry& entry) {
    entries.push_back(entry);
    return index.add(entries, static_cast<std::uint32_t>(entries.size() - 1)) ||
           wrong(fmt::format("the unique id '{}' is there twice", entry.unique_id));
  }

  Manifest manifest_;
  std::string why_;
  std::string version_error_;
  std::set<std::string_view> sections_seen_;
};

Result<Manifest> Manifest::read(const std::filesystem::path& path) {
  Result<io::Buffer> bytes = io::read_buffer(path, largest_manifest);
  if (!bytes) {
    Failed failure = std::move(bytes.error());
    if (failure.hint.empty()) failure.hint = "dbt parse writes one, to target/manifest.json";
    return tl::unexpected(std::move(failure));
  }
  return ManifestReader(std::move(*bytes), path.string()).read();
}

Result<Manifest> Manifest::parse(std::string_view bytes, const std::string& name) {
  return ManifestReader(io::Buffer::copy_of(bytes), name).read();
}

Result<BaseAndHead> read_both(const std::filesystem::path& base, const std::filesystem::path& head) {
  std::future<Result<Manifest>> other = std::async(std::launch::async, [&] { return Manifest::read(base); });
  Result<Manifest> head_manifest = Manifest::read(head);
  Result<Manifest> base_manifest = other.get();
  if (!base_manifest) return tl::unexpected(std::move(base_manifest.error()));
  if (!head_manifest) return tl::unexpected(std::move(head_manifest.error()));
  return BaseAndHead{std::move(*base_manifest), std::move(*head_manifest)};
}

std::pair<Raw, Raw> Manifest::around_created_at(const Entry& entry) const {
  const Raw whole = bytes_.view().substr(entry.text.offset, entry.text.length);
  const Span time = entry.values[static_cast<std::size_t>(Field::created_at)];
  if (time.length == 0) return {Raw{}, whole};
  return {whole.substr(0, time.offset - entry.text.offset),
          whole.substr(time.offset + time.length - entry.text.offset)};
}

std::string Manifest::text(const Entry& entry, Field field) const {
  return decode_string(raw(entry, field)).value_or("");
}

std::vector<std::optional<std::string>> Manifest::depends_on(const Entry& entry, std::string_view kind) const {
  return decode_strings(member(raw(entry, Field::depends_on), kind));
}

bool Manifest::enabled(const Entry& entry) const { return member(raw(entry, Field::config), "enabled") != "false"; }

NodeInfo Manifest::info(const Entry& entry) const {
  NodeInfo info;
  info.unique_id = entry.unique_id;
  info.resource_type = text(entry, Field::resource_type);
  info.name = text(entry, Field::name);
  info.package_name = text(entry, Field::package_name);
  info.fqn = present(decode_strings(raw(entry, Field::fqn)));
  info.original_file_path = text(entry, Field::original_file_path);
  info.patch_path = text(entry, Field::patch_path);
  info.language = text(entry, Field::language);
  info.access = text(entry, Field::access);
  info.group = text(entry, Field::group);
  if (const Raw version = raw(entry, Field::version); !version.empty() && version != "null") {
    info.version = brief(decode(version).value_or(Value{}));
  }
  info.depends_on_nodes = present(depends_on(entry, "nodes"));
  info.depends_on_macros = present(depends_on(entry, "macros"));
  info.database = text(entry, Field::database);
  info.schema = text(entry, Field::schema);
  info.identifier = text(entry, entry.collection == Collection::sources ? Field::identifier : Field::alias);
  info.relation_name = text(entry, Field::relation_name);
  info.has_code = text(entry, Field::raw_code).find_first_not_of(" \t\r\n\f\v") != std::string::npos;
  Raw config_tags;
  for_each_member(raw(entry, Field::config), [&](std::string_view key, Raw value) {
    if (key == "materialized") info.materialized = decode_string(value).value_or("");
    if (key == "enabled") info.enabled = value != "false";
    if (key == "tags") config_tags = value;
    if (key == "group" && info.group.empty()) info.group = decode_string(value).value_or("");
    if (key == "pre-hook") info.pre_hook = decode(value).value_or(Value{}).truthy();
    if (key == "post-hook") info.post_hook = decode(value).value_or(Value{}).truthy();
  });
  const Raw tags = raw(entry, Field::tags);
  info.tags = string_list(tags.empty() ? config_tags : tags);
  return info;
}

FileIndex::FileIndex(const Manifest& manifest) {
  const auto key = [&](const Entry& entry) {
    return manifest.text(entry, Field::package_name) + "://" + manifest.text(entry, Field::original_file_path);
  };
  for (const Entry& node : manifest.nodes()) {
    const std::string file = key(node);
    files_[file].nodes.emplace_back(node.unique_id);
    const std::string described_in = manifest.text(node, Field::patch_path);
    if (!described_in.empty() && described_in != file) files_[described_in].described.emplace_back(node.unique_id);
  }
  for (const Entry& node : manifest.disabled()) files_[key(node)].disabled.emplace_back(node.unique_id);
  for (const Entry& macro : manifest.macros()) files_[key(macro)].macros.emplace_back(macro.unique_id);
  for (const Entry& doc : manifest.docs()) files_[key(doc)].docs.emplace_back(doc.unique_id);
}

const FileContents* FileIndex::find(std::string_view package, std::string_view path) const {
  const auto found = files_.find(std::string(package) + "://" + std::string(path));
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace offshoot::state
