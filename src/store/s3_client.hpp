// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/http.hpp"
#include "io/retry.hpp"
#include "store/credentials.hpp"
#include "store/s3_xml.hpp"

namespace offshoot::store {

/// Which store, and how it is spoken to.
struct S3Settings {
  std::string bucket{};
  std::string prefix{};    ///< of all keys; empty, or without slashes at its ends
  std::string endpoint{};  ///< "http://127.0.0.1:7070"; empty = AWS's own for the region
  std::string region{};    ///< where one begins; the server may name another
  bool path_style = false;
  std::string encryption{};  ///< x-amz-server-side-encryption: AES256, aws:kms, aws:kms:dsse; empty = the bucket's own
  std::string kms_key{};     ///< for aws:kms; empty = AWS's own key
  Query tags{};              ///< of every object that is written
  std::string storage_class{};        ///< empty = the bucket's own
  bool may_pack = true;               ///< whether objects may be kept in gzip's format
  std::chrono::seconds patience{20};  ///< how long an answer may take, or nothing may come in the middle of one
};

/// Takes `url` ("s3://bucket/prefix") apart, and reads the rest from `environment` and the profile: AWS_REGION,
/// AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, OFFSHOOT_S3_ADDRESSING (auto, path, virtual),
/// OFFSHOOT_S3_ENCRYPTION, OFFSHOOT_S3_KMS_KEY, OFFSHOOT_S3_TAGS ("team=data&app=ci"), OFFSHOOT_S3_STORAGE_CLASS,
/// OFFSHOOT_S3_COMPRESSION (gzip, none), OFFSHOOT_S3_PATIENCE (seconds).
Result<S3Settings> s3_settings(const std::string& url, const io::Environment& environment, const AwsProfiles& profiles);

/// One request to S3.
struct S3Call {
  std::string doing{};  ///< for messages: "reading s3://bucket/a"
  std::string method = "GET";
  std::string key{};  ///< with the store's prefix; empty = the bucket itself
  Query query{};
  io::HttpHeaders headers{};
  std::string body{};
  std::optional<io::FilePart> file{};
  std::string sha256{};  ///< of body or file, in hex digits; empty = that of no bytes
  std::filesystem::path into{};
  std::vector<int> also{};  ///< statuses besides 2xx that are an answer: 404, 412
};

/// What a client of S3 is given besides its settings.
struct S3Surroundings {
  std::stop_token stop{};    ///< ends what is being sent
  SecretListener learned{};  ///< see there
  io::Pauses& pauses = io::real_pauses();
};

/// Speaks S3: signs, retries what may be retried (requirement J4), and mends by itself, once a call, what an answer
/// shows to be wrong: the region, this machine's clock, credentials that have expired. A server that gives no answer is
/// waited for twice; after that, calls fail at once for a while, and then try once each, until it answers. May be
/// used by several threads at once. Errors are in words that name bucket, key and credentials, and hold no secret.
class S3Client {
 public:
  S3Client(S3Settings settings, io::Environment environment, AwsProfiles profiles, S3Surroundings surroundings);

  /// An answer with a status of 2xx or one of `call.also`.
  Result<io::HttpResponse> send(const S3Call& call);
  /// A link to `key` that lives for `valid`, a week or as long as the credentials, whichever is shortest.
  Result<Link> presigned(const std::string& key, std::chrono::seconds valid);
  [[nodiscard]] const S3Settings& settings() const { return settings_; }
  /// The server's time, as far as it is known.
  [[nodiscard]] io::Instant now() const;

 private:
  struct Place {
    std::string origin{};  ///< "https://bucket.s3.eu-west-1.amazonaws.com"
    std::string path{};    ///< encoded
  };
  /// The server gave no answer at all.
  struct Absence {
    std::string why{};
    std::chrono::milliseconds ask_again_at{};
  };
  struct Mended;
  using Answer = tl::expected<io::HttpResponse, io::HttpFailure>;

  [[nodiscard]] Place place_of(const std::string& key, const std::string& region) const;
  [[nodiscard]] std::string region() const;
  Answer exchange(const S3Call& call, const Credentials& credentials, bool fresh);
  bool mend(const io::HttpResponse& response, Mended& mended);
  [[nodiscard]] std::optional<Absence> absence() const;
  void note_absence(const Answer& answer);
  [[nodiscard]] Failed no_answer(const S3Call& call, const std::string& why) const;
  [[nodiscard]] Failed explained(const S3Call& call, const io::HttpResponse& response,
                                 const Credentials& credentials) const;

  S3Settings settings_;
  io::Environment environment_;
  std::stop_token stop_;
  io::Pauses& pauses_;
  CredentialChain credentials_;
  mutable std::mutex mutex_;  ///< guards the four below
  std::string region_;
  std::chrono::seconds clock_off_{0};  ///< what is added to this machine's clock
  std::optional<Absence> absence_;
  std::vector<std::unique_ptr<io::HttpClient>> idle_;
};

}  // namespace offshoot::store
