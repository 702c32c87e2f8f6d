// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "change/jinja.hpp"
#include "change/lexer.hpp"

namespace offshoot::change {

enum class TokenKind : std::uint8_t {
  word,     ///< names, keywords, numbers
  sign,     ///< operators, single or in a run
  bracket,  ///< ( ) , ; : nothing ever joins across them
  quoted,   ///< literals and quoted names, with their quotes
  comment,  ///< one that counts
  tag,      ///< a piece of Jinja
};

/// What stood before a token, as far as it can matter.
enum class Gap : std::uint8_t { none, space, newline, comment, comment_and_newline };

struct Token {
  TokenKind kind = TokenKind::word;
  Gap gap = Gap::none;
  std::string text;
  bool operator==(const Token&) const = default;
};

/// A text as the warehouse's lexer reads it. Equal values mean the same.
struct Tokens {
  std::vector<Token> list{};
  bool ends_in_line_comment = false;  ///< it would swallow what a materialization puts behind it
  bool operator==(const Tokens&) const = default;
};

/// Absent: malformed, or ambiguous in this dialect (which is not `unknown`).
std::optional<Tokens> sql_tokens(const Template& source, Dialect dialect);

}  // namespace offshoot::change
