// SPDX-License-Identifier: Apache-2.0
#include "store/folder_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "io/files.hpp"

namespace offshoot::store {

namespace fs = std::filesystem;

namespace {

// What the folder holds besides objects. Writes begin in `staging`, on the same disk, and are renamed when whole.
constexpr const char* ignore_name = ".gitignore";
constexpr const char* lock_name = ".lock";
constexpr const char* staging_name = ".staging";

io::Instant modified_of(const struct stat& about) { return io::Instant(std::chrono::seconds(about.st_mtim.tv_sec)); }

std::string unique_name() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{:016x}{:016x}", random(), random());
}

/// Held by one process and thread of this machine at a time; the system frees it when the process ends.
class FolderLock {
 public:
  static Result<FolderLock> take(const fs::path& file) {
    const std::string doing = "locking " + file.string();
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return failed(ExitStatus::could_not_run, doing, std::generic_category().message(errno));
    FolderLock lock(fd);
    // It is held for an instant only, but its holder may have been stopped in that instant.
    for (int tries = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++tries) {
      if (errno != EWOULDBLOCK && errno != EINTR) {
        return failed(ExitStatus::could_not_run, doing, std::generic_category().message(errno));
      }
      if (tries == 3000) return failed(ExitStatus::locked, doing, "another process has held it for 15 s");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace

Result<fs::path> FolderStore::path_of(const std::string& key) const {
  const std::string first = key.substr(0, key.find('/'));
  if (!is_key(key) || first == ignore_name || first == lock_name || first == staging_name) {
    return failed(ExitStatus::refused, "looking into the store " + folder_.string(),
                  fmt::format("'{}' is not a key", key));
  }
  return folder_ / key;
}

Result<std::optional<Object>> FolderStore::read(const std::string& key) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  struct stat about{};
  if (::stat(path->c_str(), &about) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::optional<Object>{};
  auto bytes = io::read_file(*path);
  if (!bytes) return tl::unexpected(bytes.error());
  std::string version = io::sha256_hex(*bytes);
  return std::optional(Object{std::move(*bytes), std::move(version), modified_of(about), io::now()});
}

Result<bool> FolderStore::fetch(const std::string& key, const fs::path& file) {
  const auto object = read(key);
  if (!object) return tl::unexpected(object.error());
  if (!*object) return false;
  if (auto written = io::write_file(file, (*object)->bytes, 0600); !written) return tl::unexpected(written.error());
  return true;
}

Result<void> FolderStore::make_ready() const {
  std::error_code error;
  fs::create_directories(folder_ / staging_name, error);
  if (error) return failed(ExitStatus::could_not_run, "making the store " + folder_.string(), error.message());
  if (fs::exists(folder_ / ignore_name, error)) return {};
  return io::write_file(folder_ / ignore_name, "*\n");
}

Result<void> FolderStore::write(const fs::path& path, std::string_view bytes) const {
  if (auto ready = make_ready(); !ready) return ready;
  const fs::path staged = folder_ / staging_name / unique_name();
  if (auto written = io::write_file(staged, bytes); !written) return written;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (!error) fs::rename(staged, path, error);
  if (!error) return {};
  std::error_code ignored;
  fs::remove(staged, ignored);
  return failed(ExitStatus::could_not_run, "writing " + path.string(), error.message());
}

Result<void> FolderStore::put(const std::string& key, std::string_view bytes, const PutOptions&) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  return write(*path, bytes);
}

Result<void> FolderStore::put_file(const std::string& key, const fs::path& file, const PutOptions& options) {
  const auto bytes = io::read_file(file);
  if (!bytes) return tl::unexpected(bytes.error());
  return put(key, *bytes, options);
}

Result<Written> FolderStore::put_if(const std::string& key, std::string_view bytes,
                                    const std::optional<std::string>& version) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  if (auto ready = make_ready(); !ready) return tl::unexpected(ready.error());
  const auto lock = FolderLock::take(folder_ / lock_name);
  if (!lock) return tl::unexpected(lock.error());
  const auto now = read(key);
  if (!now) return tl::unexpected(now.error());
  if (version ? !*now || (*now)->version != *version : now->has_value()) return Written{};
  if (auto written = write(*path, bytes); !written) return tl::unexpected(written.error());
  return Written{true, io::sha256_hex(bytes)};
}

Result<std::vector<Listed>> FolderStore::list_objects(const std::string& prefix) {
  std::vector<Listed> objects;
  // Only the folders that can hold such keys are walked.
  const auto slash = prefix.rfind('/');
  const fs::path begin = slash == std::string::npos ? folder_ : folder_ / prefix.substr(0, slash);
  if (slash != std::string::npos && !is_key(prefix.substr(0, slash))) return objects;
  std::error_code error;
  for (fs::recursive_directory_iterator it(begin, error), end; !error && it != end; it.increment(error)) {
    const std::string key = it->path().lexically_relative(folder_).generic_string();
    if (key == staging_name) it.disable_recursion_pending();
    if (key == ignore_name || key == lock_name || !key.starts_with(prefix) || !is_key(key)) continue;
    struct stat about{};
    if (::lstat(it->path().c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    objects.push_back({key, static_cast<std::uint64_t>(about.st_size), modified_of(about)});
  }
  if (error && error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory) {
    return failed(ExitStatus::could_not_run, "listing the store " + folder_.string(), error.message());
  }
  std::ranges::sort(objects, {}, &Listed::key);
  return objects;
}

Result<void> FolderStore::remove(const std::string& key) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  std::error_code error;
  fs::remove(*path, error);
  if (error && error != std::errc::not_a_directory) {
    return failed(ExitStatus::could_not_run, "removing " + path->string(), error.message());
  }
  // Folders that became empty go as well: in S3 there would be none.
  for (fs::path folder = path->parent_path(); folder != folder_; folder = folder.parent_path()) {
    if (::rmdir(folder.c_str()) != 0) break;
  }
  return {};
}

Result<int> FolderStore::sweep(std::chrono::seconds older) {
  int removed = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder_ / staging_name, error), end; !error && it != end; it.increment(error)) {
    struct stat about{};
    if (::lstat(it->path().c_str(), &about) != 0 || io::now() - modified_of(about) < older) continue;
    std::error_code ignored;
    if (fs::remove(it->path(), ignored)) ++removed;
  }
  return removed;
}

Result<Link> FolderStore::link(const std::string& key, std::chrono::seconds) {
  const auto path = path_of(key);
  if (!path) return tl::unexpected(path.error());
  return Link{"file://" + fs::absolute(*path).string(), std::nullopt};
}

std::string FolderStore::location(const std::string& key) const { return (folder_ / key).string(); }

}  // namespace offshoot::store
