// SPDX-License-Identifier: Apache-2.0
#include "change/jinja.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace offshoot::change {

namespace {

constexpr char separator = '\x02';  // between two parts of a tag that nothing joins
constexpr char space = '\x03';      // whitespace that may matter

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Control characters that some readers take for whitespace, others for a line's end or an error. Some stand for
/// something of ours.
bool is_doubtful(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < ' ' && !is_space(c)) || byte == 0x7f;
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Where Python's whitespace goes further than ours: trimming there would be a guess.
bool trims_uncertainly(char c) { return static_cast<unsigned char>(c) >= 0x80; }

/// Whether a comment of Jinja says something to a linter, which takes it as it takes one of SQL.
bool counts(std::string_view comment) {
  std::string text(comment);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text.find("noqa") != std::string::npos || text.find("sqlfluff") != std::string::npos;
}

/// Text that, printed, may leave a quote or a comment open or close one.
bool unbalances(std::string_view text) {
  for (const char quote : {'\'', '"', '`', '$'}) {
    if (std::ranges::count(text, quote) % 2 != 0) return true;
  }
  for (const std::string_view sign : {"--", "/*", "*/", "//", "$$", "#"}) {
    if (text.find(sign) != std::string_view::npos) return true;
  }
  return text.ends_with('\\');
}

/// A piece as Jinja's lexer finds it.
struct Piece {
  enum class Kind : std::uint8_t { data, print, statement, comment };
  Kind kind = Kind::data;
  std::string_view raw;            ///< of data: what is left after trimming
  std::string normal;              ///< of a tag: see Tag::text; of a comment: all of it
  std::vector<std::string> words;  ///< of a tag: its parts
};

class Splitter {
 public:
  explicit Splitter(std::string_view source) : source_(source) {}

  std::optional<Template> split() {
    if (std::ranges::any_of(source_, is_doubtful) || !ends_certainly() || !cut()) return std::nullopt;
    for (at_ = 0; at_ < pieces_.size();) {
      if (!take()) return std::nullopt;
    }
    if (!open_.empty()) return std::nullopt;
    return std::move(result_);
  }

 private:
  /// dbt trims a file as Python does.
  bool ends_certainly() const {
    std::string_view text = source_;
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text.empty() || (!trims_uncertainly(text.front()) && !trims_uncertainly(text.back()));
  }

  // --- first pass: pieces ---

  bool cut() {
    while (pos_ < source_.size()) {
      const std::size_t open = next_open();
      if (!add_data(source_.substr(pos_, open - pos_), open)) return false;
      if (open == source_.size()) return true;
      pos_ = open;
      const bool done = source_[pos_ + 1] == '#' ? skip_comment() : take_tag();
      if (!done) return false;
    }
    return true;
  }

  std::size_t next_open() const {
    for (std::size_t i = pos_; i + 1 < source_.size(); ++i) {
      if (source_[i] == '{' && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#')) return i;
    }
    return source_.size();
  }

  /// Adds text between tags, trimmed as the delimiters beside it ask.
  bool add_data(std::string_view text, std::size_t end) {
    const bool trim_end = end + 2 < source_.size() && source_[end + 2] == '-';
    if (trim_next_) {
      while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
      if (!text.empty() && trims_uncertainly(text.front())) return false;
    }
    if (trim_end) {
      while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
      if (!text.empty() && trims_uncertainly(text.back())) return false;
    }
    trim_next_ = false;
    if (!text.empty()) pieces_.push_back({Piece::Kind::data, text, {}, {}});
    return true;
  }

  bool skip_comment() {
    const std::size_t end = source_.find("#}", pos_ + 2);
    if (end == std::string_view::npos) return false;
    // "{#-#}" is one '-' that trims on both sides or on one: not worth knowing.
    if (end < pos_ + 4 && source_.substr(pos_, end - pos_).find('-') != std::string_view::npos) return false;
    const std::string_view comment = source_.substr(pos_, end + 2 - pos_);
    if (counts(comment)) pieces_.push_back({Piece::Kind::comment, {}, std::string(comment), {}});
    trim_next_ = source_[end - 1] == '-';
    pos_ = end + 2;
    return true;
  }

  bool take_tag() {
    Piece piece;
    const bool print = source_[pos_ + 1] == '{';
    piece.kind = print ? Piece::Kind::print : Piece::Kind::statement;
    piece.normal = source_.substr(pos_, 2);
    pos_ += 2;
    if (pos_ < source_.size() && (source_[pos_] == '-' || source_[pos_] == '+')) {
      piece.normal += source_[pos_++];
    }
    if (!take_inside(piece, print ? "}}" : "%}")) return false;
    const bool raw_block = piece.kind == Piece::Kind::statement && !piece.words.empty() && piece.words[0] == "raw";
    pieces_.push_back(std::move(piece));
    return !raw_block || take_raw();
  }

  /// Reads up to the closing delimiter: never inside of brackets or strings, as Jinja does.
  bool take_inside(Piece& piece, std::string_view close) {
    std::string brackets;
    bool spaced = false;
    while (pos_ < source_.size()) {
      const char c = source_[pos_];
      if (is_space(c)) {
        spaced = true;
        ++pos_;
        continue;
      }
      if (brackets.empty() && at_close(close)) return take_close(piece, close);
      std::string part;
      if (!take_part(part, brackets)) return false;
      if (spaced && space_counts(piece, part)) piece.normal += space;
      piece.normal += separator;
      piece.normal += part;
      piece.words.push_back(std::move(part));
      spaced = false;
    }
    return false;
  }

  bool at_close(std::string_view close) const {
    const std::string_view rest = source_.substr(pos_);
    if (rest.starts_with(close)) return true;
    const bool marked = rest.starts_with('-') || (rest.starts_with('+') && close == "%}");
    return marked && rest.substr(1).starts_with(close);
  }

  bool take_close(Piece& piece, std::string_view close) {
    piece.normal += separator;
    if (source_[pos_] != close[0]) {
      trim_next_ = source_[pos_] == '-';
      piece.normal += source_[pos_++];
    }
    piece.normal += close;
    pos_ += close.size();
    return true;
  }

  bool take_part(std::string& part, std::string& brackets) {
    const char c = source_[pos_];
    if (c == '\'' || c == '"') return take_string(part);
    if (is_word(c)) {
      take_word(part);
      return true;
    }
    if (c == '(' || c == '[' || c == '{') brackets += c;
    if (c == ')' || c == ']' || c == '}') {
      const char opened = c == ')' ? '(' : (c == ']' ? '[' : '{');
      if (brackets.empty() || brackets.back() != opened) return false;
      brackets.pop_back();
    }
    part = source_.substr(pos_++, 1);
    return true;
  }

  bool take_string(std::string& part) {
    const std::size_t begin = pos_;
    const char quote = source_[pos_++];
    for (; pos_ < source_.size() && source_[pos_] != quote; ++pos_) {
      if (source_[pos_] == '\\') ++pos_;
    }
    if (pos_ >= source_.size()) return false;
    part = source_.substr(begin, ++pos_ - begin);
    return true;
  }

  void take_word(std::string& part) {
    const std::size_t begin = pos_;
    while (pos_ < source_.size() && is_word(source_[pos_])) ++pos_;
    const bool exponent = is_digit(source_[begin]) && (source_[pos_ - 1] == 'e' || source_[pos_ - 1] == 'E');
    if (exponent && pos_ + 1 < source_.size() && (source_[pos_] == '-' || source_[pos_] == '+') &&
        is_digit(source_[pos_ + 1])) {
      ++pos_;
      while (pos_ < source_.size() && is_word(source_[pos_])) ++pos_;
    }
    part = source_.substr(begin, pos_ - begin);
  }

  /// Whether whitespace between a tag's last part and the next may change how Jinja reads them.
  static bool space_counts(const Piece& piece, const std::string& part) {
    if (piece.words.empty()) return false;
    constexpr std::string_view neutral = "()[]{},:|~";
    const char before = piece.words.back().back();
    const char after = part.front();
    if (before == '.' || after == '.') return true;
    if (neutral.find(before) != std::string_view::npos || neutral.find(after) != std::string_view::npos) return false;
    const auto is_string = [](char c) { return c == '\'' || c == '"'; };
    const auto is_operator = [&](char c) { return !is_word(c) && !is_string(c); };
    if (is_operator(before) || is_operator(after)) return is_operator(before) && is_operator(after);
    return is_string(before) || is_string(after);
  }

  /// The text of a raw block up to its end tag, as one piece of data of its own.
  bool take_raw() {
    std::size_t end = source_.find("{%", pos_);
    while (end != std::string_view::npos && !ends_raw(source_.substr(end + 2))) end = source_.find("{%", end + 2);
    if (end == std::string_view::npos) return false;
    trim_next_ = false;
    pieces_.push_back({Piece::Kind::data, source_.substr(pos_, end - pos_), {}, {}});
    pos_ = end;
    return take_tag();
  }

  /// Whether what follows "{%" is the rest of an end tag of a raw block, by Jinja's own pattern.
  static bool ends_raw(std::string_view rest) {
    const auto skip_spaces = [&rest] {
      while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    };
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    skip_spaces();
    if (!rest.starts_with("endraw")) return false;
    rest.remove_prefix(6);
    skip_spaces();
    return rest.starts_with("%}") || rest.starts_with("-%}") || rest.starts_with("+%}");
  }

  // --- second pass: blocks ---

  bool take() {
    const Piece& piece = pieces_[at_];
    if (piece.kind == Piece::Kind::data) {
      ++at_;
      result_.text += piece.raw;
      return true;
    }
    note_literals(piece);
    if (piece.kind == Piece::Kind::print || piece.kind == Piece::Kind::comment) return add(TagKind::plain, piece);
    if (piece.words.empty()) return false;
    return take_statement(piece);
  }

  bool take_statement(const Piece& piece) {
    const std::string& word = piece.words.front();
    if (word == "set") return sets_block(piece) ? take_block("set") : add(TagKind::plain, piece);
    if (word == "do" || word == "import" || word == "from" || word == "break" || word == "continue") {
      return add(TagKind::plain, piece);
    }
    if (word == "if" || word == "for" || word == "snapshot" || word == "with") return open(piece, word);
    if (word == "elif" || word == "else") return !open_.empty() && add(TagKind::middle, piece);
    if (!open_.empty() && word == "end" + open_.back()) {
      open_.pop_back();
      return add(TagKind::close, piece);
    }
    constexpr std::array<std::string_view, 8> blocks{"macro", "test",   "data_test", "materialization",
                                                     "call",  "filter", "raw",       "docs"};
    return std::ranges::find(blocks, word) != blocks.end() && take_block(word);
  }

  bool open(const Piece& piece, const std::string& word) {
    open_.push_back(word);
    return add(TagKind::open, piece);
  }

  bool add(TagKind kind, const Piece& piece) {
    result_.text += Template::mark;
    const bool prints = piece.kind == Piece::Kind::print && !only_configures(piece);
    const bool loops = kind == TagKind::open && piece.words.front() == "for";
    result_.tags.push_back({.kind = kind, .prints = prints, .loops = loops, .text = piece.normal});
    ++at_;
    return true;
  }

  /// A set without "=" outside of brackets takes the text up to endset.
  static bool sets_block(const Piece& piece) {
    int depth = 0;
    for (const std::string& word : piece.words) {
      if (word == "(" || word == "[" || word == "{") ++depth;
      if (word == ")" || word == "]" || word == "}") --depth;
      if (depth == 0 && word == "=") return false;
    }
    return true;
  }

  /// Everything from here to the block's end, byte for byte but for the inside of tags and Jinja comments.
  bool take_block(const std::string& word) {
    const bool prints = word == "call" || word == "filter" || word == "raw";
    Tag tag{.kind = TagKind::exact, .prints = prints};
    std::string text;
    int depth = 0;
    for (; at_ < pieces_.size(); ++at_) {
      const Piece& piece = pieces_[at_];
      if (piece.kind == Piece::Kind::data) {
        tag.text += piece.raw;
        text += piece.raw;
        continue;
      }
      note_literals(piece);
      tag.text += piece.normal;
      if (piece.kind == Piece::Kind::print || piece.words.empty()) continue;
      if (piece.words[0] == word && (word != "set" || sets_block(piece))) ++depth;
      if (piece.words[0] == "end" + word && --depth == 0) break;
    }
    if (at_ == pieces_.size()) return false;
    ++at_;
    if (prints && unbalances(text)) result_.may_unbalance = true;
    result_.text += Template::mark;
    result_.tags.push_back(std::move(tag));
    return true;
  }

  void note_literals(const Piece& piece) {
    if (only_configures(piece)) return;
    for (const std::string& word : piece.words) {
      const bool literal = word.front() == '\'' || word.front() == '"';
      if (literal && unbalances(std::string_view(word).substr(1, word.size() - 2))) result_.may_unbalance = true;
    }
  }

  /// {{ config(…) }} and nothing else, which prints nothing.
  static bool only_configures(const Piece& piece) {
    if (piece.kind != Piece::Kind::print || piece.words.size() < 3 || piece.words[0] != "config") return false;
    int depth = 0;
    for (std::size_t i = 1; i < piece.words.size(); ++i) {
      const std::string& word = piece.words[i];
      if (word == "(" || word == "[" || word == "{") ++depth;
      if (word == ")" || word == "]" || word == "}") --depth;
      if (depth == 0 && i + 1 < piece.words.size()) return false;
    }
    return true;
  }

  std::string_view source_;
  std::size_t pos_ = 0;
  bool trim_next_ = false;
  std::vector<Piece> pieces_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
  Template result_;
};

}  // namespace

std::optional<Template> split_jinja(std::string_view source) { return Splitter(source).split(); }

}  // namespace offshoot::change
