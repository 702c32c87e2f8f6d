// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"

namespace offshoot::io {

/// A child's environment is a value. The process's own is read once, in main.
using Environment = std::map<std::string, std::string>;

/// A program to start: never through a shell.
struct Command {
  std::vector<std::string> argv;  ///< argv[0] is a path, or a name looked up on `environment`'s PATH
  Environment environment{};
  std::filesystem::path folder{};  ///< working folder; empty = ours
};

/// How a child ended.
struct Exit {
  int status = 0;  ///< exit status; meaningless when `signal` is set
  int signal = 0;  ///< the signal that ended it; 0 = it exited
  bool timed_out = false;
  bool cancelled = false;
  [[nodiscard]] bool ok() const { return signal == 0 && status == 0 && !timed_out && !cancelled; }
};

struct Output {
  Exit exit{};
  std::string out;  ///< standard output, cut at `RunOptions::keep` bytes
  std::string err;
};

struct RunOptions {
  std::chrono::milliseconds limit{std::chrono::hours(5) + std::chrono::minutes(45)};
  std::size_t keep = 256U << 20;  ///< bytes kept of each stream
  std::stop_token stop{};         ///< when requested: SIGINT to the child's group, then SIGTERM, then SIGKILL
};

/// Starts a child in a process group of its own (signal dispositions reset, standard input from /dev/null, dying with
/// us), waits for its end, and returns what it wrote. An error means that it could not be started at all.
Result<Output> run(const Command& command, const RunOptions& options = {});

/// Where `program` is on the PATH of `environment`; absent = nowhere.
std::optional<std::filesystem::path> find_program(std::string_view program, const Environment& environment);

/// A child that is talked to by lines on two descriptors of its own (3: it reads, 4: it writes); its standard output
/// and error go to the file `log`.
class LineChild {
 public:
  static Result<LineChild> start(const Command& command, const std::filesystem::path& log);
  LineChild(LineChild&& other) noexcept;
  LineChild& operator=(LineChild&& other) noexcept;
  LineChild(const LineChild&) = delete;
  LineChild& operator=(const LineChild&) = delete;
  /// Closes the descriptors, waits a moment, then ends the child's group.
  ~LineChild();

  /// Sends one line (without its newline). False: the child is gone.
  bool send(std::string_view line);
  /// The next line that the child wrote. Absent: it closed its side or ended, or `wait` passed, or `stop` was asked
  /// for; `ended()` tells which.
  std::optional<std::string> receive(std::chrono::milliseconds wait, const std::stop_token& stop = {});
  [[nodiscard]] bool ended() const;
  /// Sends a signal to the child's group.
  void signal(int number);
  /// Waits for its end, at most `wait`.
  std::optional<Exit> wait_for_end(std::chrono::milliseconds wait);

 private:
  struct State;
  explicit LineChild(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace offshoot::io
