// SPDX-License-Identifier: Apache-2.0
// The corpus of one target, file by file, without a fuzzer: OFFSHOOT_CORPUS is its folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include "fuzz.hpp"
#include "io/files.hpp"

namespace {

class Replay : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Replay, G3_EndsAsPromised) {
  const auto bytes = offshoot::io::read_file(GetParam());
  ASSERT_TRUE(bytes) << bytes.error().why;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size());
}

std::vector<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(OFFSHOOT_CORPUS)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

INSTANTIATE_TEST_SUITE_P(Corpus, Replay, testing::ValuesIn(corpus()), [](const auto& file) {
  std::string name = file.param.filename().string();
  std::replace_if(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

}  // namespace
