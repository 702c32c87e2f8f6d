// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "http_server.hpp"
#include "io/files.hpp"
#include "io/http.hpp"
#include "io/retry.hpp"

namespace offshoot::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::HttpServer;
using test::ok;
using test::Reply;

auto send(const HttpRequest& request) { return curl_client({})->send(request); }

TEST(Http, SendsMethodHeadersAndBodyAsTheyAre) {
  const HttpServer server([](const std::string&) { return ok("created", "201 Created", "ETag: \"x\"\r\n"); });
  const auto response =
      send({.method = "PATCH",
            .url = server.url("/a/../b?x=%2F"),
            .headers = {{"X-One", "1"}, {"Content-Type", "application/json"}, {"X-Evil", "a\r\nb: c"}},
            .body = "{}"});
  ASSERT_TRUE(response) << response.error().why;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "created");
  EXPECT_EQ(header(response->headers, "etag"), "\"x\"");
  const std::string request = server.requests().at(0);
  EXPECT_TRUE(request.starts_with("PATCH /a/../b?x=%2F HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("\r\nX-One: 1\r\n"), std::string::npos);
  EXPECT_NE(request.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(request.find("Evil"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\n\r\n{}"));
}

TEST(Http, KeepsItsConnectionButNotForWhatMustHappenOnce) {
  const HttpServer server([](const std::string&) { return ok("x"); });
  const auto client = curl_client({});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client->send({.url = server.url()}));
  EXPECT_EQ(server.connections(), 1);
  ASSERT_TRUE(client->send({.method = "POST", .url = server.url(), .body = "x"}));
  EXPECT_EQ(server.connections(), 2);
}

TEST(Http, I5_APostWhoseConnectionEndsIsSentOnceAndSaidToBeAmbiguous) {
  const HttpServer server([](const std::string& request) { return request.starts_with("GET") ? ok("x") : Reply{}; });
  const auto client = curl_client({});
  ASSERT_TRUE(client->send({.url = server.url()}));
  const auto response = client->send({.method = "POST", .url = server.url(), .body = "x"});
  ASSERT_FALSE(response);
  EXPECT_TRUE(response.error().sent);
  EXPECT_EQ(server.requests().size(), 2U);
}

class CutReply : public testing::TestWithParam<const char*> {};

TEST_P(CutReply, I10_IsAFailure) {
  const HttpServer server([](const std::string&) { return Reply{.bytes = GetParam()}; });
  const auto response = send({.url = server.url()});
  ASSERT_FALSE(response) << GetParam();
  EXPECT_TRUE(response.error().sent);
  EXPECT_FALSE(response.error().stopped);
  EXPECT_NE(response.error().why, "");
}

INSTANTIATE_TEST_SUITE_P(
    Http, CutReply,
    testing::Values("", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETa", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r",
                    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234", "HTTP/1.1 200 OK\r\n\r\nno end",
                    "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
                    "HTTP/1.1 100 Continue\r\n\r\n", "not http at all\r\n\r\n"));

TEST(Http, TakesChunksTrailersInterimAnswersAndNoBody) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\nX-After: 1\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345"}) {
    const HttpServer server([bytes](const std::string&) { return Reply{.bytes = bytes}; });
    const auto response = send({.url = server.url()});
    ASSERT_TRUE(response) << response.error().why;
    EXPECT_EQ(response->body, "12345");
  }
  const HttpServer server([](const std::string&) { return Reply{.bytes = "HTTP/1.1 204 No Content\r\n\r\n"}; });
  ASSERT_TRUE(send({.method = "DELETE", .url = server.url()}));
  const HttpServer head(
      [](const std::string&) { return Reply{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}; });
  ASSERT_TRUE(send({.method = "HEAD", .url = head.url()}));
}

TEST(Http, I10_AnAnswerIsNoLongerThanAllowed) {
  const HttpServer server([](const std::string&) { return ok(std::string(1000, 'x')); });
  EXPECT_TRUE(send({.url = server.url(), .most_bytes = 1000}));
  const auto response = send({.url = server.url(), .most_bytes = 999});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().why, "the answer is longer than 999 bytes");
}

TEST(Http, AFileReceivesOnlyAWholeAnswer) {
  auto folder = TemporaryFolder::make("http");
  ASSERT_TRUE(folder);
  const auto file = folder->path() / "answer";
  const HttpServer whole([](const std::string&) { return ok("all of it"); });
  const auto response = send({.url = whole.url(), .into = file, .most_bytes = 1});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(read_file(file), "all of it");
  const HttpServer cut(
      [](const std::string&) { return Reply{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nal"}; });
  EXPECT_FALSE(send({.url = cut.url(), .into = file}));
  EXPECT_EQ(read_file(file), "all of it");
  const HttpServer empty([](const std::string&) { return ok(""); });
  EXPECT_TRUE(send({.url = empty.url(), .into = file}));
  EXPECT_EQ(read_file(file), "");
  const HttpServer missing([](const std::string&) { return ok("why", "404 Not Found"); });
  EXPECT_EQ(send({.url = missing.url(), .into = folder->path() / "none"})->body, "why");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path()), {}), 1);
}

TEST(Http, SendsPartOfAFile) {
  auto folder = TemporaryFolder::make("http");
  ASSERT_TRUE(folder);
  std::string bytes(3'000'000, 'a');
  bytes[1'000'000] = 'b';
  ASSERT_TRUE(write_file(folder->path() / "f", bytes));
  const HttpServer server([](const std::string&) { return ok(""); });
  const auto response =
      send({.method = "PUT", .url = server.url(), .file = FilePart{folder->path() / "f", 1'000'000, 1'500'000}});
  ASSERT_TRUE(response) << response.error().why;
  EXPECT_TRUE(server.requests().at(0).ends_with("\r\n\r\n" + bytes.substr(1'000'000, 1'500'000)));
}

TEST(Http, I4_FollowsRedirectsAndDropsAuthorizationOnAnotherHost) {
  const HttpServer other([](const std::string&) { return ok("there"); });
  const HttpServer server([&](const std::string& request) {
    if (request.find(" /one ") != std::string::npos) return ok("", "307 Temporary Redirect", "Location: /two\r\n");
    return ok("", "301 Moved Permanently", "Location: " + other.url("/three") + "\r\n");
  });
  const auto response = send({.method = "POST",
                              .url = server.url("/one"),
                              .headers = {{"Authorization", "Bearer canary"}, {"X-Kept", "1"}},
                              .body = "b",
                              .redirects = 5});
  ASSERT_TRUE(response) << response.error().why;
  EXPECT_EQ(response->body, "there");
  EXPECT_NE(server.requests().at(1).find("canary"), std::string::npos);
  const std::string last = other.requests().at(0);
  EXPECT_TRUE(last.starts_with("POST /three "));
  EXPECT_EQ(last.find("canary"), std::string::npos);
  EXPECT_NE(last.find("X-Kept: 1"), std::string::npos);
  EXPECT_EQ(send({.url = server.url("/one")})->status, 307);
  EXPECT_EQ(send({.url = server.url("/one"), .redirects = 1}).error().why, "more than 1 redirects");
}

TEST(Http, SaysWhyThereIsNoAnswer) {
  int port = 0;
  {
    port = HttpServer([](const std::string&) { return ok(""); }).port();
  }
  const auto refused = send({.url = "http://127.0.0.1:" + std::to_string(port) + "/?X-Amz-Signature=canary"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().why, "connection refused");
  EXPECT_FALSE(refused.error().sent);
  const HttpServer slow([](const std::string&) { return Reply{.after = milliseconds(1500)}; });
  EXPECT_EQ(send({.url = slow.url(), .within = milliseconds(100)}).error().why, "no answer within 100 ms");
  const HttpServer resets([](const std::string&) { return Reply{.reset = true}; });
  EXPECT_EQ(send({.url = resets.url()}).error().why, "the connection was reset");
  EXPECT_EQ(send({.url = "http://no-such-host.invalid/"}).error().why, "the name 'no-such-host.invalid' is not known");
  EXPECT_EQ(send({.url = "file:///etc/passwd"}).error().why, "the address is not an http or https URL");
}

TEST(Http, K2_EndsAtOnceWhenAskedTo) {
  const HttpServer slow([](const std::string&) { return Reply{.after = milliseconds(2000)}; });
  std::stop_source stop;
  const auto client = curl_client({}, stop.get_token());
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(100));
    stop.request_stop();
  });
  const Stopwatch watch;
  const auto response = client->send({.url = slow.url()});
  ASSERT_FALSE(response);
  EXPECT_TRUE(response.error().stopped);
  EXPECT_LT(watch.seconds(), 1.0);
}

TEST(Http, ReadsProxiesFromTheGivenEnvironmentOnly) {
  const HttpServer proxy([](const std::string&) { return ok("proxied"); });
  const HttpServer server([](const std::string&) { return ok("direct"); });
  const auto through = curl_client({{"http_proxy", proxy.url()}})->send({.url = "http://example.invalid/x"});
  ASSERT_TRUE(through) << through.error().why;
  EXPECT_EQ(through->body, "proxied");
  EXPECT_EQ(curl_client({{"http_proxy", proxy.url()}, {"no_proxy", "127.0.0.1"}})->send({.url = server.url()})->body,
            "direct");
}

TEST(Http, AMessageHoldsNoSecretOfAUrl) {
  EXPECT_EQ(without_secrets("https://user:canary@h.example:8443/a/b?X-Amz-Signature=canary#canary"),
            "https://h.example:8443/a/b");
  EXPECT_EQ(without_secrets("::canary::"), "a malformed address");
  EXPECT_EQ(origin_of("HTTPS://Api.Example:443/x"), "https://api.example");
  EXPECT_EQ(origin_of("http://h:8080"), "http://h:8080");
}

TEST(Http, ReadsDates) {
  const auto date = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(date);
  EXPECT_EQ(rfc3339(*date), "1994-11-06T08:49:37Z");
  EXPECT_FALSE(parse_http_date("soon"));
}

/// Time that passes when it is waited for.
class VirtualPauses final : public Pauses {
 public:
  milliseconds now() override { return now_; }
  bool wait(milliseconds time, std::stop_token stop) override {
    waits.push_back(time);
    now_ += time;
    return !stop.stop_requested();
  }
  double chance() override { return 1.0; }
  std::vector<milliseconds> waits;

 private:
  milliseconds now_{0};
};

TEST(Retry, J4_DoublesUpToTheCapAndGivesUp) {
  VirtualPauses pauses;
  int tries = 0;
  const int result = with_retries(
      {.tries = 5, .first = milliseconds(200), .longest = milliseconds(700)}, pauses, {}, [&](int) { return ++tries; },
      [](int) { return std::optional(Again{}); });
  EXPECT_EQ(result, 5);
  EXPECT_EQ(pauses.waits, (std::vector{milliseconds(200), milliseconds(400), milliseconds(700), milliseconds(700)}));
}

TEST(Retry, EndsWithTheFirstGoodResultOrWhenStopped) {
  VirtualPauses pauses;
  EXPECT_EQ(
      with_retries(
          {}, pauses, {}, [](int n) { return n; }, [](int n) { return n < 2 ? std::optional(Again{}) : std::nullopt; }),
      2);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(with_retries(
                {}, pauses, stop.get_token(), [](int n) { return n; }, [](int) { return std::optional(Again{}); }),
            0);
}

TEST(Retry, I3_WaitsAsLongAsTheServerAsksButNotPastTheWhole) {
  VirtualPauses pauses;
  EXPECT_EQ(with_retries(
                {}, pauses, {}, [](int n) { return n; },
                [](int n) { return n == 0 ? std::optional(Again{seconds(60)}) : std::nullopt; }),
            1);
  EXPECT_EQ(pauses.waits, std::vector<milliseconds>{seconds(60)});
  EXPECT_EQ(with_retries(
                {.in_all = seconds(30)}, pauses, {}, [](int n) { return n; },
                [](int) { return std::optional(Again{seconds(31)}); }),
            0);
}

TEST(Retry, I3_ReadsRetryAfterInBothForms) {
  const Instant now = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(retry_after({{"Retry-After", "120"}}, now), seconds(120));
  EXPECT_EQ(retry_after({{"retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"}}, now), seconds(3));
  EXPECT_EQ(
      retry_after({{"Retry-After", "Sun, 06 Nov 1994 08:49:40 GMT"}, {"Date", "Sun, 06 Nov 1994 08:49:30 GMT"}}, now),
      seconds(10));
  EXPECT_EQ(retry_after({{"Retry-After", "Sun, 06 Nov 1994 08:49:30 GMT"}}, now), seconds(0));
  EXPECT_FALSE(retry_after({{"Retry-After", "-5"}}, now));
  EXPECT_FALSE(retry_after({}, now));
}

TEST(Retry, ARealPauseEndsWhenAskedTo) {
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  const Stopwatch watch;
  EXPECT_FALSE(real_pauses().wait(seconds(5), stop.get_token()));
  EXPECT_LT(watch.seconds(), 2.0);
  EXPECT_TRUE(real_pauses().wait(milliseconds(1), {}));
}

}  // namespace
}  // namespace offshoot::io
