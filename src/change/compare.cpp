// SPDX-License-Identifier: Apache-2.0
#include "change/compare.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "change/base.hpp"
#include "change/git.hpp"
#include "change/paths.hpp"

namespace offshoot::change {

namespace {

constexpr std::size_t max_diffed_bytes = 4U << 20;   // larger texts count as changed in every line
constexpr std::size_t max_rename_pairs = 4'000'000;  // beyond, only renames without an edit are found
constexpr std::size_t binary_window = 8000;          // where git itself looks for a NUL
constexpr const char* doing = "comparing the head with its base";

bool is_sha(std::string_view text) {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 40 && std::ranges::all_of(text, digit);
}

Result<GitCommit> head_commit(git_repository* repository) {
  git_oid id;
  if (git_reference_name_to_id(&id, repository, "HEAD") < 0) {
    return failed(ExitStatus::usage, "reading HEAD", "the repository has no commit yet", "commit something first");
  }
  return lookup_commit(repository, id);
}

/// Requirement A7: what was checked out is what the event is about.
Result<void> check_head(git_commit* head, const CompareRequest& request) {
  if (!request.expected_head) return {};
  const std::string& expected = *request.expected_head;
  if (!is_sha(expected)) {
    return failed(ExitStatus::usage, "checking the head", fmt::format("'{}' is no sha of 40 hex digits", expected));
  }
  const std::string sha = hex(*git_commit_id(head));
  if (sha == expected) return {};
  if (git_commit_parentcount(head) == 2 && hex(*git_commit_parent_id(head, 1)) == expected) return {};
  return failed(ExitStatus::refused, "checking the head",
                fmt::format("the checkout is at {}, which is neither {} nor its merge commit", sha, expected),
                "check out the event's own commit; a newer push starts its own run");
}

/// What a diff with the work tree must not see.
struct Unseen {
  std::vector<std::string> leave_out{};  ///< untracked files in these folders
  GitIndex index{};                      ///< its files that a sparse checkout left out are not deleted
};

int is_unseen(const git_diff*, const git_diff_delta* delta, const char*, void* payload) {
  const auto& unseen = *static_cast<const Unseen*>(payload);
  if (delta->status == GIT_DELTA_DELETED && unseen.index) {
    const git_index_entry* entry = git_index_get_bypath(unseen.index.get(), delta->old_file.path, 0);
    return entry != nullptr && (entry->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE) != 0 ? 1 : 0;
  }
  if (delta->status != GIT_DELTA_UNTRACKED) return 0;
  const auto path = place(".", delta->new_file.path);
  const auto holds = [&](const std::string& folder) { return path && lies_in(*path, folder); };
  return std::ranges::any_of(unseen.leave_out, holds) ? 1 : 0;
}

Unseen unseen_of(git_repository* repository, const CompareRequest& request) {
  Unseen unseen;
  for (const std::string& path : request.leave_out) {
    if (auto inside = place(".", path)) unseen.leave_out.push_back(std::move(*inside));
  }
  git_index* index = nullptr;
  if (request.include_work_tree && git_repository_index(&index, repository) == 0) unseen.index.reset(index);
  return unseen;
}

/// `unseen` must outlive the options.
git_diff_options diff_options(Unseen& unseen) {
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  // An attribute of the pull request's author must not hide lines: binary is decided by the bytes, below.
  options.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_FORCE_TEXT | GIT_DIFF_INCLUDE_UNTRACKED |
                  GIT_DIFF_RECURSE_UNTRACKED_DIRS | GIT_DIFF_SHOW_UNTRACKED_CONTENT;
  options.context_lines = 0;
  options.interhunk_lines = 0;
  options.ignore_submodules = GIT_SUBMODULE_IGNORE_DIRTY;
  options.notify_cb = is_unseen;
  options.payload = &unseen;
  return options;
}

Result<GitDiff> diff_with_work_tree(git_repository* repository, git_tree* tree, const git_diff_options& options) {
  git_diff* diff = nullptr;
  const int code = git_diff_tree_to_workdir_with_index(&diff, repository, tree, &options);
  if (code < 0) return tl::unexpected(git_failure(repository, code, "comparing with the work tree"));
  return GitDiff(diff);
}

Result<GitDiff> diff_of_trees(git_repository* repository, git_tree* base, git_tree* head,
                              const git_diff_options& options) {
  git_diff* diff = nullptr;
  const int code = git_diff_tree_to_tree(&diff, repository, base, head, &options);
  if (code < 0) return tl::unexpected(git_failure(repository, code, doing));
  return GitDiff(diff);
}

Result<void> find_renames(git_repository* repository, git_diff* diff) {
  git_diff_find_options options;
  git_diff_find_options_init(&options, GIT_DIFF_FIND_OPTIONS_VERSION);
  options.flags = GIT_DIFF_FIND_RENAMES | GIT_DIFF_FIND_FOR_UNTRACKED;
  const std::size_t gone = git_diff_num_deltas_of_type(diff, GIT_DELTA_DELETED);
  const std::size_t come =
      git_diff_num_deltas_of_type(diff, GIT_DELTA_ADDED) + git_diff_num_deltas_of_type(diff, GIT_DELTA_UNTRACKED);
  if (gone * come > max_rename_pairs) options.flags |= GIT_DIFF_FIND_EXACT_MATCH_ONLY;
  options.rename_limit = std::max<std::size_t>(gone, 1);
  const int code = git_diff_find_similar(diff, &options);
  if (code < 0) return tl::unexpected(git_failure(repository, code, "following renames"));
  return {};
}

EntryKind kind_of(std::uint16_t mode) {
  if (mode == GIT_FILEMODE_LINK) return EntryKind::symlink;
  return mode == GIT_FILEMODE_COMMIT || mode == GIT_FILEMODE_TREE ? EntryKind::submodule : EntryKind::file;
}

FileStatus status_of(const git_diff_delta& delta) {
  switch (delta.status) {
    case GIT_DELTA_ADDED:
    case GIT_DELTA_UNTRACKED:
      return FileStatus::added;
    case GIT_DELTA_DELETED:
      return FileStatus::deleted;
    case GIT_DELTA_RENAMED:
      return FileStatus::renamed;
    case GIT_DELTA_COPIED:
      return FileStatus::copied;
    case GIT_DELTA_TYPECHANGE:
      return FileStatus::type_changed;
    default:
      break;
  }
  const bool same_bytes = git_oid_equal(&delta.old_file.id, &delta.new_file.id) == 1;
  return same_bytes && delta.old_file.mode != delta.new_file.mode ? FileStatus::mode_changed : FileStatus::modified;
}

int count_lines(std::string_view bytes) {
  const auto breaks = std::ranges::count(bytes, '\n');
  return static_cast<int>(breaks) + (bytes.empty() || bytes.ends_with('\n') ? 0 : 1);
}

/// Makes the list of changed files of one diff.
class Files {
 public:
  Files(const Repository& repository, git_diff* diff, bool work_tree)
      : repository_(repository), git_(repository.handle().repository.get()), diff_(diff), work_tree_(work_tree) {}

  Result<std::vector<ChangedFile>> list() const {
    std::vector<ChangedFile> files;
    for (std::size_t i = 0; i < git_diff_num_deltas(diff_); ++i) {
      const git_diff_delta& delta = *git_diff_get_delta(diff_, i);
      if (delta.status == GIT_DELTA_UNMODIFIED || delta.status == GIT_DELTA_IGNORED) continue;
      auto file = changed_file(i, delta);
      if (!file) return tl::unexpected(file.error());
      files.push_back(std::move(*file));
    }
    std::ranges::stable_sort(files, {}, &ChangedFile::path);
    return files;
  }

 private:
  Result<ChangedFile> changed_file(std::size_t index, const git_diff_delta& delta) const {
    ChangedFile file;
    file.status = status_of(delta);
    const bool deleted = file.status == FileStatus::deleted;
    const git_diff_file& side = deleted ? delta.old_file : delta.new_file;
    file.path = side.path;
    file.kind = kind_of(side.mode);
    while (file.path.ends_with('/')) file.path.pop_back();  // a repository of its own in an untracked folder
    if (!deleted && file.path != delta.old_file.path) file.old_path = delta.old_file.path;
    if (file.status == FileStatus::added) file.old_path.clear();
    if (file.kind != EntryKind::file || file.status == FileStatus::mode_changed) return file;
    const auto bytes = bytes_of(side, deleted);
    if (!bytes) return tl::unexpected(bytes.error());
    file.binary = bytes->substr(0, binary_window).find('\0') != std::string::npos;
    if (deleted) return file;
    const auto old_bytes = old_bytes_of(delta);
    if (!old_bytes) return tl::unexpected(old_bytes.error());
    if (file.status == FileStatus::modified && delta.old_file.mode != side.mode && *old_bytes == *bytes) {
      file.status = FileStatus::mode_changed;  // in the work tree, git has not hashed the file
    } else if (!file.binary) {
      auto lines = changed_lines(index, left_out(side.path) ? std::nullopt : *old_bytes, *bytes);
      if (!lines) return tl::unexpected(lines.error());
      file.lines = std::move(*lines);
    }
    return file;
  }

  Result<std::string> bytes_of(const git_diff_file& side, bool deleted) const {
    if (!work_tree_ || deleted || left_out(side.path)) return blob_bytes(git_, side.id, side.path);
    return repository_.read_work_file(side.path).map(
        [](std::optional<std::string> bytes) { return std::move(bytes).value_or(""); });
  }

  /// Whether a sparse checkout left out this file of the head.
  [[nodiscard]] bool left_out(const char* path) const {
    std::error_code error;
    return work_tree_ && !std::filesystem::exists(std::filesystem::symlink_status(repository_.root() / path, error));
  }

  /// Absent: there was no such file.
  Result<std::optional<std::string>> old_bytes_of(const git_diff_delta& delta) const {
    const git_diff_file& side = delta.old_file;
    if (side.mode == GIT_FILEMODE_UNREADABLE || kind_of(side.mode) != EntryKind::file) return std::nullopt;
    return blob_bytes(git_, side.id, side.path).map([](std::string bytes) { return std::optional(std::move(bytes)); });
  }

  /// All lines where there is no text to compare with.
  Result<std::vector<LineRange>> changed_lines(std::size_t index, const std::optional<std::string>& old_bytes,
                                               const std::string& bytes) const {
    std::vector<LineRange> lines;
    if (!old_bytes || std::max(bytes.size(), old_bytes->size()) > max_diffed_bytes) {
      if (const int last = count_lines(bytes); last > 0) lines.push_back({1, last});
      return lines;
    }
    git_patch* raw = nullptr;
    if (const int code = git_patch_from_diff(&raw, diff_, index); code < 0) {
      return tl::unexpected(git_failure(git_, code, doing));
    }
    const GitPatch patch(raw);
    for (std::size_t i = 0; raw != nullptr && i < git_patch_num_hunks(raw); ++i) {
      const git_diff_hunk* hunk = nullptr;
      if (git_patch_get_hunk(&hunk, nullptr, raw, i) == 0 && hunk->new_lines > 0) {
        lines.push_back({hunk->new_start, hunk->new_start + hunk->new_lines - 1});
      }
    }
    return lines;
  }

  const Repository& repository_;
  git_repository* git_;
  git_diff* diff_;
  bool work_tree_;
};

ReadBytes commit_reader(const Repository& repository, const Commit& commit) {
  return [&repository, commit](std::string_view path) -> std::optional<std::string> {
    auto bytes = repository.read_file(commit, path);
    return bytes ? std::move(*bytes) : std::nullopt;
  };
}

}  // namespace

Result<Change> compare(const Repository& repository, const CompareRequest& request) {
  git_repository* git = repository.handle().repository.get();
  const auto head = head_commit(git);
  if (!head) return tl::unexpected(head.error());
  if (auto checked = check_head(head->get(), request); !checked) return tl::unexpected(checked.error());

  Change change;
  change.head = to_commit(head->get());
  if (request.expected_head && *request.expected_head != change.head.sha) change.merge_of = *request.expected_head;
  const auto head_tree = tree_of(git, change.head);
  if (!head_tree) return tl::unexpected(head_tree.error());
  Unseen unseen = unseen_of(git, request);
  const git_diff_options options = diff_options(unseen);
  if (request.include_work_tree) {
    const auto dirt = diff_with_work_tree(git, head_tree->get(), options);
    if (!dirt) return tl::unexpected(dirt.error());
    change.uncommitted = git_diff_num_deltas(dirt->get()) > 0;
  }

  auto base = choose_base(repository, head->get(), request, change.uncommitted);
  if (!base) return tl::unexpected(base.error());
  change.base = std::move(base->commit);
  change.base_is = std::move(base->is);
  const auto base_tree = tree_of(git, change.base);
  if (!base_tree) return tl::unexpected(base_tree.error());
  const auto diff = change.uncommitted ? diff_with_work_tree(git, base_tree->get(), options)
                                       : diff_of_trees(git, base_tree->get(), head_tree->get(), options);
  if (!diff) return tl::unexpected(diff.error());
  if (auto found = find_renames(git, diff->get()); !found) return tl::unexpected(found.error());
  auto files = Files(repository, diff->get(), change.uncommitted).list();
  if (!files) return tl::unexpected(files.error());
  change.files = std::move(*files);
  return change;
}

ReadBytes base_reader(const Repository& repository, const Change& change) {
  return commit_reader(repository, change.base);
}

ReadBytes head_reader(const Repository& repository, const Change& change) {
  if (!change.uncommitted) return commit_reader(repository, change.head);
  return [&repository](std::string_view path) -> std::optional<std::string> {
    auto bytes = repository.read_work_file(path);
    return bytes ? std::move(*bytes) : std::nullopt;
  };
}

}  // namespace offshoot::change
