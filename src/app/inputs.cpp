// SPDX-License-Identifier: Apache-2.0
#include "app/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/json.hpp"
#include "state/glob.hpp"

namespace offshoot::app {

namespace {

using Test = bool (*)(std::string_view);

constexpr std::size_t longest_text = 1024;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Text that may become an argument or a path: printable, and never taken for an option.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= longest_text && text.front() != '-' && std::ranges::none_of(text, is_control);
}

bool is_plain_or_empty(std::string_view text) { return text.empty() || is_plain(text); }

/// Calls `test` on each '/'-separated part; true when it held for all.
template <class PartTest>
bool all_parts(std::string_view path, PartTest test) {
  while (true) {
    const auto slash = path.find('/');
    if (!test(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_inside_repository(std::string_view text) {
  return is_plain(text) && text.front() != '/' && all_parts(text, [](std::string_view part) { return part != ".."; });
}

bool is_name(std::string_view text) {
  const auto may_stand = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= 128 && may_stand(text.front()) && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, may_stand);
}

bool is_name_or_empty(std::string_view text) { return text.empty() || is_name(text); }

/// A label of GitHub's: any words, on one line.
bool is_label_or_empty(std::string_view text) { return text.size() <= 50 && std::ranges::none_of(text, is_control); }

bool is_prefix(std::string_view text) {
  return text.size() >= 3 && text.size() <= 20 && is_lower(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

/// What stands after "s3://": a bucket, and a prefix of safe parts (requirement G5).
bool is_bucket_and_prefix(std::string_view text) {
  const auto bucket = text.substr(0, text.find('/'));
  const auto in_bucket = [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '-'; };
  if (bucket.size() < 3 || bucket.size() > 63 || !std::ranges::all_of(bucket, in_bucket)) return false;
  auto prefix = text.substr(bucket.size());
  if (prefix.starts_with('/')) prefix.remove_prefix(1);
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  return prefix.empty() || all_parts(prefix, [](std::string_view part) {
           return !part.empty() && part != "." && part != ".." && std::ranges::all_of(part, [](char c) {
             return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
           });
         });
}

/// Why the bucket's name cannot be one; empty = that is not what is wrong.
std::string why_no_bucket(std::string_view text) {
  if (!text.starts_with("s3://")) return {};
  const auto bucket = text.substr(5, text.find('/', 5) - 5);
  if (bucket.size() >= 3 && bucket.size() <= 63) return {};
  return fmt::format("the name of a bucket has 3 to 63 characters, and this one {}", bucket.size());
}

bool is_path_or_s3(std::string_view text) {
  if (!is_plain(text)) return false;
  if (text.starts_with("s3://")) return is_bucket_and_prefix(text.substr(5));
  return text.find("://") == std::string_view::npos;
}

/// A store whose ${NAME} are not read yet cannot be judged; it is again when they are.
bool is_store(std::string_view text) {
  return text.find("${") == std::string_view::npos ? is_path_or_s3(text) : is_plain(text);
}

std::optional<int> to_integer(std::string_view text) {
  int value = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<bool> to_bool(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

/// "90m", "12h", "7d"
std::optional<std::chrono::minutes> to_duration(std::string_view text) {
  if (text.size() < 2 || text.size() > 8 || !is_digit(text.front())) return std::nullopt;
  const auto number = to_integer(text.substr(0, text.size() - 1));
  if (!number) return std::nullopt;
  switch (text.back()) {
    case 'm':
      return std::chrono::minutes(*number);
    case 'h':
      return std::chrono::hours(*number);
    case 'd':
      return std::chrono::days(*number);
    default:
      return std::nullopt;
  }
}

std::string to_text(std::chrono::minutes duration) {
  using std::chrono::days;
  using std::chrono::hours;
  if (duration % days(1) == days(0)) return fmt::format("{}d", duration / days(1));
  if (duration % hours(1) == hours(0)) return fmt::format("{}h", duration / hours(1));
  return fmt::format("{}m", duration.count());
}

/// A JSON array of strings, or names with commas or spaces between them.
std::optional<std::vector<std::string>> to_list(const std::string& text) {
  std::vector<std::string> list;
  if (!text.starts_with('[')) {
    constexpr std::string_view between = ", \n\t";
    for (std::size_t begin = 0; (begin = text.find_first_not_of(between, begin)) != std::string::npos;) {
      const auto end = std::min(text.find_first_of(between, begin), text.size());
      list.push_back(text.substr(begin, end - begin));
      begin = end;
    }
    return list;
  }
  const auto json = io::parse_json(text, "");
  if (!json || !json->is_array()) return std::nullopt;
  for (const auto& item : *json) {
    if (!item.is_string()) return std::nullopt;
    list.push_back(item.get<std::string>());
  }
  return list;
}

/// What each row says besides its value.
struct Row {
  std::string_view key;
  SetBy set_by;
  std::string_view about;
};

Setting make(const Row& row, Kind kind, std::string expected) {
  Setting setting;
  setting.key = row.key;
  setting.kind = kind;
  setting.set_by = row.set_by;
  setting.expected = std::move(expected);
  setting.about = row.about;
  return setting;
}

// In all of these `get` is a generic lambda that gives the value's place in const or mutable Settings.

template <class Get>
Setting text(const Row& row, std::string expected, Test test, Get get) {
  Setting setting = make(row, Kind::text, std::move(expected));
  setting.read = [get](const Settings& settings) { return get(settings); };
  setting.write = [get, test](Settings& settings, const std::string& value) {
    if (!test(value)) return false;
    get(settings) = value;
    return true;
  };
  return setting;
}

template <class Get>
Setting choice(const Row& row, std::vector<std::string_view> choices, Get get) {
  std::string expected;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) expected += i + 1 == choices.size() ? " or " : ", ";
    expected += choices[i];
  }
  Setting setting = make(row, Kind::choice, std::move(expected));
  setting.choices = choices;
  setting.read = [get](const Settings& settings) { return get(settings); };
  setting.write = [get, choices](Settings& settings, const std::string& value) {
    if (std::ranges::find(choices, value) == choices.end()) return false;
    get(settings) = value;
    return true;
  };
  return setting;
}

template <class Get>
Setting yes_no(const Row& row, Get get) {
  Setting setting = make(row, Kind::yes_no, "true or false");
  setting.read = [get](const Settings& settings) { return std::string(get(settings) ? "true" : "false"); };
  setting.write = [get](Settings& settings, const std::string& value) {
    const auto answer = to_bool(value);
    if (answer) get(settings) = *answer;
    return answer.has_value();
  };
  return setting;
}

template <class Get>
Setting integer(const Row& row, int least, int most, Get get) {
  Setting setting = make(row, Kind::integer, fmt::format("a whole number from {} to {}", least, most));
  setting.read = [get](const Settings& settings) { return std::to_string(get(settings)); };
  setting.write = [get, least, most](Settings& settings, const std::string& value) {
    const auto number = to_integer(value);
    if (!number || *number < least || *number > most) return false;
    get(settings) = *number;
    return true;
  };
  return setting;
}

/// An integer that may be left to somebody else by "auto".
template <class Get>
Setting integer_or_auto(const Row& row, int least, int most, Get get) {
  Setting setting = make(row, Kind::integer, fmt::format("auto, or a whole number from {} to {}", least, most));
  setting.read = [get](const Settings& settings) {
    return get(settings) ? std::to_string(*get(settings)) : std::string("auto");
  };
  setting.write = [get, least, most](Settings& settings, const std::string& value) {
    const auto number = to_integer(value);
    if (value != "auto" && (!number || *number < least || *number > most)) return false;
    get(settings) = number;
    return true;
  };
  return setting;
}

template <class Get>
Setting duration(const Row& row, std::chrono::minutes least, std::chrono::minutes most, Get get) {
  using Unit = std::remove_cvref_t<decltype(get(std::declval<Settings&>()))>;
  const bool in_hours = std::is_same_v<Unit, std::chrono::hours>;
  Setting setting =
      make(row, Kind::duration,
           fmt::format("whole {} from {} to {}, such as {}", in_hours ? "hours or days" : "minutes or hours",
                       to_text(least), to_text(most), in_hours ? "12h or 7d" : "30m or 2h"));
  setting.read = [get](const Settings& settings) { return to_text(get(settings)); };
  setting.write = [get, least, most](Settings& settings, const std::string& value) {
    const auto time = to_duration(value);
    if (!time || *time < least || *time > most) return false;
    const auto whole = std::chrono::duration_cast<Unit>(*time);
    if (whole != *time) return false;
    get(settings) = whole;
    return true;
  };
  return setting;
}

template <class Get>
Setting names(const Row& row, Get get) {
  Setting setting = make(row, Kind::list, "a list of names of environment variables, none of them the runner's own");
  setting.read = [get](const Settings& settings) { return io::to_line(nlohmann::json(get(settings))); };
  setting.write = [get](Settings& settings, const std::string& value) {
    auto list = to_list(value);
    if (!list || list->size() > 100 || !std::ranges::all_of(*list, is_passable_name)) return false;
    get(settings) = std::move(*list);
    return true;
  };
  return setting;
}

template <class Get>
Setting paths(const Row& row, Get get) {
  Setting setting = make(row, Kind::list, "a list of paths inside the repository, with * and ** as wildcards");
  setting.read = [get](const Settings& settings) { return io::to_line(nlohmann::json(get(settings))); };
  setting.write = [get](Settings& settings, const std::string& value) {
    auto list = to_list(value);
    const auto taken = [](const std::string& path) { return state::PathPattern(path).refused().empty(); };
    if (!list || list->size() > 100 || !std::ranges::all_of(*list, is_inside_repository) ||
        !std::ranges::all_of(*list, taken)) {
      return false;
    }
    get(settings) = std::move(*list);
    return true;
  };
  return setting;
}

template <class Get>
Setting object(const Row& row, Get get) {
  Setting setting = make(row, Kind::object, "a mapping of names to values");
  setting.read = [get](const Settings& settings) { return get(settings); };
  setting.write = [get](Settings& settings, const std::string& value) {
    const auto json = io::parse_json(value, "");
    if (!json || !json->is_object()) return false;
    get(settings) = io::to_line(*json);
    return true;
  };
  return setting;
}

/// An object whose values are numbers.
template <class Get>
Setting limits(const Row& row, Get get) {
  Setting setting = object(row, get);
  setting.expected = "a mapping of names to numbers";
  setting.write = [write = setting.write](Settings& settings, const std::string& value) {
    const auto json = io::parse_json(value, "");
    const auto is_limit = [](const auto& limit) { return limit.is_number() && limit >= 0; };
    return json && json->is_object() && std::ranges::all_of(*json, is_limit) && write(settings, value);
  };
  return setting;
}

Setting with_reasons(Setting setting, std::string (*why_not)(std::string_view)) {
  setting.why_not = why_not;
  return setting;
}

Setting with_expansion(Setting setting) {
  setting.expands = true;
  return setting;
}

std::vector<Setting> make_table() {
  using std::chrono::minutes;
  constexpr minutes hour{60};
  constexpr minutes day{24 * 60};
  const std::string folder_or_auto = "auto, or a path that does not begin with '-'";
  const std::string selection = "a selection of dbt's that does not begin with '-'";
  return {
      text({"dbt.project", SetBy::head, "Folder of `dbt_project.yml`, from the repository's root."},
           "a folder inside the repository, relative to its root", is_inside_repository,
           [](auto& s) -> auto& { return s.dbt.project; }),
      text({"dbt.profiles", SetBy::base, "Folder of `profiles.yml`; `auto` looks where dbt looks."}, folder_or_auto,
           is_plain, [](auto& s) -> auto& { return s.dbt.profiles; }),
      text({"dbt.target", SetBy::base, "Target that branches are built with; empty is the profile's own default."},
           "the name of a target in profiles.yml", is_name_or_empty, [](auto& s) -> auto& { return s.dbt.target; }),
      text({"dbt.production", SetBy::base,
            "Target of production, which is read and deployed to; `auto` is the output named `prod` or `production`."},
           "auto, or the name of a target in profiles.yml", is_name, [](auto& s) -> auto& { return s.dbt.production; }),
      with_reasons(text({"dbt.production_state", SetBy::base,
                         "Folder with the `manifest.json` of what is deployed; `auto` takes what `deploy` kept, else "
                         "the base commit."},
                        "auto, a path, or s3://bucket/prefix", is_path_or_s3,
                        [](auto& s) -> auto& { return s.dbt.production_state; }),
                   why_no_bucket),
      text({"dbt.python", SetBy::base,
            "Python of the dbt environment; `auto` is the one that `dbt` on the PATH runs on."},
           folder_or_auto, is_plain, [](auto& s) -> auto& { return s.dbt.python; }),
      text({"dbt.requirements", SetBy::head, "Lock or requirements file of the dbt environment; `auto` looks for one."},
           folder_or_auto, is_plain, [](auto& s) -> auto& { return s.dbt.requirements; }),
      choice({"dbt.deps", SetBy::head, "Whether packages that are missing or outdated are installed by `dbt deps`."},
             {"auto", "never"}, [](auto& s) -> auto& { return s.dbt.deps; }),
      with_expansion(object({"dbt.vars", SetBy::head, "dbt's `--vars`. `${NAME}` is read in its values."},
                            [](auto& s) -> auto& { return s.dbt.vars; })),
      choice({"branch.isolate", SetBy::base,
              "What a branch is: schemas of its own or a database of its own; `auto` is `database` for a DuckDB file."},
             {"auto", "schema", "database"}, [](auto& s) -> auto& { return s.branch.isolate; }),
      text({"branch.prefix", SetBy::base, "How every name that offshoot creates begins: `<prefix>_pr_<number>`."},
           "3 to 20 of a-z, 0-9 and '_', beginning with a letter", is_prefix,
           [](auto& s) -> auto& { return s.branch.prefix; }),
      duration({"branch.keep", SetBy::base, "How long a branch lives after its last build."}, hour, 365 * day,
               [](auto& s) -> auto& { return s.branch.keep; }),
      choice(
          {"branch.incremental", SetBy::base,
           "How incremental models and snapshots begin at each check: with production's rows, or as dbt finds them."},
          {"clone", "rebuild"}, [](auto& s) -> auto& { return s.branch.incremental; }),
      text({"build.select", SetBy::head, "What a check builds, in dbt's selection syntax."}, selection, is_plain,
           [](auto& s) -> auto& { return s.build.select; }),
      text({"build.exclude", SetBy::head, "What a check leaves out, in dbt's selection syntax."}, selection,
           is_plain_or_empty, [](auto& s) -> auto& { return s.build.exclude; }),
      yes_no({"build.skip_formatting", SetBy::head, "Leave out nodes in which only comments and whitespace changed."},
             [](auto& s) -> auto& { return s.build.skip_formatting; }),
      yes_no({"build.verify", SetBy::head, "Ask dbt for its own selection as well, and warn where it differs."},
             [](auto& s) -> auto& { return s.build.verify; }),
      yes_no({"build.fail_fast", SetBy::head, "Stop at the first failure."},
             [](auto& s) -> auto& { return s.build.fail_fast; }),
      integer_or_auto({"build.threads", SetBy::head, "dbt's threads; `auto` is the profile's own number."}, 1, 256,
                      [](auto& s) -> auto& { return s.build.threads; }),
      yes_no({"build.full_refresh", SetBy::head, "Build incremental models and seeds from nothing."},
             [](auto& s) -> auto& { return s.build.full_refresh; }),
      limits({"build.budget", SetBy::base,
              "What a build may take at most, by name: `seconds`, `rows`, or what the adapter reports, such as "
              "`bytes_billed`."},
             [](auto& s) -> auto& { return s.build.budget; }),
      choice({"build.over_budget", SetBy::base, "Whether a build that took more fails, or is only noted."},
             {"warn", "fail"}, [](auto& s) -> auto& { return s.build.over_budget; }),
      choice(
          {"lint.sql", SetBy::head, "Which findings of sqlfluff count: on changed lines, in changed files, or none."},
          {"changed-lines", "changed-files", "off"}, [](auto& s) -> auto& { return s.lint.sql; }),
      choice({"lint.python", SetBy::head, "Linter for Python models."}, {"none"},
             [](auto& s) -> auto& { return s.lint.python; }),
      choice({"lint.fail_on", SetBy::base, "Whether a lint finding that counts fails the check."}, {"error", "never"},
             [](auto& s) -> auto& { return s.lint.fail_on; }),
      choice({"compare.data", SetBy::head, "Compare the rows of a branch with production's."}, {"none", "summary"},
             [](auto& s) -> auto& { return s.compare.data; }),
      integer({"compare.examples", SetBy::base, "How many differing rows a comparison may show."}, 0, 100,
              [](auto& s) -> auto& { return s.compare.examples; }),
      choice({"elementary", SetBy::head, "Elementary's report, where the project has its package."}, {"auto", "off"},
             [](auto& s) -> auto& { return s.elementary; }),
      choice(
          {"deploy.mode", SetBy::base,
           "How a deploy replaces production: where it stands; built and tested beside it and then exchanged; or so, "
           "with what a pull request's branch has built of the same tree copied instead of built."},
          {"in-place", "swap", "promote"}, [](auto& s) -> auto& { return s.deploy.mode; }),
      duration({"deploy.lock", SetBy::base,
                "How long a deploy waits for another one to end, check and clean for whoever is at work in the branch, "
                "and an exchange for readers."},
               minutes{1}, 24 * hour, [](auto& s) -> auto& { return s.deploy.lock; }),
      duration({"deploy.keep", SetBy::base, "How long the version before a swap is kept to be rolled back to."},
               7 * day, 365 * day, [](auto& s) -> auto& { return s.deploy.keep; }),
      duration({"deploy.promote_within", SetBy::base,
                "How long ago a branch may have read sources and production for its relations to be promoted."},
               hour, 30 * day, [](auto& s) -> auto& { return s.deploy.promote_within; }),
      yes_no({"deploy.drop_removed", SetBy::base, "Drop relations of production whose models are gone."},
             [](auto& s) -> auto& { return s.deploy.drop_removed; }),
      choice({"deploy.review", SetBy::base,
              "What a deploy does where no check has passed the very tree that it builds: nothing, say so, or refuse."},
             {"off", "say", "require"}, [](auto& s) -> auto& { return s.deploy.review; }),
      with_reasons(with_expansion(
                       text({"store", SetBy::base, "Where runs and their artifacts are kept. `${NAME}` is read in it."},
                            "a path, or s3://bucket/prefix", is_store, [](auto& s) -> auto& { return s.store; })),
                   why_no_bucket),
      duration({"store.keep", SetBy::base,
                "How long runs and states are kept; `offshoot clean --expired` removes what is older."},
               day, 3650 * day, [](auto& s) -> auto& { return s.store_keep; }),
      choice({"comment.when", SetBy::base, "When a check comments on the pull request."},
             {"always", "on-findings", "never"}, [](auto& s) -> auto& { return s.comment_when; }),
      choice({"github.checks", SetBy::base,
              "Check runs with annotations on the pull request; `auto` where the token may."},
             {"auto", "off"}, [](auto& s) -> auto& { return s.github.checks; }),
      choice({"github.deployments", SetBy::base,
              "A deployment on GitHub for each branch and for production; `auto` where the token may."},
             {"auto", "off"}, [](auto& s) -> auto& { return s.github.deployments; }),
      choice({"events.drafts", SetBy::base, "Whether a draft pull request is checked."}, {"check", "skip"},
             [](auto& s) -> auto& { return s.events.drafts; }),
      text({"events.label", SetBy::base, "Only pull requests with this label are checked; empty is all of them."},
           "the name of a label", is_label_or_empty, [](auto& s) -> auto& { return s.events.label; }),
      text({"events.skip_label", SetBy::base, "Pull requests with this label are not checked."}, "the name of a label",
           is_label_or_empty, [](auto& s) -> auto& { return s.events.skip_label; }),
      paths({"events.paths", SetBy::base, "Only changes that touch one of these paths are checked; empty is all."},
            [](auto& s) -> auto& { return s.events.paths; }),
      choice({"mode", SetBy::base,
              "How far a check goes: everything, or what git alone tells, with no program of the project started."},
             {"full", "diff-only"}, [](auto& s) -> auto& { return s.mode; }),
      names({"pass_env", SetBy::base, "Environment variables that dbt gets besides those that `profiles.yml` names."},
            [](auto& s) -> auto& { return s.pass_env; }),
  };
}

std::string replaced(std::string_view text, std::string_view from, char to) {
  std::string result(text);
  std::ranges::replace_if(result, [from](char c) { return from.find(c) != std::string_view::npos; }, to);
  return result;
}

}  // namespace

const std::vector<Setting>& settings_table() {
  static const std::vector<Setting> table = make_table();
  return table;
}

const Setting* find_setting(std::string_view key) {
  const auto& table = settings_table();
  const auto found = std::ranges::find(table, key, &Setting::key);
  return found == table.end() ? nullptr : &*found;
}

std::string_view section_of(std::string_view key) {
  const auto dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

std::string environment_name(const Setting& setting) {
  std::string name = "OFFSHOOT_" + replaced(setting.key, ".", '_');
  std::ranges::transform(name, name.begin(), [](char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; });
  return name;
}

std::string input_name(const Setting& setting) { return replaced(setting.key, "._", '-'); }

bool is_passable_name(std::string_view name) {
  // The runner's own: credentials, and files by which a step speaks to the runner (requirements B3, D1).
  constexpr std::array<std::string_view, 6> refused{"GITHUB_TOKEN",  "GITHUB_ENV",   "GITHUB_PATH",
                                                    "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"};
  const auto may_stand = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  return !name.empty() && name.size() <= 128 && !is_digit(name.front()) && std::ranges::all_of(name, may_stand) &&
         !name.starts_with("ACTIONS_") && !name.starts_with("INPUT_") &&
         std::ranges::find(refused, name) == refused.end();
}

}  // namespace offshoot::app
