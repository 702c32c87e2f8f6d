// SPDX-License-Identifier: Apache-2.0
#include "io/locked_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace offshoot::io {

namespace {

std::string error_text(int number) { return std::generic_category().message(number); }

long long nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

}  // namespace

Result<std::optional<LockedFile>> LockedFile::lock(const std::filesystem::path& path) {
  const std::string doing = "locking " + path.string();
  LockedFile file;
  file.path_ = path;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.fd_ < 0) return failed(ExitStatus::could_not_run, doing, error_text(errno));
  // A lock of the open file: one of the process would go as soon as anything here closes that file.
  struct flock region{};
  region.l_type = F_RDLCK;
  region.l_whence = SEEK_SET;
  if (::fcntl(file.fd_, F_OFD_SETLK, &region) != 0) {
    if (errno == EACCES || errno == EAGAIN) return std::optional<LockedFile>{};
    return failed(ExitStatus::could_not_run, doing, error_text(errno));
  }
  struct stat about{};
  if (::fstat(file.fd_, &about) != 0) return failed(ExitStatus::could_not_run, doing, error_text(errno));
  file.size_ = about.st_size;
  file.changed_ns_ = nanoseconds(about.st_mtim);
  return std::optional(std::move(file));
}

LockedFile::LockedFile(LockedFile&& other) noexcept { *this = std::move(other); }

LockedFile& LockedFile::operator=(LockedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(changed_ns_, other.changed_ns_);
  return *this;
}

LockedFile::~LockedFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool LockedFile::is_as_it_was() const {
  struct stat there{};
  struct stat ours{};
  return ::stat(path_.c_str(), &there) == 0 && ::fstat(fd_, &ours) == 0 && there.st_dev == ours.st_dev &&
         there.st_ino == ours.st_ino && ours.st_size == size_ && nanoseconds(ours.st_mtim) == changed_ns_;
}

Result<void> copy_to_disk(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::copy_file(from, to, error);
  if (error) {
    return failed(ExitStatus::could_not_run, "copying " + from.string() + " to " + to.string(), error.message(),
                  error == std::errc::no_space_on_device ? "free some space on that disk" : "");
  }
  return sync(to);
}

Result<void> sync(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  const int number = errno;
  if (fd >= 0) ::close(fd);
  if (!done) return failed(ExitStatus::could_not_run, "writing " + path.string() + " to the disk", error_text(number));
  return {};
}

}  // namespace offshoot::io
