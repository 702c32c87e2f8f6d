// SPDX-License-Identifier: Apache-2.0
#include "report/phrases.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/digest.hpp"

namespace offshoot::report {
namespace {

bool is_own(const Reason& reason) {
  return reason.kind != ReasonKind::upstream && reason.kind != ReasonKind::test_of &&
         reason.kind != ReasonKind::missing_in_production;
}

/// "a → b → c"; of a long path the ends.
std::string arrows(const std::vector<std::string>& path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path.size() > 5 && i == 2) {
      out += " → …";
      i = path.size() - 3;
      continue;
    }
    out += (out.empty() ? "" : " → ") + short_name(path[i]);
  }
  return out;
}

std::string detail_or_path(const Reason& reason) { return reason.detail.empty() ? arrows(reason.path) : reason.detail; }

std::string body_words(const PlannedNode& node) {
  if (node.resource_type == "seed") return "data changed";
  if (is_test(node)) return "test changed";
  return node.file.ends_with(".py") ? "Python changed" : "SQL changed";
}

Phrase phrase(const PlannedNode& node, const Reason& reason) {
  switch (reason.kind) {
    case ReasonKind::added:
      return {"new", reason.detail};
    case ReasonKind::body:
      return {body_words(node), reason.detail};
    case ReasonKind::configs:
      return {"setting", reason.detail};
    case ReasonKind::relation:
      return {"place in the warehouse", reason.detail};
    case ReasonKind::persisted_descriptions:
      return {"description that is kept in the warehouse", reason.detail};
    case ReasonKind::macros:
      return {"macro", reason.path.size() > 1 ? arrows(reason.path) : detail_or_path(reason)};
    case ReasonKind::contract:
      return {"contract", reason.detail};
    case ReasonKind::properties:
      return {"property", reason.detail};
    case ReasonKind::upstream:
      return {"below", reason.path.empty() ? reason.detail : arrows(reason.path)};
    case ReasonKind::test_of:
      return {"tests", detail_or_path(reason)};
    case ReasonKind::missing_in_production:
      return {"read by", detail_or_path(reason)};
    case ReasonKind::requested:
      return {"selected by", reason.detail};
  }
  return {"?", reason.detail};
}

}  // namespace

std::vector<Phrase> phrases(const PlannedNode& node, std::size_t limit) {
  std::vector<const Reason*> reasons;
  reasons.reserve(node.reasons.size());
  for (const Reason& reason : node.reasons) reasons.push_back(&reason);
  std::stable_partition(reasons.begin(), reasons.end(), [](const Reason* reason) { return is_own(*reason); });
  std::vector<Phrase> out;
  for (const Reason* reason : reasons) {
    if (out.size() < limit) out.push_back(phrase(node, *reason));
  }
  return out;
}

std::string difference_title(const Verified& verified) {
  if (verified == Verified{}) return "dbt's own selection is the same";
  std::string out = "dbt's own selection differs";
  if (!verified.only_dbt.empty()) {
    out += fmt::format(": only dbt selects {}", counted(verified.only_dbt.size(), "node", "nodes"));
  }
  if (!verified.only_here.empty()) {
    out += fmt::format("{} only offshoot selects {}", verified.only_dbt.empty() ? ":" : ",",
                       counted(verified.only_here.size(), "node", "nodes"));
  }
  return out;
}

std::string unreadable_words(const Unreadable& unreadable) {
  std::string out = unreadable.because;
  if (!unreadable.relation.rendered.empty()) out += fmt::format(" ({})", unreadable.relation.rendered);
  constexpr std::size_t most = 5;
  for (std::size_t i = 0; i < std::min(unreadable.read_by.size(), most); ++i) {
    out += (i == 0 ? "; read by " : ", ") + short_name(unreadable.read_by[i]);
  }
  if (unreadable.read_by.size() > most) out += fmt::format(" and {} more", unreadable.read_by.size() - most);
  return out;
}

std::string promotion_words(const Promotion& promotion) {
  return promotion.from.empty() ? "built, because " + promotion.because : "promoted from " + promotion.from;
}

}  // namespace offshoot::report
