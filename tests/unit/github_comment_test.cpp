// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "github/checks.hpp"
#include "github/comment.hpp"
#include "github/deployments.hpp"
#include "github_fake.hpp"
#include "long_form.hpp"

namespace offshoot::github::tests {
namespace {

constexpr std::int64_t actions_id = 15368;
constexpr const char* marker = "<!-- offshoot:v1 ";

Json bot() { return {{"id", 41898282}, {"login", "github-actions[bot]"}, {"type", "Bot"}}; }
Json actions() { return {{"id", actions_id}, {"slug", "github-actions"}}; }

/// GitHub's comments on pull request 7, over HTTP: what is posted stands there.
class Comments {
 public:
  PlayedHttp::Answer answer(const io::HttpRequest& request) {
    const std::string base = "https://api.github.com/repos/acme/shop/issues/";
    const std::string path = request.url.substr(base.size());
    if (request.method == "POST") return PlayedHttp::json(201, add(Json::parse(request.body)["body"]));
    if (request.method == "GET") {
      Json all = Json::array();
      for (const auto& [id, comment] : comments) all.push_back(comment);
      return PlayedHttp::json(200, all);
    }
    const std::int64_t id = std::stoll(path.substr(std::string("comments/").size()));
    if (!comments.contains(id)) return PlayedHttp::json(404, {});
    if (request.method == "DELETE") {
      comments.erase(id);
      return io::HttpResponse{.status = 204};
    }
    comments[id]["body"] = Json::parse(request.body)["body"];
    ++edits;
    return PlayedHttp::json(200, comments[id]);
  }

  Json add(const std::string& body, Json user = bot(), Json app = actions()) {
    const std::int64_t id = ++last_;
    comments[id] = {{"id", id},
                    {"body", body},
                    {"user", std::move(user)},
                    {"performed_via_github_app", std::move(app)},
                    {"html_url", "https://github.com/acme/shop/pull/7#issuecomment-" + std::to_string(id)}};
    return comments[id];
  }

  std::map<std::int64_t, Json> comments{};
  int edits = 0;

 private:
  std::int64_t last_ = 100;
};

std::string body_of(int run, const std::string& digest = "d") {
  return "hello\n<!-- offshoot:v1 run=" + std::to_string(run) + " digest=" + digest + " -->";
}

CommentRequest request_of(int run, const std::string& digest = "d") {
  const auto value = [](const std::string& body, const std::string& key) {
    const std::size_t at = body.find(key + "=") + key.size() + 1;
    return body.substr(at, body.find(' ', at) - at);
  };
  return {.pull_request = 7,
          .marker = marker,
          .body = body_of(run, digest),
          .standing = [run, digest, value](const std::string& body) {
            if (body.find(marker) == std::string::npos) return Standing::outdated;
            if (std::stoi(value(body, "run")) > run) return Standing::newer;
            return value(body, "digest") == digest ? Standing::same : Standing::outdated;
          }};
}

class CommentTest : public testing::Test {
 protected:
  CommentTest() {
    http_.otherwise = [this](const io::HttpRequest& request) { return github_.answer(request); };
  }

  Answer<CommentResult> keep(const CommentRequest& request, Identity identity = {.app_id = actions_id}) {
    Client client({.token = "t", .repository = "acme/shop"}, http_, time_);
    return keep_comment(client, identity, request);
  }

  VirtualTime time_;
  PlayedHttp http_{time_};
  Comments github_;
};

TEST_F(CommentTest, I6_TheFirstIsCreatedAndThenEdited) {
  ASSERT_EQ(keep(request_of(1))->what, CommentResult::What::created);
  ASSERT_EQ(keep(request_of(2, "e"))->what, CommentResult::What::edited);
  ASSERT_EQ(github_.comments.size(), 1U);
  EXPECT_EQ(github_.comments.begin()->second["body"], body_of(2, "e"));
  EXPECT_EQ(keep(request_of(3, "f"))->url, "https://github.com/acme/shop/pull/7#issuecomment-101");
}

TEST_F(CommentTest, I6_NothingIsEditedWhenNothingChanged) {
  ASSERT_TRUE(keep(request_of(1)));
  EXPECT_EQ(keep(request_of(2))->what, CommentResult::What::same);
  EXPECT_EQ(github_.edits, 0);
}

TEST_F(CommentTest, I6_AForgedMarkerOfAnotherAuthorIsIgnored) {
  github_.add(body_of(99), {{"id", 5}, {"login", "mallory"}, {"type", "User"}}, nullptr);
  github_.add(body_of(98), {{"id", 6}, {"login", "other[bot]"}, {"type", "Bot"}}, {{"id", 77}, {"slug", "other"}});
  ASSERT_EQ(keep(request_of(1))->what, CommentResult::What::created);
  EXPECT_EQ(github_.comments.size(), 3U);
  EXPECT_EQ(github_.comments.at(101)["body"], body_of(99)) << "and not touched";
}

TEST_F(CommentTest, I6_WithoutTheAppsNameOnlyGitHubActionsIsWe) {
  github_.add(body_of(1));
  EXPECT_EQ(keep(request_of(2, "e"), {})->what, CommentResult::What::edited);
}

TEST_F(CommentTest, I6_AnUnknownAppWritesNoSecondComment) {
  github_.add(body_of(1), {{"id", 6}, {"login", "team[bot]"}, {"type", "Bot"}}, {{"id", 77}, {"slug", "team"}});
  EXPECT_FALSE(keep(request_of(2), {}));
  EXPECT_EQ(github_.comments.size(), 1U);
}

TEST_F(CommentTest, I6_APersonsTokenIsKnownByItsUser) {
  github_.add(body_of(1), {{"id", 5}, {"login", "ada"}}, nullptr);
  EXPECT_EQ(keep(request_of(2, "e"), {.user_id = 5})->what, CommentResult::What::edited);
  EXPECT_EQ(keep(request_of(2, "e"), {.user_id = 6})->what, CommentResult::What::created);
}

TEST_F(CommentTest, I6_WhoWeAre) {
  Client client({.token = "t", .repository = "acme/shop"}, http_, time_);
  http_.answers = {PlayedHttp::json(200, {{"id", 5}, {"login", "ada"}})};
  EXPECT_EQ(who_we_are(client, "ghp_x", 0)->user_id, 5);
  http_.answers = {PlayedHttp::json(403, {{"message", "Resource not accessible by integration"}})};
  EXPECT_EQ(who_we_are(client, "x", 0)->user_id, 0);
  http_.asked.clear();
  EXPECT_EQ(who_we_are(client, "ghs_x", 0)->app_id, 0);
  EXPECT_EQ(who_we_are(client, "x", 77)->app_id, 77);
  EXPECT_TRUE(http_.asked.empty());
}

TEST_F(CommentTest, K8_AnOlderRunNeverOverwritesANewerOne) {
  ASSERT_TRUE(keep(request_of(5, "new")));
  EXPECT_EQ(keep(request_of(4, "old"))->what, CommentResult::What::newer);
  EXPECT_EQ(github_.comments.begin()->second["body"], body_of(5, "new"));
}

TEST_F(CommentTest, K8_OfCopiesTheNewestRunsStays) {
  github_.add(body_of(1, "a"));
  github_.add(body_of(9, "b"));
  EXPECT_EQ(keep(request_of(5, "c"))->what, CommentResult::What::newer);
  ASSERT_EQ(github_.comments.size(), 1U);
  EXPECT_EQ(github_.comments.begin()->second["body"], body_of(9, "b"));
}

TEST_F(CommentTest, K8_NothingIsWaitedForBetweenReadingAndWriting) {
  ASSERT_TRUE(keep(request_of(1)));
  Client client({.token = "t", .repository = "acme/shop"}, http_, time_);
  ASSERT_TRUE(client.change("./issues/comments/101", {{"body", body_of(1)}}, 101));
  http_.asked.clear();
  ASSERT_TRUE(keep_comment(client, {.app_id = actions_id}, request_of(2, "e")));
  ASSERT_EQ(http_.asked.size(), 2U);
  EXPECT_EQ(http_.asked[0].at, http_.asked[1].at);
}

TEST_F(CommentTest, WithoutACommentNoneIsBegunWhereOnlyFindingsCount) {
  CommentRequest request = request_of(1);
  request.only_if_there = true;
  EXPECT_EQ(keep(request)->what, CommentResult::What::none);
  EXPECT_TRUE(github_.comments.empty());
  github_.add(body_of(0, "x"));
  EXPECT_EQ(keep(request)->what, CommentResult::What::edited);
}

/// One fault of a schedule.
enum class Fault {
  none,
  refused,
  lost_request,
  lost_answer,
  cut_answer,
  late,
  server_error,
  unavailable_but_done,
  limit
};

/// Any schedule of faults, several runs one after the other: never two comments, and one at the end.
TEST_F(CommentTest, I5_ExactlyOneCommentAfterAnyScheduleOfFaults) {
  std::mt19937_64 random(20261125);
  const unsigned schedules = offshoot::tests::cases(200, 50);
  for (unsigned schedule = 0; schedule < schedules; ++schedule) {
    github_ = Comments();
    std::vector<io::HttpRequest> late;  // reached GitHub, and is done only later
    const int faulty = std::uniform_int_distribution<int>(0, 12)(random);
    int asked = 0;
    http_.asked.clear();
    http_.otherwise = [&](const io::HttpRequest& request) -> PlayedHttp::Answer {
      const auto fault =
          asked++ < faulty ? static_cast<Fault>(std::uniform_int_distribution<int>(0, 8)(random)) : Fault::none;
      // What came late is done before anything that comes three seconds later.
      for (const io::HttpRequest& waiting : late) (void)github_.answer(waiting);
      late.clear();
      switch (fault) {
        case Fault::none:
          break;
        case Fault::refused:
          return PlayedHttp::broken(false);
        case Fault::lost_request:
          return PlayedHttp::broken(true);
        case Fault::lost_answer:
          (void)github_.answer(request);
          return PlayedHttp::broken(true);
        case Fault::late:
          late.push_back(request);
          return PlayedHttp::broken(true);
        case Fault::cut_answer: {
          auto answer = github_.answer(request);
          answer->body = answer->body.substr(0, answer->body.size() / 2);
          return answer;
        }
        case Fault::server_error:
          return PlayedHttp::json(502, {});
        case Fault::unavailable_but_done:
          (void)github_.answer(request);
          return PlayedHttp::json(503, {});
        case Fault::limit:
          return PlayedHttp::json(403, {}, {{"Retry-After", "3"}});
      }
      return github_.answer(request);
    };
    for (int run = 1; run <= 3; ++run) {
      if (run == 3) asked = faulty;  // the last one is undisturbed
      (void)keep(request_of(run, std::to_string(run)));
      EXPECT_LE(github_.comments.size(), 1U) << "schedule " << schedule << ", run " << run;
    }
    ASSERT_EQ(github_.comments.size(), 1U) << "schedule " << schedule;
    EXPECT_EQ(github_.comments.begin()->second["body"], body_of(3, "3"));
  }
}

/// Two runs whose requests mix in any order: what stands at the end, after the newer one's next run, is the newer's.
TEST_F(CommentTest, K8_RunsThatFollowOneAnotherInAnyOrderLeaveTheNewest) {
  std::mt19937_64 random(8);
  for (unsigned round = 0; round < offshoot::tests::cases(200, 10); ++round) {
    github_ = Comments();
    std::vector<int> runs{1, 2, 3, 4};
    std::ranges::shuffle(runs, random);
    for (const int run : runs) ASSERT_TRUE(keep(request_of(run, std::to_string(run))));
    ASSERT_EQ(github_.comments.size(), 1U);
    EXPECT_EQ(github_.comments.begin()->second["body"], body_of(4, "4"));
  }
}

TEST(CheckBody, I8_LimitsAreKept) {
  CheckReport report{.name = "lint",
                     .state = CheckReport::State::failure,
                     .title = std::string(300, 't'),
                     .summary = std::string(70'000, 's')};
  for (int i = 0; i < 51; ++i) {
    report.annotations.push_back({.path = "models/\xff.sql",
                                  .first_line = i + 1,
                                  .last_line = i,
                                  .title = std::string(300, 't'),
                                  .message = std::string(70'000, 'm')});
  }
  const Json body = check_body(report);
  EXPECT_EQ(body["status"], "completed");
  EXPECT_EQ(body["conclusion"], "failure");
  const Json& output = body["output"];
  EXPECT_LE(output["title"].get<std::string>().size(), 255U);
  EXPECT_LE(output["summary"].get<std::string>().size(), 65'535U);
  EXPECT_TRUE(output["summary"].get<std::string>().ends_with("and 1 more annotations"));
  ASSERT_EQ(output["annotations"].size(), 50U);
  for (const Json& annotation : output["annotations"]) {
    EXPECT_LE(annotation["title"].get<std::string>().size(), 255U);
    EXPECT_LE(annotation["message"].get<std::string>().size(), 64'000U);
    EXPECT_GE(annotation["end_line"].get<int>(), annotation["start_line"].get<int>());
    EXPECT_EQ(annotation["path"], "models/\xEF\xBF\xBD.sql");
  }
  EXPECT_NO_THROW((void)body.dump());
}

TEST(CheckBody, OneThatWaitsHasNoConclusion) {
  EXPECT_EQ(check_body({.name = "build"}), (Json{{"name", "offshoot / build"}, {"status", "queued"}}));
  EXPECT_EQ(check_body({.name = "plan", .state = CheckReport::State::running})["status"], "in_progress");
}

class ChecksTest : public CommentTest {};

TEST_F(ChecksTest, A4_AfterARefusalNothingFurtherIsAsked) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(403, {}); };
  Client client({.token = "t", .repository = "acme/shop"}, http_, time_);
  Checks checks(client, std::string(40, 'a'), "1-1", "");
  EXPECT_FALSE(checks.queue({.name = "plan"}));
  EXPECT_FALSE(checks.queue({.name = "build"}));
  EXPECT_FALSE(checks.complete({.name = "plan", .state = CheckReport::State::success, .title = "x"}));
  EXPECT_EQ(http_.asked.size(), 1U);
  EXPECT_TRUE(checks.forbidden());
}

TEST_F(ChecksTest, I5_OneThatMayHaveBeenCreatedIsFoundByItsRun) {
  const Json ours{{"id", 9}, {"name", "offshoot / plan"}, {"external_id", "1-1"}, {"app", {{"id", 77}}}};
  const Json other{{"id", 8}, {"name", "offshoot / plan"}, {"external_id", "1-2"}};
  http_.answers = {PlayedHttp::broken(true), PlayedHttp::json(200, {{"total_count", 2}, {"check_runs", {other, ours}}}),
                   PlayedHttp::json(200, ours)};
  Client client({.token = "t", .repository = "acme/shop"}, http_, time_);
  Checks checks(client, std::string(40, 'a'), "1-1", "");
  ASSERT_TRUE(checks.queue({.name = "plan"}));
  EXPECT_EQ(checks.app_id(), 77);
  ASSERT_TRUE(checks.complete({.name = "plan", .state = CheckReport::State::success, .title = "x"}));
  EXPECT_EQ(http_.asked.size(), 3U);
  EXPECT_TRUE(http_.asked[2].request.url.ends_with("/check-runs/9"));
}

TEST_F(ChecksTest, L5_DeploymentsThatNobodyEndedAreEnded) {
  http_.answers = {PlayedHttp::json(200, {{{"id", 1}}, {{"id", 2}}, {{"id", 3}}}),
                   PlayedHttp::json(200, {{{"id", 11}, {"state", "in_progress"}}}),
                   PlayedHttp::json(201, {{"id", 12}}),
                   PlayedHttp::json(200, {{{"id", 21}, {"state", "success"}}}),
                   PlayedHttp::json(201, {{"id", 22}}),
                   PlayedHttp::json(200, {{{"id", 31}, {"state", "inactive"}}})};
  Client client({.token = "t", .repository = "acme/shop"}, http_, time_);
  EXPECT_EQ(*end_deployments(client, "shop_pr_7", "", End::all), 2);
  EXPECT_EQ(Json::parse(http_.asked[2].request.body)["state"], "error");
  EXPECT_EQ(Json::parse(http_.asked[4].request.body)["state"], "inactive");
}

}  // namespace
}  // namespace offshoot::github::tests
