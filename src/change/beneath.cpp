// SPDX-License-Identifier: Apache-2.0
#include "change/beneath.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "change/paths.hpp"

namespace offshoot::change {

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor::~Descriptor() {
  if (number_ < 0) return;
  const int kept = errno;
  close(number_);
  errno = kept;
}

Descriptor open_beneath(int root, std::string_view path, int flags) {
  const auto parts = path_parts(path);
  int folder = fcntl(root, F_DUPFD_CLOEXEC, 0);
  for (std::size_t i = 0; i < parts.size() && folder >= 0; ++i) {
    const Descriptor above(folder);
    if (parts[i] == "..") {
      errno = EXDEV;
      return Descriptor(-1);
    }
    const int wanted = i + 1 == parts.size() ? flags : O_RDONLY | O_DIRECTORY;
    folder = openat(above.get(), std::string(parts[i]).c_str(), wanted | O_NOFOLLOW | O_CLOEXEC);
  }
  return Descriptor(folder);
}

Descriptor open_folder(const std::filesystem::path& folder) {
  return Descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace offshoot::change
