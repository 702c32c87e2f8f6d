// SPDX-License-Identifier: Apache-2.0
#include "flow/checked_build.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "flow/review.hpp"
#include "report/run_json.hpp"
#include "report/verdict.hpp"

namespace offshoot::flow {

namespace {

/// Events whose trusted head is of this repository: a fork's that a person approved comes by a comment.
constexpr std::array<std::string_view, 3> of_this_repository{"", "pull_request", "merge_group"};

/// Why nothing of the run can be promoted, whatever it built; empty = something might.
std::string unfit(const Run& run, const Commit& head) {
  const Change* change = run.change.finished();
  const std::string about = fmt::format("the check of this tree (run {})", run.id);
  if (run.origin.command != "check" || change == nullptr || change->uncommitted ||
      change->head.tree_sha != head.tree_sha) {
    return fmt::format("the run {} is no check of this tree", run.id);
  }
  if (std::ranges::find(of_this_repository, run.origin.event) == of_this_repository.end()) {
    return about + " was started by an event whose head may come from another repository";
  }
  if (report::verdict(run).status != ExitStatus::passed) return about + " did not pass";
  if (run.plan.finished() == nullptr || run.branch.finished() == nullptr || run.build.finished() == nullptr) {
    return about + " built nothing";
  }
  return {};
}

}  // namespace

std::string CheckedBuild::name() const {
  return run.origin.pull_request > 0 ? fmt::format("pr-{}", run.origin.pull_request) : run.branch.finished()->name;
}

tl::expected<CheckedBuild, std::string> checked_build_of(const Context& context, const Commit& head) {
  const auto review = review_of(context, head);
  if (!review) return tl::unexpected(std::string("no check of this tree is known"));
  if (!review->passed) return tl::unexpected(fmt::format("the check of this tree (run {}) did not pass", review->run));
  const auto not_kept = [&](const std::string& why) {
    return tl::unexpected(fmt::format("the check of this tree (run {}) is not kept whole: {}", review->run, why));
  };
  auto found = store::find_run(context.store, context.origin.repository_id, review->run);
  if (!found) return not_kept(found.error().why);
  if (!*found || (*found)->index.id != review->run) return not_kept("it is not in the store");
  const auto bytes = store::file_of(context.store, **found, "run.json");
  auto run = bytes ? report::from_json(*bytes, "run.json of " + review->run) : tl::unexpected(bytes.error());
  if (!run) return not_kept(run.error().why);
  if (auto why = unfit(*run, head); !why.empty()) return tl::unexpected(std::move(why));
  const auto text = store::file_of(context.store, **found, "manifest.json");
  auto manifest = text ? state::Manifest::parse(*text, "the manifest of " + review->run) : tl::unexpected(text.error());
  if (!manifest) return not_kept(manifest.error().why);
  return CheckedBuild{std::move(*run), std::move(*manifest), std::move(**found)};
}

std::string compiled_name(const state::NodeInfo& node) { return node.package_name + "/" + node.original_file_path; }

std::optional<std::string> compiled_in(const Context& context, const CheckedBuild& check, const state::NodeInfo& node) {
  auto text = store::file_of(context.store, check.kept, "compiled/" + compiled_name(node));
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

}  // namespace offshoot::flow
