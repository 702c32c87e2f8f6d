// SPDX-License-Identifier: Apache-2.0
#include "change/sql_tokens.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "change/dialect_rules.hpp"
#include "change/literal_joins.hpp"

namespace offshoot::change {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_digit(c) || is_letter(c) || static_cast<unsigned char>(c) >= 0x80; }
bool is_bracket(char c) { return c == '(' || c == ')' || c == ',' || c == ';'; }
bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// Whether someone acts on a comment: the warehouse (hints), dbt (Jinja, depends_on) or a linter.
bool counts(std::string_view comment, std::string_view opening) {
  const std::string_view inside = comment.substr(opening.size());
  if (inside.starts_with('+') || inside.starts_with('!')) return true;
  const std::string text = lower(inside);
  return contains(text, "depends_on") || contains(text, "noqa") || contains(text, "sqlfluff");
}

/// Whether a hint is read alike everywhere: where hints are tokens, quotes and comments inside may hide its end.
bool is_plain_hint(std::string_view hint) {
  if (hint.find_first_of("'\"`#") != std::string_view::npos) return false;
  const std::string_view inside = hint.substr(2);
  return !contains(inside, "--") && !contains(inside, "//") && !contains(inside, "/*");
}

/// Bytes at which some warehouses end a line and others do not.
bool has_doubtful_line_end(std::string_view comment) {
  for (const std::string_view end : {"\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
    if (contains(comment, end)) return true;
  }
  return comment.ends_with('\\');
}

class Lexer {
 public:
  Lexer(const Template& source, Dialect dialect) : text_(source.text), tags_(source.tags), rules_(rules_of(dialect)) {}

  std::optional<Tokens> lex() {
    while (pos_ < text_.size()) {
      if (!step()) return std::nullopt;
    }
    if (sign_at_beginning_ && sign_at_end_) return std::nullopt;
    simplify_gaps(tokens_.list, of_token_);
    return std::move(tokens_);
  }

 private:
  /// What may stand before a token; any of these at once.
  enum Before : std::uint8_t { nothing = 0, dash = 1, slash = 2, end_of_quote = 4, beginning = 8 };

  /// A block that is open: what may touch its beginning, and its end.
  struct Branch {
    std::uint8_t before = nothing;
    std::uint8_t ends = nothing;
  };

  char at(std::size_t ahead) const { return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0'; }
  bool starts(std::string_view part) const { return text_.substr(pos_).starts_with(part); }
  bool after_glued_tag() const {
    return !tokens_.list.empty() && tokens_.list.back().kind == TokenKind::tag && !spaced_;
  }

  bool step() {
    const char c = text_[pos_];
    if (is_space(c)) {
      set_apart();
      newline_ = newline_ || c == '\n' || c == '\r';
      tokens_.ends_in_line_comment = false;
      ++pos_;
      return true;
    }
    if (c == Template::mark) return tag();
    if (rules_.dashes_need_space && starts("--") && at(2) == Template::mark) return false;
    if (at_line_comment() || starts("/*")) {
      if (!note_sign(c) || may_be_path()) return false;
      return starts("/*") ? block_comment() : line_comment();
    }
    if (is_quote(c)) return quote(c);
    if (c == '[' && rules_.square_brackets) return square_brackets();
    if (c == '$') return dollar();
    if (is_bracket(c)) return single(TokenKind::bracket);
    if (rules_.stage_paths && after_glued_tag()) return path();
    if (is_word(c)) return word();
    if (c == '@') return path();
    if (c == '#' && rules_.hash == Hash::depends) return false;
    if (c == '.' || c == '[' || c == ']' || c == '{' || c == '}') return single(TokenKind::sign);
    return signs();
  }

  // --- emitting ---

  bool emit(TokenKind kind, std::string text) {
    if (kind == TokenKind::sign && !note_sign(text.front())) return false;
    const Gap gap = gap_before(kind, text);
    if (kind == TokenKind::tag) {
      note_branch(tags_[next_tag_ - 1].kind);
    } else if (kind == TokenKind::sign) {
      before_ = text.back() == '-' ? dash : (text.back() == '/' ? slash : nothing);
    } else {
      before_ = kind == TokenKind::quoted ? end_of_quote : nothing;
    }
    tokens_.list.push_back({kind, gap, std::move(text)});
    of_token_.push_back(kind == TokenKind::tag ? &tags_[next_tag_ - 1] : nullptr);
    spaced_ = newline_ = comment_ = false;
    tokens_.ends_in_line_comment = false;
    return true;
  }

  void set_apart() {
    spaced_ = true;
    before_ = nothing;
  }

  /// A branch may come or not, and a loop again: then what stands before it, or its own end, meets what comes next.
  void note_branch(TagKind kind) {
    if (kind == TagKind::close && (before_ & (dash | slash)) != 0) sign_at_end_ = true;
    if (kind == TagKind::open) {
      branches_.push_back({before_, before_});
    } else if (kind == TagKind::middle || kind == TagKind::close) {
      branches_.back().ends |= before_;
      before_ = kind == TagKind::middle ? branches_.back().before : branches_.back().ends;
    }
    if (kind == TagKind::close) branches_.pop_back();
    if (kind == TagKind::open || kind == TagKind::middle) before_ |= beginning;
  }

  /// Notes that a sign or a comment begins here. False: Jinja that touches it may have put another sign before it, and
  /// so make a comment of both: "-{{ x }}-" where x is empty.
  bool note_sign(char first) {
    if (!after_glued_tag()) return true;
    const bool joins = first == '-' || first == '/' || first == '*';
    if (joins && (before_ & beginning) != 0) sign_at_beginning_ = true;
    return !((before_ & dash) != 0 && first == '-') && !((before_ & slash) != 0 && (first == '*' || first == '/'));
  }

  /// Whether what looks like a comment may be part of a path: "@{{ stage }}//a", "file://a".
  bool may_be_path() const {
    return rules_.stage_paths && (after_glued_tag() || (starts("//") && pos_ > 0 && text_[pos_ - 1] == ':'));
  }

  Gap gap_before(TokenKind kind, std::string_view text) const {
    if (tokens_.list.empty()) return Gap::none;
    const Token& before = tokens_.list.back();
    if (before.kind == TokenKind::comment || kind == TokenKind::comment) return Gap::none;
    if (before.kind == TokenKind::bracket || kind == TokenKind::bracket) {
      const bool call = text == "(" && before.kind != TokenKind::bracket && before.kind != TokenKind::sign;
      return (rules_.calls_touch && call) || is_path(before) ? space() : Gap::none;
    }
    if (before.kind == TokenKind::word && kind == TokenKind::word) return Gap::none;
    if (before.kind == TokenKind::quoted && kind == TokenKind::quoted) return detailed();
    if (before.kind == TokenKind::tag || kind == TokenKind::tag) return detailed();  // see simplify_gaps
    if (kind == TokenKind::word && may_be_exponent()) return space();
    if (before.kind == TokenKind::sign && !is_loose(before.text)) return space();
    if (kind == TokenKind::sign && !is_loose(text)) return space();
    return before.kind == TokenKind::sign || kind == TokenKind::sign ? Gap::none : space();
  }

  /// A stage's path, which may go on behind what touches it.
  bool is_path(const Token& token) const {
    const bool path = token.text.front() == '@' || is_word(token.text.back());
    return rules_.stage_paths && token.kind == TokenKind::sign && path;
  }

  /// "{{ x }}-5" where x ends in "1e".
  bool may_be_exponent() const {
    const auto& list = tokens_.list;
    const bool touches_tag =
        list.size() > 1 && list[list.size() - 2].kind == TokenKind::tag && list.back().gap == Gap::none;
    return touches_tag && (list.back().text == "-" || list.back().text == "+");
  }

  Gap space() const { return spaced_ ? Gap::space : Gap::none; }

  /// PostgreSQL joins two literals with a newline between them, and no block comment.
  Gap detailed() const {
    if (comment_) return newline_ ? Gap::comment_and_newline : Gap::comment;
    return newline_ ? Gap::newline : space();
  }

  /// Operators that read the same with and without whitespace around them.
  bool is_loose(std::string_view sign) const {
    constexpr std::array<std::string_view, 17> loose{
        "+", "-", "*", "/", "=", "<", ">", "<=", ">=", "<>", "!=", "::", "||", "=>", "->", "->>", "=="};
    if (sign == "-" && rules_.dashed_names) return false;
    return std::ranges::find(loose, sign) != loose.end();
  }

  // --- Jinja ---

  bool tag() {
    const Tag& tag = tags_[next_tag_];
    return note_tag("") && emit(TokenKind::tag, tag.text);
  }

  /// Steps over the mark of the next tag, which stands where the lexer is in `state`. What comes or not must leave the
  /// state as it was, or the text behind it could be read in two ways.
  bool note_tag(std::string_view state) {
    ++pos_;
    const TagKind kind = tags_[next_tag_++].kind;
    if (kind == TagKind::open) states_.emplace_back(state);
    if (kind == TagKind::middle || kind == TagKind::close) {
      if (states_.empty() || states_.back() != state) return false;
      if (kind == TagKind::close) states_.pop_back();
    }
    return true;
  }

  /// Takes one byte, or one tag, of a token that is kept byte for byte.
  bool take(std::string& token, std::string_view state) {
    if (text_[pos_] != Template::mark) {
      token += text_[pos_++];
      return true;
    }
    token += Template::mark;
    token += tags_[next_tag_].text;
    token += Template::mark;
    return note_tag(state);
  }

  // --- comments ---

  bool at_line_comment() const {
    if (starts("--")) {
      const bool ends = pos_ + 2 == text_.size();
      return !rules_.dashes_need_space || ends || is_space(at(2));
    }
    if (starts("//")) return rules_.slash_comments;
    return text_[pos_] == '#' && rules_.hash == Hash::comment;
  }

  bool line_comment() {
    const std::string opening(text_.substr(pos_, text_[pos_] == '#' ? 1 : 2));
    const std::size_t begin_tag = next_tag_;
    std::string comment;
    while (pos_ < text_.size() && text_[pos_] != '\n') {
      if (!take(comment, opening)) return false;
    }
    if (comment.ends_with('\r')) comment.pop_back();
    if (has_doubtful_line_end(comment)) return false;
    return end_comment(std::move(comment), opening, next_tag_ > begin_tag, true);
  }

  bool block_comment() {
    const std::size_t begin_tag = next_tag_;
    std::string comment = "/*";
    pos_ += 2;
    for (int depth = 1; depth > 0;) {
      if (pos_ >= text_.size()) return false;
      if (starts("/*") && rules_.comments == Nesting::depends) return false;
      const bool opens = starts("/*") && rules_.comments == Nesting::yes;
      const bool closes = starts("*/");
      if (opens || closes) {
        depth += opens ? 1 : -1;
        comment += text_.substr(pos_, 2);
        pos_ += 2;
      } else if (!take(comment, "/*" + std::to_string(depth))) {
        return false;
      }
    }
    comment_ = true;
    return end_comment(std::move(comment), "/*", next_tag_ > begin_tag, false);
  }

  bool end_comment(std::string comment, std::string_view opening, bool holds_jinja, bool to_line_end) {
    const bool runs = rules_.code_in_comments && (comment.starts_with("/*!") || comment.starts_with("/*M!"));
    const bool doubtful_hint = comment.substr(opening.size()).starts_with('+') && !is_plain_hint(comment);
    if (runs || doubtful_hint) return false;
    if ((holds_jinja || counts(comment, opening)) && !emit(TokenKind::comment, std::move(comment))) return false;
    set_apart();
    tokens_.ends_in_line_comment = to_line_end;
    return true;
  }

  // --- quotes ---

  /// The word that touches the quote: "e", "br"; empty when there is none. Absent where
  /// that is doubtful: Jinja may have printed one, or it ends a number.
  std::optional<std::string> prefix() const {
    if (tokens_.list.empty() || spaced_) return "";
    const auto& list = tokens_.list;
    if (list.back().kind == TokenKind::tag) return std::nullopt;
    if (list.back().kind != TokenKind::word) return "";
    const bool touches_tag =
        list.size() > 1 && list[list.size() - 2].kind == TokenKind::tag && list.back().gap == Gap::none;
    if (touches_tag || is_digit(list.back().text.front())) return std::nullopt;
    return lower(list.back().text);
  }

  bool quote(char c) {
    if (c == '`') return rules_.backticks && quoted("`", "`", "`", Escapes::depends);
    if (rules_.triple_quotes && after_glued_tag() && (before_ & end_of_quote) != 0) return false;
    const auto touching = prefix();
    const std::string word = touching.value_or("");
    if (word == "q" || word == "nq") return false;
    Escapes escapes = c == '"' ? rules_.in_double_quotes : rules_.in_strings;
    if (word == "e" && c == '\'') escapes = rules_.in_e_strings;
    if (!touching) escapes = Escapes::depends;
    const std::string one(1, c);
    if (rules_.triple_quotes && starts(std::string(3, c))) {
      return quoted(std::string(3, c), std::string(3, c), word + std::string(3, c), escapes);
    }
    return quoted(one, one, word + one, escapes);
  }

  bool square_brackets() { return quoted("[", "]", "[", Escapes::none); }

  bool quoted(std::string_view opening, std::string_view closing, const std::string& state, Escapes escapes) {
    const bool doubles = closing.size() == 1 && !rules_.triple_quotes;
    std::string token(opening);
    pos_ += opening.size();
    while (pos_ < text_.size()) {
      if (text_[pos_] == '\\' && escapes != Escapes::none) {
        if (!escape(token, closing[0], escapes)) return false;
      } else if (!starts(closing)) {
        const bool in_closing = closing.size() > 1 && token.size() > closing.size() && token.back() == closing[0];
        if (in_closing && text_[pos_] == Template::mark) return false;
        if (!take(token, state)) return false;
      } else {
        token += closing;
        pos_ += closing.size();
        if (!doubles || !starts(closing)) return !may_be_triple(token) && emit(TokenKind::quoted, std::move(token));
        token += closing;
        pos_ += closing.size();
      }
    }
    return false;
  }

  /// "'{{ x }}''" opens a triple quote where x is empty.
  bool may_be_triple(std::string_view token) const {
    return rules_.triple_quotes && at(0) == token.front() && contains(token, std::string_view(&Template::mark, 1));
  }

  /// Takes a backslash, and what it escapes.
  bool escape(std::string& token, char quote, Escapes escapes) {
    const char next = at(1);
    if (next == '\0' || next == Template::mark) return false;
    if (escapes == Escapes::depends && next == quote) return false;
    const std::size_t length = escapes == Escapes::backslash ? 2 : 1;
    token += text_.substr(pos_, length);
    pos_ += length;
    return true;
  }

  bool dollar() {
    const bool touches_tag = after_glued_tag() || at(1) == Template::mark;
    if (touches_tag) return false;
    std::size_t length = 1;
    if (!is_digit(at(1))) {
      while (is_word(at(length))) ++length;
    }
    if (at(length) == Template::mark) return false;
    const bool quotes = at(length) == '$';
    if (!quotes) return single(TokenKind::sign);
    if (rules_.dollars == Dollars::none || (rules_.dollars == Dollars::plain && length > 1)) return false;
    const std::string fence(text_.substr(pos_, length + 1));
    std::string token = fence;
    pos_ += fence.size();
    while (!starts(fence)) {
      if (pos_ >= text_.size() || !take(token, fence)) return false;
    }
    pos_ += fence.size();
    return emit(TokenKind::quoted, token + fence);
  }

  // --- the rest ---

  bool single(TokenKind kind) { return emit(kind, std::string(1, text_[pos_++])); }

  bool word() {
    const std::size_t begin = pos_;
    take_word();
    const std::string_view taken = text_.substr(begin, pos_ - begin);
    const bool after_point = taken.size() == 1 && !tokens_.list.empty() && tokens_.list.back().text == "." && !spaced_;
    const bool mantissa = is_digit(taken.front()) || after_point;
    const bool exponent = mantissa && (taken.back() == 'e' || taken.back() == 'E');
    if (exponent && (at(0) == '-' || at(0) == '+') && is_digit(at(1))) {
      ++pos_;
      take_word();
    }
    const std::string_view whole = text_.substr(begin, pos_ - begin);
    return !contains(whole, "$$") && at(0) != '$' && emit(TokenKind::word, std::string(whole));
  }

  void take_word() {
    while (is_word(at(0)) || (at(0) == '$' && is_word(at(1)))) ++pos_;
  }

  /// A path of a stage, or what may be one: everything up to whitespace, brackets, quotes or Jinja.
  bool path() {
    const std::size_t begin = pos_;
    const auto ends = [&](char c) { return is_space(c) || is_bracket(c) || is_quote(c) || c == Template::mark; };
    while (pos_ < text_.size() && !ends(text_[pos_])) ++pos_;
    const std::string_view path = text_.substr(begin, pos_ - begin);
    if (contains(path, "--") || contains(path, "/*") || contains(path, "//") || contains(path, "$")) return false;
    if (rules_.hash != Hash::sign && contains(path, "#")) return false;
    return emit(TokenKind::sign, std::string(path));
  }

  bool is_sign(char c) const {
    return !is_space(c) && !is_word(c) && !is_bracket(c) && !is_quote(c) && c != Template::mark && c != '$' &&
           c != '.' && c != '[' && c != ']' && c != '{' && c != '}' && c != '\0';
  }

  bool signs() {
    const std::size_t begin = pos_;
    do {
      ++pos_;
    } while (pos_ < text_.size() && is_sign(text_[pos_]) && !at_line_comment() && !starts("/*"));
    std::string_view run = text_.substr(begin, pos_ - begin);
    // "=-1" is "= -1" everywhere: no warehouse has an operator of these that ends in + or -.
    const bool ends_in_sign = run.size() > 1 && (run.back() == '-' || run.back() == '+');
    const std::string_view front = run.substr(0, run.size() - 1);
    if (ends_in_sign && front.find_first_not_of("=<>*/") == std::string_view::npos) {
      return emit(TokenKind::sign, std::string(front)) && emit(TokenKind::sign, std::string(1, run.back()));
    }
    return emit(TokenKind::sign, std::string(run));
  }

  std::string_view text_;
  const std::vector<Tag>& tags_;
  Rules rules_;
  std::size_t pos_ = 0;
  std::size_t next_tag_ = 0;
  std::vector<std::string> states_;
  bool spaced_ = false;            ///< whitespace or a comment since the last token
  bool newline_ = false;           ///< … with a newline
  bool comment_ = false;           ///< … with a block comment
  std::uint8_t before_ = nothing;  ///< what may touch the next token if the tags between print nothing
  std::vector<Branch> branches_;
  bool sign_at_beginning_ = false;  ///< somewhere a block begins with a sign …
  bool sign_at_end_ = false;        ///< … and one ends with a sign: a loop may join them to a comment
  Tokens tokens_;
  std::vector<const Tag*> of_token_;  ///< of each token that is one
};

}  // namespace

std::optional<Tokens> sql_tokens(const Template& source, Dialect dialect) { return Lexer(source, dialect).lex(); }

}  // namespace offshoot::change
