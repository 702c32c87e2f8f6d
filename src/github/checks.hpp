// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "github/client.hpp"
#include "model/announcement.hpp"

namespace offshoot::github {

/// The check runs of one run, on the pull request's head commit.
class Checks {
 public:
  /// `run_id` tells this run's from those of others; `details_url` is the workflow run's page, or empty.
  Checks(Client& client, std::string head_sha, std::string run_id, std::string details_url);

  /// Creates one, waiting or running. After a refusal of the token nothing further is asked for.
  Answer<void> queue(const CheckReport& report);
  /// Says how it ended; one that was never created is created so.
  Answer<void> complete(const CheckReport& report);

  /// The app of the token, as GitHub's answers told; 0 = not known.
  [[nodiscard]] std::int64_t app_id() const { return app_id_; }
  [[nodiscard]] bool forbidden() const { return forbidden_; }

 private:
  Answer<void> create(const CheckReport& report);
  template <class T>
  Answer<T> noting(Answer<T> answer);

  Client& client_;
  std::string head_sha_;
  std::string run_id_;
  std::string details_url_;
  std::map<std::string, std::int64_t> ids_{};  ///< by the report's name
  std::int64_t app_id_ = 0;
  bool forbidden_ = false;
};

/// What a check run is called on GitHub: "offshoot / build".
std::string check_name(const CheckReport& report);

/// What is sent of a report, within GitHub's limits: at most 50 annotations, the most severe, and the summary says how
/// many more there are.
Json check_body(const CheckReport& report);

}  // namespace offshoot::github
