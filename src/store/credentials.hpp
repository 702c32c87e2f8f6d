// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "io/http.hpp"
#include "io/retry.hpp"
#include "store/aws_files.hpp"
#include "store/sigv4.hpp"

namespace offshoot::store {

/// Is told each secret that is got on the way, before it is used: keys and tokens. By the thread that got it.
using SecretListener = std::function<void(const std::string&)>;

/// Finds credentials where AWS's own tools do, in their order, and new ones before the old run out:
/// 1. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY;
/// 2. web identity: AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE, or with the token that GitHub Actions gives a job
///    that has `id-token: write`;
/// 3. a profile of the shared files: keys, or a role_arn to assume with those of source_profile or credential_source;
/// 4. a container's endpoint (ECS, EKS);
/// 5. an instance's metadata (EC2, version 2).
/// May be used by several threads at once.
class CredentialChain {
 public:
  CredentialChain(io::Environment environment, AwsProfiles profiles, std::stop_token stop = {},
                  SecretListener learned = {});

  /// Credentials that are good for now. They are looked for again once a fifth of their life is left.
  Result<Credentials> get(io::Instant now);
  /// The server calls them expired: the next get() looks for new ones.
  void forget();

 private:
  Result<Credentials> find(io::Instant now);
  Result<Credentials> of_profile(const std::string& name, io::Instant now, int depth);
  Result<Credentials> of_source(const std::string& source, const std::string& profile);
  Result<Credentials> of_web_identity(const std::string& role, const std::string& token_file,
                                      const std::string& session);
  Result<Credentials> of_container();
  Result<Credentials> of_instance();
  Result<Credentials> assume_role(const std::string& profile, const Credentials& with, io::Instant now);
  Result<std::string> github_token();
  void tell(const std::string& secret) const;
  Result<Credentials> ask_sts(const Query& form, const Credentials* signed_with, io::Instant now,
                              const std::string& doing);
  Result<std::string> ask(const io::HttpRequest& request, const std::string& doing, const io::RetryPolicy& policy,
                          bool proxied);
  [[nodiscard]] std::string region() const;
  [[nodiscard]] std::string session_name() const;

  io::Environment environment_;
  AwsProfiles profiles_;
  std::stop_token stop_;
  SecretListener learned_;
  std::mutex mutex_;
  std::unique_ptr<io::HttpClient> outside_;  ///< through the proxy, if there is one
  std::unique_ptr<io::HttpClient> inside_;   ///< to this machine's own services, never through a proxy
  std::optional<Credentials> kept_;
  io::Instant renew_at_{};
  std::optional<Failed> failure_;  ///< of the last search
  std::chrono::steady_clock::time_point ask_again_at_{};
};

}  // namespace offshoot::store
