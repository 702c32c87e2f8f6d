// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "model/build.hpp"

namespace offshoot::report {

struct ProgressOptions {
  bool terminal = false;   ///< live lines that are redrawn; else one plain line an event
  bool colour = false;     ///< ANSI colours
  std::size_t width = 80;  ///< columns of the terminal
  std::size_t height = 8;  ///< most live lines at a time
};

/// Shows a build while it runs. On a terminal each running node has a live line, erased at the end; elsewhere each
/// event is one line. Safe to call from several threads. What comes from the project holds no control character and is
/// no workflow command.
class Progress {
 public:
  using Sink = std::function<void(std::string_view)>;
  using Clock = std::function<double()>;  ///< seconds, from any fixed start

  Progress(Sink sink, Clock clock, ProgressOptions options = {});
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;
  /// Erases the live lines.
  ~Progress();

  /// How many nodes are going to be built; shown as "3 of 12". 0 = not known.
  void expect(std::size_t nodes);
  void stage(std::string_view name);
  void note(std::string_view text);
  void node_started(const std::string& unique_id);
  void node_finished(const NodeResult& result);
  /// Redraws the live lines so that their seconds move on; does nothing elsewhere.
  void tick();

 private:
  struct Running {
    std::string unique_id;
    double started = 0;
  };

  void print(const std::string& line);
  void draw();
  [[nodiscard]] std::string erased() const;
  [[nodiscard]] std::string live_lines();
  [[nodiscard]] std::string count() const;

  std::mutex mutex_;
  Sink sink_;
  Clock clock_;
  ProgressOptions options_;
  std::map<std::size_t, Running> running_;  ///< by order of start
  std::size_t next_ = 0;
  std::size_t drawn_ = 0;  ///< live lines on the screen
  std::size_t expected_ = 0;
  std::size_t finished_ = 0;
};

}  // namespace offshoot::report
