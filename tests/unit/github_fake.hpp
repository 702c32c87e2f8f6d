// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "github/client.hpp"

namespace offshoot::github::tests {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Time that passes at once. Remembers each wait.
class VirtualTime final : public io::Pauses {
 public:
  milliseconds now() override { return now_; }
  bool wait(milliseconds time, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    waits.push_back(time);
    now_ += time;
    return true;
  }
  double chance() override { return chances.empty() ? 1.0 : chances[next_++ % chances.size()]; }

  void pass(milliseconds time) { now_ += time; }
  std::vector<milliseconds> waits{};
  std::vector<double> chances{};  ///< taken in turn; empty = always 1

 private:
  milliseconds now_{1'000};
  std::size_t next_ = 0;
};

/// An HTTP that answers as the test says, and remembers what it was asked, and when.
class PlayedHttp final : public io::HttpClient {
 public:
  using Answer = tl::expected<io::HttpResponse, io::HttpFailure>;
  struct Asked {
    io::HttpRequest request;
    milliseconds at{};
  };

  explicit PlayedHttp(VirtualTime& time) : time_(time) {}

  Answer send(const io::HttpRequest& request) override {
    asked.push_back({request, time_.now()});
    if (!answers.empty()) {
      Answer answer = answers.front();
      answers.pop_front();
      return answer;
    }
    return otherwise ? otherwise(request) : Answer(io::HttpResponse{.status = 404});
  }

  static Answer json(int status, const nlohmann::json& body, io::HttpHeaders headers = {}) {
    return io::HttpResponse{.status = status, .headers = std::move(headers), .body = body.dump()};
  }
  static Answer broken(bool sent) {
    return tl::unexpected(io::HttpFailure{.sent = sent, .why = sent ? "connection reset" : "connection refused"});
  }

  std::deque<Answer> answers{};  ///< given first, in order
  std::function<Answer(const io::HttpRequest&)> otherwise{};
  std::vector<Asked> asked{};

 private:
  VirtualTime& time_;
};

}  // namespace offshoot::github::tests
