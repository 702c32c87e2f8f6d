// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/sanitizer.hpp"
#ifdef OFFSHOOT_ADDRESS_SANITIZER
#include <sanitizer/lsan_interface.h>
#endif

#include "io/files.hpp"
#include "io/process.hpp"

namespace offshoot::change::testing {

/// While this lives, leaks are not looked for: libgit2 1.5 leaks when a walk meets the end of a shallow clone, and when
/// it opens a repository with extensions.
class LibraryLeaks {
 public:
#ifdef OFFSHOOT_ADDRESS_SANITIZER
  LibraryLeaks() { __lsan_disable(); }
  ~LibraryLeaks() { __lsan_enable(); }
#else
  LibraryLeaks() = default;
  ~LibraryLeaks() = default;
#endif
  LibraryLeaks(const LibraryLeaks&) = delete;
  LibraryLeaks& operator=(const LibraryLeaks&) = delete;
};

/// A folder of a test's own with real git repositories, made by the git command with no settings but ours.
class GitFolder {
 public:
  GitFolder() : folder_(io::TemporaryFolder::make("change-test").value()) {}

  [[nodiscard]] std::filesystem::path path(const std::string& name = "repo") const { return folder_.path() / name; }

  /// Runs git in the folder `name`, and gives its output without the last newline.
  std::string git(const std::vector<std::string>& arguments, const std::string& name = "repo") const {
    io::Command command;
    command.argv = {"git", "-c", "protocol.file.allow=always"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.folder = std::filesystem::exists(path(name)) ? path(name) : folder_.path();
    command.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                           {"HOME", folder_.path().native()},
                           {"GIT_CONFIG_NOSYSTEM", "1"},
                           {"GIT_AUTHOR_NAME", "A"},
                           {"GIT_AUTHOR_EMAIL", "a@example.com"},
                           {"GIT_COMMITTER_NAME", "A"},
                           {"GIT_COMMITTER_EMAIL", "a@example.com"},
                           {"GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"},
                           {"GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"}};
    const auto output = io::run(command);
    if (!output || !output->exit.ok()) {
      ADD_FAILURE() << "git " << arguments.front() << ": " << (output ? output->err : output.error().why);
      return "";
    }
    std::string text = output->out;
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  void init(const std::string& name = "repo") const {
    std::filesystem::create_directories(path(name));
    git({"init", "-q", "-b", "main"}, name);
  }

  void write(const std::string& file, const std::string& bytes, const std::string& name = "repo") const {
    const std::filesystem::path full = path(name) / file;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << bytes;
  }

  [[nodiscard]] static std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// Commits everything, and gives the commit's sha.
  std::string commit(const std::string& message, const std::string& name = "repo") const {
    git({"add", "-A"}, name);
    git({"commit", "-q", "--allow-empty", "-m", message}, name);
    return git({"rev-parse", "HEAD"}, name);
  }

 private:
  io::TemporaryFolder folder_;
};

}  // namespace offshoot::change::testing
