// SPDX-License-Identifier: Apache-2.0
#include "change/repository.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "change/beneath.hpp"
#include "change/git.hpp"
#include "change/paths.hpp"
#include "io/files.hpp"

namespace offshoot::change {

namespace {

/// Turns libgit2's check of a repository's owner off for as long as it lives. libgit2 1.5 heeds no safe.directory.
class OwnerCheckOff {
 public:
  explicit OwnerCheckOff(TrustOwner trust) {
    git_libgit2_opts(GIT_OPT_GET_OWNER_VALIDATION, &before_);
    if (trust == TrustOwner::yes) git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  }
  OwnerCheckOff(OwnerCheckOff&&) = delete;
  OwnerCheckOff(const OwnerCheckOff&) = delete;
  OwnerCheckOff& operator=(OwnerCheckOff&&) = delete;
  OwnerCheckOff& operator=(const OwnerCheckOff&) = delete;
  ~OwnerCheckOff() { git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, before_); }

 private:
  int before_ = 1;
};

/// Extensions that libgit2 1.5 refuses by name though reading objects needs nothing of them: what actions/checkout sets
/// for its inputs `filter` and `sparse-checkout`.
void accept_harmless_extensions() {
  std::array<const char*, 2> names{"partialclone", "worktreeconfig"};
  git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, names.data(), names.size());
}

std::optional<std::filesystem::path> folder_with_git(std::filesystem::path folder) {
  std::error_code error;
  for (;; folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / ".git", error)) return folder;
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

Failed cannot_open(const std::filesystem::path& root, int code) {
  Failed failure{ExitStatus::usage, fmt::format("opening the repository '{}'", root.native()), git_message(), "",
                 std::nullopt};
  if (code == GIT_EOWNER || failure.why.find("safe.directory") != std::string::npos) {
    failure.status = ExitStatus::refused;
    failure.why = "it belongs to another user";
    failure.hint = "run offshoot as the owner of the repository";
  } else if (failure.why.find("extension") != std::string::npos) {
    failure.hint = "repositories with sha256 object names are not supported";
  }
  return failure;
}

bool plausible_name(const std::string& name) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
  return !name.empty() && name.front() != '-' && name.front() != ':' && std::ranges::none_of(name, control);
}

/// The URL as host and path alone, so that https, ssh and git@host:path name the same repository.
std::string plain_url(std::string url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string::npos) url.erase(0, scheme + 3);
  const std::size_t host_end = std::min(url.find('/'), url.size());
  const std::size_t login = url.substr(0, host_end).rfind('@');
  if (login != std::string::npos) url.erase(0, login + 1);
  const std::size_t colon = scheme == std::string::npos ? url.find(':') : std::string::npos;
  if (colon != std::string::npos) url[colon] = '/';
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with(".git")) url.resize(url.size() - 4);
  return url;
}

/// From the settings themselves: git_remote_lookup of libgit2 1.5 leaks.
std::optional<std::string> origin_url(git_repository* repository) {
  git_config* raw = nullptr;
  if (git_repository_config_snapshot(&raw, repository) < 0) return std::nullopt;
  const GitConfig config(raw);
  const char* url = nullptr;
  if (git_config_get_string(&url, raw, "remote.origin.url") < 0) return std::nullopt;
  return url;
}

/// The commit at the end of the first-parent chain; absent where history is cut off.
std::optional<std::string> root_commit(git_repository* repository) {
  git_oid id;
  if (git_reference_name_to_id(&id, repository, "HEAD") < 0) return std::nullopt;
  for (;;) {
    const auto commit = lookup_commit(repository, id);
    if (!commit) return std::nullopt;
    if (git_commit_parentcount(commit->get()) == 0) return hex(id);
    id = *git_commit_parent_id(commit->get(), 0);
  }
}

bool has_commit(git_repository* repository, const std::string& ref) {
  git_oid id;
  return git_reference_name_to_id(&id, repository, ref.c_str()) == 0;
}

std::optional<DefaultBranch> origin_head(git_repository* repository) {
  constexpr std::string_view remote = "refs/remotes/origin/";
  git_reference* raw = nullptr;
  if (git_reference_lookup(&raw, repository, "refs/remotes/origin/HEAD") < 0) return std::nullopt;
  const GitReference reference(raw);
  const char* target = git_reference_symbolic_target(raw);
  if (target == nullptr || !std::string_view(target).starts_with(remote)) return std::nullopt;
  if (!has_commit(repository, target)) return std::nullopt;
  return DefaultBranch{std::string(target).substr(remote.size()), target};
}

Result<std::optional<std::string>> read_descriptor(int file, std::string_view path) {
  struct stat info{};
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(info.st_size));
  std::array<char, 1U << 16> part{};
  for (;;) {
    const ssize_t count = read(file, part.data(), part.size());
    if (count == 0) return bytes;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return failed(ExitStatus::could_not_run, fmt::format("reading '{}'", path), std::strerror(errno));
    }
    bytes.append(part.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Repository::Repository(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Repository::Repository(Repository&&) noexcept = default;
Repository& Repository::operator=(Repository&&) noexcept = default;
Repository::~Repository() = default;

Result<Repository> Repository::open(const std::filesystem::path& folder_inside, TrustOwner trust_owner) {
  std::error_code error;
  const std::filesystem::path start = std::filesystem::canonical(folder_inside, error);
  const auto root = error ? std::nullopt : folder_with_git(start);
  if (!root) {
    return failed(ExitStatus::usage, fmt::format("looking for a repository at '{}'", folder_inside.native()),
                  error ? error.message() : "neither it nor a folder above it holds .git",
                  "run offshoot in a git work tree (actions/checkout must come first)");
  }
  auto handle = std::make_unique<Handle>();
  accept_harmless_extensions();
  const OwnerCheckOff owner_check(trust_owner);
  git_repository* raw = nullptr;
  if (const int code = git_repository_open_ext(&raw, root->c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr); code < 0) {
    return tl::unexpected(cannot_open(*root, code));
  }
  handle->repository.reset(raw);
  if (git_repository_is_bare(raw) == 1) {
    return failed(ExitStatus::usage, fmt::format("opening the repository '{}'", root->native()),
                  "it is bare: it has no work tree", "clone it, and run offshoot in the clone");
  }
  handle->root = *root;
  return Repository(std::move(handle));
}

const std::filesystem::path& Repository::root() const { return handle_->root; }

Result<Commit> Repository::commit(const std::string& ref_or_sha) const {
  const std::string doing = fmt::format("looking for the commit '{}'", ref_or_sha);
  if (!plausible_name(ref_or_sha)) {
    return failed(ExitStatus::usage, doing, "this is no name of a branch, tag or commit");
  }
  git_repository* repository = handle_->repository.get();
  git_object* found = nullptr;
  int code = git_revparse_single(&found, repository, ref_or_sha.c_str());
  if (code < 0) code = git_revparse_single(&found, repository, ("refs/remotes/origin/" + ref_or_sha).c_str());
  const GitObject object(found);
  git_object* peeled = nullptr;
  if (code == 0) code = git_object_peel(&peeled, found, GIT_OBJECT_COMMIT);
  if (code < 0) {
    return failed(ExitStatus::usage, doing, is_shallow() ? "it is not in this shallow clone" : "there is none here",
                  is_shallow() ? "set fetch-depth: 0, or fetch that commit" : "check the name, or fetch it");
  }
  const GitObject owned(peeled);
  // A git_object of type commit is a git_commit: libgit2's own way from one to the other.
  return to_commit(reinterpret_cast<git_commit*>(peeled));
}

Result<std::optional<std::string>> Repository::read_file(const Commit& commit, std::string_view path) const {
  git_repository* repository = handle_->repository.get();
  const auto tree = tree_of(repository, commit);
  if (!tree) return tl::unexpected(tree.error());
  const auto inside = place(".", path);
  if (!inside || inside == ".") return std::nullopt;
  git_tree_entry* raw = nullptr;
  const int code = git_tree_entry_bypath(&raw, tree->get(), inside->c_str());
  if (code == GIT_ENOTFOUND) return std::nullopt;
  if (code < 0) return tl::unexpected(git_failure(repository, code, fmt::format("looking for '{}' in git", path)));
  const GitEntry entry(raw);
  const git_filemode_t mode = git_tree_entry_filemode(raw);
  if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) return std::nullopt;
  return blob_bytes(repository, *git_tree_entry_id(raw), path).map([](std::string bytes) {
    return std::optional(std::move(bytes));
  });
}

Result<std::optional<std::string>> Repository::read_work_file(std::string_view path) const {
  const Descriptor root = open_folder(handle_->root);
  const Descriptor file = open_beneath(root.get(), path, O_RDONLY | O_NONBLOCK);
  if (file.open()) return read_descriptor(file.get(), path);
  const bool absent = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV;
  if (absent) return std::nullopt;
  return failed(ExitStatus::could_not_run, fmt::format("reading '{}'", path), std::strerror(errno));
}

Result<std::string> Repository::tree_key(const Commit& commit, std::span<const std::string> paths) const {
  git_repository* repository = handle_->repository.get();
  const auto tree = tree_of(repository, commit);
  if (!tree) return tl::unexpected(tree.error());
  std::vector<std::string> parts;
  for (const std::string& path : paths) {
    const auto inside = place(".", path);
    std::string part = inside.value_or(path) + '\0';
    git_tree_entry* raw = nullptr;
    if (inside == ".") {
      part += commit.tree_sha;
    } else if (inside && git_tree_entry_bypath(&raw, tree->get(), inside->c_str()) == 0) {
      const GitEntry entry(raw);
      part +=
          fmt::format("{:o} {}", static_cast<unsigned>(git_tree_entry_filemode_raw(raw)), hex(*git_tree_entry_id(raw)));
    } else {
      part += "absent";
    }
    parts.push_back(std::move(part));
  }
  std::ranges::sort(parts);
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  std::string all;
  for (const std::string& part : parts) all += part + '\0';
  return io::sha256_hex(all);
}

std::string Repository::identity() const {
  git_repository* repository = handle_->repository.get();
  if (!is_shallow()) {
    if (auto root = root_commit(repository)) return *root;
  }
  if (const auto url = origin_url(repository)) return "origin-" + io::sha256_hex(plain_url(*url)).substr(0, 40);
  return "path-" + io::sha256_hex(handle_->root.native()).substr(0, 40);
}

bool Repository::is_shallow() const { return git_repository_is_shallow(handle_->repository.get()) == 1; }

std::string Repository::head_branch() const {
  git_reference* raw = nullptr;
  if (git_repository_head(&raw, handle_->repository.get()) != 0) return {};
  const GitReference head(raw);
  return git_reference_is_branch(head.get()) == 1 ? git_reference_shorthand(head.get()) : "";
}

std::optional<DefaultBranch> Repository::default_branch() const {
  git_repository* repository = handle_->repository.get();
  if (auto branch = origin_head(repository)) return branch;
  for (const std::string folder : {"refs/remotes/origin/", "refs/heads/"}) {
    for (const std::string name : {"main", "master"}) {
      if (has_commit(repository, folder + name)) return DefaultBranch{name, folder + name};
    }
  }
  return std::nullopt;
}

}  // namespace offshoot::change
