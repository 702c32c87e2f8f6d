// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/change.hpp"
#include "model/outcome.hpp"

namespace offshoot::change {

/// Whether a repository may belong to another user. `yes` only for the workspace that the CI system itself made: in a
/// container action it belongs to the runner's user.
enum class TrustOwner { no, yes };

/// The branch that pull requests are merged into, as far as the repository tells.
struct DefaultBranch {
  std::string name;  ///< "main"
  std::string ref;   ///< "refs/remotes/origin/main"
  bool operator==(const DefaultBranch&) const = default;
};

/// What `Repository::export_tree` did not write as a plain file. Paths as in git, raw bytes, sorted.
struct Exported {
  std::vector<std::string> skipped{};     ///< symbolic links that lead out of the tree, and names that git forbids
  std::vector<std::string> submodules{};  ///< left as empty folders
  bool operator==(const Exported&) const = default;
};

/// A git repository with a work tree, read through libgit2 alone: no hook, filter, external diff or file monitor of
/// the repository ever runs. Nothing here writes to it.
class Repository {
 public:
  /// Opens the repository whose work tree holds `folder_inside`.
  static Result<Repository> open(const std::filesystem::path& folder_inside, TrustOwner trust_owner);
  Repository(Repository&&) noexcept;
  Repository& operator=(Repository&&) noexcept;
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;
  ~Repository();

  /// The work tree's folder, canonical.
  [[nodiscard]] const std::filesystem::path& root() const;

  /// The commit that a sha, a ref or a short name ("main", "v1.2", "HEAD~1") stands for. A name that is no local ref is
  /// also looked for on the remote "origin". An unknown name is an error with status usage.
  [[nodiscard]] Result<Commit> commit(const std::string& ref_or_sha) const;

  /// The bytes of the file at `path` in that commit, as git keeps them (an LFS file is its pointer). Absent: there is
  /// no file of this name (a folder, a submodule or a symbolic link is none). An error means that git could not read.
  [[nodiscard]] Result<std::optional<std::string>> read_file(const Commit& commit, std::string_view path) const;

  /// The bytes of the file at `path` in the work tree. Absent as above; no symbolic link on the way is followed.
  [[nodiscard]] Result<std::optional<std::string>> read_work_file(std::string_view path) const;

  /// Writes all files of that commit below `into`, which must be an empty folder or absent. Symbolic links are written
  /// only if they lead to a place in the tree, by way of other links too.
  [[nodiscard]] Result<Exported> export_tree(const Commit& commit, const std::filesystem::path& into) const;

  /// 64 hex digits that differ whenever anything at one of these paths (files or folders; "." is all) differs. The
  /// order of the paths does not count; an absent path counts as absent.
  [[nodiscard]] Result<std::string> tree_key(const Commit& commit, std::span<const std::string> paths) const;

  /// Files and folders of the commit that symbolic links below `folder` lead to outside of it, relative to the
  /// repository's root, sorted; links out of the repository are left out.
  [[nodiscard]] Result<std::vector<std::string>> linked_places(const Commit& commit, std::string_view folder) const;

  /// What names this repository where no GitHub number does, as long as it lives: the sha of the first commit on HEAD's
  /// first-parent chain; where a shallow clone hides that, "origin-" and a hash of the origin's URL (without login,
  /// ".git" and trailing slashes); without an origin "path-" and a hash of the work tree's path.
  [[nodiscard]] std::string identity() const;

  [[nodiscard]] bool is_shallow() const;

  /// The git branch that is checked out, "feature/x"; empty when HEAD is detached.
  [[nodiscard]] std::string head_branch() const;

  /// What origin/HEAD points to, else main or master on origin, else main or master here; absent when none exists.
  [[nodiscard]] std::optional<DefaultBranch> default_branch() const;

  struct Handle;
  /// For the files of this folder only: libgit2's own handle.
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  explicit Repository(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace offshoot::change
