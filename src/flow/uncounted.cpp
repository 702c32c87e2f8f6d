// SPDX-License-Identifier: Apache-2.0
#include "flow/uncounted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "io/yaml.hpp"
#include "state/blind_spots.hpp"

namespace offshoot::flow {

namespace {

using Values = std::map<std::string, std::string>;  // name and value, as it is shown

constexpr std::string_view not_counted = "dbt does not count this: ";
constexpr std::size_t longest_value = 60;

std::string shown(const nlohmann::ordered_json& value) {
  std::string text = value.is_string() ? value.get<std::string>()
                                       : value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return text.size() <= longest_value ? text : text.substr(0, longest_value) + "…";
}

/// The variables of a dbt_project.yml; those of a package as "package.name".
Values variables_in(const std::optional<std::string>& bytes, const std::set<std::string>& packages) {
  if (!bytes) return {};
  const auto document = io::parse_yaml(*bytes, "dbt_project.yml");
  if (!document) return {};
  const auto project = io::to_json(*document);
  const auto vars = project.is_object() ? project.find("vars") : project.end();
  if (vars == project.end() || !vars->is_object()) return {};
  Values values;
  for (const auto& [name, value] : vars->items()) {
    if (!packages.contains(name) || !value.is_object()) {
      values.emplace(name, shown(value));
      continue;
    }
    for (const auto& [inner, of_package] : value.items()) values.emplace(name + "." + inner, shown(of_package));
  }
  return values;
}

/// The names that a .env file sets, each with the line that sets it.
Values lines_of(const std::optional<std::string>& bytes) {
  Values values;
  std::string_view rest = bytes ? std::string_view(*bytes) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with("export ")) line.remove_prefix(7);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.starts_with('#')) continue;
    std::string_view name = line.substr(0, equals);
    while (name.ends_with(' ')) name.remove_suffix(1);
    values.emplace(name, line.substr(equals + 1));
  }
  return values;
}

/// Names whose values differ, or that only one side has.
std::vector<std::string> differing(const Values& before, const Values& after) {
  std::set<std::string> names;
  for (const auto* side : {&before, &after}) {
    const auto* other = side == &before ? &after : &before;
    for (const auto& [name, value] : *side) {
      const auto there = other->find(name);
      if (there == other->end() || there->second != value) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

/// Whether Jinja in `code` reads the variable.
bool reads(std::string_view code, std::string_view variable) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  for (std::size_t at = code.find("var"); at != std::string_view::npos; at = code.find("var", at + 1)) {
    std::string_view rest = code.substr(at + 3);
    const auto skip = [&](std::string_view any_of) {
      const std::size_t end = rest.find_first_not_of(any_of);
      rest.remove_prefix(std::min(end, rest.size()));
    };
    skip(" \t\n\r");
    if (rest.starts_with(".get") || rest.starts_with(".has_var"))
      rest.remove_prefix(std::min(rest.find('('), rest.size()));
    if (!rest.starts_with('(')) continue;
    rest.remove_prefix(1);
    skip(" \t\n\r");
    if (rest.empty() || (rest.front() != '\'' && rest.front() != '"')) continue;
    const char quote = rest.front();
    rest.remove_prefix(1);
    if (!rest.starts_with(variable) || rest.size() == variable.size() || rest[variable.size()] != quote) continue;
    const bool whole_word = at == 0 || is_blank(code[at - 1]) ||
                            std::string_view("{(~,=+-*/[:").find(code[at - 1]) != std::string_view::npos;
    if (whole_word) return true;
  }
  return false;
}

/// Who reads a variable.
struct Readers {
  std::vector<std::string> not_planned{};  ///< nodes that the plan does not hold, and macros
  bool any = false;
};

Readers readers_of(std::string_view variable, const state::Manifest& manifest, const Plan& plan) {
  std::set<std::string_view> planned;
  for (const auto* nodes : {&plan.nodes, &plan.unbuilt}) {
    for (const auto& node : *nodes) planned.insert(node.unique_id);
  }
  Readers readers;
  const auto add = [&](const state::Entry& entry, state::Field code, bool in_plan) {
    if (!reads(manifest.text(entry, code), variable)) return;
    readers.any = true;
    if (!in_plan) readers.not_planned.push_back(manifest.text(entry, state::Field::original_file_path));
  };
  for (const auto& entry : manifest.nodes()) add(entry, state::Field::raw_code, planned.contains(entry.unique_id));
  for (const auto& macro : manifest.macros()) add(macro, state::Field::macro_sql, false);
  std::ranges::sort(readers.not_planned);
  const auto twice = std::ranges::unique(readers.not_planned);
  readers.not_planned.erase(twice.begin(), twice.end());
  return readers;
}

std::string value_or_not_set(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? "not set" : found->second;
}

void tell_variables(std::vector<std::string>& notes, const std::string& path, const Values& before, const Values& after,
                    const state::Manifest& manifest, const Plan& plan) {
  for (const auto& name : differing(before, after)) {
    const Readers readers = readers_of(name.substr(name.rfind('.') + 1), manifest, plan);
    if (readers.any && readers.not_planned.empty()) continue;
    notes.push_back(fmt::format("{}the variable {} ({}): {} -> {}{}", not_counted, name, path,
                                value_or_not_set(before, name), value_or_not_set(after, name),
                                readers.any ? "; it is read in " + state::some_of(readers.not_planned) : ""));
  }
}

}  // namespace

std::vector<std::string> uncounted_settings(const Change& change, const change::ReadBytes& base,
                                            const change::ReadBytes& head, const state::Manifest& manifest,
                                            const Plan& plan) {
  std::set<std::string> packages{manifest.project_name()};
  for (const auto& macro : manifest.macros()) packages.insert(manifest.text(macro, state::Field::package_name));
  const std::string folder = plan.project_dir == "." ? "" : plan.project_dir + "/";
  std::vector<std::string> notes;
  for (const auto& file : change.files) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    if (file.path == folder + "dbt_project.yml") {
      tell_variables(notes, file.path, variables_in(base(file.path), packages), variables_in(head(file.path), packages),
                     manifest, plan);
    } else if (name == "profiles.yml" || name == "profiles.yaml") {
      notes.push_back(fmt::format("{}{} changed, which says where and how dbt connects", not_counted, file.path));
    } else if (name == ".env") {
      const auto names = differing(lines_of(base(file.path)), lines_of(head(file.path)));
      if (names.empty()) continue;
      notes.push_back(
          fmt::format("{}environment variables in {} changed: {}", not_counted, file.path, state::some_of(names)));
    }
  }
  return notes;
}

}  // namespace offshoot::flow
