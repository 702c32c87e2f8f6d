// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "io/own_process.hpp"

namespace offshoot::io {
namespace {

TEST(OwnProcess, LivesAndIsAlwaysTheSame) {
  const std::string own = own_process();
  ASSERT_FALSE(own.empty());
  EXPECT_EQ(own_process(), own);
  EXPECT_FALSE(has_surely_ended(own));
}

TEST(OwnProcess, AnotherThatHadItsIdBeforeHasEnded) {
  const std::string own = own_process();
  EXPECT_TRUE(has_surely_ended(own.substr(0, own.rfind(' ')) + " 1"));
}

TEST(OwnProcess, WhatIsNotKnownHasNotSurelyEnded) {
  const std::string own = own_process();
  const std::string id = " " + std::to_string(::getpid()) + " ";
  const std::string where = own.substr(0, own.rfind(id));
  EXPECT_TRUE(has_surely_ended(where + " 4194999 5")) << "larger than any process id is";
  const std::string boot = own.substr(0, own.find(' '));
  for (const std::string& other :
       {std::string(), std::string("x"), where, where + " ", where + " 4194999", where + " -1 5", where + " x 5",
        where + " 99999999999999999999 5", std::string("other pid:[1] 4194999 5"), boot + " pid:[1] 4194999 5"}) {
    EXPECT_FALSE(has_surely_ended(other)) << other;
  }
}

}  // namespace
}  // namespace offshoot::io
