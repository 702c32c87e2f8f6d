// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/deployment.hpp"

namespace offshoot::report {

/// What a deploy or a rollback did to production, one plain sentence: "deployed to prod (swap)".
std::string deployment_title(const Deployment& deployment);

/// The commits that it brought and what became of relations, a line each. Untrusted text, not yet escaped.
std::vector<std::string> deployment_lines(const Deployment& deployment);

}  // namespace offshoot::report
