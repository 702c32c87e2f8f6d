// SPDX-License-Identifier: Apache-2.0
#include "flow/redacted.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "io/json.hpp"
#include "io/redaction.hpp"

namespace offshoot::flow {

namespace {

/// Something of the text that is replaced.
struct Edit {
  std::size_t begin = 0;
  std::size_t size = 0;
  std::string text{};
};

/// Where the object `section` stands in the text; size 0 = there is none. False: the text is not JSON.
bool find_section(simdjson::ondemand::document& document, const char* base, const char* section, Edit& edit) {
  document.rewind();
  simdjson::ondemand::value value;
  const auto found = document.find_field_unordered(section).get(value);
  if (found == simdjson::NO_SUCH_FIELD) return true;
  simdjson::ondemand::object object;
  std::string_view raw;
  if (found != simdjson::SUCCESS || value.get_object().get(object) != simdjson::SUCCESS ||
      object.raw_json().get(raw) != simdjson::SUCCESS) {
    return false;
  }
  edit = {static_cast<std::size_t>(raw.data() - base), raw.size(), std::string(raw)};
  return true;
}

/// The section with each value of `key` replaced; it is small, so it is written anew.
Result<void> redact(Edit& edit, const char* key) {
  auto json = io::parse_json(edit.text, "reading an artifact of dbt's");
  if (!json) return tl::unexpected(json.error());
  const auto found = json->is_object() ? json->find(key) : json->end();
  if (found == json->end()) return {};
  if (found->is_object()) {
    for (auto& value : *found) value = "redacted";
  } else if (!found->is_null()) {
    *found = "redacted";
  }
  edit.text = io::to_line(*json);
  return {};
}

}  // namespace

bool is_dbt_artifact(std::string_view name) {
  constexpr std::array<std::string_view, 4> names{"manifest.json", "run_results.json", "catalog.json", "sources.json"};
  return std::ranges::find(names, name) != names.end();
}

Result<std::string> redacted_artifact(const std::string& json) {
  const auto unreadable = [] {
    return failed(ExitStatus::could_not_run, "reading an artifact of dbt's", "it is not a JSON object");
  };
  const simdjson::padded_string padded(json);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return unreadable();
  if (document.type().error() != simdjson::SUCCESS ||
      document.type().value() != simdjson::ondemand::json_type::object) {
    return unreadable();
  }
  const std::vector<std::pair<const char*, std::vector<const char*>>> sections{{"metadata", {"env"}},
                                                                               {"args", {"vars", "env"}}};
  std::vector<Edit> edits;
  for (const auto& [section, keys] : sections) {
    Edit edit;
    if (!find_section(document, padded.data(), section, edit)) return unreadable();
    if (edit.size == 0) continue;
    for (const char* key : keys) {
      if (auto done = redact(edit, key); !done) return tl::unexpected(done.error());
    }
    edits.push_back(std::move(edit));
  }
  std::string result = json;
  std::ranges::sort(edits, std::greater<>(), &Edit::begin);  // from the end, so that places stay
  for (const auto& edit : edits) result.replace(edit.begin, edit.size, edit.text);
  return result;
}

std::string redacted_log(std::string_view log, const std::string& vars, const io::Environment& environment) {
  io::Redaction values;
  if (const auto json = io::parse_json(vars, "reading dbt.vars")) {
    for (const auto& value : json->flatten()) {
      if (value.is_string()) values.add(value.get<std::string>());
    }
  }
  for (const auto& [name, value] : environment) {
    if (name.starts_with("DBT_ENV_CUSTOM_ENV_")) values.add(value);
  }
  return values.clean(log);
}

}  // namespace offshoot::flow
