// SPDX-License-Identifier: Apache-2.0
#include "state/difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>

namespace offshoot::state {

namespace {

constexpr std::array<std::string_view, 5> not_config = {"alias", "database", "group", "schema", "tags"};
constexpr std::array<std::string_view, 9> test_config = {"severity",  "where",    "limit",          "fail_calc",
                                                         "warn_if",   "error_if", "store_failures", "store_failures_as",
                                                         "sql_header"};
constexpr std::array<std::string_view, 3> relation_keys = {"database", "schema", "alias"};

template <std::size_t n>
bool is_in(const std::array<std::string_view, n>& list, std::string_view key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

const Value& none() {
  static const Value null{};
  return null;
}

/// Decoded, or a value that equals nothing else where it cannot be: what cannot be read counts as changed.
Value decoded(Raw raw) {
  if (std::optional<Value> value = decode(raw)) return std::move(*value);
  return Value{.kind = Value::Kind::string, .text = std::string(raw)};
}

std::string brief_or_not_set(const Value* value) { return value == nullptr ? "not set" : brief(*value); }

std::vector<std::string> all_keys(const Value& left, const Value& right) {
  std::set<std::string> keys(left.keys.begin(), left.keys.end());
  keys.insert(right.keys.begin(), right.keys.end());
  return {keys.begin(), keys.end()};
}

/// "key: old -> new" for a value that differs; for an object one such line for each of its keys that differs.
void describe(std::vector<std::string>& lines, const std::string& key, const Value* old, const Value* now, int levels) {
  const bool both = old != nullptr && now != nullptr;
  if (both ? equal(*old, *now) : old == now) return;
  if (levels > 0 && both && old->kind == Value::Kind::object && now->kind == Value::Kind::object) {
    for (const std::string& inner : all_keys(*old, *now)) {
      describe(lines, fmt::format("{}.{}", key, inner), old->find(inner), now->find(inner), levels - 1);
    }
    return;
  }
  lines.push_back(fmt::format("{}: {} -> {}", key, brief_or_not_set(old), brief_or_not_set(now)));
}

constexpr int levels_described = 2;

/// As `describe`, where absent and null are the same.
void describe_field(std::vector<std::string>& lines, const std::string& key, const Value& old, const Value& now) {
  const auto or_absent = [](const Value& value) { return value.kind == Value::Kind::null ? nullptr : &value; };
  describe(lines, key, or_absent(old), or_absent(now), levels_described);
}

const Value& get(const Value& object, std::string_view key) {
  const Value* value = object.find(key);
  return value == nullptr ? none() : *value;
}

std::string trimmed(std::string text) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_blank));
  text.erase(std::find_if_not(text.rbegin(), text.rend(), is_blank).base(), text.end());
  return text;
}

std::string lowercase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// The fields of a pair that differ.
class FieldComparer {
 public:
  explicit FieldComparer(const Pair& pair) : pair_(pair) {}

  void compare(std::initializer_list<Field> fields) {
    for (const Field field : fields) {
      if (same(field)) continue;
      describe_field(lines_, std::string(key_of(field)), old(field), now(field));
    }
  }
  /// A text that dbt reads into something else; `read` gives the same for texts that become the same.
  void compare_as_read(Field field, std::string (*read)(std::string)) {
    if (same(field)) return;
    const Value before = old(field);
    const Value after = now(field);
    const bool texts = before.kind == Value::Kind::string && after.kind == Value::Kind::string;
    if (!texts || read(before.text) != read(after.text)) {
      describe_field(lines_, std::string(key_of(field)), before, after);
    }
  }
  void compare_fqn() {
    if (same(Field::fqn)) return;
    lines_.push_back(fmt::format("fqn: {} -> {}", dotted(old(Field::fqn)), dotted(now(Field::fqn))));
  }
  /// Lists of objects, of which only some keys count.
  void compare_projected(Field field, std::initializer_list<std::string_view> keys) {
    if (same(field)) return;
    const Value before = projected(old(field), keys);
    const Value after = projected(now(field), keys);
    if (!equal(before, after)) describe_field(lines_, std::string(key_of(field)), before, after);
  }
  void compare_members(Field field, std::initializer_list<std::string_view> keys) {
    if (same(field)) return;
    const Value before = old(field);
    const Value after = now(field);
    for (const std::string_view key : keys) {
      describe_field(lines_, fmt::format("{}.{}", key_of(field), key), get(before, key), get(after, key));
    }
  }
  void compare_parents() {
    if (same(Field::depends_on)) return;
    const std::vector<std::optional<std::string>> before = pair_.base.depends_on(pair_.old, "nodes");
    const std::vector<std::optional<std::string>> after = pair_.head.depends_on(pair_.now, "nodes");
    if (std::set(before.begin(), before.end()) != std::set(after.begin(), after.end()))
      lines_.emplace_back("depends_on");
  }
  /// A unit test's checksum covers its definition and its fixtures.
  void compare_unit_test() {
    if (same(Field::checksum)) return;
    std::string what;
    for (const Field field : {Field::model, Field::versions, Field::given, Field::expect, Field::overrides}) {
      if (!same(field)) what += (what.empty() ? "" : ", ") + std::string(key_of(field));
    }
    lines_.push_back(what.empty() ? "fixtures" : what);
  }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  [[nodiscard]] Raw now_raw(Field field) const { return pair_.head.raw(pair_.now, field); }
  [[nodiscard]] Raw old_raw(Field field) const { return pair_.base.raw(pair_.old, field); }
  [[nodiscard]] Value now(Field field) const { return decoded(now_raw(field)); }
  [[nodiscard]] Value old(Field field) const { return decoded(old_raw(field)); }
  [[nodiscard]] bool same(Field field) const { return same_json(now_raw(field), old_raw(field)); }

  static std::string dotted(const Value& fqn) {
    std::vector<std::string> parts;
    parts.reserve(fqn.items.size());
    for (const Value& part : fqn.items) parts.push_back(part.text);
    return fmt::format("{}", fmt::join(parts, "."));
  }
  /// Each item as the list of the values of `keys`; a key may stand within "unrendered_config.".
  static Value projected(const Value& list, std::initializer_list<std::string_view> keys) {
    Value result{.kind = Value::Kind::array};
    for (const Value& item : list.items) {
      Value& row = result.items.emplace_back(Value{.kind = Value::Kind::array});
      for (std::string_view key : keys) {
        constexpr std::string_view within = "unrendered_config.";
        const bool nested = key.starts_with(within);
        const Value& object = nested ? get(item, "unrendered_config") : item;
        row.items.push_back(get(object, nested ? key.substr(within.size()) : key));
      }
    }
    return result;
  }

  const Pair& pair_;
  std::vector<std::string> lines_;
};

bool counts_as_config(Kind kind, std::string_view key) {
  switch (kind) {
    case Kind::generic_test:
    case Kind::singular_test:
      return is_in(test_config, key);
    case Kind::source:
    case Kind::exposure:
      return true;
    case Kind::metric:
      return key != "group";
    default:
      return !is_in(not_config, key);
  }
}

bool enforces_constraints(std::string_view materialized) {
  return materialized == "table" || materialized == "incremental";
}

/// Constraint types that the adapter enforces; what it only accepts or ignores cannot be relied on.
bool is_enforced(std::string_view adapter, std::string_view constraint) {
  const auto any_of = [&](std::initializer_list<std::string_view> types) {
    return std::find(types.begin(), types.end(), constraint) != types.end();
  };
  if (adapter == "duckdb" || adapter == "postgres") {
    return any_of({"check", "not_null", "unique", "primary_key", "foreign_key"});
  }
  if (adapter == "databricks") return any_of({"check", "not_null"});
  if (adapter == "spark") return false;
  if (adapter == "snowflake" || adapter == "bigquery" || adapter == "redshift" || adapter == "trino") {
    return any_of({"not_null"});
  }
  return any_of({"not_null", "foreign_key"});  // dbt's default for adapters
}

/// A data type without its size, precision and scale.
std::string base_type(const Value& type) { return lowercase(trimmed(type.text.substr(0, type.text.find('(')))); }

/// The side of a pair that a contract is made of.
struct ContractSide {
  ContractSide(const Manifest& manifest, const Entry& entry)
      : columns(decoded(manifest.raw(entry, Field::columns))),
        constraints(decoded(manifest.raw(entry, Field::constraints))),
        materialized(decode_string(member(manifest.raw(entry, Field::config), "materialized")).value_or("view")) {}
  Value columns;
  Value constraints;
  std::string materialized;
};

bool has_item(const Value& list, const Value& item) {
  return std::any_of(list.items.begin(), list.items.end(), [&](const Value& other) { return equal(other, item); });
}

/// The constraints of `old` that `now` lacks and the adapter enforced.
std::vector<std::string> lost_constraints(const Value& old, const Value& now, std::string_view adapter) {
  std::vector<std::string> lost;
  for (const Value& constraint : old.items) {
    const std::string& type = get(constraint, "type").text;
    if (has_item(now, constraint) || !is_enforced(adapter, type)) continue;
    const Value& name = get(constraint, "name");
    lost.push_back(name.kind == Value::Kind::string ? fmt::format("{} ({})", type, brief(name)) : type);
  }
  return lost;
}

void compare_columns(std::vector<std::string>& breaking, const ContractSide& old, const ContractSide& now,
                     std::string_view adapter) {
  std::vector<std::string> names = old.columns.keys;
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const Value& before = get(old.columns, name);
    const Value* after = now.columns.find(name);
    if (after == nullptr) {
      breaking.push_back(fmt::format("the column '{}' was removed", name));
      continue;
    }
    const Value& old_type = get(before, "data_type");
    const Value& new_type = get(*after, "data_type");
    if (!equal(old_type, new_type) && (old_type.kind != new_type.kind || base_type(old_type) != base_type(new_type))) {
      breaking.push_back(fmt::format("the type of column '{}': {} -> {}", name, brief(old_type), brief(new_type)));
    }
    if (!enforces_constraints(old.materialized)) continue;
    for (const std::string& type : lost_constraints(get(before, "constraints"), get(*after, "constraints"), adapter)) {
      breaking.push_back(fmt::format("the constraint {} on column '{}' was removed", type, name));
    }
  }
}

bool has_constraints(const ContractSide& side) {
  const auto& columns = side.columns.items;
  return side.constraints.truthy() || std::any_of(columns.begin(), columns.end(), [](const Value& column) {
           return get(column, "constraints").truthy();
         });
}

}  // namespace

std::vector<std::string> changed_configs(const Pair& pair) {
  std::vector<std::string> lines;
  const bool whole = pair.kind == Kind::semantic_model || pair.kind == Kind::saved_query;
  const Field field = whole ? Field::config : Field::unrendered_config;
  const Raw now_raw = pair.head.raw(pair.now, field);
  const Raw old_raw = pair.base.raw(pair.old, field);
  if (now_raw == old_raw) return lines;
  const Value now = decoded(now_raw);
  const Value old = decoded(old_raw);
  for (const std::string& key : all_keys(old, now)) {
    if (whole || counts_as_config(pair.kind, key)) describe(lines, key, old.find(key), now.find(key), levels_described);
  }
  const auto has_keys = [](const Value& value) {
    return value.kind == Value::Kind::object || value.kind == Value::Kind::null;
  };
  if ((!has_keys(now) || !has_keys(old)) && !equal(now, old)) lines.emplace_back(key_of(field));
  return lines;
}

std::vector<std::string> changed_relation(const Pair& pair, bool compare_more_unrendered_values) {
  if (pair.kind == Kind::source) {
    FieldComparer fields(pair);
    if (compare_more_unrendered_values) {
      fields.compare({Field::unrendered_database, Field::unrendered_schema, Field::identifier});
    } else {
      fields.compare({Field::database, Field::schema, Field::identifier});
    }
    return fields.take();
  }
  std::vector<std::string> lines;
  const Raw now_raw = pair.head.raw(pair.now, Field::unrendered_config);
  const Raw old_raw = pair.base.raw(pair.old, Field::unrendered_config);
  if (now_raw == old_raw) return lines;
  const Value now = decoded(now_raw);
  const Value old = decoded(old_raw);
  for (const std::string_view key : relation_keys)
    describe_field(lines, std::string(key), get(old, key), get(now, key));
  return lines;
}

std::vector<std::string> changed_descriptions(const Pair& pair) {
  std::vector<std::string> lines;
  if (pair.kind == Kind::generic_test || pair.kind == Kind::singular_test) return lines;
  const Raw now_description = pair.head.raw(pair.now, Field::description);
  const Raw old_description = pair.base.raw(pair.old, Field::description);
  const Raw now_columns = pair.head.raw(pair.now, Field::columns);
  const Raw old_columns = pair.base.raw(pair.old, Field::columns);
  if (now_description == old_description && now_columns == old_columns) return lines;
  const Value persist = decoded(member(pair.head.raw(pair.now, Field::config), "persist_docs"));
  if (get(persist, "relation").truthy() && !same_json(now_description, old_description))
    lines.emplace_back("description");
  if (!get(persist, "columns").truthy() || now_columns == old_columns) return lines;
  const Value now = decoded(now_columns);
  const Value old = decoded(old_columns);
  for (const std::string& name : all_keys(old, now)) {
    const Value* before = old.find(name);
    const Value* after = now.find(name);
    const bool both = before != nullptr && after != nullptr;
    if (both && equal(get(*before, "description"), get(*after, "description"))) continue;
    lines.push_back("column " + name);
  }
  return lines;
}

std::vector<std::string> changed_properties(const Pair& pair) {
  FieldComparer fields(pair);
  switch (pair.kind) {
    case Kind::model:
      fields.compare_fqn();
      fields.compare({Field::latest_version, Field::access});
      fields.compare_as_read(Field::deprecation_date, trimmed);
      break;
    case Kind::function:
      fields.compare_fqn();
      fields.compare({Field::arguments, Field::returns});
      fields.compare_projected(Field::overloads, {"defined_in", "arguments", "returns", "raw_body"});
      break;
    case Kind::seed:
    case Kind::singular_test:
    case Kind::generic_test:
    case Kind::hidden_node:
    case Kind::other_node:
      fields.compare_fqn();
      break;
    case Kind::source:
      fields.compare_fqn();
      fields.compare({Field::quoting, Field::freshness, Field::loaded_at_field, Field::external});
      break;
    case Kind::exposure:
      fields.compare_fqn();
      fields.compare({Field::type, Field::owner, Field::maturity, Field::url, Field::description, Field::label});
      fields.compare_parents();
      break;
    case Kind::metric:
      fields.compare_as_read(Field::type, lowercase);
      fields.compare({Field::description, Field::label});
      break;
    case Kind::semantic_model:
      fields.compare({Field::model, Field::description, Field::defaults, Field::entities, Field::dimensions,
                      Field::measures, Field::primary_entity, Field::group});
      break;
    case Kind::unit_test:
      fields.compare_unit_test();
      break;
    case Kind::saved_query:
      fields.compare_members(Field::query_params, {"metrics", "group_by", "where"});
      fields.compare({Field::description, Field::label, Field::group, Field::tags});
      fields.compare_projected(Field::exports, {"name", "unrendered_config.export_as", "unrendered_config.schema",
                                                "unrendered_config.alias"});
      break;
  }
  return fields.take();
}

bool same_body(const Pair& pair) {
  if (pair.kind != Kind::seed) {
    const auto or_empty = [](Raw code) { return code.empty() ? Raw("\"\"") : code; };
    return same_json(or_empty(pair.head.raw(pair.now, Field::raw_code)),
                     or_empty(pair.base.raw(pair.old, Field::raw_code)));
  }
  const Value now = decoded(pair.head.raw(pair.now, Field::checksum));
  const Value old = decoded(pair.base.raw(pair.old, Field::checksum));
  const Value& kind = get(now, "name");
  return kind.text != "none" && equal(kind, get(old, "name")) && equal(get(now, "checksum"), get(old, "checksum"));
}

bool contract_enforced(const Manifest& manifest, const Entry& entry) {
  return decoded(member(manifest.raw(entry, Field::contract), "enforced")).truthy();
}

std::vector<std::string> breaking_changes(const Pair& pair, std::string_view adapter) {
  std::vector<std::string> breaking;
  const ContractSide old(pair.base, pair.old);
  const ContractSide now(pair.head, pair.now);
  if (!contract_enforced(pair.head, pair.now)) breaking.emplace_back("it is no longer enforced");
  compare_columns(breaking, old, now, adapter);
  if (enforces_constraints(old.materialized)) {
    for (const std::string& type : lost_constraints(old.constraints, now.constraints, adapter)) {
      breaking.push_back(fmt::format("the constraint {} was removed", type));
    }
    if (!enforces_constraints(now.materialized) && has_constraints(old)) {
      breaking.push_back(fmt::format("materialized: {} -> {}, with constraints", old.materialized, now.materialized));
    }
  }
  return breaking;
}

}  // namespace offshoot::state
