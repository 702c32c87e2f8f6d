// SPDX-License-Identifier: Apache-2.0
#include "dbt/profiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <system_error>

#include "dbt/jinja.hpp"
#include "io/files.hpp"
#include "io/json.hpp"
#include "io/nearest.hpp"
#include "io/yaml.hpp"

namespace offshoot::dbt {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::uintmax_t max_bytes = 1U << 20;
constexpr const char* file_name = "profiles.yml";

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::string value_of(const io::Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// A place where profiles.yml may be.
struct Candidate {
  fs::path folder;
  std::string found_by;
};

/// In dbt's order. A place that was named is the only one: dbt does not look further either.
std::vector<Candidate> candidates(const Project& project, const ProfilesQuery& query) {
  if (query.setting != "auto" && !query.setting.empty()) {
    return {{query.repository_root / query.setting, "dbt.profiles"}};
  }
  if (const auto folder = value_of(query.environment, "DBT_PROFILES_DIR"); !folder.empty()) {
    return {{project.folder / folder, "DBT_PROFILES_DIR"}};
  }
  std::vector<Candidate> places{{project.folder, "the project's folder"}};
  if (const auto home = value_of(query.environment, "HOME"); !home.empty()) {
    places.push_back({fs::path(home) / ".dbt", "~/.dbt"});
  }
  return places;
}

Result<Candidate> find_file(const Project& project, const ProfilesQuery& query) {
  std::string looked;
  for (auto& place : candidates(project, query)) {
    // A setting may name the file itself.
    if (place.folder.filename() == file_name && is_file(place.folder)) place.folder = place.folder.parent_path();
    if (is_file(place.folder / file_name)) return place;
    if (!looked.empty()) looked += " or ";
    looked += fmt::format("{} ({})", place.folder.lexically_normal().string(), place.found_by);
  }
  return failed(ExitStatus::usage, "looking for profiles.yml", fmt::format("there is none in {}", looked),
                "set dbt.profiles to its folder; secrets in it are best read by env_var()");
}

ProfileText text_of(const Json& output, const char* key, const io::Environment& environment) {
  const auto found = output.find(key);
  if (found == output.end() || found->is_null()) return {"", ""};
  const std::string raw = found->is_string() ? found->get<std::string>() : io::to_line(*found);
  return {raw, render_env_vars(raw, environment)};
}

std::vector<std::string> profile_names(const Json& document) {
  std::vector<std::string> names;
  for (const auto& item : document.items()) {
    if (item.key() != "config") names.push_back(item.key());
  }
  return names;
}

std::string did_you_mean(const std::string& name, const std::vector<std::string>& candidates) {
  const auto near = io::nearest(name, {candidates.begin(), candidates.end()});
  return near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near);
}

/// The profile's name as dbt_project.yml gives it; the only profile there is, where it gives none that can be read.
Result<std::string> profile_name(const Project& project, const Json& document, const fs::path& file,
                                 const io::Environment& environment) {
  const auto names = profile_names(document);
  const auto rendered = render_env_vars(project.profile, environment);
  const bool known = rendered && !rendered->empty();
  if (!known && names.size() == 1) return names.front();
  const std::string doing = "choosing a profile in " + file.string();
  if (!known) {
    return failed(ExitStatus::usage, doing,
                  project.profile.empty()
                      ? "dbt_project.yml names none"
                      : fmt::format("dbt_project.yml names '{}', which cannot be read without dbt", project.profile),
                  fmt::format("write profile: into dbt_project.yml; the file has {}", io::quoted_list(names)));
  }
  if (std::ranges::find(names, *rendered) == names.end()) {
    return failed(ExitStatus::usage, doing, fmt::format("it has no profile '{}'", *rendered),
                  fmt::format("the file has {}{}", io::quoted_list(names), did_you_mean(*rendered, names)));
  }
  return *rendered;
}

std::vector<std::string> target_names(const Profile& profile) {
  std::vector<std::string> names;
  names.reserve(profile.outputs.size());
  for (const auto& output : profile.outputs) names.push_back(output.name);
  return names;
}

Failed no_target(const Profile& profile, const std::string& target, const std::string& setting) {
  const auto names = target_names(profile);
  return {ExitStatus::usage, "choosing a target of profile '" + profile.name + "'",
          fmt::format("it has no output '{}'", target),
          fmt::format("{} has {}{}; set {}", profile.file.string(), io::quoted_list(names), did_you_mean(target, names),
                      setting),
          Place{profile.file.string(), 0, 0}};
}

bool is_duckdb(const Json& output) {
  const auto type = output.find("type");
  return type != output.end() && type->is_string() && type->get<std::string>() == "duckdb";
}

constexpr const char* doing_write = "writing the branch's profile";

std::string plain_text(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// An output that is changed, with what can be known of its own file.
struct Changing {
  Json& output;
  const ProfileOutput& known;
  const fs::path& project_folder;

  [[nodiscard]] bool is_same_file(const std::string& in_profile, const fs::path& absolute) const {
    if (in_profile.empty() || has_jinja(in_profile)) return false;
    return (project_folder / in_profile).lexically_normal() == absolute.lexically_normal();
  }
};

Failed cannot_attach(std::string why) {
  return {ExitStatus::usage,
          doing_write,
          std::move(why),
          "give each database a name of its own in profiles.yml: DuckDB attaches a file once, and a name once",
          {}};
}

/// Adds databases to what the output attaches. An entry of the profile that names one of ours becomes ours.
Result<void> attach(const Changing& changing, const std::vector<ReadOnlyDatabase>& databases) {
  Json& output = changing.output;
  if (databases.empty()) return {};
  auto list = output.contains("attach") ? output["attach"] : Json();
  if (list.is_null()) list = Json::array();
  if (!list.is_array()) {
    return failed(ExitStatus::usage, doing_write, "'attach' of the output is not a list",
                  "write attach: as a list of databases");
  }
  for (std::size_t i = 0; i < databases.size(); ++i) {
    const auto& ours = databases[i];
    for (std::size_t j = 0; j < i; ++j) {
      if (databases[j].alias == ours.alias && databases[j].path != ours.path) {
        return tl::unexpected(
            cannot_attach(fmt::format("{} and {} are both called '{}'", databases[j].path, ours.path, ours.alias)));
      }
    }
    Json entry{{"path", ours.path}, {"alias", ours.alias}, {"read_only", true}};
    bool replaced = false;
    for (auto& theirs : list) {
      const auto alias = plain_text(theirs, "alias");
      const bool same_file = changing.is_same_file(plain_text(theirs, "path"), ours.path);
      if (same_file && !alias.empty() && alias != ours.alias) {
        return tl::unexpected(cannot_attach(fmt::format(
            "the profile attaches {} as '{}', and it is '{}' where it is built", ours.path, alias, ours.alias)));
      }
      if (!same_file && alias != ours.alias) continue;
      theirs = entry;
      replaced = true;
    }
    if (!replaced) list.push_back(std::move(entry));
  }
  output["attach"] = std::move(list);
  return {};
}

Result<void> apply(const Changing& changing, const OtherSchema& change) {
  Json& output = changing.output;
  // BigQuery's profiles may say dataset; both at once would be refused.
  const bool dataset = output.contains("dataset") && !output.contains("schema");
  output[dataset ? "dataset" : "schema"] = change.schema;
  if (!is_duckdb(output)) return {};
  std::vector<ReadOnlyDatabase> others;
  std::ranges::copy_if(change.attach, std::back_inserter(others), [&](const ReadOnlyDatabase& database) {
    return !changing.is_same_file(changing.known.path.value.value_or(""), database.path);
  });
  return attach(changing, others);
}

Result<void> apply(const Changing& changing, const OtherFile& change) {
  Json& output = changing.output;
  if (!is_duckdb(output)) {
    return failed(ExitStatus::usage, doing_write, "only a DuckDB output can be given another file",
                  "set branch.isolate: schema");
  }
  output["path"] = change.path;
  output.erase("database");  // dbt-duckdb demands that it be the path's own name
  return attach(changing, change.attach);
}

Result<void> apply(const Changing& changing, const Harmless&) {
  Json& output = changing.output;
  if (!is_duckdb(output)) return {};
  output["path"] = ":memory:";
  output.erase("database");
  output.erase("attach");
  return {};
}

}  // namespace

const ProfileOutput* Profile::output(std::string_view target) const {
  const auto found = std::ranges::find(outputs, target, &ProfileOutput::name);
  return found == outputs.end() ? nullptr : &*found;
}

Result<Profile> read_profile(const Project& project, const ProfilesQuery& query) {
  const auto place = find_file(project, query);
  if (!place) return tl::unexpected(place.error());
  Profile profile;
  std::error_code error;
  profile.file = fs::absolute(place->folder / file_name, error).lexically_normal();
  profile.found_by = place->found_by;
  profile.project_folder = project.folder;

  const auto text = io::read_file(profile.file, max_bytes);
  if (!text) return tl::unexpected(text.error());
  const auto root = io::parse_yaml(*text, profile.file.string());
  if (!root) return tl::unexpected(root.error());
  profile.document = io::to_json(*root);
  const std::string doing = "reading " + profile.file.string();
  if (!profile.document.is_object()) return failed(ExitStatus::usage, doing, "it holds no profiles");

  auto name = profile_name(project, profile.document, profile.file, query.environment);
  if (!name) return tl::unexpected(name.error());
  profile.name = std::move(*name);
  const Json& own = profile.document[profile.name];
  const auto outputs = own.is_object() ? own.find("outputs") : own.end();
  if (!own.is_object() || outputs == own.end() || !outputs->is_object() || outputs->empty()) {
    return failed(ExitStatus::usage, doing, fmt::format("profile '{}' has no outputs", profile.name),
                  "see dbt's documentation of profiles.yml");
  }
  for (const auto& item : outputs->items()) {
    if (!item.value().is_object()) continue;
    profile.outputs.push_back(
        {item.key(), text_of(item.value(), "type", query.environment),
         text_of(item.value(), item.value().contains("schema") ? "schema" : "dataset", query.environment),
         text_of(item.value(), "path", query.environment)});
  }
  const auto target = text_of(own, "target", query.environment);
  profile.default_target = target.raw.empty() ? std::optional<std::string>("default") : target.value;  // as dbt
  return profile;
}

Result<std::string> choose_target(const Profile& profile, const std::string& setting) {
  if (setting.empty() && !profile.default_target) {
    return failed(ExitStatus::usage, "choosing a target of profile '" + profile.name + "'",
                  "its default target is Jinja that only dbt can read, or reads a variable that is not set",
                  fmt::format("set dbt.target to one of {}", io::quoted_list(target_names(profile))));
  }
  std::string target = setting.empty() ? *profile.default_target : setting;
  if (profile.output(target) == nullptr) return tl::unexpected(no_target(profile, target, "dbt.target"));
  return target;
}

Result<std::optional<std::string>> choose_production(const Profile& profile, const std::string& setting) {
  if (setting != "auto" && !setting.empty()) {
    if (profile.output(setting) == nullptr) return tl::unexpected(no_target(profile, setting, "dbt.production"));
    return std::optional(setting);
  }
  for (const char* name : {"prod", "production"}) {
    if (profile.output(name) != nullptr) return std::optional<std::string>(name);
  }
  return std::optional<std::string>();
}

Result<void> write_profile(const Profile& profile, const std::string& target, const ProfileChange& change,
                           const fs::path& folder) {
  Json document = profile.document;
  const ProfileOutput* known = profile.output(target);
  if (known == nullptr) return tl::unexpected(no_target(profile, target, "dbt.target"));
  const Changing changing{document[profile.name]["outputs"][target], *known, profile.project_folder};
  auto applied = std::visit([&](const auto& wanted) { return apply(changing, wanted); }, change);
  if (!applied) return applied;
  return io::write_file(folder / file_name, io::to_line(document) + "\n", 0600);
}

Result<std::set<std::string>> environment_names(const fs::path& project_folder, const fs::path& profiles_file) {
  std::set<std::string> names;
  for (const auto& file : {profiles_file, project_folder / "dbt_project.yml", project_folder / "packages.yml",
                           project_folder / "dependencies.yml"}) {
    if (file.empty() || !is_file(file)) continue;
    const auto text = io::read_file(file, max_bytes);
    if (!text) return tl::unexpected(text.error());
    names.merge(env_var_names(*text));
  }
  return names;
}

}  // namespace offshoot::dbt
