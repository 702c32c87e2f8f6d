// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "dbt/project.hpp"
#include "io/process.hpp"
#include "model/outcome.hpp"

namespace offshoot::dbt {

/// Where profiles.yml is looked for.
struct ProfilesQuery {
  std::string setting = "auto";           ///< dbt.profiles: a folder (relative to `repository_root`), or auto
  std::filesystem::path repository_root;  ///< absolute
  io::Environment environment{};          ///< DBT_PROFILES_DIR and HOME are read, and what env_var() names
};

/// A profile's value: the text as it stands, and what dbt renders it to where that is plain to see.
struct ProfileText {
  std::string raw;
  std::optional<std::string> value;  ///< absent: Jinja that only dbt can render
  bool operator==(const ProfileText&) const = default;
};

/// One output (dbt's word for what a target names) of a profile.
struct ProfileOutput {
  std::string name;
  ProfileText type;  ///< the adapter
  ProfileText schema;
  ProfileText path;  ///< DuckDB's file; empty where there is none
  bool operator==(const ProfileOutput&) const = default;
};

/// The project's profile in a profiles.yml, unrendered. It may hold secrets: it is written nowhere but by
/// `write_profile`.
struct Profile {
  std::filesystem::path file;                 ///< absolute
  std::filesystem::path project_folder;       ///< where relative paths of a DuckDB output start: dbt runs there
  std::string found_by;                       ///< "DBT_PROFILES_DIR", "the project's folder", …
  std::string name;                           ///< the profile's
  std::optional<std::string> default_target;  ///< absent: Jinja that only dbt can render
  std::vector<ProfileOutput> outputs{};       ///< in the file's order
  nlohmann::ordered_json document{};          ///< the whole file

  [[nodiscard]] const ProfileOutput* output(std::string_view target) const;
};

/// Finds profiles.yml as dbt does (the setting, DBT_PROFILES_DIR, the project's folder, ~/.dbt) and reads the profile
/// that the project names. Errors say where was looked and what is there.
Result<Profile> read_profile(const Project& project, const ProfilesQuery& query);

/// The target to use: `setting` if not empty, else the profile's default. An unknown one is an error that names those
/// there are.
Result<std::string> choose_target(const Profile& profile, const std::string& setting);

/// Production's target: `setting`, or for "auto" an output named prod or production. Absent: auto, and there is none.
Result<std::optional<std::string>> choose_production(const Profile& profile, const std::string& setting);

/// Another database file that a DuckDB connection attaches, to read only.
struct ReadOnlyDatabase {
  std::string path;  ///< absolute
  std::string alias;
};

/// Isolation by schema: the target's output has this schema. DuckDB reads other files beside its own.
struct OtherSchema {
  std::string schema;
  std::vector<ReadOnlyDatabase> attach{};  ///< the output's own file among them is passed over
};

/// Isolation by database on DuckDB: the target's output has this file as its own and reads others beside it.
struct OtherFile {
  std::string path;  ///< absolute
  std::vector<ReadOnlyDatabase> attach{};
};

/// For tools that only compile (sqlfluff's dbt templater): a DuckDB output that reaches no file. Others stay as they
/// are.
struct Harmless {};

using ProfileChange = std::variant<OtherSchema, OtherFile, Harmless>;

/// Writes `folder`/profiles.yml (0600): the whole profiles.yml with that one change to `target`'s output. All other
/// text stays byte for byte: Jinja and secrets are neither rendered nor read.
Result<void> write_profile(const Profile& profile, const std::string& target, const ProfileChange& change,
                           const std::filesystem::path& folder);

/// The names that profiles.yml, dbt_project.yml, packages.yml and dependencies.yml read through env_var()
/// (requirement D1). `profiles_file` may be empty.
Result<std::set<std::string>> environment_names(const std::filesystem::path& project_folder,
                                                const std::filesystem::path& profiles_file);

}  // namespace offshoot::dbt
