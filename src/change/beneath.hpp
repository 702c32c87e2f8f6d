// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace offshoot::change {

/// An open file descriptor, closed when this goes; -1 = none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&&) = delete;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }

 private:
  int number_;
};

/// Opens `path` below the folder `root` with `flags`. No symbolic link on the way is followed, and ".." is refused:
/// the result lies below `root` or is not open, and then errno says why.
Descriptor open_beneath(int root, std::string_view path, int flags);

/// Opens a folder by its full path; links on the way are followed.
Descriptor open_folder(const std::filesystem::path& folder);

}  // namespace offshoot::change
