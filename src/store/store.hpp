// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"

namespace offshoot::store {

/// Where runs and states are kept. Keys are '/'-separated; each part is made of A-Za-z0-9._- and is neither "." nor
/// ".." (requirement G5); anything else is refused before it reaches a disk or the network.
///
/// Layout: `<repository id>/{runs/<date>/<run>, state/<key>, branches, locks}`, the same in every kind of store.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// The object's bytes; absent when there is none.
  virtual Result<std::optional<std::string>> get(const std::string& key) = 0;
  /// Writes the whole object or nothing; an older object of that key is replaced.
  virtual Result<void> put(const std::string& key, std::string_view bytes) = 0;
  /// Keys that begin with `prefix`, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& prefix) = 0;
  /// Removes an object; an absent one is no error.
  virtual Result<void> remove(const std::string& key) = 0;
  /// Where a person finds the object: a path or a URL.
  [[nodiscard]] virtual std::string location(const std::string& key) const = 0;
};

/// Whether `key` is well formed, as the class says.
bool is_key(std::string_view key);

/// A store in a folder of the local disk. The folder is made when first written to and ignores itself in git.
class FolderStore final : public Store {
 public:
  explicit FolderStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<std::optional<std::string>> get(const std::string& key) override;
  Result<void> put(const std::string& key, std::string_view bytes) override;
  Result<std::vector<std::string>> list(const std::string& prefix) override;
  Result<void> remove(const std::string& key) override;
  [[nodiscard]] std::string location(const std::string& key) const override;

 private:
  [[nodiscard]] Result<std::filesystem::path> path_of(const std::string& key) const;
  std::filesystem::path folder_;
};

}  // namespace offshoot::store
