// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store/store.hpp"

namespace offshoot::store {

/// A store in a folder of the local disk. The folder is made when first written to and ignores itself in git.
/// Conditional writes hold for all processes of this machine.
class FolderStore final : public Store {
 public:
  explicit FolderStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  using Store::put;
  Result<std::optional<Object>> read(const std::string& key) override;
  Result<bool> fetch(const std::string& key, const std::filesystem::path& file) override;
  Result<void> put(const std::string& key, std::string_view bytes, const PutOptions& options) override;
  Result<void> put_file(const std::string& key, const std::filesystem::path& file, const PutOptions& options) override;
  Result<Written> put_if(const std::string& key, std::string_view bytes,
                         const std::optional<std::string>& version) override;
  Result<std::vector<Listed>> list_objects(const std::string& prefix) override;
  Result<void> remove(const std::string& key) override;
  Result<int> sweep(std::chrono::seconds older) override;
  Result<Link> link(const std::string& key, std::chrono::seconds valid) override;
  [[nodiscard]] std::string location(const std::string& key) const override;
  [[nodiscard]] bool shared() const override { return false; }

 private:
  [[nodiscard]] Result<std::filesystem::path> path_of(const std::string& key) const;
  Result<void> make_ready() const;
  Result<void> write(const std::filesystem::path& path, std::string_view bytes) const;
  std::filesystem::path folder_;
};

}  // namespace offshoot::store
