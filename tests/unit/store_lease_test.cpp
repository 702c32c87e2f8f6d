// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "io/files.hpp"
#include "io/own_process.hpp"
#include "store/folder_store.hpp"
#include "store/lease.hpp"

namespace offshoot::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LeaseTest : public testing::Test {
 protected:
  io::TemporaryFolder folder_ = *io::TemporaryFolder::make("lease");
  FolderStore store_{folder_.path() / "store"};

  static LeaseRequest request(const std::string& run, seconds ttl = seconds(300)) {
    return {"1/locks/production", {run, "deploy of " + run, ""}, ttl};
  }
  std::unique_ptr<Lease> take(const LeaseRequest& request) {
    auto answer = Lease::take(store_, request);
    if (!answer || !std::holds_alternative<std::unique_ptr<Lease>>(*answer)) return nullptr;
    return std::move(std::get<std::unique_ptr<Lease>>(*answer));
  }
};

TEST_F(LeaseTest, K6_TheLoserLearnsTheHolder) {
  const auto lease = take(request("a"));
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->number(), 1U);
  EXPECT_TRUE(lease->held());
  const auto answer = Lease::take(store_, request("b"));
  ASSERT_TRUE(answer);
  const auto& taken = std::get<LeaseTaken>(*answer);
  EXPECT_EQ(taken.holder.who, "deploy of a");
  EXPECT_EQ(taken.number, 1U);
  EXPECT_GT(taken.for_another, seconds(290));
}

/// Takes a lease in a process of its own, which then ends without giving it back, or waits to be killed.
pid_t holder_in_another_process(const std::filesystem::path& store, const LeaseRequest& request, bool ends) {
  int ready[2];
  EXPECT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    FolderStore folder(store);
    auto answer = Lease::take(folder, request);
    const char said = answer && std::holds_alternative<std::unique_ptr<Lease>>(*answer) ? 'y' : 'n';
    if (::write(ready[1], &said, 1) != 1 || ends) ::_exit(0);
    ::pause();
    ::_exit(0);
  }
  char said = 0;
  EXPECT_EQ(::read(ready[0], &said, 1), 1);
  EXPECT_EQ(said, 'y');
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

TEST_F(LeaseTest, K6_WhatAProcessOfThisMachineHeldIsFreeOnceItIsDead) {
  const pid_t child = holder_in_another_process(folder_.path() / "store", request("killed"), false);
  EXPECT_FALSE(take(request("b"))) << "it lives";
  ::kill(child, SIGSTOP);
  EXPECT_FALSE(take(request("b"))) << "it is only stopped";
  ::kill(child, SIGKILL);
  std::unique_ptr<Lease> lease;
  for (int n = 0; n < 100 && !lease; ++n) {  // a zombie for now
    std::this_thread::sleep_for(milliseconds(20));
    lease = take(request("b"));
  }
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->number(), 2U);
  ASSERT_TRUE(lease->release());
  ::waitpid(child, nullptr, 0);

  const pid_t gone = holder_in_another_process(folder_.path() / "store", request("gone"), true);
  ::waitpid(gone, nullptr, 0);
  lease = take(request("c"));
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->number(), 4U);
}

TEST_F(LeaseTest, K6_AHolderOfAnotherMachineIsWaitedFor) {
  const pid_t child = holder_in_another_process(folder_.path() / "store", request("elsewhere"), true);
  ::waitpid(child, nullptr, 0);
  const std::string key = request("elsewhere").key;
  const auto own = io::own_process();
  ASSERT_FALSE(own.empty());
  std::string text = **store_.get(key);
  const std::string boot = own.substr(0, own.find(' '));
  const auto at = text.find(boot);
  ASSERT_NE(at, std::string::npos);
  ASSERT_TRUE(store_.put(key, text.replace(at, boot.size(), "00000000-0000-0000-0000-000000000000")));
  EXPECT_FALSE(take(request("b")));
}

TEST_F(LeaseTest, K6_NumbersGrowAlsoAcrossReleases) {
  for (std::uint64_t number = 1; number <= 3; ++number) {
    const auto lease = take(request("a"));
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->number(), number);
    ASSERT_TRUE(lease->renew());
    ASSERT_TRUE(lease->release());
    EXPECT_FALSE(lease->held());
    EXPECT_EQ(lease->renew().error().status, ExitStatus::locked);
  }
}

TEST_F(LeaseTest, K6_AHolderThatSleptIsFencedOff) {
  const auto sleeper = take(request("a", seconds(1)));
  ASSERT_TRUE(sleeper->write("1/state/current.json", "by a", std::nullopt)->written);
  const auto before = (*store_.read("1/state/current.json"))->version;
  std::this_thread::sleep_for(milliseconds(4100));
  EXPECT_FALSE(sleeper->held());
  const auto next = take(request("b", seconds(60)));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->number(), 2U);
  const auto late = sleeper->write("1/state/current.json", "late", before);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().status, ExitStatus::locked);
  EXPECT_EQ(late.error().why, "deploy of b (b) has it now");
  EXPECT_EQ(**store_.get("1/state/current.json"), "by a");
  EXPECT_TRUE(next->write("1/state/current.json", "by b", before)->written);
}

TEST_F(LeaseTest, K6_AKeptLeaseOutlivesItsTimeAndALostOneIsTold) {
  const auto lease = take(request("a", seconds(1)));
  std::atomic<int> lost = 0;
  lease->keep([&](const Failed& failure) { lost = static_cast<int>(failure.status); });
  std::this_thread::sleep_for(milliseconds(4200));
  EXPECT_TRUE(lease->held());
  EXPECT_FALSE(take(request("b")));
  EXPECT_EQ(lost, 0);
  ASSERT_TRUE(store_.remove("1/locks/production"));
  std::this_thread::sleep_for(milliseconds(700));
  EXPECT_EQ(lost, static_cast<int>(ExitStatus::locked));
  EXPECT_FALSE(lease->held());
}

TEST_F(LeaseTest, K6_OneOfSixteenWinsEachTime) {
  for (std::uint64_t round = 1; round <= 10; ++round) {
    std::atomic<int> winners = 0;
    std::vector<std::unique_ptr<Lease>> leases(16);
    {
      std::vector<std::jthread> racers;
      for (std::size_t i = 0; i < leases.size(); ++i) {
        racers.emplace_back([&, i] {
          leases[i] = take(request(std::to_string(i)));
          if (leases[i]) ++winners;
        });
      }
    }
    EXPECT_EQ(winners, 1);
    for (const auto& lease : leases) {
      if (lease) {
        EXPECT_EQ(lease->number(), round);
      }
    }
  }
}

/// Time that passes when it is waited for.
class VirtualPauses final : public io::Pauses {
 public:
  milliseconds now() override { return now_; }
  bool wait(milliseconds time, std::stop_token) override {
    now_ += time;
    if (waited) waited();
    return true;
  }
  double chance() override { return 1; }
  std::function<void()> waited;

 private:
  milliseconds now_{0};
};

TEST_F(LeaseTest, AWaitingOneGoesOnByItselfOrGivesUpInGoodTime) {
  auto holder = take(request("a"));
  VirtualPauses pauses;
  int told = 0;
  const auto count = [&](const LeaseTaken& taken) { told += taken.holder.run == "a" ? 1 : 100; };
  const auto none = take_patiently(store_, request("b"), seconds(60), pauses, {}, count);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().status, ExitStatus::locked);
  EXPECT_EQ(told, 1);
  int waits = 0;
  pauses.waited = [&] {
    if (++waits == 3) holder.reset();
  };
  const auto lease = take_patiently(store_, request("b"), seconds(60), pauses, {}, count);
  ASSERT_TRUE(lease);
  EXPECT_EQ((*lease)->number(), 2U);
  EXPECT_EQ(waits, 3);
}

TEST_F(LeaseTest, WhatIsNoLeaseIsNotTaken) {
  ASSERT_TRUE(store_.put("1/locks/production", "{}"));
  const auto answer = Lease::take(store_, request("a"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().why, "it is not a lease of offshoot's");
}

}  // namespace
}  // namespace offshoot::store
