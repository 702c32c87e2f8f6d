// SPDX-License-Identifier: Apache-2.0
#include "branch/mark.hpp"

#include "io/clock.hpp"

namespace offshoot::branch {

nlohmann::json to_json(const OwnerMark& mark) {
  const bool of_pull_request = mark.pull_request > 0;
  return {{"offshoot", mark.version},
          {"repository_id", mark.repository_id},
          {"branch", mark.branch},
          {"ref", mark.ref},
          {"pull_request", of_pull_request ? nlohmann::json(mark.pull_request) : nlohmann::json(nullptr)},
          {"head", mark.head},
          {"created", mark.created},
          {"expires", mark.expires}};
}

Result<OwnerMark> parse_mark(const nlohmann::json& value) {
  const std::string doing = "reading an owner's mark in the warehouse";
  try {
    OwnerMark mark;
    mark.version = value.at("offshoot").get<int>();
    mark.repository_id = value.at("repository_id").get<std::string>();
    mark.branch = value.at("branch").get<std::string>();
    mark.ref = value.at("ref").get<std::string>();
    const auto& pull_request = value.at("pull_request");
    mark.pull_request = pull_request.is_null() ? 0 : pull_request.get<int>();
    mark.head = value.at("head").get<std::string>();
    mark.created = value.at("created").get<std::string>();
    mark.expires = value.at("expires").get<std::string>();
    io::Instant unused;
    if (mark.version != 1) return failed(ExitStatus::refused, doing, "it is of another version of offshoot");
    if (mark.repository_id.empty() || mark.branch.empty() || !io::parse_rfc3339(mark.expires, unused)) {
      return failed(ExitStatus::refused, doing, "it is incomplete");
    }
    return mark;
  } catch (const nlohmann::json::exception&) {
    return failed(ExitStatus::refused, doing, "it is not a mark of offshoot's");
  }
}

bool same_owner(const OwnerMark& a, const OwnerMark& b) {
  return a.repository_id == b.repository_id && a.branch == b.branch && a.pull_request == b.pull_request;
}

}  // namespace offshoot::branch
