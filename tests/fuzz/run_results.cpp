// SPDX-License-Identifier: Apache-2.0
// dbt's run_results.json, from a file that lives in memory.
#include "dbt/run_results.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "fuzz.hpp"

using namespace offshoot;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("run_results.json", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  const auto results = dbt::read_run_results(path);
  if (!results) fuzz::require(!results.error().why.empty(), "an error says why");
  return 0;
}
