// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "model/change.hpp"

namespace offshoot {

/// What a deploy or a rollback did to production, once it is done.
struct Deployment {
  std::string target{};                  ///< production's, in profiles.yml
  std::string mode{};                    ///< "in-place", "swap", "promote", "state-only", "rollback"
  std::string before{};                  ///< sha that was deployed before; empty = not known
  std::vector<Commit> contains{};        ///< the branch's commits since then, newest first; subjects are untrusted text
  bool contains_more = false;            ///< `contains` is cut, or the clone does not hold all of them
  std::vector<std::string> exchanged{};  ///< relations of production that were replaced, rendered
  std::vector<std::string> recreated{};  ///< views outside the plan that were bound to the new relations, rendered
  std::vector<std::string> dropped{};    ///< relations of removed models, rendered
  std::string kept_in{};                 ///< where the previous relations are; empty = nowhere
  std::string kept_until{};              ///< RFC 3339, UTC
  bool operator==(const Deployment&) const = default;
};

}  // namespace offshoot
