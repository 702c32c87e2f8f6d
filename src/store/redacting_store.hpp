// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "io/redaction.hpp"
#include "store/store.hpp"

namespace offshoot::store {

/// A store into which no secret gets by what people read (requirement C2): artifacts of runs are redacted on their way.
/// States are kept byte for byte: only offshoot and dbt read them.
class RedactingStore final : public Store {
 public:
  RedactingStore(std::unique_ptr<Store> store, const io::Redaction& redaction)
      : store_(std::move(store)), redaction_(redaction) {}
  Result<std::optional<std::string>> get(const std::string& key) override { return store_->get(key); }
  Result<void> put(const std::string& key, std::string_view bytes) override;
  Result<std::vector<std::string>> list(const std::string& prefix) override { return store_->list(prefix); }
  Result<void> remove(const std::string& key) override { return store_->remove(key); }
  [[nodiscard]] std::string location(const std::string& key) const override { return store_->location(key); }

 private:
  std::unique_ptr<Store> store_;
  const io::Redaction& redaction_;
};

}  // namespace offshoot::store
