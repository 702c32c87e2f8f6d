// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "store/s3_client.hpp"
#include "store/s3_content.hpp"
#include "store/store.hpp"

namespace offshoot::store {

/// A store in a bucket of S3 or of what speaks like it. Each object carries the SHA-256 of its content, which we check
/// when it is read; the server checks what is sent. What gzip shortens is kept so, with the field Content-Encoding, and
/// is read as it was. 16 MiB and more are sent in parts, several at once.
class S3Store final : public Store {
 public:
  S3Store(S3Settings settings, io::Environment environment, AwsProfiles profiles, S3Surroundings surroundings = {});
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
  [[nodiscard]] bool shared() const override { return true; }

 private:
  [[nodiscard]] Result<std::string> full(const std::string& key) const;
  [[nodiscard]] io::HttpHeaders object_headers(const std::string& key, const PutOptions& options,
                                               const std::string& sha256, const char* encoding = "") const;
  [[nodiscard]] std::string within(const std::string& full_key) const;
  Result<bool> holds(const std::string& full_key, const std::string& sha256);
  Result<void> put_whole(const S3Call& call, const std::string& sha256);
  Result<void> put_in_parts(const std::string& key, const Content& content, const std::string& sha256,
                            const PutOptions& options);
  Result<Part> put_part(const std::string& full_key, const std::string& upload, std::size_t number,
                        const Content& content, std::uint64_t offset, std::uint64_t size);
  Result<void> refuse_where_conditions_are_ignored(const std::string& full_key, const S3Call& call);

  S3Client client_;
  std::atomic<bool> keeps_conditions_ = false;  ///< the server was seen to refuse a conditional write
};

/// The store that a setting names: "s3://bucket/prefix". `environment` is all that it reads besides.
Result<std::unique_ptr<Store>> open_s3(const std::string& url, const io::Environment& environment,
                                       S3Surroundings surroundings = {});

}  // namespace offshoot::store
