// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "model/outcome.hpp"

namespace offshoot::io {

/// Bytes in memory of their own, which stays where it is when this is moved.
class Buffer {
 public:
  /// How many bytes behind the last one are readable, and 0, so that SIMD code may look past the end.
  static constexpr std::size_t padding = 64;

  Buffer() = default;
  static Buffer copy_of(std::string_view bytes);
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  friend Result<Buffer> read_buffer(const std::filesystem::path& path, std::uintmax_t limit);
  struct Free {
    void operator()(char* bytes) const;
  };
  /// Room for `size` bytes and the padding; what stands there is anything.
  explicit Buffer(std::size_t size);
  /// Makes it end earlier, with its padding.
  void end_at(std::size_t size);

  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
};

/// Has the kernel use huge pages for what lies in whole ones, where it can: the first use of each then stands for 512.
void prefer_huge_pages(void* memory, std::size_t size);

/// The whole file, read without a copy on the way; for large ones. Errors as those of read_file.
Result<Buffer> read_buffer(const std::filesystem::path& path, std::uintmax_t limit = 512ULL << 20);

/// The whole file. An absent file, or one larger than `limit` bytes, is an error that names the path.
Result<std::string> read_file(const std::filesystem::path& path, std::uintmax_t limit = 512ULL << 20);

/// Writes beside `path` and renames, so that a reader sees the old bytes or the new, never a part. Makes missing
/// folders. `mode` are the permission bits of the new file.
Result<void> write_file(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);

/// Writes at the end of a file in one piece; an absent one is made.
Result<void> append_file(const std::filesystem::path& path, std::string_view bytes);

/// A folder of its own (0700) under TMPDIR, removed with all it holds when this goes.
class TemporaryFolder {
 public:
  /// `purpose` becomes part of the folder's name.
  static Result<TemporaryFolder> make(std::string_view purpose);
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// SHA-256 in lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// The same of a file, or of `size` bytes of it from `offset` on, without holding it in memory.
Result<std::string> sha256_hex_of_file(const std::filesystem::path& path, std::uint64_t offset = 0,
                                       std::uint64_t size = UINT64_MAX);

}  // namespace offshoot::io
