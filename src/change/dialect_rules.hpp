// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "change/lexer.hpp"

namespace offshoot::change {

enum class Escapes : std::uint8_t { none, backslash, depends };
enum class Nesting : std::uint8_t { no, yes, depends };
enum class Hash : std::uint8_t { sign, comment, depends };
enum class Dollars : std::uint8_t { none, plain, tagged };

/// How one dialect reads what others read differently. "depends": by a setting or version; then one of the readings is
/// not chosen, and a text in which it would matter is ambiguous.
struct Rules {
  Escapes in_strings = Escapes::none;        ///< '…'
  Escapes in_double_quotes = Escapes::none;  ///< "…"
  Escapes in_e_strings = Escapes::none;      ///< E'…'
  Nesting comments = Nesting::no;
  Hash hash = Hash::sign;
  Dollars dollars = Dollars::none;
  bool backticks = false;          ///< `…` quotes
  bool square_brackets = false;    ///< […] quotes
  bool triple_quotes = false;      ///< '''…''' and """…"""
  bool slash_comments = false;     ///< // to the line's end
  bool dashes_need_space = false;  ///< "--x" is no comment
  bool dashed_names = false;       ///< my-project.table
  bool calls_touch = false;        ///< "f (" is not "f("
  bool stage_paths = false;        ///< @stage/path, not quoted
  bool code_in_comments = false;   ///< /*! … */ is run
};

/// Of `unknown`: what no other one contradicts in silence.
Rules rules_of(Dialect dialect);

}  // namespace offshoot::change
