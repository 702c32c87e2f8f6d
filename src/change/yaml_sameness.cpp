// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string>

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

}  // namespace

Sameness compare_yaml(std::string_view before, std::string_view after) {
  if (before == after) return Sameness::same;
  const auto one = parse(before);
  const auto other = parse(after);
  if (!one || !other) return Sameness::unsure;
  return equal(*one, *other) ? Sameness::same : Sameness::different;
}

}  // namespace offshoot::change
