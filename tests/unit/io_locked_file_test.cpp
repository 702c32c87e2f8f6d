// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/files.hpp"
#include "io/locked_file.hpp"

namespace offshoot::io {
namespace {

/// Whether another process could take the lock that a writer takes.
bool writer_may_come(const std::filesystem::path& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(path.c_str(), O_RDWR);
    struct flock region{};
    region.l_type = F_WRLCK;
    region.l_whence = SEEK_SET;
    ::_exit(::fcntl(fd, F_SETLK, &region) == 0 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Locked : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(write_file(path_, "one")); }
  TemporaryFolder folder_ = TemporaryFolder::make("locked-test").value();
  std::filesystem::path path_ = folder_.path() / "file";
};

TEST_F(Locked, KeepsWritersAwayWhileItLives) {
  {
    const auto locked = LockedFile::lock(path_);
    ASSERT_TRUE(locked && *locked);
    EXPECT_FALSE(writer_may_come(path_));
    // A process's own locks would be gone with this.
    ASSERT_TRUE(read_file(path_));
    EXPECT_FALSE(writer_may_come(path_));
  }
  EXPECT_TRUE(writer_may_come(path_));
}

TEST_F(Locked, KnowsWhetherTheFileIsStillTheSame) {
  const auto locked = LockedFile::lock(path_);
  ASSERT_TRUE(locked && *locked);
  EXPECT_TRUE((*locked)->is_as_it_was());
  ASSERT_TRUE(write_file(path_, "one"));  // another file of the same name and content
  EXPECT_FALSE((*locked)->is_as_it_was());
}

TEST_F(Locked, AnAbsentFileIsAnError) { EXPECT_FALSE(LockedFile::lock(folder_.path() / "none")); }

TEST_F(Locked, CopiesToWhereThereIsNone) {
  ASSERT_TRUE(copy_to_disk(path_, folder_.path() / "copy"));
  EXPECT_EQ(read_file(folder_.path() / "copy").value(), "one");
  EXPECT_FALSE(copy_to_disk(path_, folder_.path() / "copy"));
}

}  // namespace
}  // namespace offshoot::io
