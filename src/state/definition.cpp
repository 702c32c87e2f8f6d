// SPDX-License-Identifier: Apache-2.0
#include "state/definition.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "state/glob.hpp"
#include "state/graph.hpp"

namespace offshoot::state {

namespace {

/// Parses one selector's definition, of which dbt has spelled out some parts and left others as they were written.
class DefinitionParser {
 public:
  explicit DefinitionParser(const std::string& name)
      : option_(fmt::format("the selector '{}' of selectors.yml", name)) {}

  Result<Definition> parse(const Value& value) {
    if (value.kind == Value::Kind::string) return from_text(value.text);
    if (value.kind != Value::Kind::object) return refuse(value, "it is neither text nor a mapping");
    if (const Value* parts = value.find("union")) return from_list(*parts, Definition::Kind::union_of);
    if (const Value* parts = value.find("intersection")) return from_list(*parts, Definition::Kind::intersection_of);
    return from_mapping(value);
  }

 private:
  [[nodiscard]] tl::unexpected<Failed> refuse(const Value& value, std::string why, std::string hint = {}) const {
    return failed(ExitStatus::usage, fmt::format("reading {}: '{}'", option_, brief(value)), std::move(why),
                  std::move(hint));
  }

  Result<Definition> from_text(const std::string& text) {
    Result<Term> term = parse_term(text, option_);
    if (!term) return tl::unexpected(std::move(term.error()));
    return Definition{.term = std::move(*term)};
  }

  /// The parts of a union or an intersection, of which one may be `exclude`.
  Result<Definition> from_list(const Value& list, Definition::Kind kind) {
    if (list.kind != Value::Kind::array) return refuse(list, "it is not a list");
    Definition all{.kind = kind};
    const Value* exclude = nullptr;
    for (const Value& item : list.items) {
      if (const Value* excluded = item.find("exclude"); excluded != nullptr && item.find("method") == nullptr) {
        if (exclude != nullptr) return refuse(item, "only one 'exclude' may stand in a list");
        exclude = excluded;
        continue;
      }
      Result<Definition> part = parse(item);
      if (!part) return part;
      all.parts.push_back(std::move(*part));
    }
    return without(std::move(all), exclude);
  }

  Result<Definition> without(Definition all, const Value* exclude) {
    if (exclude == nullptr) return all;
    Result<Definition> excluded = from_list(*exclude, Definition::Kind::union_of);
    if (!excluded) return excluded;
    if (excluded->parts.empty()) return all;
    Definition difference{.kind = Definition::Kind::difference_of};
    difference.parts.push_back(std::move(all));
    // One exclusion stands for itself: a union of its own would settle anew which tests come in.
    difference.parts.push_back(excluded->parts.size() == 1 ? std::move(excluded->parts[0]) : std::move(*excluded));
    return difference;
  }

  /// `tag: nightly`, or `method:` and `value:` with operators beside them.
  Result<Definition> from_mapping(const Value& value) {
    const bool brief_form = value.keys.size() == 1;
    const Value* method = value.find("method");
    const Value* wanted = brief_form ? &value.items[0] : value.find("value");
    if (!brief_form && (method == nullptr || wanted == nullptr)) return refuse(value, "it needs 'method' and 'value'");
    const std::string method_name = brief_form ? value.keys[0] : method->text;
    const bool is_flag = wanted->kind == Value::Kind::boolean && method_name.starts_with("config.");
    if (wanted->kind != Value::Kind::string && !is_flag) {
      return refuse(value, "its value is no text, and offshoot knows no other", "put it in quotes, if it is meant so");
    }
    if (method_name == "selector") return Definition{.kind = Definition::Kind::named, .name = wanted->text};
    Result<Term> term = make_term(method_name, is_flag ? (wanted->truth ? "true" : "false") : wanted->text, option_);
    if (!term) return tl::unexpected(std::move(term.error()));
    Definition criterion{.term = std::move(*term)};
    if (!brief_form) {
      if (Result<void> read = read_operators(value, criterion); !read) return tl::unexpected(read.error());
    }
    return without(std::move(criterion), value.find("exclude"));
  }

  Result<void> read_operators(const Value& value, Definition& criterion) {
    const auto is_on = [&](std::string_view key) {
      const Value* found = value.find(key);
      return found != nullptr && found->truthy();
    };
    Term& term = criterion.term;
    term.raw = brief(value);
    term.childrens_parents = is_on("childrens_parents");
    if (is_on("parents")) term.above = depth(value.find("parents_depth"));
    if (is_on("children")) term.below = depth(value.find("children_depth"));
    if (term.childrens_parents && term.below)
      return refuse(value, "'childrens_parents' and 'children' exclude one another");
    const Value* mode = value.find("indirect_selection");
    if (mode == nullptr) return {};
    criterion.mode = indirect_selection_of(mode->text);
    if (!criterion.mode) return refuse(value, fmt::format("there is no indirect selection '{}'", brief(*mode)));
    return {};
  }

  /// dbt takes a 0 that is a number for "no limit", and a "0" that is text for what it says.
  static std::size_t depth(const Value* value) {
    if (value == nullptr || !value->truthy()) return any_depth;
    return depth_of(value->text);
  }

  std::string option_;
};

}  // namespace

Result<std::vector<Definition>> find_definitions(const Manifest& manifest, const std::string& pattern) {
  const Value selectors = decode(manifest.selectors()).value_or(Value{});
  std::vector<Definition> found;
  for (std::size_t i = 0; i < selectors.keys.size(); ++i) {
    const std::string& name = selectors.keys[i];
    if (!glob_match(pattern, name)) continue;
    const Value* definition = selectors.items[i].find("definition");
    Result<Definition> parsed = DefinitionParser(name).parse(definition == nullptr ? Value{} : *definition);
    if (!parsed) return tl::unexpected(std::move(parsed.error()));
    found.push_back(std::move(*parsed));
  }
  if (!found.empty()) return found;
  return failed(ExitStatus::usage, fmt::format("reading the selection 'selector:{}'", pattern),
                fmt::format("{} has no selector of that name", manifest.name()),
                selectors.keys.empty() ? "the project has no selectors.yml"
                                       : fmt::format("known: {}", fmt::join(selectors.keys, ", ")));
}

}  // namespace offshoot::state
