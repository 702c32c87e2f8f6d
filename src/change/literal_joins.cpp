// SPDX-License-Identifier: Apache-2.0
#include "change/literal_joins.hpp"

#include <cstddef>
#include <utility>

namespace offshoot::change {

namespace {

/// Whether a token is a literal, or Jinja that may print one.
bool may_be_literal(const Token& token, const Tag* tag) {
  return token.kind == TokenKind::quoted || (tag != nullptr && tag->prints);
}

/// For each tag of a loop: whether a literal stands in it, which its next round may meet.
std::vector<bool> loops_with_literals(const std::vector<Token>& list, const std::vector<const Tag*>& tags) {
  struct Block {
    std::vector<std::size_t> at;
    bool loops = false;
    bool holds = false;
  };
  std::vector<bool> result(list.size());
  std::vector<Block> open;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const TagKind kind = tags[i] == nullptr ? TagKind::plain : tags[i]->kind;
    if (kind == TagKind::open) open.push_back({{}, tags[i]->loops, false});
    if (kind != TagKind::plain && kind != TagKind::exact) open.back().at.push_back(i);
    if (may_be_literal(list[i], tags[i]) && !open.empty()) open.back().holds = true;
    if (kind != TagKind::close) continue;
    const Block block = std::move(open.back());
    open.pop_back();
    for (const std::size_t tag : block.at) result[tag] = block.loops && block.holds;
    if (!open.empty()) open.back().holds = open.back().holds || block.holds;
  }
  return result;
}

/// For each token: whether what a walk along the list saw last may be a literal, with nothing but Jinja since.
class Walk {
 public:
  Walk(const std::vector<Token>& list, const std::vector<const Tag*>& tags, TagKind enter)
      : list_(list), tags_(tags), repeats_(loops_with_literals(list, tags)), enter_(enter), met_(list.size()) {}

  void step(std::size_t i) {
    met_[i] = literal_;
    const TagKind kind = tags_[i] == nullptr ? TagKind::plain : tags_[i]->kind;
    if (kind == TagKind::plain || kind == TagKind::exact) {
      const bool passes = tags_[i] != nullptr && literal_;
      literal_ = passes || may_be_literal(list_[i], tags_[i]);
    } else if (kind == enter_) {
      blocks_.push_back({literal_, literal_});
      literal_ = literal_ || repeats_[i];
    } else {
      Block& block = blocks_.back();
      block.after = block.after || literal_;
      literal_ = (kind == TagKind::middle ? block.before : block.after) || repeats_[i];
      if (kind != TagKind::middle) blocks_.pop_back();
    }
  }

  [[nodiscard]] bool met(std::size_t i) const { return met_[i]; }

 private:
  /// A block on the way: what was seen last before it, and what may have been seen last behind it.
  struct Block {
    bool before = false;
    bool after = false;
  };

  const std::vector<Token>& list_;
  const std::vector<const Tag*>& tags_;
  std::vector<bool> repeats_;
  TagKind enter_;
  std::vector<bool> met_;
  std::vector<Block> blocks_;
  bool literal_ = false;
};

}  // namespace

void simplify_gaps(std::vector<Token>& list, const std::vector<const Tag*>& tags) {
  Walk forward(list, tags, TagKind::open);
  Walk backward(list, tags, TagKind::close);
  for (std::size_t i = 0; i < list.size(); ++i) forward.step(i);
  for (std::size_t i = list.size(); i-- > 0;) backward.step(i);
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (tags[i] == nullptr && tags[i - 1] == nullptr) continue;
    const bool joins = forward.met(i) && backward.met(i - 1);
    if (!joins && list[i].gap != Gap::none) list[i].gap = Gap::space;
  }
}

}  // namespace offshoot::change
