// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "io/redaction.hpp"

namespace offshoot::io {
namespace {

Redaction of(std::initializer_list<std::string_view> secrets) {
  Redaction redaction;
  for (const auto secret : secrets) redaction.add(secret);
  return redaction;
}

TEST(Redaction, C2_TakesOutEveryForm) {
  const auto redaction = of({R"(p4ss"w/rd +x)"});
  for (const std::string text : {
           R"(p4ss"w/rd +x)",           // raw
           R"(p4ss\"w/rd +x)",          // JSON
           "p4ss%22w%2Frd%20%2Bx",      // URL
           "p4ss%22w%2frd%20%2bx",      // URL, lower case
           "7034737322772f7264202b78",  // hex
           "7034737322772F7264202B78",  // HEX
           "cDRzcyJ3L3JkICt4",          // base64, at offset 0
       }) {
    const auto cleaned = redaction.clean("before " + text + " after");
    EXPECT_NE(cleaned.find("***"), std::string::npos) << text;
    EXPECT_EQ(cleaned.find("4ss"), std::string::npos) << cleaned;
    EXPECT_TRUE(cleaned.starts_with("before ") && cleaned.ends_with(" after")) << cleaned;
  }
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned value = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      value = (value << 8U) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : digits[(value >> (18U - 6U * k)) & 63U];
  }
  return text;
}

TEST(Redaction, C2_Base64IsFoundAtEveryOffset) {
  const std::string secret = "canary-0123456789-secret";
  const auto redaction = of({secret});
  std::mt19937 random(7);
  for (int turn = 0; turn < 300; ++turn) {
    const std::string before(random() % 9, static_cast<char>('a' + random() % 26));
    const std::string behind(random() % 9, static_cast<char>('a' + random() % 26));
    const auto cleaned = redaction.clean(base64(before + secret + behind));
    // What is left spells no more than one digit on each side of the secret.
    EXPECT_NE(cleaned.find("***"), std::string::npos) << before << ' ' << behind;
    EXPECT_LE(cleaned.size(), base64(before).size() + base64(behind).size() + 12);
  }
}

TEST(Redaction, C1_EachLineOfAKeyCounts) {
  const auto redaction = of({"-----BEGIN KEY-----\nabcdefgh\r\nijk\nlmnopqrs\n-----END KEY-----\n"});
  EXPECT_EQ(redaction.clean("x abcdefgh y"), "x *** y");
  EXPECT_EQ(redaction.clean("lmnopqrs"), "***");
  EXPECT_EQ(redaction.clean("ijk"), "ijk");  // shorter than four bytes
  EXPECT_EQ(redaction.lines(),
            (std::vector<std::string>{"-----BEGIN KEY-----", "abcdefgh", "lmnopqrs", "-----END KEY-----"}));
}

TEST(Redaction, ShortOnesAreNoSecrets) {
  const auto redaction = of({"", "a", "abc", "\n"});
  EXPECT_TRUE(redaction.empty());
  EXPECT_EQ(redaction.clean("abc a"), "abc a");
}

TEST(Redaction, OtherTextIsKeptByteForByte) {
  const auto redaction = of({"secret"});
  std::string text("sec\0ret secre \xff secret", 22);
  EXPECT_EQ(redaction.clean(text), std::string("sec\0ret secre \xff ***", 19));
  EXPECT_EQ(redaction.clean("secre"), "secre");
  EXPECT_EQ(redaction.clean(""), "");
}

TEST(Redaction, TheLongestOneWins) {
  EXPECT_EQ(of({"pass", "password"}).clean("password"), "***");
  EXPECT_EQ(of({"password", "pass"}).clean("passport"), "***port");
}

TEST(RedactingStream, C2_ASecretIsNotCutInTwo) {
  const auto redaction = of({"secret"});
  std::ostringstream to;
  {
    RedactingStream stream(to, redaction);
    stream << "one sec";
    EXPECT_EQ(to.str(), "");
    stream << "ret\ntwo" << '\n';
    EXPECT_EQ(to.str(), "one ***\ntwo\n");
    stream << "three " << std::flush;
    EXPECT_EQ(to.str(), "one ***\ntwo\nthree ");
    stream << "secret";
  }
  EXPECT_EQ(to.str(), "one ***\ntwo\nthree ***");
}

}  // namespace
}  // namespace offshoot::io
