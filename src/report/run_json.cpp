// SPDX-License-Identifier: Apache-2.0
#include "report/run_json.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "io/json.hpp"
#include "report/escape.hpp"

// Each type of the model has one function `fields`, which names its members in order. Writer and Reader are the two
// things that can be done with it, so that what is written is what is read.

namespace offshoot::report {
namespace {

constexpr int current_version = 1;

template <class E>
using Words = std::vector<std::pair<E, std::string_view>>;

template <class E>
const Words<E>& words_of();

template <>
const Words<FileStatus>& words_of() {
  static const Words<FileStatus> words{{FileStatus::added, "added"},
                                       {FileStatus::modified, "modified"},
                                       {FileStatus::deleted, "deleted"},
                                       {FileStatus::renamed, "renamed"},
                                       {FileStatus::copied, "copied"},
                                       {FileStatus::type_changed, "type_changed"},
                                       {FileStatus::mode_changed, "mode_changed"}};
  return words;
}

template <>
const Words<EntryKind>& words_of() {
  static const Words<EntryKind> words{
      {EntryKind::file, "file"}, {EntryKind::symlink, "symlink"}, {EntryKind::submodule, "submodule"}};
  return words;
}

template <>
const Words<ReasonKind>& words_of() {
  static const Words<ReasonKind> words{{ReasonKind::added, "added"},
                                       {ReasonKind::body, "body"},
                                       {ReasonKind::configs, "configs"},
                                       {ReasonKind::relation, "relation"},
                                       {ReasonKind::persisted_descriptions, "persisted_descriptions"},
                                       {ReasonKind::macros, "macros"},
                                       {ReasonKind::contract, "contract"},
                                       {ReasonKind::properties, "properties"},
                                       {ReasonKind::upstream, "upstream"},
                                       {ReasonKind::test_of, "test_of"},
                                       {ReasonKind::missing_in_production, "missing_in_production"},
                                       {ReasonKind::requested, "requested"}};
  return words;
}

template <>
const Words<Isolation>& words_of() {
  static const Words<Isolation> words{{Isolation::schema, "schema"}, {Isolation::database, "database"}};
  return words;
}

template <>
const Words<NodeStatus>& words_of() {
  static const Words<NodeStatus> words{
      {NodeStatus::success, "success"}, {NodeStatus::pass, "pass"},       {NodeStatus::warn, "warn"},
      {NodeStatus::fail, "fail"},       {NodeStatus::error, "error"},     {NodeStatus::skipped, "skipped"},
      {NodeStatus::no_op, "no_op"},     {NodeStatus::not_run, "not_run"}, {NodeStatus::unaccounted, "unaccounted"}};
  return words;
}

constexpr std::array exit_statuses{ExitStatus::passed,        ExitStatus::findings,  ExitStatus::usage,
                                   ExitStatus::could_not_run, ExitStatus::locked,    ExitStatus::refused,
                                   ExitStatus::interrupted,   ExitStatus::terminated};

void fields(auto& with, auto& value, const LineRange*) { with("first", value.first)("last", value.last); }

void fields(auto& with, auto& value, const ChangedFile*) {
  with("path", value.path)("old_path", value.old_path)("status", value.status)("kind", value.kind);
  with("binary", value.binary)("lines", value.lines);
}

void fields(auto& with, auto& value, const Commit*) {
  with("sha", value.sha)("tree_sha", value.tree_sha)("subject", value.subject);
}

void fields(auto& with, auto& value, const Change*) {
  with("head", value.head)("merge_of", value.merge_of)("base", value.base)("base_is", value.base_is)("uncommitted",
                                                                                                     value.uncommitted);
  with("files", value.files);
}

void fields(auto& with, auto& value, const Reason*) {
  with("kind", value.kind)("detail", value.detail)("path", value.path);
}

void fields(auto& with, auto& value, const RelationName*) {
  with("database", value.database)("schema", value.schema)("identifier", value.identifier);
  with("rendered", value.rendered);
}

void fields(auto& with, auto& value, const PlannedNode*) {
  with("unique_id", value.unique_id)("resource_type", value.resource_type)("name", value.name)("file", value.file);
  with("materialized", value.materialized)("relation", value.relation)("reasons", value.reasons);
  with("depends_on", value.depends_on);
}

void fields(auto& with, auto& value, const RemovedNode*) {
  with("unique_id", value.unique_id)("resource_type", value.resource_type)("file", value.file);
  with("because", value.because);
}

void fields(auto& with, auto& value, const IdleFile*) { with("path", value.path)("because", value.because); }

void fields(auto& with, auto& value, const Deferred*) {
  with("unique_id", value.unique_id)("relation", value.relation);
}

void fields(auto& with, auto& value, const Production*) {
  with("source", value.source)("assumption", value.assumption)("sha", value.sha);
  with.unless_default("run", value.run);
}

void fields(auto& with, auto& value, const Promotion*) {
  with("unique_id", value.unique_id)("from", value.from)("because", value.because);
}

void fields(auto& with, auto& value, const Unproven*) { with("unique_id", value.unique_id)("what", value.what); }

void fields(auto& with, auto& value, const LeftOut*) { with("unique_id", value.unique_id)("because", value.because); }

void fields(auto& with, auto& value, const Unreadable*) {
  with("unique_id", value.unique_id)("relation", value.relation)("because", value.because);
  with("read_by", value.read_by);
}

void fields(auto& with, auto& value, const Verified*) {
  with("only_here", value.only_here)("only_dbt", value.only_dbt);
}

void fields(auto& with, auto& value, const Plan*) {
  with("nodes", value.nodes)("unbuilt", value.unbuilt)("left_out", value.left_out)("removed", value.removed);
  with("idle_files", value.idle_files)("deferred", value.deferred)("unreadable", value.unreadable);
  with.unless_default("promotions", value.promotions);
  with("production", value.production)("unproven", value.unproven)("notes", value.notes)("verified", value.verified);
  with("base_state", value.base_state)("project_dir", value.project_dir)("dbt_started", value.dbt_started);
}

void fields(auto& with, auto& value, const OwnerMark*) {
  with("version", value.version)("repository_id", value.repository_id)("branch", value.branch)("ref", value.ref);
  with("pull_request", value.pull_request)("head", value.head)("created", value.created)("expires", value.expires);
}

void fields(auto& with, auto& value, const Clone*) {
  with("unique_id", value.unique_id)("relation", value.relation)("left_because", value.left_because);
}

void fields(auto& with, auto& value, const Branch*) {
  with("name", value.name)("isolation", value.isolation)("adapter", value.adapter)("database", value.database);
  with("path", value.path)("schemas", value.schemas)("mark", value.mark)("reused", value.reused);
  with.unless_default("clones", value.clones);
}

void fields(auto& with, auto& value, const Reported*) { with("what", value.what)("amount", value.amount); }

void fields(auto& with, auto& value, const NodeResult*) {
  with("unique_id", value.unique_id)("status", value.status)("message", value.message)("seconds", value.seconds);
  with("failures", value.failures)("rows_affected", value.rows_affected)("relation", value.relation);
  with("query", value.query);
  with.unless_default("reported", value.reported);
}

void fields(auto& with, auto& value, const DbtMessage*) {
  with("level", value.level)("code", value.code)("message", value.message);
}

void fields(auto& with, auto& value, const Build*) {
  with("results", value.results)("messages", value.messages)("seconds", value.seconds);
}

void fields(auto& with, auto& value, const LintFinding*) {
  with("path", value.path)("line", value.line)("column", value.column)("rule", value.rule)("name", value.name);
  with("message", value.message)("warning", value.warning)("on_changed_line", value.on_changed_line);
}

void fields(auto& with, auto& value, const Unlinted*) { with("path", value.path)("because", value.because); }

void fields(auto& with, auto& value, const Lint*) {
  with("findings", value.findings)("files", value.files)("unlinted", value.unlinted)("tool", value.tool);
}

void fields(auto& with, auto& value, const Quality*) {
  with("report", value.report)("tool", value.tool)("seconds", value.seconds);
}

void fields(auto& with, auto& value, const Deployment*) {
  with("target", value.target)("mode", value.mode)("before", value.before)("contains", value.contains);
  with("contains_more", value.contains_more)("exchanged", value.exchanged)("recreated", value.recreated);
  with("dropped", value.dropped)("kept_in", value.kept_in)("kept_until", value.kept_until);
}

void fields(auto& with, auto& value, const Skipped*) { with("because", value.because); }

void fields(auto& with, auto& value, const Place*) {
  with("file", value.file)("line", value.line)("column", value.column);
}

void fields(auto& with, auto& value, const Failed*) {
  with("status", value.status)("doing", value.doing)("why", value.why)("hint", value.hint)("place", value.place);
}

void fields(auto& with, auto& value, const Origin*) {
  with("command", value.command)("event", value.event)("repository", value.repository);
  with("repository_id", value.repository_id)("ref", value.ref)("pull_request", value.pull_request);
  with("server_url", value.server_url)("run_url", value.run_url);
}

void fields(auto& with, auto& value, const Policy*) {
  with("lint_fails", value.lint_fails).unless_default("budget_fails", value.budget_fails);
}

void fields(auto& with, auto& value, const StageTime*) { with("stage", value.stage)("seconds", value.seconds); }

void fields(auto& with, auto& value, const Run*) {
  with("version", value.version)("offshoot_version", value.offshoot_version)("id", value.id);
  with("started", value.started)("seconds", value.seconds)("origin", value.origin)("policy", value.policy);
  with("notes", value.notes)("change", value.change)("plan", value.plan)("branch", value.branch);
  with("build", value.build)("lint", value.lint)("quality", value.quality);
  with.unless_default("deployment", value.deployment);
  with.unless_default("over_budget", value.over_budget);
  with("times", value.times)("interrupted_by", value.interrupted_by);
}

/// Makes JSON of values.
class Writer {
 public:
  template <class T>
  Writer& operator()(const char* key, const T& value) {
    object_[key] = json_of(value);
    return *this;
  }

  /// A member that is left out where it says nothing.
  template <class T>
  Writer& unless_default(const char* key, const T& value) {
    return value == T{} ? *this : (*this)(key, value);
  }

  template <class T>
  static nlohmann::ordered_json json_of(const T& value) {
    if constexpr (std::is_same_v<T, ExitStatus>) {
      return static_cast<int>(value);
    } else if constexpr (std::is_enum_v<T>) {
      return word_of(value);
    } else if constexpr (std::is_same_v<T, double>) {
      return std::isfinite(value) ? value : 0.0;
    } else if constexpr (std::integral<T> || std::is_same_v<T, std::string>) {
      return value;
    } else {
      Writer writer;
      fields(writer, value, &value);
      return std::move(writer.object_);
    }
  }

  template <class T>
  static nlohmann::ordered_json json_of(const std::vector<T>& values) {
    nlohmann::ordered_json array = nlohmann::ordered_json::array();
    for (const T& value : values) array.push_back(json_of(value));
    return array;
  }

  template <class T>
  static nlohmann::ordered_json json_of(const std::optional<T>& value) {
    return value ? json_of(*value) : nlohmann::ordered_json();
  }

  template <class T>
  static nlohmann::ordered_json json_of(const Outcome<T>& outcome) {
    Writer writer;
    if (const T* value = outcome.finished()) {
      writer("state", std::string("finished"))("value", *value);
    } else if (const Skipped* skipped = outcome.skipped()) {
      writer("state", std::string("skipped"));
      fields(writer, *skipped, skipped);
    } else if (const Failed* failure = outcome.failure()) {
      writer("state", std::string("failed"));
      fields(writer, *failure, failure);
    }
    return std::move(writer.object_);
  }

 private:
  template <class E>
  static std::string_view word_of(E value) {
    for (const auto& [known, word] : words_of<E>()) {
      if (known == value) return word;
    }
    return words_of<E>().front().second;
  }

  nlohmann::ordered_json object_ = nlohmann::ordered_json::object();
};

/// Reads values from JSON. After the first error it does nothing more; `error()` says where that was and what.
class Reader {
 public:
  Reader(const nlohmann::json& object, std::string at, std::string& error)
      : object_(object), at_(std::move(at)), error_(error) {}

  template <class T>
  Reader& operator()(const char* key, T& value) {
    if (!error_.empty()) return *this;
    const std::string at = at_.empty() ? key : fmt::format("{}.{}", at_, key);
    if (!object_.is_object()) {
      error_ = fmt::format("{} is not an object", at_.empty() ? "the document" : at_);
    } else if (const auto found = object_.find(key); found == object_.end()) {
      error_ = fmt::format("{} is missing", at);
    } else {
      read(*found, value, at, error_);
    }
    return *this;
  }

  /// A member that may be missing.
  template <class T>
  Reader& unless_default(const char* key, T& value) {
    return object_.is_object() && !object_.contains(key) ? *this : (*this)(key, value);
  }

  template <class T>
  static void read(const nlohmann::json& json, T& value, const std::string& at, std::string& error) {
    if constexpr (std::is_same_v<T, ExitStatus>) {
      read_status(json, value, at, error);
    } else if constexpr (std::is_enum_v<T>) {
      read_word(json, value, at, error);
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_boolean()) return expected("true or false", at, error);
      value = json.get<bool>();
    } else if constexpr (std::integral<T>) {
      read_integer(json, value, at, error);
    } else if constexpr (std::is_same_v<T, double>) {
      if (!json.is_number()) return expected("a number", at, error);
      value = json.get<double>();
      if (!std::isfinite(value)) expected("a finite number", at, error);
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) return expected("a string", at, error);
      value = json.get_ref<const std::string&>();
    } else {
      Reader reader(json, at, error);
      fields(reader, value, &value);
    }
  }

  template <class T>
  static void read(const nlohmann::json& json, std::vector<T>& values, const std::string& at, std::string& error) {
    if (!json.is_array()) return expected("an array", at, error);
    values.reserve(json.size());
    for (std::size_t i = 0; i < json.size() && error.empty(); ++i) {
      read(json[i], values.emplace_back(), fmt::format("{}[{}]", at, i), error);
    }
  }

  template <class T>
  static void read(const nlohmann::json& json, std::optional<T>& value, const std::string& at, std::string& error) {
    if (!json.is_null()) read(json, value.emplace(), at, error);
  }

  template <class T>
  static void read(const nlohmann::json& json, Outcome<T>& outcome, const std::string& at, std::string& error) {
    std::string state;
    Reader reader(json, at, error);
    reader("state", state);
    if (state == "finished") {
      T value{};
      reader("value", value);
      outcome = std::move(value);
    } else if (state == "skipped") {
      Skipped skipped;
      fields(reader, skipped, &skipped);
      outcome = std::move(skipped);
    } else if (state == "failed") {
      Failed failure;
      fields(reader, failure, &failure);
      outcome = std::move(failure);
    } else {
      expected("finished, skipped or failed", at + ".state", error);
    }
  }

 private:
  static void expected(std::string_view what, const std::string& at, std::string& error) {
    if (error.empty()) error = fmt::format("{} is not {}", at, what);
  }

  static void read_status(const nlohmann::json& json, ExitStatus& value, const std::string& at, std::string& error) {
    int number = 0;
    read_integer(json, number, at, error);
    for (const ExitStatus known : exit_statuses) {
      if (static_cast<int>(known) != number) continue;
      value = known;
      return;
    }
    expected("an exit status", at, error);
  }

  template <class E>
  static void read_word(const nlohmann::json& json, E& value, const std::string& at, std::string& error) {
    std::string list;
    for (const auto& [known, word] : words_of<E>()) {
      if (json.is_string() && json.get_ref<const std::string&>() == word) {
        value = known;
        return;
      }
      list += fmt::format("{}{}", list.empty() ? "" : ", ", word);
    }
    expected("one of " + list, at, error);
  }

  template <std::integral I>
  static void read_integer(const nlohmann::json& json, I& value, const std::string& at, std::string& error) {
    const bool fits = json.is_number_integer() &&
                      (!json.is_number_unsigned() ||
                       json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<I>::max())) &&
                      (json.is_number_unsigned() || json.get<std::int64_t>() >= std::numeric_limits<I>::min());
    if (!fits) return expected("an integer in range", at, error);
    value = json.get<I>();
  }

  const nlohmann::json& object_;
  std::string at_;
  std::string& error_;
};

}  // namespace

std::string to_json(const Run& run) {
  const nlohmann::ordered_json json = Writer::json_of(run);
  return json_without_commands(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string plan_json(const Plan& plan) {
  return json_without_commands(io::to_line(Writer::json_of(plan.nodes)) + "\n");
}

std::string selection_json(const std::vector<PlannedNode>& selected, const std::vector<RemovedNode>& removed,
                           const std::vector<std::string>& notes) {
  const nlohmann::ordered_json json{{"selected", Writer::json_of(selected)},
                                    {"removed", Writer::json_of(removed)},
                                    {"notes", Writer::json_of(notes)}};
  return json_without_commands(io::to_line(json) + "\n");
}

Result<Run> from_json(std::string_view text, const std::string& name) {
  const std::string doing = fmt::format("reading '{}'", name);
  const Result<nlohmann::json> json = io::parse_json(text, doing);
  if (!json) return tl::unexpected(json.error());
  std::string error;
  Run run;
  Reader(*json, "", error)("version", run.version);
  if (error.empty() && run.version != current_version) {
    return failed(ExitStatus::usage, doing,
                  fmt::format("it has version {}, and this offshoot reads version {}", run.version, current_version),
                  "use the offshoot that wrote it, or a newer one");
  }
  if (error.empty()) Reader::read(*json, run, "", error);
  if (!error.empty()) return failed(ExitStatus::usage, doing, error, "docs/run.schema.json describes the file");
  return run;
}

}  // namespace offshoot::report
