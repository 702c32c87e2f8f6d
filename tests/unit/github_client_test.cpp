// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "github_fake.hpp"

namespace offshoot::github::tests {
namespace {

class ClientTest : public testing::Test {
 protected:
  Client client(ClientOptions options = {}) {
    return Client({.api_url = "https://ghe.test/api/v3", .token = "secret", .repository = "acme/shop"}, http_, time_,
                  std::move(options));
  }
  Answer<Client::Created> create(Client& client, Pace pace = Pace::write) {
    return client.create("./check-runs", {{"name", "x"}}, pace, [this] {
      ++looked_;
      return Answer<std::optional<Json>>(there_);
    });
  }
  [[nodiscard]] milliseconds gap(std::size_t i) const { return http_.asked[i].at - http_.asked[i - 1].at; }

  VirtualTime time_;
  PlayedHttp http_{time_};
  int looked_ = 0;
  std::optional<Json> there_{};
};

const Json thing{{"id", 7}};

TEST_F(ClientTest, I12_TheTokenAndThePathAreOfTheConfiguredApi) {
  http_.answers = {PlayedHttp::json(200, thing)};
  Client c = client();
  ASSERT_TRUE(c.get("./pulls/7"));
  const io::HttpRequest& request = http_.asked[0].request;
  EXPECT_EQ(request.url, "https://ghe.test/api/v3/repos/acme/shop/pulls/7");
  EXPECT_EQ(io::header(request.headers, "authorization"), "Bearer secret");
  EXPECT_EQ(io::header(request.headers, "accept"), "application/vnd.github+json");
  EXPECT_EQ(request.redirects, 5);
  EXPECT_EQ(request.connect_within, 10s);
  EXPECT_EQ(request.within, 60s);
}

TEST_F(ClientTest, I2_WritesAreASecondApartAndCommentsThree) {
  http_.otherwise = [this](const io::HttpRequest&) {
    time_.pass(200ms);
    return PlayedHttp::json(201, thing);
  };
  Client c = client();
  ASSERT_TRUE(create(c));
  ASSERT_TRUE(create(c));
  ASSERT_TRUE(create(c, Pace::comment));
  ASSERT_TRUE(create(c, Pace::comment));
  ASSERT_TRUE(c.change("./check-runs/7", thing, 7));
  ASSERT_TRUE(c.remove("./issues/comments/7"));
  ASSERT_EQ(http_.asked.size(), 6U);
  EXPECT_EQ(gap(1), 1200ms);
  EXPECT_EQ(gap(2), 1200ms);
  EXPECT_EQ(gap(3), 3200ms);
  EXPECT_EQ(gap(4), 1200ms);
  EXPECT_EQ(gap(5), 1200ms);
}

TEST_F(ClientTest, I2_ReadsNeedNotWait) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(200, thing); };
  Client c = client();
  ASSERT_TRUE(c.change("./check-runs/7", thing, 7));
  ASSERT_TRUE(c.get("./pulls/7"));
  EXPECT_EQ(gap(1), 0ms);
}

struct Limit {
  const char* name;
  int status;
  io::HttpHeaders headers;
  Json body;
  milliseconds wait;
};

class LimitTest : public ClientTest, public testing::WithParamInterface<Limit> {};

TEST_P(LimitTest, I3_IsWaitedForAsTold) {
  const Limit& limit = GetParam();
  http_.answers = {PlayedHttp::json(limit.status, limit.body, limit.headers), PlayedHttp::json(200, thing)};
  Client c = client();
  ASSERT_TRUE(c.change("./check-runs/7", thing, 7));
  EXPECT_EQ(gap(1), std::max<milliseconds>(limit.wait, 1s));
}

INSTANTIATE_TEST_SUITE_P(
    Limits, LimitTest,
    testing::Values(Limit{"seconds", 403, {{"Retry-After", "17"}}, {}, 17s},
                    Limit{"too_many", 429, {{"retry-after", "5"}}, {}, 5s},
                    Limit{"date",
                          403,
                          {{"Date", "Wed, 25 Nov 2026 12:00:00 GMT"}, {"Retry-After", "Wed, 25 Nov 2026 12:00:42 GMT"}},
                          {},
                          42s},
                    Limit{"date_gone_by",
                          429,
                          {{"Date", "Wed, 25 Nov 2026 12:00:00 GMT"}, {"Retry-After", "Wed, 25 Nov 2026 11:00:00 GMT"}},
                          {},
                          1s},
                    Limit{"reset",
                          403,
                          {{"Date", "Wed, 25 Nov 2026 12:00:00 GMT"},
                           {"X-RateLimit-Remaining", "0"},
                           {"X-RateLimit-Reset", "1795608033"}},
                          {},
                          33s},
                    Limit{"first_the_retry_after",
                          403,
                          {{"Retry-After", "2"}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1795608033"}},
                          {},
                          2s},
                    Limit{"no_word_but_the_message",
                          403,
                          {{"X-RateLimit-Remaining", "12"}},
                          {{"message", "You have exceeded a secondary rate limit"}},
                          60s},
                    Limit{"a_reset_counts_when_nothing_remains",
                          403,
                          {{"Date", "Wed, 25 Nov 2026 12:00:00 GMT"},
                           {"X-RateLimit-Remaining", "12"},
                           {"X-RateLimit-Reset", "1795608033"}},
                          {{"message", "You have exceeded a secondary rate limit"}},
                          60s},
                    Limit{"too_many_without_a_word", 429, {}, {}, 60s}),
    [](const auto& one) { return one.param.name; });

TEST_F(ClientTest, I3_ATimeThatHasGoneByIsStillASecond) {
  for (const io::HttpHeaders& gone_by :
       {io::HttpHeaders{{"Retry-After", "0"}},
        io::HttpHeaders{{"Date", "Wed, 25 Nov 2026 12:00:00 GMT"}, {"Retry-After", "Wed, 25 Nov 2026 11:00:00 GMT"}},
        io::HttpHeaders{{"Date", "Wed, 25 Nov 2026 12:00:33 GMT"},
                        {"X-RateLimit-Remaining", "0"},
                        {"X-RateLimit-Reset", "1795608033"}}}) {
    http_.asked.clear();
    http_.answers = {PlayedHttp::json(403, {}, gone_by), PlayedHttp::json(200, thing)};
    Client c = client();
    ASSERT_TRUE(c.get("./pulls/7"));
    EXPECT_EQ(gap(1), 1s);
  }
}

TEST_F(ClientTest, I3_WithoutAWordTheWaitDoublesAndEnds) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(429, {}); };
  Client c = client();
  const auto answer = c.change("./check-runs/7", thing, 7);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Refusal::Kind::unavailable);
  // 60 + 120 + 240 s are within ten minutes; another 480 s are not.
  ASSERT_EQ(http_.asked.size(), 4U);
  EXPECT_EQ(gap(1), 60s);
  EXPECT_EQ(gap(2), 120s);
  EXPECT_EQ(gap(3), 240s);
  EXPECT_NE(answer.error().why.find("asks to wait 8 min"), std::string::npos) << answer.error().why;
}

TEST_F(ClientTest, I3_ALongLimitIsNotWaitedFor) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(403, {}, {{"Retry-After", "601"}}); };
  Client c = client();
  ASSERT_FALSE(create(c));
  EXPECT_EQ(http_.asked.size(), 1U);
  EXPECT_EQ(looked_, 0) << "a limit says that nothing was done";
}

TEST_F(ClientTest, I3_FiveTriesAreAllThatThereAre) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(429, {}, {{"Retry-After", "1"}}); };
  Client c = client();
  ASSERT_FALSE(c.get("./pulls/7"));
  EXPECT_EQ(http_.asked.size(), 5U);
}

TEST_F(ClientTest, I3_PatienceIsForAllRequestsTogether) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(429, {}, {{"Retry-After", "240"}}); };
  Client c = client();
  ASSERT_FALSE(c.get("./pulls/7"));
  ASSERT_FALSE(c.get("./pulls/8"));
  EXPECT_EQ(http_.asked.size(), 4U) << "480 s are waited, a third wait of 240 s would pass ten minutes";
}

TEST_F(ClientTest, A4_I3_AForbiddenThingIsNotTriedAgain) {
  http_.otherwise = [](const io::HttpRequest&) {
    return PlayedHttp::json(403, {{"message", "Resource not accessible by integration"}},
                            {{"X-RateLimit-Remaining", "4998"}});
  };
  Client c = client();
  const auto answer = create(c);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Refusal::Kind::forbidden);
  EXPECT_EQ(answer.error().why, "HTTP 403, Resource not accessible by integration");
  EXPECT_EQ(http_.asked.size(), 1U);
}

TEST_F(ClientTest, I4_ErrorsOfTheServerAreTriedAgainLaterAndLater) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(502, {}); };
  Client c = client();
  ASSERT_FALSE(c.get("./pulls/7"));
  ASSERT_EQ(http_.asked.size(), 5U);
  EXPECT_EQ(gap(1), 1s);
  EXPECT_EQ(gap(2), 2s);
  EXPECT_EQ(gap(3), 4s);
  EXPECT_EQ(gap(4), 8s);
}

TEST_F(ClientTest, I4_TheWaitIsARandomPart) {
  time_.chances = {0.5, 0.25};
  http_.answers = {PlayedHttp::broken(true), PlayedHttp::broken(false), PlayedHttp::json(200, thing)};
  Client c = client();
  ASSERT_TRUE(c.get("./pulls/7"));
  EXPECT_EQ(gap(1), 500ms);
  EXPECT_EQ(gap(2), 500ms);
}

TEST_F(ClientTest, I5_ACreationWithoutAnAnswerIsLookedForFirst) {
  there_ = Json{{"id", 9}};
  for (const auto& answer : {PlayedHttp::broken(true), PlayedHttp::json(502, {}), PlayedHttp::json(201, {{"id", 0}}),
                             PlayedHttp::Answer(io::HttpResponse{.status = 201, .body = R"({"id": 7, "bo)"}),
                             PlayedHttp::Answer(io::HttpResponse{.status = 200})}) {
    http_.asked.clear();
    looked_ = 0;
    http_.answers = {answer};
    Client c = client();
    const auto created = create(c);
    ASSERT_TRUE(created);
    EXPECT_EQ(Client::id_of(created->object), 9);
    EXPECT_EQ(looked_, 1);
    EXPECT_EQ(http_.asked.size(), 1U) << "it is not asked for again";
  }
}

TEST_F(ClientTest, I5_OnlyWhatIsNotThereIsAskedForAgain) {
  http_.answers = {PlayedHttp::broken(true), PlayedHttp::json(201, thing)};
  Client c = client();
  const auto created = create(c);
  ASSERT_TRUE(created);
  EXPECT_TRUE(created->asked_twice);
  EXPECT_EQ(looked_, 1);
  EXPECT_GE(gap(1), 3s) << "what is late has time to show";
}

TEST_F(ClientTest, I5_WhatCannotBeLookedForIsNotAskedForAgain) {
  http_.answers = {PlayedHttp::broken(true)};
  Client c = client();
  const auto created =
      c.create("./check-runs", {}, Pace::write, [] { return Answer<std::optional<Json>>(tl::unexpected(Refusal{})); });
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, Refusal::Kind::unknown);
  EXPECT_EQ(http_.asked.size(), 1U);
}

TEST_F(ClientTest, I5_ACreationThatWasNeverSentIsSentAgain) {
  http_.answers = {PlayedHttp::broken(false), PlayedHttp::json(201, thing)};
  Client c = client();
  const auto created = create(c);
  ASSERT_TRUE(created);
  EXPECT_EQ(looked_, 0);
}

TEST_F(ClientTest, I6_PagesAreReadToTheEnd) {
  http_.answers = {
      PlayedHttp::json(200, {{{"id", 1}}, {{"id", 2}}},
                       {{"Link",
                         "<https://ghe.test/api/v3/repositories/5/issues/7/comments?page=2>; rel=\"next\", "
                         "<https://ghe.test/api/v3/repositories/5/issues/7/comments?page=3>; rel=\"last\""}}),
      PlayedHttp::json(200, {{{"id", 3}}},
                       {{"Link", "<https://ghe.test/api/v3/repositories/5/issues/7/comments?page=1>; rel=\"prev\""}})};
  Client c = client();
  const auto all = c.list("./issues/7/comments?per_page=100");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 3U);
  EXPECT_EQ(http_.asked[1].request.url, "https://ghe.test/api/v3/repositories/5/issues/7/comments?page=2");
}

TEST_F(ClientTest, I12_APageElsewhereIsNotAskedFor) {
  for (const char* elsewhere : {"https://evil.test/page2", "http://ghe.test/api/v3/x", "https://ghe.test:8443/x",
                                "https://ghe.test@evil.test/x", "//evil.test/x"}) {
    http_.asked.clear();
    http_.answers = {
        PlayedHttp::json(200, {{{"id", 1}}}, {{"Link", "<" + std::string(elsewhere) + ">; rel=\"next\""}})};
    Client c = client();
    EXPECT_FALSE(c.list("./issues/7/comments")) << elsewhere;
    EXPECT_EQ(http_.asked.size(), 1U) << elsewhere;
  }
}

TEST_F(ClientTest, I6_AListWithoutAnEndEnds) {
  http_.otherwise = [](const io::HttpRequest&) {
    return PlayedHttp::json(200, {{{"id", 1}}}, {{"Link", "<https://ghe.test/api/v3/again>; rel=\"next\""}});
  };
  Client c = client();
  EXPECT_FALSE(c.list("./issues/7/comments"));
  EXPECT_LE(http_.asked.size(), 60U);
}

TEST_F(ClientTest, I10_AnAnswerIsWholeAndAboutWhatWasAsked) {
  const std::vector<PlayedHttp::Answer> bad{PlayedHttp::json(200, {{"id", 8}}), PlayedHttp::json(200, Json::array()),
                                            io::HttpResponse{.status = 200, .body = R"({"id": 7)"},
                                            io::HttpResponse{.status = 200}, PlayedHttp::json(200, {{"id", "7"}})};
  for (const auto& answer : bad) {
    http_.asked.clear();
    http_.answers = {answer, PlayedHttp::json(200, thing)};
    Client c = client();
    ASSERT_TRUE(c.change("./check-runs/7", thing, 7));
    EXPECT_EQ(http_.asked.size(), 2U) << "a change can be asked for again";
  }
  http_.answers = {PlayedHttp::json(200, {{{"id", 1}}, {{"number", 2}}}), PlayedHttp::json(200, {{{"id", 1}}})};
  Client c = client();
  const auto all = c.list("./issues/7/comments");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 1U);
}

TEST_F(ClientTest, I1_OneRunAsksSixtyTimesAtMost) {
  http_.otherwise = [](const io::HttpRequest&) { return PlayedHttp::json(200, thing); };
  Client c = client();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(c.get("./pulls/7"));
  EXPECT_FALSE(c.get("./pulls/7"));
  EXPECT_EQ(http_.asked.size(), 60U);
}

TEST_F(ClientTest, K2_NothingIsBegunWhenTimeIsUpOrTheRunStops) {
  http_.otherwise = [this](const io::HttpRequest&) {
    time_.pass(900ms);
    return PlayedHttp::json(201, thing);
  };
  Client c = client({.until = time_.now() + 2s});
  ASSERT_TRUE(create(c));
  EXPECT_EQ(http_.asked[0].request.within, 2s);
  ASSERT_TRUE(create(c));
  EXPECT_FALSE(create(c)) << "2.8 s have passed";
  EXPECT_EQ(http_.asked.size(), 2U);

  std::stop_source source;
  source.request_stop();
  http_.asked.clear();
  Client stopped = client({.stop = source.get_token()});
  ASSERT_TRUE(create(stopped)) << "the first write need not wait";
  const auto second = create(stopped);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Refusal::Kind::stopped);
}

TEST_F(ClientTest, C2_NoMessageHoldsTheToken) {
  http_.answers = {
      PlayedHttp::json(422, {{"message", "Validation\nFailed"}, {"errors", {{{"message", "Body is too long"}}}}})};
  Client c = client();
  const auto answer = create(c);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Refusal::Kind::invalid);
  EXPECT_EQ(answer.error().why, "HTTP 422, Validation Failed: Body is too long");
}

}  // namespace
}  // namespace offshoot::github::tests
