// SPDX-License-Identifier: Apache-2.0
#include "dbt/environment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>

namespace offshoot::dbt {

namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::optional<fs::path> program(const fs::path& path, const io::Environment& environment) {
  return io::find_program(path.string(), environment);
}

/// Folders below `lib` whose name begins with "python3", with what follows appended.
std::vector<fs::path> package_folders(const fs::path& lib) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator it(lib, error), end; !error && it != end; it.increment(error)) {
    if (!it->path().filename().string().starts_with("python3")) continue;
    folders.push_back(it->path() / "site-packages");
    folders.push_back(it->path() / "dist-packages");
  }
  return folders;
}

/// Whether the interpreter at `python` has dbt's programmatic runner, by the files that its installation would have.
bool has_runner(const fs::path& python) {
  std::vector<fs::path> roots{python.parent_path().parent_path()};
  if (!is_there(roots.front() / "pyvenv.cfg")) {  // not a virtual environment: a link may lead to the installation
    std::error_code error;
    const auto real = fs::canonical(python, error);
    if (!error) roots.push_back(real.parent_path().parent_path());
    if (roots.back() == "/usr") roots.emplace_back("/usr/local");  // Debian's python3 reads both
  }
  for (const auto& root : roots) {
    for (const char* lib : {"lib", "lib64"}) {
      for (const auto& packages : package_folders(root / lib)) {
        if (is_there(packages / "dbt" / "cli" / "main.py")) return true;
      }
    }
  }
  return false;
}

/// The interpreter that a script names in its first lines; absent for what is no Python script.
std::optional<fs::path> interpreter_of(const fs::path& script, const io::Environment& environment) {
  std::ifstream file(script, std::ios::binary);
  std::string head(1024, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (!head.starts_with("#!")) return std::nullopt;
  std::string line = head.substr(2, head.find('\n') - 2);
  // Where the path is too long for a first line, pip and uv write: #!/bin/sh and '''exec' /path/python "$0" "$@"
  if (const auto exec = head.find("\n'''exec' "); line.starts_with("/bin/sh") && exec != std::string::npos) {
    const auto begin = exec + 10;
    line = head.substr(begin, head.find('\n', begin) - begin);
    line = line.substr(0, line.find(" \"$0\""));
    std::erase(line, '"');
  }
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.erase(0, 1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
  constexpr std::string_view env = "/usr/bin/env ";
  if (line.starts_with(env)) line.erase(0, env.size());
  if (!fs::path(line).filename().string().starts_with("python")) return std::nullopt;
  return program(line, environment);
}

DbtEnvironment of_python(const fs::path& python, std::string found_by, const io::Environment& environment) {
  DbtEnvironment found;
  found.python = python;
  found.bin = python.parent_path();
  found.found_by = std::move(found_by);
  found.command = program(found.bin / "dbt", environment).value_or(fs::path());
  // An editable install leaves its files elsewhere; then its command's first line tells.
  const auto interpreter = found.command.empty() ? std::nullopt : interpreter_of(found.command, environment);
  found.has_runner = has_runner(python) || (interpreter && interpreter->parent_path() == found.bin);
  return found;
}

bool has_dbt(const DbtEnvironment& environment) { return environment.has_runner || !environment.command.empty(); }

/// The Python of a virtual environment's folder.
std::optional<fs::path> python_in(const fs::path& folder, const io::Environment& environment) {
  for (const char* name : {"bin/python", "bin/python3"}) {
    if (auto found = program(folder / name, environment)) return found;
  }
  return std::nullopt;
}

Result<DbtEnvironment> from_setting(const DbtQuery& query) {
  const std::string doing = "looking for dbt";
  const bool is_name = query.python.find('/') == std::string::npos;
  const fs::path path = query.repository_root / query.python;
  std::error_code error;
  std::optional<fs::path> python;
  if (fs::is_directory(path, error)) {
    python = python_in(path, query.environment);
  } else {
    python = program(path, query.environment);
    if (!python && is_name) python = program(query.python, query.environment);
  }
  if (!python) {
    return failed(ExitStatus::usage, doing, fmt::format("dbt.python: there is no interpreter '{}'", query.python),
                  "give the path of the python that has dbt, or the folder of its virtual environment");
  }
  auto found = of_python(fs::absolute(*python, error).lexically_normal(), "dbt.python", query.environment);
  found.has_runner = true;  // it was named: if dbt is missing in it, the session says so
  return found;
}

/// Named folders in the order in which they count.
struct Place {
  fs::path folder;
  std::string found_by;
};

std::vector<Place> virtual_environments(const DbtQuery& query) {
  std::vector<Place> places;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    const auto value = query.environment.find(name);
    if (value != query.environment.end() && !value->second.empty()) places.push_back({value->second, name});
  }
  for (const char* name : {".venv", "venv"}) {
    places.push_back({query.project_folder / name, fmt::format("{} of the project", name)});
  }
  for (const char* name : {".venv", "venv"}) {
    places.push_back({query.repository_root / name, fmt::format("{} of the repository", name)});
  }
  return places;
}

/// The environment of a `dbt` that is on PATH.
DbtEnvironment of_command(const fs::path& command, const io::Environment& environment) {
  if (const auto python = interpreter_of(command, environment)) {
    auto found = of_python(*python, "dbt on PATH", environment);
    found.command = command;
    found.bin = command.parent_path();
    if (found.has_runner) return found;
  }
  return {.python = {}, .command = command, .bin = command.parent_path(), .found_by = "dbt on PATH"};
}

}  // namespace

Result<DbtEnvironment> find_dbt(const DbtQuery& query) {
  if (query.python != "auto" && !query.python.empty()) return from_setting(query);
  std::string looked;
  for (const auto& place : virtual_environments(query)) {
    const auto python = python_in(place.folder, query.environment);
    if (!python) continue;
    if (auto found = of_python(*python, place.found_by, query.environment); has_dbt(found)) return found;
    looked += fmt::format("{} ({}) has no dbt; ", place.folder.string(), place.found_by);
  }
  if (const auto command = io::find_program("dbt", query.environment)) return of_command(*command, query.environment);
  for (const char* name : {"python3", "python"}) {
    const auto python = io::find_program(name, query.environment);
    if (!python) continue;
    if (auto found = of_python(*python, fmt::format("{} on PATH", name), query.environment); found.has_runner) {
      return found;
    }
  }
  return failed(ExitStatus::usage, "looking for dbt",
                looked + "there is no dbt in VIRTUAL_ENV, CONDA_PREFIX, .venv, venv or on PATH",
                "install dbt-core and your adapter (pip install dbt-core dbt-duckdb), or set dbt.python to the "
                "interpreter that has it");
}

io::Environment with_bin_first(io::Environment environment, const fs::path& bin) {
  if (bin.empty()) return environment;
  auto& path = environment["PATH"];
  path = path.empty() ? bin.string() : bin.string() + ":" + path;
  return environment;
}

}  // namespace offshoot::dbt
