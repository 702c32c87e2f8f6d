// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <set>
#include <utility>

#include "dbt/run_results.hpp"
#include "dbt/session.hpp"
#include "dbt/session_error.hpp"
#include "dbt/session_files.hpp"
#include "io/files.hpp"
#include "io/json.hpp"

// The session that talks to src/dbt/session/session.py; PROTOCOL.md beside it is what both sides hold to.

namespace offshoot::dbt {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr milliseconds poll_interval{100};
constexpr milliseconds interrupt_grace{4000};  // requirement K2
constexpr milliseconds terminate_grace{1000};

Json path_or_null(const fs::path& path) { return path.empty() ? Json() : Json(path.string()); }
Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

DbtMessage message_of(const Json& event, std::string level) {
  return {std::move(level), text_of(event, "code"), text_of(event, "message")};
}

std::vector<DbtMessage> warnings_of(const Json& result) {
  std::vector<DbtMessage> warnings;
  for (const auto& warning : value_of(result, "warnings")) warnings.push_back(message_of(warning, "warn"));
  return warnings;
}

Credentials credentials_of(const Json& result) {
  const Json& known = value_of(result, "credentials");
  return {text_of(known, "database"), text_of(known, "schema"), text_of(known, "path")};
}

RelationName relation_of(const Json& object) {
  return {text_of(object, "database"), text_of(object, "schema"), text_of(object, "alias"),
          text_of(object, "relation_name")};
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const auto& item : list) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

/// What the driver's build said, as a value.
BuildOutput output_of(const Json& result, const fs::path& target_path) {
  BuildOutput output;
  output.success = flag_of(result, "success");
  for (const auto& entry : value_of(result, "results")) output.results.push_back(parse_node_result(entry));
  for (const auto& entry : value_of(result, "not_run")) {
    NodeResult node;
    node.unique_id = text_of(entry, "unique_id");
    node.status = NodeStatus::not_run;
    node.message = text_of(entry, "reason");
    output.results.push_back(std::move(node));
  }
  std::ranges::sort(output.results, {}, &NodeResult::unique_id);
  output.announced = texts_of(value_of(result, "announced"));
  output.compiled_only = texts_of(value_of(result, "compiled_only"));
  output.warnings = warnings_of(result);
  output.seconds = number_of(result, "elapsed");
  output.run_results = text_of(result, "run_results_path");
  output.manifest = target_path / "manifest.json";
  return output;
}

/// The driver holds the announced set against the plan before the first statement; this holds the driver to its word.
Result<void> check_announced(const BuildRequest& request, const BuildOutput& output) {
  std::set<std::string> said(output.announced.begin(), output.announced.end());
  said.insert(output.compiled_only.begin(), output.compiled_only.end());
  for (const auto& node : output.results) {
    if (node.status == NodeStatus::not_run) said.insert(node.unique_id);
  }
  const std::set<std::string> asked(request.nodes.begin(), request.nodes.end());
  std::vector<std::string> differing;
  std::ranges::set_symmetric_difference(said, asked, std::back_inserter(differing));
  if (differing.empty()) return {};
  return failed(
      ExitStatus::could_not_run, "handing the plan to dbt",
      fmt::format("dbt announced another set of nodes than the plan's; '{}' is in one of them only", differing.front()),
      "this is an error of offshoot or of this dbt version; please report it");
}

BuildEvent event_of(const Json& event) {
  const auto name = text_of(event, "event");
  BuildEvent told;
  if (name == "node_started") {
    told.kind = BuildEvent::Kind::started;
    told.node.unique_id = text_of(event, "unique_id");
  } else if (name == "node_finished") {
    told.kind = BuildEvent::Kind::finished;
    told.node = parse_node_result(event);
  } else {
    told.message = message_of(event, text_of(event, "level"));
  }
  return told;
}

/// Ends a command step by step: SIGINT so that dbt cancels its queries, then SIGTERM, then SIGKILL.
class Escalation {
 public:
  [[nodiscard]] bool begun() const { return step_ > 0; }
  void advance(io::LineChild& child) {
    const auto now = Clock::now();
    if (step_ == 0) {
      send(child, SIGINT, now + interrupt_grace);
    } else if (now >= next_ && step_ == 1) {
      send(child, SIGTERM, now + terminate_grace);
    } else if (now >= next_ && step_ == 2) {
      send(child, SIGKILL, now + terminate_grace);
    }
  }

 private:
  void send(io::LineChild& child, int number, Clock::time_point next) {
    child.signal(number);
    next_ = next;
    ++step_;
  }
  int step_ = 0;
  Clock::time_point next_{};
};

class RunnerSession final : public Session {
 public:
  RunnerSession(SessionOptions options, SessionFiles files, io::LineChild child, fs::path log)
      : options_(std::move(options)),
        files_(std::move(files)),
        child_(std::move(child)),
        log_(std::move(log)),
        linked_(options_.stop, [this] { stop_.request_stop(); }) {}

  Result<Ready> ready() override {
    if (ready_) return *ready_;
    const std::string doing = "starting dbt";
    const auto deadline = Clock::now() + options_.start_limit;
    while (true) {
      const auto line = child_.receive(poll_interval, stop_.get_token());
      if (stop_.stop_requested()) return tl::unexpected(interrupted(doing));
      if (!line) {
        if (child_.ended()) return tl::unexpected(died(doing));
        if (Clock::now() >= deadline) {
          return failed(ExitStatus::could_not_run, doing,
                        fmt::format("{} did not answer within {} s", options_.dbt.python.string(),
                                    std::chrono::duration_cast<std::chrono::seconds>(options_.start_limit).count()),
                        last_lines(log_));
        }
        continue;
      }
      const auto event = io::parse_json(*line, doing);
      if (!event) return tl::unexpected(event.error());
      const auto name = text_of(*event, "event");
      if (name == "fatal") return tl::unexpected(no_dbt(*event));
      if (name == "ready") {
        ready_ = Ready{text_of(*event, "dbt_version"), {}, text_of(*event, "python"), ""};
        for (const auto& item : value_of(*event, "adapters").items()) {
          if (item.value().is_string()) ready_->adapters[item.key()] = item.value().get<std::string>();
        }
        return *ready_;
      }
    }
  }

  Result<Parsed> parse(const ParseRequest& request) override {
    const std::string doing = "parsing the project";
    auto body = project_body(request.at, doing);
    if (!body) return tl::unexpected(body.error());
    (*body)["target_path"] = request.target_path.string();
    (*body)["handle"] = request.handle;
    (*body)["partial_parse_file"] = path_or_null(request.partial_parse_file);
    (*body)["keep_partial_parse"] = request.keep_partial_parse;
    const auto result = ask("parse", std::move(*body), doing);
    if (!result) return tl::unexpected(result.error());
    return Parsed{.manifest = text_of(*result, "manifest_path"),
                  .adapter_type = text_of(*result, "adapter_type"),
                  .profile = text_of(*result, "profile"),
                  .target = text_of(*result, "target"),
                  .threads = static_cast<int>(std::clamp(number_of(*result, "threads"), 0.0, 1e6)),
                  .partial = flag_of(*result, "partial"),
                  .credentials = credentials_of(*result),
                  .warnings = warnings_of(*result),
                  .seconds = number_of(*result, "elapsed")};
  }

  Result<Resolved> resolve(const ResolveRequest& request) override {
    const std::string doing = "working out the names in the branch";
    auto body = project_body(request.at, doing);
    if (!body) return tl::unexpected(body.error());
    (*body)["handle"] = request.handle;
    (*body)["as"] = request.as;
    (*body)["sources_database"] = request.sources_database ? Json(*request.sources_database) : Json();
    (*body)["placed"] = request.placed;
    const auto result = ask("resolve", std::move(*body), doing);
    if (!result) return tl::unexpected(result.error());
    Resolved resolved;
    resolved.credentials = credentials_of(*result);
    for (const auto& item : value_of(*result, "relations").items()) {
      resolved.nodes[item.key()] = {relation_of(item.value()), text_of(item.value(), "materialized"),
                                    text_of(item.value(), "resource_type")};
    }
    return resolved;
  }

  Result<BuildOutput> build(const BuildRequest& request, const BuildListener& on_event) override {
    const std::string doing = fmt::format("running dbt {}", request.dbt_command);
    auto body = project_body(request.at, doing);
    if (!body) return tl::unexpected(body.error());
    add_build(*body, request);
    auto reply = exchange("build", std::move(*body), doing, on_event);
    if (!reply) return tl::unexpected(reply.error());
    auto output = output_of(value_of(*reply, "result"), request.target_path);
    if (!flag_of(*reply, "ok")) {
      auto failure = reply_error(*reply, doing);
      if (output.results.empty() && output.announced.empty()) return tl::unexpected(std::move(failure));
      output.stopped = std::move(failure);
      return output;
    }
    if (auto same = check_announced(request, output); !same) return tl::unexpected(same.error());
    return output;
  }

  Result<std::vector<std::string>> select(const SelectionRequest& request) override {
    const std::string doing = "asking dbt for its own selection";
    auto body = project_body(request.at, doing);
    if (!body) return tl::unexpected(body.error());
    (*body)["handle"] = request.handle;
    (*body)["state"] = request.state.parent_path().string();
    (*body)["select"] = request.select;
    (*body)["exclude"] = request.exclude;
    const auto result = ask("select", std::move(*body), doing);
    if (!result) return tl::unexpected(result.error());
    std::vector<std::string> selected;
    for (const auto& unique_id : value_of(*result, "selected")) {
      if (unique_id.is_string()) selected.push_back(unique_id.get<std::string>());
    }
    return selected;
  }

  Result<Json> macro(const WarehouseAt& at, const std::string& name, const Json& args) override {
    Json body = warehouse_body(at);
    body["macro"] = "offshoot." + name;
    body["args"] = args;
    const auto result = ask("macro", std::move(body), fmt::format("running {} in the warehouse", name));
    if (!result) return tl::unexpected(result.error());
    return value_of(*result, "value");
  }

  Result<std::vector<ExistingRelation>> list_relations(const WarehouseAt& at,
                                                       const std::vector<SchemaName>& schemas) override {
    Json body = warehouse_body(at);
    body["schemas"] = Json::array();
    for (const auto& schema : schemas) {
      body["schemas"].push_back({{"database", text_or_null(schema.database)}, {"schema", schema.schema}});
    }
    const auto result = ask("list_relations", std::move(body), "listing relations in the warehouse");
    if (!result) return tl::unexpected(result.error());
    std::vector<ExistingRelation> relations;
    for (const auto& entry : value_of(*result, "relations")) {
      relations.push_back(
          {text_of(entry, "database"), text_of(entry, "schema"), text_of(entry, "identifier"), text_of(entry, "type")});
    }
    return relations;
  }

  Result<Answer> debug(const WarehouseAt& at) override {
    const std::string doing = "connecting to the warehouse";
    const auto result = ask("debug", warehouse_body(at), doing);
    if (!result) return tl::unexpected(result.error());
    Answer answer{flag_of(*result, "ok"), text_of(*result, "adapter_type"), text_of(*result, "message"),
                  ExitStatus::passed, ""};
    if (!answer.ok) {
      const auto failure = session_error(doing, text_of(*result, "kind"), answer.message);
      answer.status = failure.status;
      answer.hint = failure.hint;
    }
    return answer;
  }

  Result<void> deps(const ProjectAt& at) override {
    const std::string doing = "installing packages (dbt deps)";
    auto body = project_body(at, doing);
    if (!body) return tl::unexpected(body.error());
    return without_value(ask("deps", std::move(*body), doing));
  }

  [[nodiscard]] bool places_packages() const override { return true; }

  Result<void> forget(const std::string& handle) override {
    return without_value(ask("forget", Json{{"handle", handle}}, "letting go of a manifest"));
  }

  Result<void> release() override {
    return without_value(ask("release", Json::object(), "closing the connections to the warehouse"));
  }

  [[nodiscard]] fs::path log() const override { return log_; }
  void interrupt() override { stop_.request_stop(); }

 private:
  static Result<void> without_value(const Result<Json>& result) {
    if (!result) return tl::unexpected(result.error());
    return {};
  }

  Result<Json> project_body(const ProjectAt& at, const std::string& doing) const {
    auto vars = io::parse_json(at.vars.empty() ? "{}" : at.vars, doing + ": reading dbt.vars");
    if (!vars) return tl::unexpected(vars.error());
    return Json{{"project_dir", at.project_dir.string()},
                {"profiles_dir", at.profiles_dir.string()},
                {"profile", text_or_null(at.profile)},
                {"target", text_or_null(at.target)},
                {"vars", std::move(*vars)},
                {"packages_install_path", path_or_null(at.packages_install_path)},
                {"log_path", (options_.scratch / "logs").string()},
                {"target_path", (options_.scratch / "target").string()}};
  }

  Json warehouse_body(const WarehouseAt& at) const {
    return Json{{"macros_dir", (files_.project / "macros").string()},
                {"project_dir", Json()},
                {"profiles_dir", at.profiles_dir.string()},
                {"profile", text_or_null(at.profile)},
                {"target", text_or_null(at.target)},
                {"log_path", (options_.scratch / "logs").string()},
                {"target_path", (options_.scratch / "target").string()}};
  }

  static void add_build(Json& body, const BuildRequest& request) {
    body["handle"] = request.handle;
    body["target_path"] = request.target_path.string();
    body["dbt_command"] = request.dbt_command;
    body["nodes"] = request.nodes;
    body["threads"] = request.threads ? Json(*request.threads) : Json();
    body["fail_fast"] = request.fail_fast;
    body["full_refresh"] = request.full_refresh;
    body["empty"] = request.empty;
    Json deferred = Json::object();
    for (const auto& [unique_id, relation] : request.deferred) {
      deferred[unique_id] = {{"database", text_or_null(relation.database)},
                             {"schema", relation.schema},
                             {"alias", relation.identifier},
                             {"relation_name", relation.rendered}};
    }
    body["deferred"] = std::move(deferred);
  }

  /// Sends a command and waits for its result; an error reply is an error.
  Result<Json> ask(const char* command, Json body, const std::string& doing) {
    auto reply = exchange(command, std::move(body), doing, nullptr);
    if (!reply) return tl::unexpected(reply.error());
    if (!flag_of(*reply, "ok")) return tl::unexpected(reply_error(*reply, doing));
    return value_of(*reply, "result");
  }

  /// Sends a command and waits for its reply, whatever it says.
  Result<Json> exchange(const char* command, Json body, const std::string& doing, const BuildListener& on_event) {
    if (auto there = ready(); !there) return tl::unexpected(there.error());
    if (stop_.stop_requested()) return tl::unexpected(interrupted(doing));
    const int id = ++last_id_;
    body["id"] = id;
    body["command"] = command;
    if (!child_.send(io::to_line(body))) return tl::unexpected(died(doing));

    Escalation ending;
    timed_out_ = false;
    const auto deadline = Clock::now() + options_.limit;
    while (true) {
      timed_out_ = timed_out_ || (!stop_.stop_requested() && Clock::now() >= deadline);
      if (stop_.stop_requested() || timed_out_) ending.advance(child_);
      // Once stopping, the token would make every receive return at once.
      const auto line = child_.receive(poll_interval, ending.begun() ? std::stop_token() : stop_.get_token());
      if (!line) {
        if (child_.ended()) return tl::unexpected(died(doing));
        continue;
      }
      auto message = io::parse_json(*line, doing + ": reading dbt's answer");
      if (!message) return tl::unexpected(as_internal(std::move(message.error())));
      if (number_of(*message, "id") != id) continue;
      if (!message->contains("event")) return message;
      if (on_event) on_event(event_of(*message));
    }
  }

  [[nodiscard]] Failed reply_error(const Json& reply, const std::string& doing) const {
    if (timed_out_) return too_slow(doing);
    return session_error(doing, value_of(reply, "error"));
  }

  [[nodiscard]] Failed too_slow(const std::string& doing) const {
    return {ExitStatus::could_not_run,
            doing,
            fmt::format("it took longer than {} s",
                        std::chrono::duration_cast<std::chrono::seconds>(options_.limit).count()),
            "",
            {}};
  }

  static Failed as_internal(Failed failure) {
    failure.status = ExitStatus::could_not_run;
    return failure;
  }

  [[nodiscard]] Failed no_dbt(const Json& event) const {
    return {ExitStatus::usage,
            "starting dbt",
            fmt::format("{} cannot load it: {}", options_.dbt.python.string(), text_of(event, "message")),
            "install dbt-core and your adapter there, or set dbt.python to the interpreter that has them",
            {}};
  }

  /// The driver is gone: why, as far as can be told.
  Failed died(const std::string& doing) {
    if (stop_.stop_requested()) return interrupted(doing);
    if (timed_out_) return too_slow(doing);
    const auto end = child_.wait_for_end(terminate_grace);
    std::string why = "the process that runs dbt is gone";
    if (end && end->signal != 0) {
      why = fmt::format("the process that runs dbt was killed by signal {}", end->signal);
      if (end->signal == SIGKILL) why += " (often: out of memory)";
    } else if (end) {
      why = fmt::format("the process that runs dbt ended with status {}", end->status);
    }
    const auto words = last_lines(log_);
    return {ExitStatus::could_not_run, doing, why, words.empty() ? "" : "its last words were:\n" + words, {}};
  }

  SessionOptions options_;
  SessionFiles files_;
  io::LineChild child_;
  fs::path log_;
  std::optional<Ready> ready_;
  int last_id_ = 0;
  bool timed_out_ = false;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> linked_;
};

}  // namespace

Result<std::unique_ptr<Session>> start_runner_session(const SessionOptions& options) {
  auto files = write_session_files(options.scratch / "offshoot");
  if (!files) return tl::unexpected(files.error());
  const auto log = options.scratch / "dbt.log";
  io::Command command{.argv = {options.dbt.python.string(), "-u", files->driver.string(), "--in", "3", "--out", "4"},
                      .environment = options.environment,
                      .folder = options.folder};
  auto child = io::LineChild::start(command, log);
  if (!child) return tl::unexpected(child.error());
  return std::make_unique<RunnerSession>(options, std::move(*files), std::move(*child), log);
}

}  // namespace offshoot::dbt
