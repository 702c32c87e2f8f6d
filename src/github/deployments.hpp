// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "github/client.hpp"

namespace offshoot::github {

/// A deployment as GitHub keeps it.
struct DeploymentRequest {
  std::string sha{};
  std::string environment{};  ///< "shop_pr_7", "production"
  std::string description{};
  std::string run_id{};     ///< tells this run's deployment from others
  bool production = false;  ///< else it goes away with its pull request
};

enum class DeploymentState { in_progress, success, failure, error, inactive };

/// Records that something is being deployed; returns the deployment's id.
Answer<std::int64_t> begin_deployment(Client& client, const DeploymentRequest& request);

/// Says how it stands. `log_url` and `description` may be empty.
Answer<void> set_deployment_state(Client& client, std::int64_t id, DeploymentState state, const std::string& log_url,
                                  const std::string& description);

enum class End {
  under_way,  ///< those whose run was killed and left them so (requirement L5: no eternal "in progress")
  all,        ///< also those that stand: what they deployed is gone
};

/// Ends the newest deployments to `environment`: those under way become `error`, those that stand `inactive`. Returns
/// how many.
Answer<int> end_deployments(Client& client, const std::string& environment, const std::string& log_url, End which);

}  // namespace offshoot::github
