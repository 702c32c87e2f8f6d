// SPDX-License-Identifier: Apache-2.0
#include "github/comment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace offshoot::github {

namespace {

constexpr std::string_view actions_app = "github-actions";

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The one comment of a pull request.
class Sticky {
 public:
  Sticky(Client& client, const Identity& identity, const CommentRequest& request)
      : client_(client), identity_(identity), request_(request) {}

  Answer<CommentResult> keep() {
    client_.await_turn();
    const auto found = ours();
    if (!found) return tl::unexpected(found.error());
    if (!found->empty()) {
      const Json& kept = the_one_to_keep(*found);
      remove_others(*found, kept);
      return edit(kept);
    }
    if (request_.only_if_there) return CommentResult{};
    if (unsure_) {
      return tl::unexpected(Refusal{.kind = Refusal::Kind::forbidden,
                                    .why = "another app's comment bears our marker, and whose this token is cannot be "
                                           "told without checks: write"});
    }
    return create();
  }

 private:
  [[nodiscard]] std::string comments() const { return fmt::format("./issues/{}/comments", request_.pull_request); }

  /// Our comments, the oldest first.
  Answer<std::vector<Json>> ours() {
    auto all = client_.list(comments() + "?per_page=100");
    if (!all) return all;
    std::vector<Json> found;
    for (Json& comment : *all) {
      if (text_of(comment, "body").find(request_.marker) == std::string::npos) continue;
      if (identity_.wrote(comment)) {
        found.push_back(std::move(comment));
      } else if (identity_.user_id == 0 && identity_.app_id == 0) {
        const Json app = comment.value("performed_via_github_app", Json());
        unsure_ = unsure_ || app.is_object();
      }
    }
    return found;
  }

  [[nodiscard]] Standing standing_of(const Json& comment) const { return request_.standing(text_of(comment, "body")); }

  /// The one of a newer run, else the oldest.
  [[nodiscard]] const Json& the_one_to_keep(const std::vector<Json>& found) const {
    const auto newer =
        std::ranges::find_if(found, [this](const Json& comment) { return standing_of(comment) == Standing::newer; });
    return newer == found.end() ? found.front() : *newer;
  }

  Answer<CommentResult> edit(const Json& comment) {
    const std::string url = text_of(comment, "html_url");
    switch (standing_of(comment)) {
      case Standing::same:
        return CommentResult{CommentResult::What::same, url};
      case Standing::newer:
        return CommentResult{CommentResult::What::newer, url};
      case Standing::outdated:
        break;
    }
    const std::int64_t id = Client::id_of(comment);
    return client_.change(fmt::format("./issues/comments/{}", id), {{"body", request_.body}}, id).map([&](const Json&) {
      return CommentResult{CommentResult::What::edited, url};
    });
  }

  Answer<CommentResult> create() {
    const auto created = client_.create(comments(), {{"body", request_.body}}, Pace::comment, [&] {
      return ours().map([](std::vector<Json> found) {
        return found.empty() ? std::optional<Json>() : std::optional(std::move(found.front()));
      });
    });
    if (!created) return tl::unexpected(created.error());
    if (created->asked_twice) {
      if (const auto found = ours(); found && found->size() > 1) remove_others(*found, the_one_to_keep(*found));
    }
    // What was found instead of created may be another run's.
    if (standing_of(created->object) == Standing::outdated) return edit(created->object);
    return CommentResult{CommentResult::What::created, text_of(created->object, "html_url")};
  }

  /// What cannot be deleted now is found again by the next run.
  void remove_others(const std::vector<Json>& found, const Json& kept) {
    for (const Json& comment : found) {
      const std::int64_t id = Client::id_of(comment);
      if (id != Client::id_of(kept)) (void)client_.remove(fmt::format("./issues/comments/{}", id));
    }
  }

  Client& client_;
  const Identity& identity_;
  const CommentRequest& request_;
  bool unsure_ = false;  ///< a comment may be ours, or another app's
};

}  // namespace

bool Identity::wrote(const Json& comment) const {
  if (user_id != 0) return Client::id_of(comment.value("user", Json())) == user_id;
  const Json app = comment.value("performed_via_github_app", Json());
  if (!app.is_object()) return false;
  return app_id != 0 ? Client::id_of(app) == app_id : text_of(app, "slug") == actions_app;
}

Answer<Identity> who_we_are(Client& client, std::string_view token, std::int64_t app_id) {
  if (app_id != 0 || token.starts_with("ghs_")) return Identity{.app_id = app_id};
  const auto user = client.get("/user");
  if (user && Client::id_of(*user) > 0) return Identity{.user_id = Client::id_of(*user)};
  if (!user && user.error().kind != Refusal::Kind::forbidden) return tl::unexpected(user.error());
  return Identity{};
}

Answer<CommentResult> keep_comment(Client& client, const Identity& identity, const CommentRequest& request) {
  return Sticky(client, identity, request).keep();
}

}  // namespace offshoot::github
