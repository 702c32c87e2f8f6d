// SPDX-License-Identifier: Apache-2.0
#include "state/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "state/glob.hpp"

namespace offshoot::state {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::size_t from) {
  return fmt::format(
      "{}", fmt::join(parts.begin() + static_cast<std::ptrdiff_t>(std::min(from, parts.size())), parts.end(), "."));
}

/// The last two of `parts`, as "name_v2".
std::string last_two(const std::vector<std::string>& parts) {
  return parts.size() < 2 ? parts.back() : parts[parts.size() - 2] + "_" + parts.back();
}

/// Whether a fully qualified name, with or without its package, is named by `selector`.
bool fqn_matches(const std::vector<std::string>& fqn, const std::string& selector, bool versioned) {
  if (fqn.empty() || (versioned && fqn.size() < 2)) return false;
  const std::vector<std::string> wanted = split(selector, '.');
  const std::string& leaf = versioned ? fqn[fqn.size() - 2] : fqn.back();
  if (leaf == selector) return true;
  if (versioned && last_two(fqn) == last_two(wanted)) return true;
  std::vector<std::string> flat;
  for (const std::string& segment : fqn) {
    for (std::string& part : split(segment, '.')) flat.push_back(std::move(part));
  }
  if (flat.size() < wanted.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (has_wildcard(wanted[i])) {
      if (glob_match(join(wanted, i), join(flat, i))) return true;
      return wanted.size() == 1 && glob_match(selector, leaf);
    }
    if (flat[i] != wanted[i]) return false;
  }
  return true;
}

/// dbt compares versions as numbers where both are, else as text.
bool version_less(const std::string& left, const std::string& right) {
  char* left_end = nullptr;
  char* right_end = nullptr;
  const double a = std::strtod(left.c_str(), &left_end);
  const double b = std::strtod(right.c_str(), &right_end);
  const bool numbers = !left.empty() && !right.empty() && *left_end == '\0' && *right_end == '\0';
  return numbers ? a < b : left < right;
}

bool version_matches(const Value& version, const Value& latest, std::string_view wanted) {
  if (wanted == "none") return version.kind == Value::Kind::null;
  if (wanted == "latest") return version.kind != Value::Kind::null && equal(version, latest);
  if (!version.truthy() || !latest.truthy()) return false;
  return wanted == "old" ? version_less(version.text, latest.text) : version_less(latest.text, version.text);
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

bool is_number_equal(const Value& value, const char* number) {
  return equal(value, Value{.kind = Value::Kind::number, .text = number});
}

/// Whether a setting has a value that a command line can only give as text.
bool setting_matches(const Value& setting, const Term& term) {
  const bool wants_true = equals_ignoring_case(term.value, "true");
  const bool wants_false = equals_ignoring_case(term.value, "false");
  const auto is_text = [&](const Value& value) {
    return value.kind == Value::Kind::string && value.text == term.value;
  };
  if (setting.kind == Value::Kind::array) {
    return std::any_of(setting.items.begin(), setting.items.end(), [&](const Value& item) {
      return is_text(item) || (wants_true && is_number_equal(item, "1")) || (wants_false && is_number_equal(item, "0"));
    });
  }
  if (setting.kind == Value::Kind::boolean) return setting.truth ? wants_true : wants_false;
  const bool severity = term.arguments.size() == 1 && term.arguments[0] == "severity";
  return is_text(setting) ||
         (severity && setting.kind == Value::Kind::string && equals_ignoring_case(setting.text, term.value));
}

bool config_matches(Raw config, const Term& term) {
  std::optional<Value> value = decode(config);
  const Value* setting = value ? &*value : nullptr;
  for (const std::string& argument : term.arguments) setting = setting == nullptr ? nullptr : setting->find(argument);
  return setting != nullptr && setting_matches(*setting, term);
}

/// "package.name" or "name" against patterns.
bool name_matches(const NodeInfo& info, const std::string& selector) {
  const std::vector<std::string> parts = split(selector, '.');
  return glob_match(parts.size() == 2 ? parts[0] : "*", info.package_name) && glob_match(parts.back(), info.name);
}

bool source_matches(const Manifest& manifest, const Entry& entry, const std::string& selector) {
  const std::vector<std::string> parts = split(selector, '.');
  const bool packaged = parts.size() == 3;
  const std::string& source = packaged ? parts[1] : parts[0];
  return glob_match(packaged ? parts[0] : "*", manifest.text(entry, Field::package_name)) &&
         glob_match(source, manifest.text(entry, Field::source_name)) &&
         glob_match(parts.size() == 1 ? "*" : parts.back(), manifest.text(entry, Field::name));
}

bool file_matches(const std::string& path, const std::string& pattern) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  const bool has_stem = dot != std::string::npos && dot > 0 && dot + 1 < name.size();
  return glob_match(pattern, name) || glob_match(pattern, has_stem ? name.substr(0, dot) : name);
}

bool test_type_matches(Kind kind, std::string_view wanted) {
  if (wanted == "unit") return kind == Kind::unit_test;
  if (wanted == "singular") return kind == Kind::singular_test;
  return kind == Kind::generic_test || (wanted == "data" && kind == Kind::singular_test);
}

std::vector<std::string> strings_of(Raw list) {
  std::vector<std::string> strings;
  for (std::optional<std::string>& text : decode_strings(list)) strings.push_back(std::move(text).value_or(""));
  return strings;
}

/// The folders above a path, nearest first; the last is "", the project's own.
std::vector<std::string> folders_above(std::string path) {
  std::vector<std::string> folders;
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
    folders.push_back(path);
  }
  return folders;
}

std::string behind_scheme(const std::string& patch_path) {
  const std::size_t scheme = patch_path.find("://");
  return scheme == std::string::npos ? "" : patch_path.substr(scheme + 3);
}

}  // namespace

Result<NodeSet> Matcher::match(const Term& term) const {
  if (term.method == Method::path) return match_path(term);
  if (term.method == Method::state) {
    if (Result<void> checked = comparison_.check(term.value, now_); !checked) return tl::unexpected(checked.error());
  }
  NodeSet found(graph_.size());
  for (NodeIndex node = 0; node < graph_.size(); ++node) {
    if (graph_.enabled(node) && names(term, node)) found.insert(node);
  }
  return found;
}

bool Matcher::names(const Term& term, NodeIndex node) const {
  const Entry& entry = head_.nodes()[node];
  const Kind kind = kind_of(head_, entry);
  const auto info = [&] { return head_.info(entry); };
  switch (term.method) {
    case Method::access:
      return kind == Kind::model && head_.text(entry, Field::access) == term.value;
    case Method::config:
      return (entry.collection == Collection::nodes || entry.collection == Collection::sources) &&
             config_matches(head_.raw(entry, Field::config), term);
    case Method::exposure:
      return kind == Kind::exposure && name_matches(info(), term.value);
    case Method::file:
      return file_matches(head_.text(entry, Field::original_file_path), term.value);
    case Method::fqn: {
      if (kind == Kind::source) return false;
      std::vector<std::string> fqn = strings_of(head_.raw(entry, Field::fqn));
      const Raw version = head_.raw(entry, Field::version);
      const bool versioned = kind == Kind::model && !version.empty() && version != "null";
      if (fqn_matches(fqn, term.value, versioned)) return true;
      if (!fqn.empty()) fqn.erase(fqn.begin());
      return fqn_matches(fqn, term.value, versioned);
    }
    case Method::group: {
      if (entry.collection != Collection::nodes && kind != Kind::metric) return false;
      const std::string group = decode_string(member(head_.raw(entry, Field::config), "group")).value_or("");
      return !group.empty() && glob_match(term.value, group);
    }
    case Method::metric:
      return kind == Kind::metric && name_matches(info(), term.value);
    case Method::package:
      return glob_match(term.value == "this" ? head_.project_name() : term.value,
                        head_.text(entry, Field::package_name));
    case Method::path:
      return false;  // match_path
    case Method::resource_type:
      return head_.text(entry, Field::resource_type) == term.value;
    case Method::saved_query:
      return kind == Kind::saved_query && name_matches(info(), term.value);
    case Method::selector:
      return false;  // the evaluator's, since it selects by operators and modes of its own
    case Method::semantic_model:
      return kind == Kind::semantic_model && name_matches(info(), term.value);
    case Method::source:
      return kind == Kind::source && source_matches(head_, entry, term.value);
    case Method::state:
      return comparison_.matches(node, term.value);
    case Method::tag: {
      if (kind == Kind::semantic_model) return false;
      const std::vector<std::string> tags = info().tags;
      return std::any_of(tags.begin(), tags.end(), [&](const std::string& tag) { return glob_match(term.value, tag); });
    }
    case Method::test_name:
      if (kind == Kind::unit_test) return glob_match(term.value, head_.text(entry, Field::name));
      return kind == Kind::generic_test &&
             glob_match(term.value, decode_string(member(head_.raw(entry, Field::test_metadata), "name")).value_or(""));
    case Method::test_type:
      return test_type_matches(kind, term.value);
    case Method::unit_test:
      return kind == Kind::unit_test && name_matches(info(), term.value);
    case Method::version: {
      if (kind != Kind::model) return false;
      const Value version = decode(head_.raw(entry, Field::version)).value_or(Value{});
      return version_matches(version, decode(head_.raw(entry, Field::latest_version)).value_or(Value{}), term.value);
    }
  }
  return false;
}

/// dbt looks for files and folders that match, in the project's folder, and takes what is defined or described in them.
/// Which of them exist is known from the manifest: those that something of the project itself comes from. A package's
/// files count where the project has one of the same path, because dbt does not tell them apart.
Result<NodeSet> Matcher::match_path(const Term& term) const {
  const PathPattern pattern(term.value);
  if (!pattern.refused().empty()) {
    return failed(ExitStatus::usage, fmt::format("reading the selector '{}'", term.raw), pattern.refused());
  }
  std::set<std::string> files, folders;
  const auto exists = [&](const std::string& path) {
    if (path.empty()) return;
    if (pattern.matches(path, false)) files.insert(path);
    for (const std::string& folder : folders_above(path)) {
      if (pattern.matches(folder, true)) folders.insert(folder);
    }
  };
  const auto see = [&](std::span<const Entry> entries) {
    for (const Entry& entry : entries) {
      if (head_.text(entry, Field::package_name) != head_.project_name()) continue;
      exists(head_.text(entry, Field::original_file_path));
      exists(behind_scheme(head_.text(entry, Field::patch_path)));
    }
  };
  see(head_.nodes());
  see(head_.macros());
  see(head_.disabled());
  see(head_.docs());
  NodeSet found(graph_.size());
  for (NodeIndex node = 0; node < graph_.size(); ++node) {
    if (!graph_.enabled(node)) continue;
    const Entry& entry = head_.nodes()[node];
    const std::string path = head_.text(entry, Field::original_file_path);
    const std::vector<std::string> above = folders_above(path);
    const bool hit = files.contains(path) || files.contains(behind_scheme(head_.text(entry, Field::patch_path))) ||
                     std::any_of(above.begin(), above.end(), [&](const auto& f) { return folders.contains(f); });
    if (hit) found.insert(node);
  }
  return found;
}

}  // namespace offshoot::state
