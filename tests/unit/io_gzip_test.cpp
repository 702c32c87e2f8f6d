// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "io/gzip.hpp"

namespace offshoot::io {
namespace {

constexpr std::size_t most = 1U << 20;

std::string repeated(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "{\"unique_id\": \"model.shop.fct_sales\"}, ";
  text.resize(size);
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(Gzip, GivesBackWhatWasPacked) {
  for (const std::size_t size : {100U, 65'536U, 65'537U, 900'000U}) {
    const auto packed = gzip(repeated(size));
    ASSERT_TRUE(packed) << size;
    EXPECT_LT(packed->size(), size);
    EXPECT_EQ(gunzip(*packed, most), repeated(size));
  }
}

TEST(Gzip, LeavesWhatItDoesNotShorten) {
  EXPECT_FALSE(gzip(noise(500'000)));
  EXPECT_FALSE(gzip(""));
  EXPECT_FALSE(gzip(noise(65'536) + repeated(65'536))) << "only the beginning is tried";
}

TEST(Gzip, TakesNothingButOneWholeMember) {
  const std::string packed = *gzip(repeated(5'000));
  for (std::size_t size = 0; size < packed.size(); ++size) EXPECT_FALSE(gunzip(packed.substr(0, size), most)) << size;
  EXPECT_FALSE(gunzip(packed + "x", most));
  EXPECT_FALSE(gunzip(packed + packed, most));
  EXPECT_FALSE(gunzip(repeated(5'000), most));
  for (std::size_t i = packed.size() - 8; i < packed.size(); ++i) {
    std::string other = packed;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(gunzip(other, most)) << "checksum and length, byte " << i;
  }
}

TEST(Gzip, TakesNoMoreMemoryThanItMay) {
  const std::string packed = *gzip(std::string(most + 1, 'x'));
  EXPECT_FALSE(gunzip(packed, most));
  EXPECT_TRUE(gunzip(packed, most + 1));
  // What says that it is small, and is not, ends where it said.
  std::string liar = packed;
  liar.replace(liar.size() - 4, 4, std::string("\x10\0\0\0", 4));
  EXPECT_FALSE(gunzip(liar, most));
}

}  // namespace
}  // namespace offshoot::io
