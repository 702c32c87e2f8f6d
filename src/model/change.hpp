// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace offshoot {

/// Lines `first` to `last` of a file, both included, counted from 1.
struct LineRange {
  int first = 0;
  int last = 0;
  bool operator==(const LineRange&) const = default;
};

enum class FileStatus { added, modified, deleted, renamed, copied, type_changed, mode_changed };

/// What kind of thing git keeps at a path. Symlinks and submodules are reported and never followed.
enum class EntryKind { file, symlink, submodule };

/// One path that differs between base and head. Paths are relative to the repository's root, '/'-separated, raw bytes.
struct ChangedFile {
  std::string path{};      ///< in the head; for a deleted file, in the base
  std::string old_path{};  ///< in the base, where it is another (renames, copies); else empty
  FileStatus status = FileStatus::modified;
  EntryKind kind = EntryKind::file;
  bool binary = false;
  std::vector<LineRange> lines{};  ///< lines of the head that were added or changed, ascending; empty when deleted
  bool operator==(const ChangedFile&) const = default;
};

/// A commit as far as offshoot needs it.
struct Commit {
  std::string sha{};       ///< 40 hex digits
  std::string tree_sha{};  ///< 40 hex digits
  std::string subject{};   ///< first line of its message; untrusted text
  bool operator==(const Commit&) const = default;
};

/// What is compared with what: like with like.
struct Change {
  Commit head{};
  std::string merge_of{};  ///< the pull request's own head where `head` is the merge commit of it; else empty
  Commit base{};
  std::string base_is{};     ///< how the base was found: "first parent of the merge commit", "merge base with main", …
  bool uncommitted = false;  ///< the work tree holds changes that the head commit does not; they are part of the head
  std::vector<ChangedFile> files{};  ///< sorted by path
  bool operator==(const Change&) const = default;
};

/// The commit that people know: a pull request's own head rather than the merge commit that was built.
inline const std::string& proposed(const Change& change) {
  return change.merge_of.empty() ? change.head.sha : change.merge_of;
}

}  // namespace offshoot
