// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "github/client.hpp"

namespace offshoot::github {

/// Who we are to GitHub: only a comment of this author is ours, whatever text others write.
struct Identity {
  std::int64_t user_id = 0;  ///< of a person's token; 0 = the token is an app's
  std::int64_t app_id = 0;   ///< of the app, where GitHub has said it; 0 = not known
  /// Whether the author of this comment is we. An app that is not known is taken for GitHub Actions' own.
  [[nodiscard]] bool wrote(const Json& comment) const;
};

/// Asks GitHub whose token it is. An app's token may not ask; `app_id` is what an earlier answer told, or 0.
Answer<Identity> who_we_are(Client& client, std::string_view token, std::int64_t app_id);

/// What is to become of the comment that stands there.
enum class Standing {
  outdated,  ///< write
  same,      ///< it says all that there is to say: leave it
  newer,     ///< it tells of a newer run: leave it
};

struct CommentRequest {
  int pull_request = 0;
  std::string marker{};  ///< that our comment contains, and no text of the project does
  std::string body{};
  bool only_if_there = false;  ///< edit, but do not begin one
  std::function<Standing(const std::string& body)> standing{};
};

struct CommentResult {
  enum class What { created, edited, same, newer, none };
  What what = What::none;
  std::string url{};  ///< of the comment; empty where there is none
};

/// Keeps exactly one comment on the pull request: finds ours by marker and author, edits it, or creates it. Others of
/// ours that bear the marker, as two runs at once leave behind, are deleted.
Answer<CommentResult> keep_comment(Client& client, const Identity& identity, const CommentRequest& request);

}  // namespace offshoot::github
