// SPDX-License-Identifier: Apache-2.0
#include "flow/review.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "io/files.hpp"
#include "io/json.hpp"
#include "report/verdict.hpp"

namespace offshoot::flow {

using nlohmann::json;

namespace {

constexpr std::size_t most_named = 10;

/// One for each dbt project of a repository.
std::string key_of(const Context& context, const Commit& head) {
  return fmt::format("{}/branches/checked/{}-{}.json", context.origin.repository_id, head.tree_sha,
                     io::sha256_hex(context.settings.dbt.project).substr(0, 8));
}

std::string named(const std::vector<std::string>& nodes) {
  const auto shown = std::min(nodes.size(), most_named);
  const std::string names = fmt::format("{}", fmt::join(nodes.begin(), nodes.begin() + static_cast<long>(shown), ", "));
  return nodes.size() > shown ? fmt::format("{} and {} more", names, nodes.size() - shown) : names;
}

/// What was planned in one place and not in the other.
void note_difference(const Review& review, const Plan& plan, Run& run) {
  std::set<std::string> planned;
  for (const auto& node : plan.nodes) planned.insert(node.unique_id);
  std::vector<std::string> more;
  std::vector<std::string> fewer;
  std::ranges::set_difference(planned, review.nodes, std::back_inserter(more));
  std::ranges::set_difference(review.nodes, planned, std::back_inserter(fewer));
  if (!more.empty()) {
    run.notes.push_back(
        fmt::format("Built here and not in the check of this tree (run {}): {}.", review.run, named(more)));
  }
  if (!fewer.empty()) {
    run.notes.push_back(
        fmt::format("Built in the check of this tree (run {}) and not here: {}.", review.run, named(fewer)));
  }
}

}  // namespace

std::optional<Review> review_of(const Context& context, const Commit& head) {
  const auto bytes = context.store.get(key_of(context, head));
  const auto parsed = bytes && *bytes ? io::parse_json(**bytes, "reading a review") : Result<json>(json());
  if (!parsed) return std::nullopt;
  try {
    return Review{parsed->at("run"), parsed->at("passed"), parsed->at("nodes")};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void keep_review(const Context& context, const Run& run) {
  const Change* change = run.change.finished();
  const Plan* plan = run.plan.finished();
  if (context.head_trust != HeadTrust::trusted || change == nullptr || plan == nullptr || change->uncommitted) return;
  json nodes = json::array();
  for (const auto& node : plan->nodes) nodes.push_back(node.unique_id);
  const json review{
      {"run", run.id}, {"passed", report::verdict(run).status == ExitStatus::passed}, {"nodes", std::move(nodes)}};
  (void)context.store.put(key_of(context, change->head), io::to_line(review) + "\n");
}

std::optional<Failed> weigh_review(const Context& context, const Commit& head, const Plan& plan, Run& run) {
  const std::string& wanted = context.settings.deploy.review;
  if (wanted == "off") return std::nullopt;
  const auto review = review_of(context, head);
  std::string lacking;
  if (!review) {
    lacking = "no check of this tree is known";
  } else if (!review->passed) {
    lacking = fmt::format("the check of this tree did not pass (run {})", review->run);
  }
  if (lacking.empty()) {
    note_difference(*review, plan, run);
    return std::nullopt;
  }
  if (wanted == "require") {
    return Failed{ExitStatus::refused,
                  "deploying " + head.sha.substr(0, 7),
                  lacking,
                  "bring the pull request up to date, check it and merge it as it is; deploy.review says whether that "
                  "is required",
                  {}};
  }
  // On a laptop nobody expects one.
  if (review || !context.origin.event.empty()) run.notes.push_back(fmt::format("Deployed, though {}.", lacking));
  return std::nullopt;
}

}  // namespace offshoot::flow
