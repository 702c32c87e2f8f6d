// SPDX-License-Identifier: Apache-2.0
#include "github/deployments.hpp"

#include <fmt/format.h>

#include <string_view>

#include "github/text.hpp"

namespace offshoot::github {

namespace {

constexpr std::size_t longest_description = 140;
constexpr int looked_at = 10;  // the newest deployments of an environment

std::string_view word_of(DeploymentState state) {
  switch (state) {
    case DeploymentState::in_progress:
      return "in_progress";
    case DeploymentState::success:
      return "success";
    case DeploymentState::failure:
      return "failure";
    case DeploymentState::error:
      return "error";
    case DeploymentState::inactive:
      break;
  }
  return "inactive";
}

/// A value of a query, where only letters, digits and a few more stand for themselves.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

Answer<std::int64_t> begin_deployment(Client& client, const DeploymentRequest& request) {
  const Json body{{"ref", request.sha},
                  {"environment", request.environment},
                  {"description", cut(request.description, longest_description)},
                  {"auto_merge", false},
                  {"required_contexts", Json::array()},
                  {"payload", {{"offshoot_run", request.run_id}}},
                  {"transient_environment", !request.production},
                  {"production_environment", request.production}};
  const auto find = [&]() -> Answer<std::optional<Json>> {
    const auto there = client.list(
        fmt::format("./deployments?sha={}&environment={}&per_page=100", request.sha, escaped(request.environment)));
    if (!there) return tl::unexpected(there.error());
    for (const Json& deployment : *there) {
      const Json payload = deployment.value("payload", Json());
      if (payload.is_object() && payload.value("offshoot_run", Json()) == request.run_id) return deployment;
    }
    return std::nullopt;
  };
  return client.create("./deployments", body, Pace::write, find).map([](const Client::Created& created) {
    return Client::id_of(created.object);
  });
}

Answer<void> set_deployment_state(Client& client, std::int64_t id, DeploymentState state, const std::string& log_url,
                                  const std::string& description) {
  const std::string path = fmt::format("./deployments/{}/statuses", id);
  Json body{{"state", word_of(state)}, {"description", cut(description, longest_description)}};
  if (!log_url.empty()) body["log_url"] = log_url;
  // The newest status decides: one that was set twice is no harm, so it need not be looked for.
  return client.create(path, body, Pace::write, [] { return Answer<std::optional<Json>>(std::nullopt); })
      .map([](const Client::Created&) {});
}

Answer<int> end_deployments(Client& client, const std::string& environment, const std::string& log_url, End which) {
  const auto there =
      client.list(fmt::format("./deployments?environment={}&per_page={}", escaped(environment), looked_at), "",
                  Client::Pages::first);
  if (!there) return tl::unexpected(there.error());
  int ended = 0;
  for (const Json& deployment : *there) {
    const std::int64_t id = Client::id_of(deployment);
    const auto statuses =
        client.list(fmt::format("./deployments/{}/statuses?per_page=1", id), "", Client::Pages::first);
    if (!statuses) return tl::unexpected(statuses.error());
    const Json state = statuses->empty() ? Json("pending") : statuses->front().value("state", Json());
    const bool under_way = state == "pending" || state == "queued" || state == "in_progress";
    if (!under_way && (which == End::under_way || state != "success")) continue;
    const auto set = set_deployment_state(client, id, under_way ? DeploymentState::error : DeploymentState::inactive,
                                          log_url, under_way ? "its run ended without a word" : "");
    if (!set) return tl::unexpected(set.error());
    ++ended;
  }
  return ended;
}

}  // namespace offshoot::github
