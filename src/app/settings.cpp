// SPDX-License-Identifier: Apache-2.0
#include "app/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "app/inputs.hpp"
#include "io/json.hpp"
#include "io/nearest.hpp"
#include "io/yaml.hpp"

namespace offshoot::app {

namespace {

using Environment = std::map<std::string, std::string>;

constexpr std::size_t most_problems_told = 10;

/// One thing that is wrong with the settings.
struct Problem {
  Place place;
  std::string why;
  std::string hint{};
};

/// Settings whose ${NAME} are not read yet, where each was set, and what is wrong.
struct Draft {
  Settings settings;
  std::map<std::string_view, Place> places{};  ///< by key; defaults have none
  std::vector<Problem> problems{};
};

/// Untrusted text as a message may quote it: short, and nothing in it but printable ASCII.
std::string quote(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string result = "'";
  for (const char c : text.substr(0, longest)) {
    if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return result + (text.size() > longest ? "…'" : "'");
}

std::string told(const Place& place) {
  if (place.line == 0) return place.file;
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

/// All problems as one error with the place of the first; the others stand in its hint, a line each.
Failed failure(const std::vector<Problem>& problems) {
  const Problem& first = problems.front();
  std::string hint = first.hint;
  for (std::size_t i = 1; i < std::min(problems.size(), most_problems_told); ++i) {
    const auto& [place, why, more] = problems[i];
    hint +=
        fmt::format("{}also {}: {}{}{}", hint.empty() ? "" : "\n", told(place), why, more.empty() ? "" : "; ", more);
  }
  if (problems.size() > most_problems_told) {
    hint += fmt::format("\nand {} more", problems.size() - most_problems_told);
  }
  return Failed{ExitStatus::usage, "reading " + first.place.file, first.why, std::move(hint), first.place};
}

// --- suggestions

/// What the value of a section that is a setting itself is called inside the section: `store: {at: …, keep: 90d}`.
constexpr std::string_view own_value = "at";

std::string_view leaf_of(std::string_view key) { return key.substr(key.find('.') + 1); }

/// What may stand under a section; under the empty one, sections and keys of their own.
std::vector<std::string_view> keys_in(std::string_view section) {
  std::vector<std::string_view> keys;
  for (const auto& setting : settings_table()) {
    const auto of = section_of(setting.key);
    const auto key = section.empty() && !of.empty() ? of : leaf_of(setting.key);
    if (!section.empty() && setting.key == section) keys.push_back(own_value);
    if ((section.empty() || of == section) && (keys.empty() || keys.back() != key)) keys.push_back(key);
  }
  return keys;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(settings_table(),
                             [&](const Setting& s) { return !name.empty() && section_of(s.key) == name; });
}

std::string hint_for_unknown(std::string_view section, std::string_view key) {
  if (section.empty() && find_setting(key) != nullptr) {
    return fmt::format("write it as '{}: {{{}: …}}'", section_of(key), leaf_of(key));
  }
  const auto known = keys_in(section);
  if (const auto meant = io::nearest(key, known); !meant.empty()) return fmt::format("did you mean '{}'?", meant);
  const auto elsewhere = std::ranges::find(settings_table(), key, [](const Setting& s) { return leaf_of(s.key); });
  if (elsewhere != settings_table().end()) return fmt::format("did you mean '{}'?", elsewhere->key);
  return fmt::format("known here: {}", fmt::join(known, ", "));
}

// --- values

void complain_of_value(Draft& draft, const Setting& setting, Place place, const std::string& found,
                       std::string_view text = {}) {
  std::string hint;
  if (const auto meant = io::nearest(text, setting.choices); !meant.empty())
    hint = fmt::format("did you mean '{}'?", meant);
  const std::string why = setting.why_not(text);
  draft.problems.push_back(
      {std::move(place),
       fmt::format("{}: expected {}, found {}{}", setting.key, setting.expected, found, why.empty() ? "" : ": " + why),
       hint});
}

void set(Draft& draft, const Setting& setting, const std::string& text, Place place) {
  if (!setting.expands && text.find("${") != std::string::npos) {
    draft.problems.push_back({std::move(place), fmt::format("{}: '${{…}}' is not read here", setting.key),
                              "only store and dbt.vars may name environment variables; write the value itself"});
  } else if (setting.write(draft.settings, text)) {
    draft.places[setting.key] = std::move(place);
  } else {
    complain_of_value(draft, setting, std::move(place), quote(text), text);
  }
}

// --- the file

/// Reads one parsed offshoot.yml into a draft.
class FileReader {
 public:
  FileReader(const std::string& file, Draft& draft) : file_(file), draft_(draft) {}

  void read(const YAML::Node& root) {
    if (root.IsNull() || has_tag(root)) return;
    if (!root.IsMap()) return complain(root, "expected settings such as 'branch: {prefix: shop}'");
    for (const auto& entry : root) {
      const std::string& key = entry.first.Scalar();
      if (is_section(key)) {
        read_section(key, entry.first, entry.second);
      } else {
        read_value("", entry.first, entry.second);
      }
    }
  }

 private:
  [[nodiscard]] Place place_of(const YAML::Node& node) const {
    const auto mark = node.Mark();
    return mark.is_null() ? Place{file_, 1, 1} : Place{file_, mark.line + 1, mark.column + 1};
  }

  void complain(const YAML::Node& where, std::string why, std::string hint = {}) {
    draft_.problems.push_back({place_of(where), std::move(why), std::move(hint)});
  }

  void read_section(const std::string& section, const YAML::Node& key, const YAML::Node& body) {
    // A section that is a setting itself, such as store, may hold its value alone.
    if (!body.IsMap() && find_setting(section) != nullptr) return read_value("", key, body);
    if (body.IsNull()) return;
    if (!body.IsMap()) {
      return complain(key, fmt::format("{}: expected settings below it, found {}", section, described(body)),
                      fmt::format("known here: {}", fmt::join(keys_in(section), ", ")));
    }
    for (const auto& entry : body) read_value(section, entry.first, entry.second);
  }

  void read_value(const std::string& section, const YAML::Node& key, const YAML::Node& value) {
    const std::string& name = key.Scalar();
    const Setting* setting = nullptr;
    if (!section.empty() && name == own_value) {
      setting = find_setting(section);
    } else {
      setting = find_setting(section.empty() ? name : section + "." + name);
      if (setting != nullptr && section_of(setting->key) != section) setting = nullptr;
    }
    if (setting == nullptr) {
      return complain(key, fmt::format("unknown key {}", quote(name)), hint_for_unknown(section, name));
    }
    const Place place = place_of(value.IsNull() ? key : value);
    if (const auto text = text_of(*setting, value)) return set(draft_, *setting, *text, place);
    complain_of_value(draft_, *setting, place, described(value));
  }

  /// True, and said so: somewhere in `node` stands a tag, such as !!python/object.
  bool has_tag(const YAML::Node& node) {
    const std::string& tag = node.Tag();
    if (!tag.empty() && tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str") {
      complain(node, fmt::format("the tag {} is not accepted", quote(tag)), "write plain values");
      return true;
    }
    if (node.IsSequence())
      return std::any_of(node.begin(), node.end(), [&](const auto& item) { return has_tag(item); });
    if (!node.IsMap()) return false;
    return std::any_of(node.begin(), node.end(),
                       [&](const auto& entry) { return has_tag(entry.first) || has_tag(entry.second); });
  }

  /// A node in a setting's text form. Absent: it is not of the setting's kind.
  static std::optional<std::string> text_of(const Setting& setting, const YAML::Node& node) {
    switch (setting.kind) {
      case Kind::object:
        return node.IsMap() ? std::optional(io::to_line(io::to_json(node))) : std::nullopt;
      case Kind::list: {
        if (!node.IsSequence()) return std::nullopt;
        auto list = nlohmann::json::array();
        for (const auto& item : node) {
          if (!item.IsScalar()) return std::nullopt;
          list.push_back(item.Scalar());
        }
        return io::to_line(list);
      }
      default:
        return node.IsScalar() ? std::optional(node.Scalar()) : std::nullopt;
    }
  }

  static std::string described(const YAML::Node& node) {
    if (node.IsMap()) return "a mapping";
    if (node.IsSequence()) return "a list";
    if (node.IsScalar()) return quote(node.Scalar());
    return "nothing";
  }

  const std::string& file_;
  Draft& draft_;
};

void read_environment(const Environment& environment, Draft& draft) {
  for (const auto& setting : settings_table()) {
    const std::string name = environment_name(setting);
    std::string input = "INPUT_" + name.substr(std::string_view("OFFSHOOT_").size());
    std::string dashed_input = input;
    std::replace(dashed_input.begin() + 6, dashed_input.end(), '_', '-');
    for (const auto& source : {name, input, dashed_input}) {
      const auto found = environment.find(source);
      if (found == environment.end() || found->second.empty()) continue;
      set(draft, setting, found->second, Place{"environment variable " + source, 0, 0});
    }
  }
}

void read_flags(const std::vector<std::string>& flags, Draft& draft) {
  for (const auto& flag : flags) {
    const auto equals = flag.find('=');
    const std::string key = flag.substr(0, equals);
    Place place{"--set " + quote(key), 0, 0};
    const Setting* setting = find_setting(key);
    if (equals == std::string::npos) {
      draft.problems.push_back({std::move(place), "expected section.key=value", ""});
    } else if (setting == nullptr) {
      const auto section = is_section(section_of(key)) ? section_of(key) : std::string_view{};
      draft.problems.push_back({std::move(place), fmt::format("unknown key {}", quote(key)),
                                hint_for_unknown(section, section.empty() ? key : leaf_of(key))});
    } else {
      set(draft, *setting, flag.substr(equals + 1), std::move(place));
    }
  }
}

/// Everything but ${NAME}.
Result<Draft> read_draft(const SettingsSources& sources) {
  Draft draft;
  if (sources.file_text) {
    const auto root = io::parse_yaml(*sources.file_text, sources.file_name);
    if (!root) {
      Failed problem = root.error();
      if (!problem.place) problem.place = Place{sources.file_name, 1, 1};
      return tl::unexpected(std::move(problem));
    }
    FileReader(sources.file_name, draft).read(*root);
  }
  read_environment(sources.environment, draft);
  read_flags(sources.flags, draft);
  if (draft.problems.empty()) return draft;
  return tl::unexpected(failure(draft.problems));
}

// --- ${NAME}

/// Reads ${NAME} in settings, for the names that may be read.
class Expander {
 public:
  Expander(const Environment& environment, const std::vector<std::string>& allowed)
      : environment_(environment), allowed_(allowed) {}

  /// Absent, with a problem kept: a ${NAME} of `text` may not be read or is not there. What was read is not read again.
  std::optional<std::string> expand(std::string_view text) {
    std::string result;
    while (true) {
      const auto begin = text.find("${");
      result += text.substr(0, begin);
      if (begin == std::string_view::npos) return result;
      const auto end = text.find('}', begin);
      const auto name = text.substr(begin + 2, end == std::string_view::npos ? end : end - begin - 2);
      const auto value = read(name, end != std::string_view::npos);
      if (!value) return std::nullopt;
      result += *value;
      text.remove_prefix(end + 1);
    }
  }

  /// Expands every string value below `json`; keys stay. False, with a problem kept, as above.
  bool expand_all(nlohmann::json& json) {
    if (json.is_string()) {
      auto text = expand(json.get_ref<const std::string&>());
      if (text) json = std::move(*text);
      return text.has_value();
    }
    if (!json.is_structured()) return true;
    return std::all_of(json.begin(), json.end(), [&](nlohmann::json& item) { return expand_all(item); });
  }

  [[nodiscard]] const Problem& problem() const { return problem_; }

 private:
  std::optional<std::string> read(std::string_view name, bool closed) {
    if (!closed || !is_passable_name(name)) {
      return complain(fmt::format("{} is not the name of a variable that may be read", quote(name)),
                      "write ${NAME}; what belongs to the runner is never read");
    }
    if (!name.starts_with("OFFSHOOT_") && std::ranges::find(allowed_, name) == allowed_.end()) {
      return complain(fmt::format("'${{{}}}' may not be read", name),
                      fmt::format("list {} in pass_env; for a pull request, in the base branch's offshoot.yml", name));
    }
    const auto found = environment_.find(std::string(name));
    if (found == environment_.end()) {
      return complain(fmt::format("the environment variable {} is not set", name),
                      "pass it in the workflow's env, or remove it from the settings");
    }
    return found->second;
  }

  std::nullopt_t complain(std::string why, std::string hint) {
    problem_ = {{}, std::move(why), std::move(hint)};
    return std::nullopt;
  }

  const Environment& environment_;
  const std::vector<std::string>& allowed_;
  Problem problem_{};
};

std::optional<std::string> expanded(const Setting& setting, const std::string& text, Expander& expander) {
  if (setting.kind != Kind::object) return expander.expand(text);
  auto json = io::parse_json(text, "");
  if (!json || !expander.expand_all(*json)) return std::nullopt;
  return io::to_line(*json);
}

/// The settings of a draft, with each ${NAME} read.
Result<Settings> finish(Draft draft, const Environment& environment) {
  const std::vector<std::string> allowed = draft.settings.pass_env;
  for (const auto& setting : settings_table()) {
    const std::string text = setting.read(draft.settings);
    if (!setting.expands || text.find("${") == std::string::npos) continue;
    Expander expander(environment, allowed);
    const auto value = expanded(setting, text, expander);
    const auto& place = draft.places[setting.key];
    if (!value) {
      draft.problems.push_back(
          {place, fmt::format("{}: {}", setting.key, expander.problem().why), expander.problem().hint});
    } else if (!setting.write(draft.settings, *value)) {
      const std::string why = setting.why_not(*value);
      draft.problems.push_back({place,
                                fmt::format("{}: expected {} once its variables are read{}", setting.key,
                                            setting.expected, why.empty() ? "" : ": " + why),
                                ""});
    }
  }
  if (draft.problems.empty()) return std::move(draft.settings);
  return tl::unexpected(failure(draft.problems));
}

}  // namespace

Result<Settings> load_settings(const SettingsSources& sources) {
  auto draft = read_draft(sources);
  if (!draft) return tl::unexpected(std::move(draft.error()));
  return finish(std::move(*draft), sources.environment);
}

Result<Settings> load_settings_for_pull_request(const SettingsSources& head,
                                                const std::optional<std::string>& base_text,
                                                std::vector<std::string>& notes) {
  SettingsSources base_sources = head;
  base_sources.file_text = base_text;
  base_sources.file_name = head.file_name + " of the base commit";
  const auto base = read_draft(base_sources);
  if (!base) return tl::unexpected(base.error());
  auto merged = read_draft(head);
  if (!merged) return merged.map([](const Draft& draft) { return draft.settings; });
  merged->settings = merge_for_pull_request(base->settings, merged->settings, notes);
  for (const auto& setting : settings_table()) {
    const auto found = base->places.find(setting.key);
    if (setting.set_by == SetBy::base && found != base->places.end()) merged->places[setting.key] = found->second;
  }
  return finish(std::move(*merged), head.environment);
}

Settings merge_for_pull_request(const Settings& base, const Settings& head, std::vector<std::string>& notes) {
  Settings merged = head;
  std::vector<std::string_view> ignored;
  for (const auto& setting : settings_table()) {
    if (setting.set_by != SetBy::base) continue;
    const std::string of_base = setting.read(base);
    if (of_base == setting.read(head)) continue;
    setting.write(merged, of_base);
    ignored.push_back(setting.key);
  }
  if (!ignored.empty()) {
    notes.push_back(
        fmt::format("this pull request changes {} in offshoot.yml, which takes effect once it is merged: what "
                    "decides where things go and what counts is read from the base commit",
                    fmt::join(ignored, ", ")));
  }
  return merged;
}

namespace {

std::string value_cell(const Setting& setting) {
  if (setting.choices.empty()) return setting.expected;
  return fmt::format("`{}`", fmt::join(setting.choices, "`, `"));
}

}  // namespace

std::string settings_reference() {
  std::string table = "| key | value | default | pull request | for |\n| --- | --- | --- | --- | --- |\n";
  const Settings defaults;
  for (const auto& setting : settings_table()) {
    const std::string value = setting.read(defaults);
    table += fmt::format("| `{}` | {} | {} | {} | {} |\n", setting.key, value_cell(setting),
                         value.empty() ? "empty" : "`" + value + "`", setting.set_by == SetBy::base ? "base" : "own",
                         setting.about);
  }
  return table;
}

}  // namespace offshoot::app
