// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "io/redaction.hpp"
#include "store/store.hpp"

namespace offshoot::store {

/// A store into which no secret gets by what people read (requirement C2): artifacts of runs are redacted on their way.
/// States and leases are kept byte for byte: only offshoot and dbt read them.
class RedactingStore final : public Store {
 public:
  RedactingStore(std::unique_ptr<Store> store, const io::Redaction& redaction)
      : store_(std::move(store)), redaction_(redaction) {}
  using Store::put;
  Result<std::optional<Object>> read(const std::string& key) override { return store_->read(key); }
  Result<bool> fetch(const std::string& key, const std::filesystem::path& file) override {
    return store_->fetch(key, file);
  }
  Result<void> put(const std::string& key, std::string_view bytes, const PutOptions& options) override;
  Result<void> put_file(const std::string& key, const std::filesystem::path& file, const PutOptions& options) override;
  Result<Written> put_if(const std::string& key, std::string_view bytes,
                         const std::optional<std::string>& version) override;
  Result<std::vector<Listed>> list_objects(const std::string& prefix) override { return store_->list_objects(prefix); }
  Result<void> remove(const std::string& key) override { return store_->remove(key); }
  Result<int> sweep(std::chrono::seconds older) override { return store_->sweep(older); }
  Result<Link> link(const std::string& key, std::chrono::seconds valid) override { return store_->link(key, valid); }
  [[nodiscard]] std::string location(const std::string& key) const override { return store_->location(key); }
  [[nodiscard]] bool shared() const override { return store_->shared(); }

 private:
  std::unique_ptr<Store> store_;
  const io::Redaction& redaction_;
};

}  // namespace offshoot::store
