// SPDX-License-Identifier: Apache-2.0
#include "report/budget.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

namespace offshoot::report {
namespace {

/// A section and how many of its entries are shown.
class Fitted {
 public:
  explicit Fitted(const Section& section) : section_(&section), sizes_{0} {
    for (const std::string& entry : section.entries) sizes_.push_back(sizes_.back() + entry.size());
    present_ = size(0) > 0;
  }

  [[nodiscard]] int importance() const { return section_->importance; }
  [[nodiscard]] double share() const { return section_->share; }
  [[nodiscard]] std::size_t size() const { return present_ ? size(shown_) : 0; }
  void drop() { present_ = false; }

  /// Shows as many entries as take at most `room` bytes with all around them; never fewer than before.
  void grow(std::size_t room) {
    if (!present_ && !is_whole()) return;
    const std::size_t all = section_->entries.size();
    std::size_t next = shown_;
    if (size(all) <= room) {
      next = all;
    } else if (!is_whole()) {
      while (next + 1 < all && size(next + 1) <= room) ++next;
    }
    if (next > shown_) {
      shown_ = next;
      present_ = true;
    }
  }

  [[nodiscard]] std::string str() const {
    if (!present_) return {};
    std::string out = section_->open;
    for (std::size_t i = 0; i < shown_; ++i) out += section_->entries[i];
    return out + more(shown_) + section_->close;
  }

 private:
  [[nodiscard]] bool is_whole() const { return section_->one.empty(); }

  [[nodiscard]] std::string more(std::size_t shown) const {
    const std::size_t left = section_->entries.size() - shown;
    if (left == 0) return {};
    const std::string& what = left == 1 ? section_->one : section_->many;
    if (shown == 0) return fmt::format("\n{} {}: see the full report.\n", left, what);
    return fmt::format("\nand {} more {} in the full report.\n", left, what);
  }

  [[nodiscard]] std::size_t size(std::size_t shown) const {
    if (shown == 0 && is_whole()) return 0;
    return section_->open.size() + sizes_[shown] + more(shown).size() + section_->close.size();
  }

  const Section* section_;
  std::vector<std::size_t> sizes_;  ///< of the first 0, 1, 2, … entries
  std::size_t shown_ = 0;
  bool present_ = true;
};

std::size_t total(const std::vector<Fitted>& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                         [](std::size_t sum, const Fitted& part) { return sum + part.size(); });
}

}  // namespace

std::string fit(const std::vector<Section>& sections, std::size_t limit) {
  std::vector<Fitted> parts;
  for (const Section& section : sections) {
    if (!section.entries.empty()) parts.emplace_back(section);
  }
  std::vector<Fitted*> by_importance;
  by_importance.reserve(parts.size());
  for (Fitted& part : parts) by_importance.push_back(&part);
  std::stable_sort(by_importance.begin(), by_importance.end(),
                   [](const Fitted* a, const Fitted* b) { return a->importance() < b->importance(); });
  for (auto part = by_importance.rbegin(); part != by_importance.rend() && total(parts) > limit; ++part) {
    (*part)->drop();
  }
  // First each its share, then the most important as much as is left.
  for (const bool share : {true, false}) {
    for (Fitted* part : by_importance) {
      const std::size_t left = limit - total(parts) + part->size();
      const auto own = static_cast<std::size_t>(static_cast<double>(limit) * part->share());
      part->grow(share ? std::min(left, own) : left);
    }
  }
  std::string out;
  for (const Fitted& part : parts) out += part.str();
  return out;
}

}  // namespace offshoot::report
