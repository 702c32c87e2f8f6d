// SPDX-License-Identifier: Apache-2.0
#include "io/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <system_error>
#include <vector>

namespace offshoot::io {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

std::string error_text(int number) { return std::generic_category().message(number); }

/// Closes its descriptor when it goes.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

std::string hex_digits(const unsigned char* bytes, unsigned size) {
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Reads the whole file. `make_room` gives the place for that many bytes, and keeps those that it held before. Returns
/// how many there are.
Result<std::size_t> read_into(const fs::path& path, std::uintmax_t limit,
                              const std::function<char*(std::size_t)>& make_room) {
  const std::string doing = "reading " + path.string();
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed(ExitStatus::usage, doing, error_text(errno));
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return failed(ExitStatus::could_not_run, doing, error_text(errno));
  if (S_ISDIR(about.st_mode)) return failed(ExitStatus::usage, doing, "it is a folder");
  if (static_cast<std::uintmax_t>(about.st_size) > limit) {
    return failed(ExitStatus::usage, doing,
                  fmt::format("it has {} bytes; at most {} are accepted", about.st_size, limit));
  }
  constexpr std::size_t room_to_see_the_end = 64;  // so that the last read finds it without growing a large buffer
  std::size_t room = static_cast<std::size_t>(about.st_size) + room_to_see_the_end;
  char* bytes = make_room(room);
  std::size_t have = 0;
  while (true) {
    if (have == room) {  // also files whose size says 0, such as those under /proc
      if (have > limit) return failed(ExitStatus::usage, doing, fmt::format("it has more than {} bytes", limit));
      room *= 2;
      bytes = make_room(room);
    }
    const ssize_t n = ::read(file.get(), bytes + have, room - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(ExitStatus::could_not_run, doing, error_text(errno));
    if (n == 0) return have;
    have += static_cast<std::size_t>(n);
  }
}

}  // namespace

Buffer::Buffer(std::size_t size) : size_(size) {
  // Large ones begin at a huge page: one fault then stands for 512.
  const std::size_t room = size + padding;
  if (room < huge_page) {
    bytes_.reset(static_cast<char*>(std::malloc(room)));
  } else {
    const std::size_t pages = (room + huge_page - 1) / huge_page;
    bytes_.reset(static_cast<char*>(std::aligned_alloc(huge_page, pages * huge_page)));
    if (bytes_) ::madvise(bytes_.get(), pages * huge_page, MADV_HUGEPAGE);
  }
  if (!bytes_) throw std::bad_alloc();
}

void prefer_huge_pages(void* memory, std::size_t size) {
  if (std::align(huge_page, huge_page, memory, size) != nullptr)
    ::madvise(memory, size / huge_page * huge_page, MADV_HUGEPAGE);
}

void Buffer::end_at(std::size_t size) {
  size_ = size;
  std::memset(bytes_.get() + size, 0, padding);
}

void Buffer::Free::operator()(char* bytes) const { std::free(bytes); }

Buffer Buffer::copy_of(std::string_view bytes) {
  Buffer buffer(bytes.size());
  std::copy(bytes.begin(), bytes.end(), buffer.bytes_.get());
  buffer.end_at(bytes.size());
  return buffer;
}

Result<Buffer> read_buffer(const fs::path& path, std::uintmax_t limit) {
  Buffer buffer;
  const auto size = read_into(path, limit, [&](std::size_t room) {
    Buffer larger(room);
    std::copy_n(buffer.bytes_.get(), buffer.size(), larger.bytes_.get());
    buffer = std::move(larger);
    return buffer.bytes_.get();
  });
  if (!size) return tl::unexpected(size.error());
  buffer.end_at(*size);
  return buffer;
}

Result<std::string> read_file(const fs::path& path, std::uintmax_t limit) {
  std::string bytes;
  const auto size = read_into(path, limit, [&](std::size_t room) {
    bytes.resize(room);
    return bytes.data();
  });
  if (!size) return tl::unexpected(size.error());
  bytes.resize(*size);
  return bytes;
}

Result<void> write_file(const fs::path& path, std::string_view bytes, unsigned mode) {
  const std::string doing = "writing " + path.string();
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) return failed(ExitStatus::could_not_run, doing, error.message());

  std::string beside = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) return failed(ExitStatus::could_not_run, doing, error_text(errno));
  const bool written =
      ::fchmod(file.get(), static_cast<mode_t>(mode)) == 0 && write_all(file.get(), bytes) && ::fsync(file.get()) == 0;
  if (!written || ::rename(beside.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(beside.c_str());
    return failed(ExitStatus::could_not_run, doing, error_text(number),
                  number == ENOSPC ? "free some space on that disk" : "");
  }
  return {};
}

Result<void> append_file(const fs::path& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (file.get() >= 0 && write_all(file.get(), bytes)) return {};
  return failed(ExitStatus::could_not_run, "writing " + path.string(), error_text(errno));
}

Result<TemporaryFolder> TemporaryFolder::make(std::string_view purpose) {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string name = (error ? fs::path("/tmp") : parent) / fmt::format("offshoot-{}-XXXXXX", purpose);
  if (::mkdtemp(name.data()) == nullptr) {
    return failed(ExitStatus::could_not_run, "making a temporary folder " + name, error_text(errno),
                  "set TMPDIR to a folder that can be written to");
  }
  return TemporaryFolder(fs::path(name));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) {
  other.path_.clear();
}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  if (path_.empty()) return;
  std::error_code ignored;  // what cannot be removed now is the temporary folder's own business
  fs::remove_all(path_, ignored);
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return hex_digits(digest.data(), size);
}

Result<std::string> sha256_hex_of_file(const fs::path& path, std::uint64_t offset, std::uint64_t size) {
  const std::string doing = "reading " + path.string();
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed(ExitStatus::usage, doing, error_text(errno));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<char> buffer(std::size_t{256} * 1024);
  while (size > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size()));
    const ssize_t n = ::pread(file.get(), buffer.data(), wanted, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(ExitStatus::could_not_run, doing, error_text(errno));
    if (n == 0) break;
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
    size -= static_cast<std::uint64_t>(n);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &digest_size);
  return hex_digits(digest.data(), digest_size);
}

}  // namespace offshoot::io
