// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "change/lexer.hpp"
#include "io/yaml.hpp"

namespace offshoot::change {

namespace {

/// Bytes that YAML's readers take for a line's end, or not, or do not take at all: dbt's reader is another one.
bool doubtful(std::string_view text) {
  for (const std::string_view part : {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"}) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
    if ((byte < ' ' && text[i] != '\n' && text[i] != '\r') || byte == 0x7f) return true;
  }
  return false;
}

/// Takes a document's events and keeps nothing of them.
class Forget : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// Whether anything stands behind the first document, which is all that YAML::Load reads. (YAML::LoadAll would tell,
/// but with yaml-cpp 0.7 it takes all memory on some malformed texts.)
bool goes_on(std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  Forget forget;
  return parser.HandleNextDocument(forget) && parser.HandleNextDocument(forget);
}

/// The document; absent where it is none, breaks requirement G2's limits, or is followed by another.
std::optional<YAML::Node> parse(std::string_view text) {
  if (doubtful(text)) return std::nullopt;
  auto node = io::parse_yaml(text, "YAML");
  if (!node) return std::nullopt;
  try {
    if (goes_on(text)) return std::nullopt;
  } catch (const YAML::Exception&) {
    return std::nullopt;
  }
  return *node;
}

bool equal(const YAML::Node& before, const YAML::Node& after);

bool equal_maps(const YAML::Node& before, const YAML::Node& after) {
  // Nodes are only ever copied: assigning one to another would change the document.
  using Entries = std::map<std::string, const YAML::Node>;
  const auto sorted = [](const YAML::Node& map) {
    Entries entries;
    for (const auto& entry : map) entries.emplace(entry.first.Tag() + ' ' + entry.first.Scalar(), entry.second);
    return entries;
  };
  const auto same = [](const Entries::value_type& one, const Entries::value_type& other) {
    return one.first == other.first && equal(one.second, other.second);
  };
  return std::ranges::equal(sorted(before), sorted(after), same);
}

bool equal(const YAML::Node& before, const YAML::Node& after) {
  if (before.Type() != after.Type() || before.Tag() != after.Tag()) return false;
  switch (before.Type()) {
    case YAML::NodeType::Scalar:
      return before.Scalar() == after.Scalar();
    case YAML::NodeType::Sequence:
      return std::equal(before.begin(), before.end(), after.begin(), after.end(),
                        [](const auto& one, const auto& other) { return equal(one, other); });
    case YAML::NodeType::Map:
      return equal_maps(before, after);
    default:
      return true;
  }
}

std::string_view trim_end(std::string_view text) { return text.substr(0, text.find_last_not_of(" \r") + 1); }

std::string_view trim_start(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

/// The line without a comment, where that is easy to tell. Empty: only a comment, or nothing.
std::string_view without_comment(std::string_view line) {
  const std::size_t hash = line.find(" #");
  const std::string_view front = line.substr(0, hash);
  if (hash != std::string_view::npos && front.find_first_of("'\"") == std::string_view::npos) line = front;
  line = trim_end(line);
  return trim_start(line).starts_with('#') ? std::string_view() : line;
}

/// Whether a line begins an item or names a key: YAML's readers agree on these at any depth.
bool is_item_or_key(std::string_view line) {
  line = trim_start(line);
  const std::size_t name = line.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+");
  const bool key = name != 0 && name != std::string_view::npos && line[name] == ':' &&
                   (name + 1 == line.size() || line[name + 1] == ' ');
  return key || line.starts_with("- ");
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (const auto line = without_comment(text.substr(0, end)); !line.empty()) lines.push_back(line);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

/// Whether two texts are made of the same lines, in whatever order. Indentation counts as soon as one line is no item
/// and no key: of a value on a line of its own it decides whether it is YAML at all.
bool same_lines(std::string_view before, std::string_view after) {
  auto one = lines_of(before);
  auto other = lines_of(after);
  if (std::ranges::all_of(one, is_item_or_key) && std::ranges::all_of(other, is_item_or_key)) {
    std::ranges::transform(one, one.begin(), trim_start);
    std::ranges::transform(other, other.begin(), trim_start);
  }
  std::ranges::sort(one);
  std::ranges::sort(other);
  return one == other;
}

}  // namespace

Sameness compare_yaml(std::string_view before, std::string_view after) {
  if (before == after) return Sameness::same;
  const auto one = parse(before);
  const auto other = parse(after);
  if (!one || !other) return Sameness::unsure;
  if (!equal(*one, *other)) return Sameness::different;
  // yaml-cpp accepts what dbt's reader refuses (a value below its key without indentation, a key without a colon), so
  // equal values are not enough: no line may be there that was not there before.
  return same_lines(before, after) ? Sameness::same : Sameness::unsure;
}

}  // namespace offshoot::change
