// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "io/files.hpp"
#include "io/process.hpp"

namespace offshoot::io {
namespace {

using std::chrono::milliseconds;
const Environment environment{{"PATH", "/usr/bin:/bin"}};

TEST(Run, B7_ArgumentsReachTheChildAsTheyAre) {
  const auto output = run({{"printf", "%s|", "a b", "$(id)", "-rf", "`id`", "\xff\n"}, environment});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "a b|$(id)|-rf|`id`|\xff\n|");
  EXPECT_TRUE(output->exit.ok());
}

TEST(Run, KeepsBothStreamsAndTheStatus) {
  const auto output = run({{"sh", "-c", "echo out; echo err >&2; exit 7"}, environment});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->exit.status, 7);
}

TEST(Run, D1_TheChildsEnvironmentIsWhatIsGiven) {
  const auto output = run({{"env"}, {{"PATH", "/usr/bin:/bin"}, {"ONLY", "this"}}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "ONLY=this\nPATH=/usr/bin:/bin\n");
}

TEST(Run, SaysThatAProgramIsMissing) {
  const auto output = run({{"no-such-program"}, environment});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().status, ExitStatus::could_not_run);
}

TEST(Run, D5_EndsAChildThatTakesTooLongAndItsGroup) {
  RunOptions options;
  options.limit = milliseconds(100);
  const auto output = run({{"sh", "-c", "sleep 60 & echo $!; wait"}, environment}, options);
  ASSERT_TRUE(output);
  EXPECT_TRUE(output->exit.timed_out);
  EXPECT_FALSE(output->exit.ok());
  const int grandchild = std::stoi(output->out);
  for (int i = 0; i < 100 && ::kill(grandchild, 0) == 0; ++i) std::this_thread::sleep_for(milliseconds(10));
  const auto state = read_file("/proc/" + std::to_string(grandchild) + "/stat");
  EXPECT_TRUE(!state || state->find(") Z") != std::string::npos);
}

TEST(Run, K2_AskedToStopItInterruptsTheChild) {
  std::stop_source stop;
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  RunOptions options;
  options.stop = stop.get_token();
  const auto output =
      run({{"sh", "-c", "trap 'echo interrupted; exit 3' INT; while :; do sleep 0.05; done"}, environment}, options);
  ASSERT_TRUE(output);
  EXPECT_TRUE(output->exit.cancelled);
  EXPECT_EQ(output->out, "interrupted\n");
}

TEST(Run, D5_KeepsNoMoreThanAsked) {
  RunOptions options;
  options.keep = 10;
  const auto output = run({{"sh", "-c", "yes | head -c 1000000"}, environment}, options);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out.size(), 10U);
}

TEST(FindProgram, IgnoresRelativeFoldersOnThePath) {
  EXPECT_FALSE(find_program("sh", {{"PATH", "bin:.:"}}));
  EXPECT_TRUE(find_program("sh", {{"PATH", ".:/bin"}}));
}

TEST(LineChild, TalksByLines) {
  const auto folder = TemporaryFolder::make("test");
  auto child =
      LineChild::start({{"sh", "-c", "echo log; while read -r line <&3; do echo \"got $line\" >&4; done"}, environment},
                       folder->path() / "log");
  ASSERT_TRUE(child);
  ASSERT_TRUE(child->send("one"));
  ASSERT_TRUE(child->send("two"));
  EXPECT_EQ(child->receive(milliseconds(5000)), "got one");
  EXPECT_EQ(child->receive(milliseconds(5000)), "got two");
  EXPECT_EQ(child->receive(milliseconds(10)), std::nullopt);
  EXPECT_FALSE(child->ended());
  child->signal(SIGKILL);
  EXPECT_EQ(child->receive(milliseconds(5000)), std::nullopt);
  EXPECT_TRUE(child->ended());
  EXPECT_EQ(child->wait_for_end(milliseconds(5000))->signal, SIGKILL);
  EXPECT_EQ(*read_file(folder->path() / "log"), "log\n");
}

}  // namespace
}  // namespace offshoot::io
