// SPDX-License-Identifier: Apache-2.0
#include "report/progress.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/paint.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t longest_name = 120;
constexpr std::size_t longest_message = 400;

Paint::Tone tone(NodeStatus status) {
  if (status == NodeStatus::warn) return Paint::Tone::warn;
  return is_failing(status) ? Paint::Tone::bad : Paint::Tone::good;
}

std::string_view icon(NodeStatus status) {
  if (status == NodeStatus::warn) return "!";
  if (status == NodeStatus::skipped || status == NodeStatus::not_run) return "○";
  return is_failing(status) ? "✗" : "✓";
}

/// "model fct_orders"
std::string title(const std::string& unique_id) {
  const std::string type = unique_id.substr(0, unique_id.find('.'));
  return one_line(type == unique_id ? type : type + " " + short_name(unique_id), longest_name);
}

}  // namespace

Progress::Progress(Sink sink, Clock clock, ProgressOptions options)
    : sink_(std::move(sink)), clock_(std::move(clock)), options_(options) {}

Progress::~Progress() {
  const std::lock_guard lock(mutex_);
  if (drawn_ > 0) sink_(erased());
}

void Progress::expect(std::size_t nodes) {
  const std::lock_guard lock(mutex_);
  expected_ = nodes;
}

void Progress::stage(std::string_view name) {
  const std::lock_guard lock(mutex_);
  print(Paint(options_.colour)("▸ ", Paint::Tone::dim) + one_line(name, longest_name));
}

void Progress::note(std::string_view text) {
  const std::lock_guard lock(mutex_);
  print("  " + one_line(text, longest_message));
}

void Progress::node_started(const std::string& unique_id) {
  const std::lock_guard lock(mutex_);
  running_.emplace(next_++, Running{unique_id, clock_()});
  if (options_.terminal) {
    draw();
  } else {
    print(fmt::format("  … {}", title(unique_id)));
  }
}

void Progress::node_finished(const NodeResult& result) {
  const std::lock_guard lock(mutex_);
  ++finished_;
  std::erase_if(running_, [&](const auto& entry) { return entry.second.unique_id == result.unique_id; });
  const Paint paint(options_.colour);
  std::string line = fmt::format("  {} {}{} {}", paint(icon(result.status), tone(result.status)), count(),
                                 title(result.unique_id), paint(status_word(result.status), tone(result.status)));
  if (result.seconds > 0) line += " " + paint(duration(result.seconds), Paint::Tone::dim);
  if ((is_failing(result.status) || result.status == NodeStatus::warn) && !result.message.empty()) {
    line += ": " + one_line(result.message, longest_message);
  }
  print(line);
}

void Progress::tick() {
  const std::lock_guard lock(mutex_);
  if (options_.terminal && drawn_ > 0) draw();
}

/// One line for good; the live lines move below it.
void Progress::print(const std::string& line) {
  std::string out = erased() + without_commands(line) + "\n";
  out += live_lines();
  sink_(out);
}

void Progress::draw() {
  std::string out = erased();  // before live_lines, which counts anew
  out += live_lines();
  sink_(out);
}

/// What takes the live lines off the screen.
std::string Progress::erased() const { return drawn_ == 0 ? std::string() : fmt::format("\x1B[{}F\x1B[J", drawn_); }

/// One line for each running node, as many as there is room for; none but on a terminal.
std::string Progress::live_lines() {
  drawn_ = 0;
  if (!options_.terminal) return {};
  const Paint paint(options_.colour);
  std::string out;
  for (const auto& [order, running] : running_) {
    if (drawn_ == options_.height) break;
    const bool last_of_many = drawn_ + 1 == options_.height && running_.size() > options_.height;
    const std::string line =
        last_of_many ? fmt::format("  … and {} more", running_.size() - drawn_)
                     : fmt::format("  ⋯ {}  {}", title(running.unique_id), duration(clock_() - running.started));
    // A line as wide as the terminal would wrap on some, and then be two.
    const std::size_t room = options_.width > 1 ? options_.width - 1 : 1;
    out += paint(first_columns(without_commands(line), room), Paint::Tone::dim) + "\n";
    ++drawn_;
  }
  return out;
}

/// "3/12 ", where the number of nodes is known.
std::string Progress::count() const {
  return expected_ == 0 ? std::string() : fmt::format("{}/{} ", finished_, expected_);
}

}  // namespace offshoot::report
