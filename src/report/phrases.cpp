// SPDX-License-Identifier: Apache-2.0
#include "report/phrases.hpp"

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
      return {"macro", detail_or_path(reason)};
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

}  // namespace offshoot::report
