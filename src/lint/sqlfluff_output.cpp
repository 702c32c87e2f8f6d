// SPDX-License-Identifier: Apache-2.0
#include "lint/sqlfluff_output.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "io/json.hpp"

namespace offshoot::lint {

namespace {

using nlohmann::json;

constexpr std::size_t longest_sentence = 500;
constexpr auto npos = std::string_view::npos;

/// The number of a "\uXXXX" that begins at `at`; 0 when there is none.
unsigned escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
  unsigned unit = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == npos) return 0;
    unit = unit * 16 + static_cast<unsigned>(digit);
  }
  return unit;
}

/// Python keeps a byte 0xNN of a file's name that is not UTF-8 as the lone surrogate "\udcNN", which no JSON reader
/// takes. The character U+10FFNN, in the last private use area, carries it through the reader to `with_bytes`.
std::string with_carriers(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const unsigned unit = escaped_unit(text, 0);
    const unsigned next = escaped_unit(text, 6);
    std::size_t taken = text.size() > 1 && text.front() == '\\' ? 2 : 1;
    if (unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000) {
      out += text.substr(0, taken = 12);
    } else if (unit >= 0xdc80 && unit < 0xdd00) {
      out.append("\\udbff\\udf").append(text.substr(4, 2));
      taken = 6;
    } else if (unit >= 0xd800 && unit < 0xe000) {
      out += "\\ufffd";
      taken = 6;
    } else {
      out += text.substr(0, taken);
    }
    text.remove_prefix(taken);
  }
  return out;
}

/// The bytes that `with_carriers` put into characters: U+10FF80 is F4 8F BE 80, U+10FFFF is F4 8F BF BF.
std::string with_bytes(std::string_view text) {
  constexpr std::string_view carrier = "\xF4\x8F";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto rest = text.substr(i);
    if (rest.size() >= 4 && rest.starts_with(carrier) && (rest[2] == '\xBE' || rest[2] == '\xBF')) {
      const auto low = static_cast<unsigned char>(rest[3]);
      out += static_cast<char>(rest[2] == '\xBE' ? low : low + 0x40);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? with_bytes(found->get_ref<const std::string&>()) : std::string();
}

int place_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return 0;
  return static_cast<int>(std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, INT32_MAX));
}

bool is_true(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

/// False when sqlfluff says that it has not a single character of the file.
bool has_characters(const json& record) {
  const auto statistics = record.find("statistics");
  if (statistics == record.end() || !statistics->is_object()) return true;
  const auto characters = statistics->find("source_chars");
  return characters == statistics->end() || *characters != 0;
}

FileRecord read_record(const json& record) {
  FileRecord file;
  file.path = text_of(record, "filepath");
  file.read = has_characters(record);
  const auto violations = record.find("violations");
  if (violations == record.end() || !violations->is_array()) return file;
  for (const auto& violation : *violations) {
    if (!violation.is_object()) continue;
    LintFinding finding;
    finding.line = place_of(violation, "start_line_no");
    finding.column = place_of(violation, "start_line_pos");
    finding.rule = text_of(violation, "code");
    finding.name = text_of(violation, "name");
    finding.message = text_of(violation, "description");
    finding.warning = is_true(violation, "warning");
    file.findings.push_back(std::move(finding));
  }
  file.read = file.read || !file.findings.empty();
  return file;
}

/// Takes the first line off `text`, without blanks around it.
std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  constexpr std::string_view blank = " \t\r";
  const auto first = line.find_first_not_of(blank);
  return first == npos ? std::string_view() : line.substr(first, line.find_last_not_of(blank) - first + 1);
}

/// True when `line` names the file `path`, and not one whose name only ends like it.
bool names(std::string_view line, std::string_view path) {
  for (auto at = line.find(path); at != npos; at = line.find(path, at + 1)) {
    if (at == 0 || std::string_view(" /'\"").find(line[at - 1]) != npos) return true;
  }
  return false;
}

std::string sentence(std::string_view line) { return std::string(line.substr(0, longest_sentence)); }

}  // namespace

Result<std::vector<FileRecord>> read_records(std::string_view text) {
  constexpr std::string_view doing = "reading sqlfluff's findings";
  const auto document = io::parse_json(with_carriers(text), doing);
  if (!document) return tl::unexpected(document.error());
  std::vector<FileRecord> records;
  if (!document->is_array()) return failed(ExitStatus::could_not_run, std::string(doing), "they are not a list");
  for (const auto& record : *document) {
    if (record.is_object()) records.push_back(read_record(record));
  }
  return records;
}

std::string why_unlinted(std::string_view standard_error, std::string_view path) {
  constexpr std::string_view mark = "WARNING";
  while (!standard_error.empty()) {
    auto line = next_line(standard_error);
    const auto begin = line.find(mark);  // colour codes may stand before it
    if (begin == npos || !names(line, path)) continue;
    line.remove_prefix(begin + mark.size());
    return sentence(next_line(line));
  }
  return "sqlfluff passed over it and does not say why";
}

std::string why_broken(std::string_view standard_error) {
  std::string_view last;
  while (!standard_error.empty()) {
    const auto line = next_line(standard_error);
    if (line.starts_with("User Error:")) return sentence(line);
    if (!line.empty()) last = line;
  }
  return last.empty() ? "it says nothing" : sentence(last);
}

}  // namespace offshoot::lint
