// SPDX-License-Identifier: Apache-2.0
#include "store/s3_content.hpp"

#include <utility>

#include "io/base64.hpp"
#include "io/files.hpp"
#include "io/gzip.hpp"

namespace offshoot::store {

namespace {

constexpr std::uint64_t smallest_packed = 16ULL << 10;  // below, a request costs more than its bytes
constexpr std::uint64_t largest_packed = 512ULL << 20;  // what is held in memory at most

bool worth_packing(std::uint64_t size) { return size >= smallest_packed && size <= largest_packed; }

}  // namespace

Result<Content> Content::of_file(const std::filesystem::path& file, std::uint64_t size, std::string sha256,
                                 bool may_pack) {
  Content content;
  content.file_ = file;
  content.size_ = size;
  content.sha256_ = std::move(sha256);
  if (!may_pack || !worth_packing(size)) return content;
  const auto bytes = io::read_buffer(file, largest_packed);
  if (!bytes) return tl::unexpected(bytes.error());
  auto packed = io::gzip(bytes->view());
  if (!packed) return content;
  content.file_.clear();
  content.sha256_.clear();
  content.size_ = packed->size();
  content.bytes_ = std::move(*packed);
  content.packed_ = true;
  return content;
}

Content Content::of_bytes(std::string_view bytes, bool may_pack) {
  Content content;
  auto packed = may_pack && worth_packing(bytes.size()) ? io::gzip(bytes) : std::nullopt;
  content.packed_ = packed.has_value();
  content.bytes_ = packed ? std::move(*packed) : std::string(bytes);
  content.size_ = content.bytes_.size();
  return content;
}

Result<void> Content::send_with(S3Call& call, std::uint64_t offset, std::uint64_t size) const {
  if (file_.empty()) {
    call.body = bytes_.substr(offset, size);
    call.sha256 = io::sha256_hex(call.body);
  } else {
    call.file = io::FilePart{file_, offset, size};
    const bool known = size == size_ && !sha256_.empty();
    auto sha256 = known ? Result<std::string>(sha256_) : io::sha256_hex_of_file(file_, offset, size);
    if (!sha256) return tl::unexpected(std::move(sha256.error()));
    call.sha256 = std::move(*sha256);
  }
  call.headers.emplace_back("x-amz-checksum-sha256", base64_of(bytes_of_hex(call.sha256)));
  return {};
}

}  // namespace offshoot::store
