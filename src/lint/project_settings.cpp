// SPDX-License-Identifier: Apache-2.0
#include "lint/project_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "io/files.hpp"

namespace offshoot::lint {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t largest_settings_file = 1U << 20;

/// What the settings files of one folder say that matters here.
struct FolderSettings {
  bool any = false;         ///< there is a section of sqlfluff's
  std::string templater{};  ///< empty = not named
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// "'dbt'  # as in dbt" -> "dbt": the value of a key in the INI or TOML that sqlfluff reads.
std::string_view unquoted(std::string_view value) {
  value = trimmed(value);
  if (value.empty() || (value.front() != '"' && value.front() != '\'')) return value;
  const auto end = value.find(value.front(), 1);
  return end == std::string_view::npos ? value : value.substr(1, end - 1);
}

/// Reads the few lines that matter from an INI or TOML file: its sections of sqlfluff's begin with `prefix`, and
/// `core` is the one with the templater.
void read_settings(std::string_view text, std::string_view prefix, std::string_view core, FolderSettings& settings) {
  bool in_core = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('[')) {
      const auto section = line.substr(1, line.rfind(']') - 1);
      settings.any = settings.any || section.starts_with(prefix);
      in_core = section == core;
    } else if (const auto equals = line.find('='); in_core && equals != std::string_view::npos) {
      if (trimmed(line.substr(0, equals)) == "templater") settings.templater = unquoted(line.substr(equals + 1));
    }
  }
}

/// The files in sqlfluff's own order: a later one wins.
FolderSettings settings_in(const fs::path& folder) {
  FolderSettings settings;
  for (const char* name : {"setup.cfg", "tox.ini", "pep8.ini", ".sqlfluff", "pyproject.toml"}) {
    const auto text = io::read_file(folder / name, largest_settings_file);
    if (!text) continue;
    if (std::string_view(name) == "pyproject.toml") {
      read_settings(*text, "tool.sqlfluff", "tool.sqlfluff.core", settings);
    } else {
      read_settings(*text, "sqlfluff", "sqlfluff", settings);
    }
  }
  return settings;
}

/// The folders from the project's up to the repository's root.
std::vector<fs::path> folders_between(const fs::path& project_dir, const fs::path& repository_root) {
  const fs::path root = (repository_root / "").lexically_normal().parent_path();
  std::vector<fs::path> folders;
  for (fs::path folder = (project_dir / "").lexically_normal().parent_path();; folder = folder.parent_path()) {
    folders.push_back(folder);
    if (folder == root || folder == folder.parent_path()) return folders;
  }
}

struct Start {
  fs::path folder;
  std::string templater;
};

Start find_start(const fs::path& project_dir, const fs::path& repository_root) {
  Start start{project_dir, "jinja"};
  for (const auto& folder : folders_between(project_dir, repository_root)) {
    auto settings = settings_in(folder);
    if (!settings.templater.empty()) return {folder, std::move(settings.templater)};
    if (settings.any) start.folder = folder;
  }
  return start;
}

}  // namespace

fs::path starting_folder(const fs::path& project_dir, const fs::path& repository_root) {
  return find_start(project_dir, repository_root).folder;
}

std::string templater_of(const fs::path& project_dir, const fs::path& repository_root) {
  return find_start(project_dir, repository_root).templater;
}

bool gives_sqlfluff_orders(std::string_view sql) {
  constexpr std::string_view word = "sqlfluff";
  for (auto at = sql.find(word); at != std::string_view::npos; at = sql.find(word, at + 1)) {
    const auto before = sql.substr(0, at);
    const auto last = before.find_last_not_of(" \t");
    if (last != std::string_view::npos && before.substr(0, last + 1).ends_with("--")) return true;
  }
  return false;
}

std::string dialect_of(std::string_view adapter) {
  using Pair = std::pair<std::string_view, std::string_view>;
  static constexpr std::array pairs{
      Pair{"athena", "athena"},         Pair{"bigquery", "bigquery"},
      Pair{"clickhouse", "clickhouse"}, Pair{"databricks", "databricks"},
      Pair{"duckdb", "duckdb"},         Pair{"exasol", "exasol"},
      Pair{"fabric", "tsql"},           Pair{"fabricspark", "sparksql"},
      Pair{"greenplum", "greenplum"},   Pair{"hive", "hive"},
      Pair{"impala", "impala"},         Pair{"materialize", "materialize"},
      Pair{"mysql", "mysql"},           Pair{"oracle", "oracle"},
      Pair{"postgres", "postgres"},     Pair{"redshift", "redshift"},
      Pair{"snowflake", "snowflake"},   Pair{"spark", "sparksql"},
      Pair{"sqlite", "sqlite"},         Pair{"sqlserver", "tsql"},
      Pair{"starrocks", "starrocks"},   Pair{"synapse", "tsql"},
      Pair{"teradata", "teradata"},     Pair{"trino", "trino"},
      Pair{"vertica", "vertica"},
  };
  const auto found = std::ranges::find(pairs, adapter, &Pair::first);
  return std::string(found == pairs.end() ? std::string_view("ansi") : found->second);
}

}  // namespace offshoot::lint
