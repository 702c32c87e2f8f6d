// SPDX-License-Identifier: Apache-2.0
#include "dbt/packages.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "dbt/jinja.hpp"
#include "io/files.hpp"
#include "io/yaml.hpp"

namespace offshoot::dbt {

namespace fs = std::filesystem;

namespace {

constexpr const char* doing_provide = "providing dbt's packages";

/// What a package's own dbt_project.yml says of it.
struct Identity {
  std::string name;
  std::string version;
};

std::optional<Identity> identity_of(const fs::path& folder) {
  const auto text = io::read_file(folder / "dbt_project.yml", 1U << 20);
  if (!text) return std::nullopt;
  const auto root = io::parse_yaml(*text, (folder / "dbt_project.yml").string());
  if (!root || !root->IsMap()) return std::nullopt;
  const auto scalar = [&](const char* key) {
    const YAML::Node value = std::as_const(*root)[key];
    return value.IsDefined() && value.IsScalar() ? value.Scalar() : std::string();
  };
  return Identity{scalar("name"), scalar("version")};
}

const std::vector<Package>& wanted(const Project& project) {
  return project.has_lock ? project.locked : project.packages;
}

/// The folder below dbt_packages that a package is installed in; empty where only dbt knows.
std::string installed_name(const Project& project, const Package& package) {
  if (package.kind == Package::Kind::local) {
    const auto identity = identity_of(project.folder / package.source);
    if (identity) return identity->name;
  }
  if (!package.name.empty()) return package.name;
  return package.kind == Package::Kind::hub ? fs::path(package.source).filename().string() : std::string();
}

/// A name from a file that becomes part of a path.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

std::optional<std::string> why_not_this(const Project& project, const Package& package, const fs::path& folder) {
  std::error_code error;
  const auto name = folder.filename().string();
  if (!fs::is_regular_file(folder / "dbt_project.yml", error)) return fmt::format("'{}' is not installed", name);
  if (package.kind == Package::Kind::local) {
    const auto theirs = fs::canonical(folder, error);
    const auto ours = fs::canonical(project.folder / package.source, error);
    if (error || theirs != ours) return fmt::format("'{}' is not the folder '{}'", name, package.source);
  }
  if (package.kind == Package::Kind::hub && !package.version.empty()) {
    const auto identity = identity_of(folder);
    if (!identity || identity->version != package.version) {
      return fmt::format("'{}' is installed as version '{}', not '{}'", name, identity ? identity->version : "",
                         package.version);
    }
  }
  return std::nullopt;
}

bool is_sha(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool same_source(const Package& a, const Package& b) {
  if (a.kind != b.kind) return false;
  if (a.kind != Package::Kind::local) return a.source == b.source;
  const auto normal = [](const Package& package) {
    auto path = fs::path(package.source).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
  };
  return normal(a) == normal(b);
}

Failed cannot(const std::string& why) { return {ExitStatus::could_not_run, doing_provide, why, "", {}}; }

/// The bytes of package-lock.yml before `dbt deps`, put back afterwards: dbt rewrites the file in the user's tree when
/// it does not fit, and nothing here should change what a person is about to commit.
class LockKept {
 public:
  explicit LockKept(fs::path path) : path_(std::move(path)) {
    if (auto text = io::read_file(path_)) before_ = std::move(*text);
  }
  LockKept(const LockKept&) = delete;
  LockKept& operator=(const LockKept&) = delete;
  ~LockKept() {
    if (!changed()) return;
    std::error_code error;
    if (before_) {
      static_cast<void>(io::write_file(path_, *before_));
    } else {
      fs::remove(path_, error);
    }
  }
  [[nodiscard]] bool changed() const {
    const auto now = io::read_file(path_);
    return now.has_value() != before_.has_value() || (now && *now != *before_);
  }

 private:
  fs::path path_;
  std::optional<std::string> before_;
};

/// `dbt deps` into a folder; whether dbt had to resolve the lock anew.
Result<bool> install(const ProjectAt& at, const fs::path& folder, Session& session) {
  const LockKept lock(at.project_dir / "package-lock.yml");
  ProjectAt spot = at;
  spot.packages_install_path = folder;
  if (auto installed = session.deps(spot); !installed) return tl::unexpected(installed.error());
  return lock.changed();
}

Result<void> link(const fs::path& target, const fs::path& where) {
  std::error_code error;
  fs::create_directory_symlink(target, where, error);
  if (error) return tl::unexpected(cannot(fmt::format("linking {}: {}", where.string(), error.message())));
  return {};
}

/// A folder of links: to the cached packages, and to the side's own local ones.
Result<void> compose(const Project& project, const fs::path& cached, const fs::path& links) {
  std::error_code error;
  fs::remove_all(links, error);
  fs::create_directories(links, error);
  if (error) return tl::unexpected(cannot(fmt::format("making {}: {}", links.string(), error.message())));
  std::set<std::string> done;
  for (const auto& package : project.locked) {
    if (package.kind != Package::Kind::local) continue;
    const auto name = installed_name(project, package);
    const auto source = fs::canonical(project.folder / package.source, error);
    if (error || !is_plain_name(name)) {
      return failed(ExitStatus::usage, doing_provide,
                    fmt::format("the local package '{}' has no dbt_project.yml with a name", package.source),
                    "check `local:` in packages.yml and package-lock.yml");
    }
    if (!done.insert(name).second) continue;
    if (auto linked = link(source, links / name); !linked) return linked;
  }
  if (cached.empty()) return {};
  for (fs::directory_iterator it(cached, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (!done.insert(name).second) continue;
    if (auto linked = link(it->path(), links / name); !linked) return linked;
  }
  return {};
}

/// The cache's folder for this lock, filled by `dbt deps` if need be.
Result<Packages> from_cache(const PackagesRequest& request, const std::string& lock, Session& session) {
  const auto folder = request.cache / "packages" / io::sha256_hex(lock).substr(0, 32);
  std::error_code error;
  if (fs::is_directory(folder, error)) return Packages{folder, "the cache"};
  const auto fresh = folder.parent_path() / fmt::format(".{}-{}", folder.filename().string(), ::getpid());
  fs::create_directories(folder.parent_path(), error);
  const auto resolved = install(request.at, fresh, session);
  if (!resolved) {
    fs::remove_all(fresh, error);
    return tl::unexpected(resolved.error());
  }
  if (*resolved) {  // not what the lock names: of use here, and to nobody else
    fs::remove_all(request.links, error);
    fs::create_directories(request.links, error);
    // Not renamed: the cache may lie on another disk.
    fs::copy(fresh, request.links, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    if (error) return tl::unexpected(cannot(error.message()));
    return Packages{request.links, "dbt deps",
                    "package-lock.yml does not fit the package file; `dbt deps` resolved it"};
  }
  fs::rename(fresh, folder, error);
  if (error) {  // another process was faster
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    if (!fs::is_directory(folder, ignored)) return tl::unexpected(cannot(error.message()));
  }
  return Packages{folder, "dbt deps"};
}

/// Whether what is installed can be held against the lock: a git or tarball package does not say which one it is.
bool tells_its_version(const Package& package) {
  return package.kind == Package::Kind::local || package.kind == Package::Kind::hub;
}

bool is_local(const Package& package) { return package.kind == Package::Kind::local; }

Result<Packages> from_lock(const Project& project, const PackagesRequest& request, Session& session) {
  if (std::ranges::all_of(project.locked, is_local)) {
    if (auto made = compose(project, {}, request.links); !made) return tl::unexpected(made.error());
    return Packages{request.links, "local folders"};
  }
  const auto lock = io::read_file(project.folder / "package-lock.yml");
  if (!lock) return tl::unexpected(lock.error());
  auto packages = from_cache(request, *lock, session);
  if (!packages || std::ranges::none_of(project.locked, is_local) || packages->install_path == request.links) {
    return packages;
  }
  if (auto made = compose(project, packages->install_path, request.links); !made) return tl::unexpected(made.error());
  packages->install_path = request.links;
  return packages;
}

}  // namespace

std::optional<std::string> why_not_installed(const Project& project, const fs::path& install_path) {
  std::error_code error;
  if (!fs::is_directory(install_path, error)) return fmt::format("there is no folder {}", install_path.string());
  std::set<std::string> named;
  bool all_known = true;
  for (const auto& package : wanted(project)) {
    const auto name = installed_name(project, package);
    if (!is_plain_name(name)) {
      all_known = false;
      continue;
    }
    named.insert(name);
    if (auto why = why_not_this(project, package, install_path / name)) return why;
  }
  std::size_t installed = 0;
  for (fs::directory_iterator it(install_path, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!fs::is_regular_file(it->path() / "dbt_project.yml", ignored)) continue;
    ++installed;
    const auto name = it->path().filename().string();
    // Without a lock, packages of packages are there and not named.
    if (project.has_lock && all_known && !named.contains(name)) {
      return fmt::format("'{}' is installed and not named", name);
    }
  }
  if (installed < wanted(project).size()) {
    return fmt::format("{} of {} packages are installed", installed, wanted(project).size());
  }
  return std::nullopt;
}

std::optional<std::string> why_lock_is_stale(const Project& project) {
  if (!project.has_lock) return std::nullopt;
  for (const auto& package : project.packages) {
    if (package.kind == Package::Kind::other || has_jinja(package.source)) continue;
    const auto locked =
        std::ranges::find_if(project.locked, [&](const Package& other) { return same_source(package, other); });
    if (locked == project.locked.end()) return fmt::format("'{}' is not in package-lock.yml", package.source);
    const bool comparable = package.kind == Package::Kind::hub || is_sha(package.version);
    if (comparable && !package.version.empty() && package.version != locked->version) {
      return fmt::format("{} has '{}' at '{}', package-lock.yml at '{}'", project.packages_file, package.source,
                         package.version, locked->version);
    }
  }
  return std::nullopt;
}

Result<Packages> provide_packages(const Project& project, const PackagesRequest& request, Session& session) {
  if (wanted(project).empty() && project.packages.empty()) return Packages{{}, "none named"};
  const auto own = project.folder / project.packages_install_path;
  const auto stale = why_lock_is_stale(project);
  const auto missing = why_not_installed(project, own);
  const bool certain = std::ranges::all_of(wanted(project), tells_its_version);
  if (!missing && !stale && (certain || request.deps == "never")) {
    return Packages{
        {},
        project.packages_install_path +
            (project.has_lock ? " matches package-lock.yml" : " has what " + project.packages_file + " names")};
  }
  const auto why = missing ? *missing : stale.value_or("of git and tarball packages the version is not to be seen");
  if (request.deps == "never") {
    if (!missing) return Packages{{}, project.packages_install_path, *stale + "; dbt.deps: never"};
    return failed(ExitStatus::usage, doing_provide, fmt::format("{}, and dbt.deps is never", why),
                  "run `dbt deps` before, or set dbt.deps: auto");
  }
  if (!session.places_packages()) {
    const auto installed = install(request.at, {}, session);
    if (!installed) return tl::unexpected(installed.error());
    return Packages{{}, "dbt deps", why};
  }
  if (project.has_lock && !stale) return from_lock(project, request, session);
  std::error_code error;
  fs::create_directories(request.links.parent_path(), error);
  const auto installed = install(request.at, request.links, session);
  if (!installed) return tl::unexpected(installed.error());
  return Packages{request.links, "dbt deps",
                  stale ? *stale + "; `dbt deps` resolved it"
                        : "there is no package-lock.yml: packages may change "
                          "between runs; commit the one that `dbt deps` writes"};
}

}  // namespace offshoot::dbt
