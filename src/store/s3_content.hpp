// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "store/s3_client.hpp"

namespace offshoot::store {

/// What is sent to become an object: a file as it is, or bytes in memory, packed by gzip where that shortens them.
/// dbt's artifacts shrink to a tenth, and both sending and checking them cost by the byte (docs/decisions/0061).
class Content {
 public:
  /// `sha256` is that of the file, in hex digits. `may_pack` false: the file as it is.
  static Result<Content> of_file(const std::filesystem::path& file, std::uint64_t size, std::string sha256,
                                 bool may_pack);
  static Content of_bytes(std::string_view bytes, bool may_pack);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// How the bytes are encoded (the field Content-Encoding): "gzip", or nothing.
  [[nodiscard]] const char* encoding() const { return packed_ ? "gzip" : ""; }
  /// Makes `size` bytes from `offset` on what `call` sends, with their checksum in the call and among its headers.
  Result<void> send_with(S3Call& call, std::uint64_t offset, std::uint64_t size) const;
  /// The same with all of them.
  Result<void> send_with(S3Call& call) const { return send_with(call, 0, size_); }

 private:
  std::filesystem::path file_{};  ///< empty = `bytes_`
  std::string bytes_{};
  std::uint64_t size_ = 0;
  std::string sha256_{};  ///< of what is sent, where it is known
  bool packed_ = false;
};

}  // namespace offshoot::store
