// SPDX-License-Identifier: Apache-2.0
#include "store/redacting_store.hpp"

#include "io/files.hpp"

namespace offshoot::store {

namespace {

/// "<repository id>/runs/…"
bool is_artifact(const std::string& key) {
  const auto part = key.find('/');
  return part != std::string::npos && key.compare(part, 6, "/runs/") == 0;
}

}  // namespace

Result<void> RedactingStore::put(const std::string& key, std::string_view bytes, const PutOptions& options) {
  if (!is_artifact(key)) return store_->put(key, bytes, options);
  const std::string clean = redaction_.clean(bytes);
  PutOptions of_clean = options;
  if (clean != bytes) of_clean.sha256.reset();
  return store_->put(key, clean, of_clean);
}

Result<void> RedactingStore::put_file(const std::string& key, const std::filesystem::path& file,
                                      const PutOptions& options) {
  if (!is_artifact(key) || redaction_.empty()) return store_->put_file(key, file, options);
  const auto bytes = io::read_file(file);
  if (!bytes) return tl::unexpected(bytes.error());
  const std::string clean = redaction_.clean(*bytes);
  if (clean == *bytes) return store_->put_file(key, file, options);
  PutOptions of_clean = options;
  of_clean.sha256.reset();
  return store_->put(key, clean, of_clean);
}

Result<Written> RedactingStore::put_if(const std::string& key, std::string_view bytes,
                                       const std::optional<std::string>& version) {
  return store_->put_if(key, is_artifact(key) ? redaction_.clean(bytes) : std::string(bytes), version);
}

}  // namespace offshoot::store
