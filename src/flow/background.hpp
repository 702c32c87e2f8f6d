// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace offshoot::flow {

/// Does jobs one after the other beside everything else.
class Background {
 public:
  Background() : worker_([this](const std::stop_token& ending) { work(ending); }) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  Background(Background&&) = delete;
  Background& operator=(Background&&) = delete;
  /// Waits until all jobs are done.
  ~Background() { finish(); }

  void add(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_one();
  }

  /// Waits until all jobs are done; what they touched belongs to the caller again.
  void finish() {
    if (!worker_.joinable()) return;
    worker_.request_stop();
    worker_.join();
  }

 private:
  void work(const std::stop_token& ending) {
    while (true) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, ending, [this] { return !jobs_.empty(); });
      if (jobs_.empty()) return;
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> jobs_;
  std::jthread worker_;
};

}  // namespace offshoot::flow
