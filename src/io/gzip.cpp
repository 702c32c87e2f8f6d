// SPDX-License-Identifier: Apache-2.0
#include "io/gzip.hpp"

#include <libdeflate.h>

#include <cstdint>
#include <memory>

namespace offshoot::io {

namespace {

constexpr int fastest = 1;  // the next levels save a few percent and take half as long again
constexpr std::size_t probe = 64U << 10;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};
struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

std::string packed(libdeflate_compressor* compressor, std::string_view bytes) {
  const std::size_t most = libdeflate_gzip_compress_bound(compressor, bytes.size());
  const auto room = std::make_unique_for_overwrite<char[]>(most);
  return {room.get(), libdeflate_gzip_compress(compressor, bytes.data(), bytes.size(), room.get(), most)};
}

/// The last four bytes of a member: how many it holds, modulo 2^32.
std::size_t held_by(std::string_view packed) {
  std::size_t size = 0;
  for (std::size_t i = 1; i <= 4; ++i) size = size << 8U | static_cast<std::uint8_t>(packed[packed.size() - i]);
  return size;
}

}  // namespace

std::optional<std::string> gzip(std::string_view bytes) {
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(libdeflate_alloc_compressor(fastest));
  if (!compressor) return std::nullopt;
  const std::string_view beginning = bytes.substr(0, probe);
  if (packed(compressor.get(), beginning).size() > beginning.size() - beginning.size() / 10) return std::nullopt;
  return packed(compressor.get(), bytes);
}

std::optional<std::string> gunzip(std::string_view packed, std::size_t most) {
  constexpr std::size_t smallest = 18;  // header and trailer
  if (packed.size() < smallest) return std::nullopt;
  const std::size_t size = held_by(packed);
  if (size > most) return std::nullopt;
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(libdeflate_alloc_decompressor());
  if (!decompressor) return std::nullopt;
  std::string bytes(size, '\0');
  std::size_t read = 0;
  std::size_t written = 0;
  const auto result = libdeflate_gzip_decompress_ex(decompressor.get(), packed.data(), packed.size(), bytes.data(),
                                                    bytes.size(), &read, &written);
  if (result != LIBDEFLATE_SUCCESS || read != packed.size() || written != size) return std::nullopt;
  return bytes;
}

}  // namespace offshoot::io
