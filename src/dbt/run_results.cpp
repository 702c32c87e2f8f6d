// SPDX-License-Identifier: Apache-2.0
#include "dbt/run_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::dbt {

namespace {

using Json = nlohmann::json;

constexpr std::uintmax_t max_bytes = 512ULL << 20;  // requirement G1
constexpr int oldest_version = 4;
constexpr int newest_version = 6;

std::string text(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_number() ? found->get<double>() : 0.0;
}

/// A count, which some adapters give as a number and some as text; -1 = there is none.
long long count(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) return -1;
  if (found->is_number_integer()) return found->get<long long>();
  if (found->is_number_float() && found->get<double>() >= 0 && found->get<double>() < 9e15) {
    return static_cast<long long>(found->get<double>());
  }
  return -1;
}

/// Everything in an adapter's response that is a number, the rows aside.
std::vector<Reported> numbers_in(const Json& response) {
  std::vector<Reported> numbers;
  if (!response.is_object()) return numbers;
  for (const auto& item : response.items()) {
    if (item.value().is_number() && item.key() != "rows_affected") {
      numbers.push_back({item.key(), item.value().get<double>()});
    }
  }
  return numbers;
}

struct Kind {
  std::string name;  ///< "run-results", "manifest"
  int version = 0;
};

/// From "https://schemas.getdbt.com/dbt/run-results/v6.json".
Kind kind_of(const std::string& schema) {
  constexpr std::string_view before = "/dbt/";
  const auto begin = schema.find(before);
  const auto slash = begin == std::string::npos ? begin : schema.find("/v", begin + before.size());
  if (slash == std::string::npos) return {};
  Kind kind{schema.substr(begin + before.size(), slash - begin - before.size()), 0};
  for (auto i = slash + 2; i < schema.size() && schema[i] >= '0' && schema[i] <= '9' && kind.version < 1000; ++i) {
    kind.version = kind.version * 10 + (schema[i] - '0');
  }
  return kind;
}

}  // namespace

std::optional<NodeStatus> parse_status(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, NodeStatus>, 10> words{{{"success", NodeStatus::success},
                                                                           {"pass", NodeStatus::pass},
                                                                           {"warn", NodeStatus::warn},
                                                                           {"fail", NodeStatus::fail},
                                                                           {"error", NodeStatus::error},
                                                                           {"runtime error", NodeStatus::error},
                                                                           {"partial success", NodeStatus::error},
                                                                           {"skipped", NodeStatus::skipped},
                                                                           {"no-op", NodeStatus::no_op},
                                                                           {"reused", NodeStatus::success}}};
  const auto found = std::ranges::find(words, word, &std::pair<std::string_view, NodeStatus>::first);
  return found == words.end() ? std::nullopt : std::optional(found->second);
}

NodeResult parse_node_result(const Json& entry) {
  NodeResult result;
  result.unique_id = text(entry, "unique_id");
  result.message = text(entry, "message");
  const auto word = text(entry, "status");
  const auto status = parse_status(word);
  result.status = status.value_or(NodeStatus::error);
  if (!status) result.message = fmt::format("dbt gave the status '{}'; {}", word, result.message);
  result.seconds = number(entry, "execution_time");
  result.failures = count(entry, "failures");
  if (entry.is_object() && entry.contains("adapter_response")) {
    result.rows_affected = count(entry["adapter_response"], "rows_affected");
  } else {
    result.rows_affected = count(entry, "rows_affected");
  }
  if (entry.is_object() && entry.contains("adapter_response")) result.reported = numbers_in(entry["adapter_response"]);
  result.relation = text(entry, "relation_name");
  if (result.relation.empty()) result.relation = text(entry, "relation");
  result.query = text(entry, "compiled_code");
  return result;
}

Result<RunResults> read_run_results(const std::filesystem::path& path) {
  const std::string doing = "reading " + path.string();
  const auto bytes = io::read_file(path, max_bytes);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto document = io::parse_json(*bytes, doing);
  if (!document) return tl::unexpected(document.error());
  const Json metadata = document->is_object() ? document->value("metadata", Json()) : Json();
  const auto kind = kind_of(text(metadata, "dbt_schema_version"));
  if (kind.name != "run-results") {
    return failed(ExitStatus::usage, doing,
                  kind.name.empty() ? "it is not a file of dbt's: metadata.dbt_schema_version is missing"
                                    : fmt::format("it is dbt's {}, not run-results", kind.name),
                  "give the run_results.json that dbt wrote into its target folder");
  }
  if (kind.version < oldest_version || kind.version > newest_version) {
    return failed(ExitStatus::usage, doing, fmt::format("its schema is v{}; v4 to v6 can be read", kind.version),
                  "write it with dbt 1.0 to 1.12");
  }
  const auto results = document->find("results");
  if (results == document->end() || !results->is_array()) {
    return failed(ExitStatus::usage, doing, "it has no list of results");
  }
  RunResults read;
  read.schema_version = kind.version;
  read.dbt_version = text(metadata, "dbt_version");
  read.invocation_id = text(metadata, "invocation_id");
  read.seconds = number(*document, "elapsed_time");
  for (const auto& entry : *results) {
    read.results.push_back(parse_node_result(entry));
    if (read.results.back().unique_id.empty()) {
      return failed(ExitStatus::usage, doing, "a result has no unique_id");
    }
  }
  std::ranges::sort(read.results, {}, &NodeResult::unique_id);
  return read;
}

}  // namespace offshoot::dbt
