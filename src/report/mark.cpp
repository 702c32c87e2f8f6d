// SPDX-License-Identifier: Apache-2.0
#include "report/mark.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace offshoot::report {

namespace {

std::string only(std::string_view raw, std::string_view others, std::size_t most) {
  std::string out;
  for (const char c : raw) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (out.size() < most && (letter || others.find(c) != std::string_view::npos)) out += c;
  }
  return out;
}

/// The value of "key=…" in a hidden line.
std::string value_of(std::string_view line, std::string_view key) {
  const std::string begin = fmt::format(" {}=", key);
  const std::size_t at = line.find(begin);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + begin.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

std::optional<unsigned long long> number_of(std::string_view text) {
  unsigned long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Number of the workflow run, and attempt.
std::optional<std::pair<unsigned long long, unsigned long long>> order_of(std::string_view run) {
  const std::size_t first = run.find('-');
  const std::size_t last = run.rfind('-');
  if (first == last || first == std::string_view::npos) return std::nullopt;
  const auto number = number_of(run.substr(first + 1, last - first - 1));
  const auto attempt = number_of(run.substr(last + 1));
  return number && attempt ? std::optional(std::pair(*number, *attempt)) : std::nullopt;
}

}  // namespace

std::string hidden_line_begin(std::string_view marker) { return fmt::format("<!-- {} ", only(marker, ":._-", 80)); }

std::string hidden_line(const CommentMark& mark, std::string_view marker) {
  return fmt::format("{}run={} head={} digest={} -->", hidden_line_begin(marker), only(mark.run, "-", 60),
                     only(mark.head, "", 40), only(mark.digest, "", 40));
}

std::optional<CommentMark> read_mark(std::string_view comment, std::string_view marker) {
  const std::size_t begin = comment.rfind(hidden_line_begin(marker));
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = comment.find(" -->", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = comment.substr(begin, end - begin);
  return CommentMark{value_of(line, "run"), value_of(line, "head"), value_of(line, "digest")};
}

bool is_later_run(std::string_view a, std::string_view b) {
  const auto of_a = order_of(a);
  const auto of_b = order_of(b);
  return of_a && of_b && *of_a > *of_b;
}

}  // namespace offshoot::report
