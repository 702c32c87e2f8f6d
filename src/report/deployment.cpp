// SPDX-License-Identifier: Apache-2.0
#include "report/deployment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/digest.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t most_commits = 20;
constexpr std::size_t most_names = 10;

std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), most_names);
  const std::string list = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<long>(shown), ", "));
  return names.size() > shown ? fmt::format("{} and {} more", list, names.size() - shown) : list;
}

}  // namespace

std::string deployment_title(const Deployment& deployment) {
  if (deployment.mode == "rollback") return fmt::format("{} is rolled back", deployment.target);
  if (deployment.mode == "state-only") return fmt::format("recorded what is deployed to {}", deployment.target);
  return fmt::format("deployed to {} ({})", deployment.target, deployment.mode);
}

std::vector<std::string> deployment_lines(const Deployment& deployment) {
  std::vector<std::string> lines;
  const auto& commits = deployment.contains;
  const std::size_t shown = std::min(commits.size(), most_commits);
  for (std::size_t i = 0; i < shown; ++i) {
    lines.push_back(fmt::format("{} {}", short_sha(commits[i].sha), commits[i].subject));
  }
  if (commits.size() > shown || deployment.contains_more) {
    lines.push_back(commits.size() > shown ? fmt::format("and {} more commits", commits.size() - shown)
                                           : std::string("and maybe more, which this clone does not tell"));
  }
  if (!deployment.exchanged.empty()) lines.push_back("exchanged: " + listed(deployment.exchanged));
  if (!deployment.recreated.empty()) {
    lines.push_back("views outside the plan that read the new relations now: " + listed(deployment.recreated));
  }
  if (!deployment.dropped.empty()) lines.push_back("dropped, for their models are gone: " + listed(deployment.dropped));
  if (!deployment.kept_in.empty()) {
    lines.push_back(
        fmt::format("the version before is kept in {} until {}", deployment.kept_in, deployment.kept_until));
  }
  return lines;
}

}  // namespace offshoot::report
