// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "model/outcome.hpp"

namespace offshoot::io {

/// A file that nobody can open for writing while this lives, where all who do take locks (as DuckDB does, whose writers
/// then say that the file is held). Readers are not disturbed. It also knows whether the file is still the same.
class LockedFile {
 public:
  /// Absent: the file is held for writing by another process.
  static Result<std::optional<LockedFile>> lock(const std::filesystem::path& path);
  LockedFile(LockedFile&& other) noexcept;
  LockedFile& operator=(LockedFile&& other) noexcept;
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  ~LockedFile();

  /// Whether the path still leads to this file, with the bytes that it had.
  [[nodiscard]] bool is_as_it_was() const;

 private:
  LockedFile() = default;
  std::filesystem::path path_{};
  int fd_ = -1;
  long long size_ = 0;
  long long changed_ns_ = 0;
};

/// Copies a file's bytes and permissions to where there is none, and sees them on the disk.
Result<void> copy_to_disk(const std::filesystem::path& from, const std::filesystem::path& to);

/// Sees on the disk what was done in a folder or to a file: names as well as bytes.
Result<void> sync(const std::filesystem::path& path);

}  // namespace offshoot::io
