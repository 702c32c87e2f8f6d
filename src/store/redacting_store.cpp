// SPDX-License-Identifier: Apache-2.0
#include "store/redacting_store.hpp"

namespace offshoot::store {

Result<void> RedactingStore::put(const std::string& key, std::string_view bytes) {
  // "<repository id>/runs/…"
  const auto part = key.find('/');
  const bool artifact = part != std::string::npos && key.compare(part, 6, "/runs/") == 0;
  return store_->put(key, artifact ? redaction_.clean(bytes) : std::string(bytes));
}

}  // namespace offshoot::store
