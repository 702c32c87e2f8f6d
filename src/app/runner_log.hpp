// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <ostream>
#include <string>
#include <string_view>

namespace offshoot::app {

/// While it lives, GitHub's runner takes no line of the log for a command (requirement B4): what a project's own code
/// makes offshoot or dbt say stays text. The word that ends this is made of 128 random bits, and no child learns it.
class CommandsStopped {
 public:
  explicit CommandsStopped(std::ostream& commands);
  CommandsStopped(const CommandsStopped&) = delete;
  CommandsStopped& operator=(const CommandsStopped&) = delete;
  ~CommandsStopped();
  /// Commands of our own, whole lines: they are taken, and nothing after them. By any thread.
  void tell(std::string_view commands);

 private:
  std::string stop();
  std::ostream& commands_;
  std::mutex mutex_;  ///< guards the word
  std::string word_;
};

}  // namespace offshoot::app
