// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "dbt/dbt_log.hpp"
#include "dbt/run_results.hpp"
#include "dbt/session.hpp"
#include "dbt/session_error.hpp"
#include "dbt/session_files.hpp"
#include "io/clock.hpp"
#include "io/files.hpp"
#include "io/json.hpp"

// The session where dbt is only a command: each request starts it anew.

namespace offshoot::dbt {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Arguments = std::vector<std::string>;

namespace {

constexpr const char* costs =
    "dbt is only a command here: it is started and parses the project anew for each step, gives no progress while it "
    "builds, takes long with hundreds of nodes, and shows dbt.vars in the list of processes";

// The adapter's own listing macro, which DuckDB and PostgreSQL give as rows of database, name, schema and type.
constexpr std::string_view own_macros = R"jinja({% macro offshoot_listing(schemas) %}
  {%- set found = [] -%}
  {%- for one in schemas -%}
    {%- set place = api.Relation.create(database=one.database or target.database, schema=one.schema) -%}
    {%- for row in list_relations_without_caching(place.without_identifier()) -%}
      {%- do found.append({'database': row['database'], 'schema': row['schema'], 'name': row['name'],
                           'type': row['type']}) -%}
    {%- endfor -%}
  {%- endfor -%}
  {%- do log('OFFSHOOT_RESULT ' ~ tojson(found), info=true) -%}
{% endmacro %}
)jinja";

// A project of one model that tells at parse time where its target leads to. Running an operation instead would
// connect, which makes a DuckDB file that is not there.
constexpr std::string_view target_project =
    "{name: offshoot_target, version: '1.0.0', profile: offshoot, model-paths: [models]}\n";
constexpr std::string_view target_model = R"jinja({% do log('OFFSHOOT_RESULT ' ~ tojson({
  'database': target.database, 'schema': target.schema, 'path': target.get('path')}), info=true) %}
select 1 as one
)jinja";

constexpr std::array<const char*, 7> node_sections{"nodes",   "unit_tests",    "exposures",      "functions",
                                                   "metrics", "saved_queries", "semantic_models"};

void append(Arguments& arguments, std::initializer_list<std::string> more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

/// What every dbt command is given.
Arguments common(const std::string& command, const fs::path& project_dir, const fs::path& profiles_dir,
                 const std::string& profile, const std::string& target) {
  Arguments arguments{"--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check"};
  append(arguments, {command, "--project-dir", project_dir.string(), "--profiles-dir", profiles_dir.string()});
  if (!profile.empty()) append(arguments, {"--profile", profile});
  if (!target.empty()) append(arguments, {"--target", target});
  return arguments;
}

Arguments of_project(const std::string& command, const ProjectAt& at) {
  auto arguments = common(command, at.project_dir, at.profiles_dir, at.profile, at.target);
  append(arguments, {"--vars", at.vars.empty() ? "{}" : at.vars});
  return arguments;
}

const Json* find_node(const Json& manifest, const std::string& unique_id) {
  for (const char* section : node_sections) {
    const Json& members = value_of(manifest, section);
    if (const auto found = members.is_object() ? members.find(unique_id) : members.end();
        members.is_object() && found != members.end()) {
      return &*found;
    }
  }
  return nullptr;
}

bool is_ephemeral(const Json& node) { return text_of(value_of(node, "config"), "materialized") == "ephemeral"; }

bool is_blank(const Json& node) {
  return text_of(node, "resource_type") != "seed" && node.contains("raw_code") &&
         text_of(node, "raw_code").find_first_not_of(" \t\r\n") == std::string::npos;
}

/// `fqn:shop.marts.dim_customers`: dbt has no selector for unique ids, and this one names at least the node.
Result<std::string> selector_of(const Json& manifest, const std::string& unique_id) {
  const std::string doing = "handing the plan to dbt";
  const Json* node = find_node(manifest, unique_id);
  if (node == nullptr) {
    return failed(ExitStatus::could_not_run, doing, fmt::format("'{}' is not in the manifest", unique_id));
  }
  std::string selector = "fqn:";
  for (const auto& part : value_of(*node, "fqn")) {
    const auto text = part.is_string() ? part.get<std::string>() : std::string();
    const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (!plain) {
      return failed(
          ExitStatus::usage, doing,
          fmt::format("'{}' cannot be selected on dbt's command line because of '{}' in its path", unique_id, text),
          "rename it, or install dbt-core as a Python package, which needs no selectors");
    }
    selector += (selector.size() > 4 ? "." : "") + text;
  }
  return selector;
}

RelationName relation_of(const Json& node) {
  return {text_of(node, "database"), text_of(node, "schema"), text_of(node, "alias"), text_of(node, "relation_name")};
}

class CommandLineSession final : public Session {
 public:
  CommandLineSession(SessionOptions options, SessionFiles files)
      : options_(std::move(options)),
        files_(std::move(files)),
        log_(options_.scratch / "dbt.log"),
        linked_(options_.stop, [this] { stop_.request_stop(); }) {}

  Result<Ready> ready() override {
    if (ready_) return *ready_;
    const std::string doing = "starting dbt";
    const auto output = run({"--version"}, doing);
    if (!output) return tl::unexpected(output.error());
    if (output->exit.status != 0) {
      return failed(ExitStatus::usage, doing,
                    fmt::format("{} --version ends with status {}", options_.dbt.command.string(), output->exit.status),
                    last_lines(log_));
    }
    ready_ = read_versions(output->out + output->err);
    return *ready_;
  }

  Result<Parsed> parse(const ParseRequest& request) override {
    const std::string doing = "parsing the project";
    const io::Stopwatch watch;
    const auto log = parse_project(request.at, request.target_path, request.partial_parse_file, doing);
    if (!log) return tl::unexpected(log.error());
    const auto manifest = request.target_path / "manifest.json";
    const auto document = read_json(manifest, doing);
    if (!document) return tl::unexpected(document.error());
    auto credentials = credentials_of(request.at, doing);
    if (!credentials) return tl::unexpected(credentials.error());
    manifests_[request.handle] = manifest;
    return Parsed{.manifest = manifest,
                  .adapter_type = text_of(value_of(*document, "metadata"), "adapter_type"),
                  .profile = request.at.profile,
                  .target = request.at.target,
                  .threads = 0,
                  .partial = false,
                  .credentials = std::move(*credentials),
                  .warnings = log->warnings,
                  .seconds = watch.seconds()};
  }

  Result<Resolved> resolve(const ResolveRequest& request) override {
    const std::string doing = "working out the names in the branch";
    if (request.sources_database) {
      return failed(ExitStatus::usage, doing, "isolation by database needs dbt's Python package",
                    "install dbt-core where dbt.python finds it, or set branch.isolate: schema");
    }
    if (!request.placed.empty()) {
      return failed(ExitStatus::usage, doing, "building beside production needs dbt's Python package",
                    "install dbt-core where dbt.python finds it, or set deploy.mode: in-place");
    }
    const auto target_path = options_.scratch / ("resolved-" + io::sha256_hex(request.as).substr(0, 12));
    if (auto log = parse_project(request.at, target_path, partial_parse_of(request.handle), doing); !log) {
      return tl::unexpected(log.error());
    }
    const auto manifest = read_json(target_path / "manifest.json", doing);
    if (!manifest) return tl::unexpected(manifest.error());
    auto credentials = credentials_of(request.at, doing);
    if (!credentials) return tl::unexpected(credentials.error());
    manifests_[request.as] = target_path / "manifest.json";
    Resolved resolved{.nodes = {}, .credentials = std::move(*credentials)};
    for (const char* section : {"nodes", "functions"}) {
      for (const auto& item : value_of(*manifest, section).items()) add_resolved(resolved, item.key(), item.value());
    }
    return resolved;
  }

  Result<BuildOutput> build(const BuildRequest& request, const BuildListener& on_event) override {
    const std::string doing = fmt::format("running dbt {}", request.dbt_command);
    const auto kept = manifests_.find(request.handle);
    if (kept == manifests_.end()) {
      return failed(ExitStatus::could_not_run, doing, fmt::format("no manifest is kept under '{}'", request.handle));
    }
    auto manifest = read_json(kept->second, doing);
    if (!manifest) return tl::unexpected(manifest.error());
    auto selection = selection_of(request, *manifest, kept->second);
    if (!selection) return tl::unexpected(selection.error());
    auto output = announce(request, *manifest, *selection, doing);
    if (!output) return output;
    if (output->announced.empty() && output->compiled_only.empty()) {
      output->success = true;
      return output;
    }
    if (!request.deferred.empty()) {
      if (auto added = add_deferral(request, std::move(*manifest), *selection); !added) {
        return tl::unexpected(added.error());
      }
    }
    return execute(request, *selection, std::move(*output), on_event, doing);
  }

  Result<std::vector<std::string>> select(const SelectionRequest& request) override {
    const std::string doing = "asking dbt for its own selection";
    const auto kept = manifests_.find(request.handle);
    if (kept == manifests_.end()) {
      return failed(ExitStatus::could_not_run, doing, fmt::format("no manifest is kept under '{}'", request.handle));
    }
    Arguments selection{"--state", request.state.parent_path().string(), "--select", request.select};
    if (!request.exclude.empty()) append(selection, {"--exclude", request.exclude});
    append(selection, {"--target-path", (options_.scratch / "target").string()});
    add_partial_parse(selection, kept->second);
    const auto listed = list(request.at, selection, doing);
    if (!listed) return tl::unexpected(listed.error());
    return std::vector<std::string>(listed->begin(), listed->end());
  }

  Result<Json> macro(const WarehouseAt& at, const std::string& name, const Json& args) override {
    const std::string doing = fmt::format("running {} in the warehouse", name);
    return run_operation(at, "offshoot_call", Json{{"macro", name}, {"args", args}}, doing);
  }

  Result<std::vector<ExistingRelation>> list_relations(const WarehouseAt& at,
                                                       const std::vector<SchemaName>& schemas) override {
    const std::string doing = "listing relations in the warehouse";
    Json wanted = Json::array();
    for (const auto& one : schemas) {
      wanted.push_back({{"database", one.database.empty() ? Json() : Json(one.database)}, {"schema", one.schema}});
    }
    const auto rows = run_operation(at, "offshoot_listing", Json{{"schemas", std::move(wanted)}}, doing);
    if (!rows) return tl::unexpected(rows.error());
    std::vector<ExistingRelation> relations;
    for (const auto& row : *rows) {
      relations.push_back(
          {text_of(row, "database"), text_of(row, "schema"), text_of(row, "name"), text_of(row, "type")});
    }
    return relations;
  }

  Result<Answer> debug(const WarehouseAt& at) override {
    const std::string doing = "connecting to the warehouse";
    auto arguments = of_macro_project("debug", at);
    append(arguments, {"--connection", "--log-format", "json"});
    const auto output = run(std::move(arguments), doing);
    if (!output) return tl::unexpected(output.error());
    if (output->exit.status == 0) return Answer{true, "", "the warehouse answers", ExitStatus::passed, ""};
    const auto reason = reason_of(*output);
    auto failure = session_error(doing, kind_of_message(reason), reason);
    if (failure.status == ExitStatus::usage) return tl::unexpected(std::move(failure));
    return Answer{false, "", reason, failure.status, failure.hint};
  }

  Result<void> deps(const ProjectAt& at) override {
    const std::string doing = "installing packages (dbt deps)";
    if (auto fits = check_packages(at, doing); !fits) return fits;
    auto arguments = of_project("deps", at);
    append(arguments, {"--log-format", "json"});
    const auto log = succeed(std::move(arguments), doing);
    if (!log) return tl::unexpected(log.error());
    return {};
  }

  [[nodiscard]] bool places_packages() const override { return false; }
  Result<void> forget(const std::string& handle) override {
    manifests_.erase(handle);
    return {};
  }
  Result<void> release() override { return {}; }
  [[nodiscard]] fs::path log() const override { return log_; }
  void interrupt() override { stop_.request_stop(); }

 private:
  // --- running dbt ---

  /// Runs dbt to its end; its words go to the log. Any exit status is a value, a signal is an error.
  Result<io::Output> run(Arguments arguments, const std::string& doing) {
    if (stop_.stop_requested()) return tl::unexpected(interrupted(doing));
    arguments.insert(arguments.begin(), options_.dbt.command.string());
    const io::Command command{
        .argv = std::move(arguments), .environment = options_.environment, .folder = options_.folder};
    auto output = io::run(command, {.limit = options_.limit, .stop = stop_.get_token()});
    if (!output) return output;
    std::ofstream(log_, std::ios::binary | std::ios::app) << output->out << output->err;
    if (output->exit.cancelled) return tl::unexpected(interrupted(doing));
    if (output->exit.timed_out) {
      return failed(ExitStatus::could_not_run, doing,
                    fmt::format("it took longer than {} s",
                                std::chrono::duration_cast<std::chrono::seconds>(options_.limit).count()));
    }
    if (output->exit.signal != 0) {
      return failed(ExitStatus::could_not_run, doing, fmt::format("dbt was killed by signal {}", output->exit.signal),
                    last_lines(log_));
    }
    return output;
  }

  static std::string reason_of(const io::Output& output) {
    auto reason = read_dbt_log(output.out + "\n" + output.err).reasons();
    return reason.empty() ? fmt::format("dbt ended with status {}", output.exit.status) : reason;
  }

  /// Runs dbt with JSON logs; any exit status but 0 is an error.
  Result<DbtLog> succeed(Arguments arguments, const std::string& doing) {
    const auto output = run(std::move(arguments), doing);
    if (!output) return tl::unexpected(output.error());
    if (output->exit.status == 0) return read_dbt_log(output->out);
    const auto reason = reason_of(*output);
    return tl::unexpected(session_error(doing, kind_of_message(reason), reason));
  }

  /// The value of a macro of the tiny project.
  Result<Json> run_operation(const WarehouseAt& at, const std::string& macro, const Json& args,
                             const std::string& doing) {
    auto arguments = of_macro_project("run-operation", at);
    append(arguments, {macro, "--args", io::to_line(args), "--log-format", "json"});
    return result_of(std::move(arguments), doing);
  }

  /// The value that a command logs behind OFFSHOOT_RESULT.
  Result<Json> result_of(Arguments arguments, const std::string& doing) {
    const auto log = succeed(std::move(arguments), doing);
    if (!log) return tl::unexpected(log.error());
    if (!log->macro_result) {
      return failed(ExitStatus::could_not_run, doing, "dbt ended well and gave no result", last_lines(log_));
    }
    return io::parse_json(*log->macro_result, doing);
  }

  Arguments of_macro_project(const std::string& command, const WarehouseAt& at) const {
    auto arguments = common(command, files_.project, at.profiles_dir, at.profile, at.target);
    append(arguments, {"--target-path", (options_.scratch / "target").string(), "--log-path",
                       (options_.scratch / "logs").string()});
    return arguments;
  }

  static Result<Json> read_json(const fs::path& path, const std::string& doing) {
    const auto text = io::read_file(path);
    if (!text) return tl::unexpected(text.error());
    return io::parse_json(*text, fmt::format("{}: reading {}", doing, path.string()));
  }

  static Ready read_versions(const std::string& text) {
    Ready ready;
    ready.costs = costs;
    std::size_t begin = 0;
    while (begin < text.size()) {
      const auto end = std::min(text.find('\n', begin), text.size());
      add_version(ready, text.substr(begin, end - begin));
      begin = end + 1;
    }
    return ready;
  }

  /// "  - installed: 1.11.16" of dbt itself, "  - duckdb: 1.11.1 - Up to date!" of an adapter.
  static void add_version(Ready& ready, const std::string& line) {
    const auto dash = line.find("- ");
    const auto colon = line.find(": ", dash == std::string::npos ? 0 : dash);
    if (dash == std::string::npos || colon == std::string::npos) return;
    const auto name = line.substr(dash + 2, colon - dash - 2);
    auto version = line.substr(colon + 2);
    version = version.substr(version.find_first_not_of(' ') == std::string::npos ? 0 : version.find_first_not_of(' '));
    version = version.substr(0, version.find(' '));
    if (name == "installed") {
      ready.dbt_version = version;
    } else if (name != "latest" && name.find(' ') == std::string::npos) {
      ready.adapters[name] = version;
    }
  }

  // --- parsing ---

  static Result<void> check_packages(const ProjectAt& at, const std::string& doing) {
    if (at.packages_install_path.empty()) return {};
    return failed(ExitStatus::could_not_run, doing, "dbt's command line cannot be told where packages are",
                  "leave packages_install_path empty for this kind of session");
  }

  Result<DbtLog> parse_project(const ProjectAt& at, const fs::path& target_path, const fs::path& partial,
                               const std::string& doing) {
    if (auto fits = check_packages(at, doing); !fits) return tl::unexpected(fits.error());
    auto arguments = of_project("parse", at);
    append(arguments, {"--log-format", "json", "--target-path", target_path.string(), "--log-path",
                       (options_.scratch / "logs").string()});
    std::error_code error;
    if (!partial.empty() && fs::exists(partial, error)) {
      append(arguments, {"--partial-parse-file-path", partial.string()});
    }
    return succeed(std::move(arguments), doing);
  }

  /// Where the profile leads to, as dbt renders it; no connection is made. Empty without the profile's name, which only
  /// the project knows then.
  Result<Credentials> credentials_of(const ProjectAt& at, const std::string& doing) {
    if (at.profile.empty()) return Credentials{};
    auto arguments = common("parse", files_.project.parent_path() / "target", at.profiles_dir, at.profile, at.target);
    append(arguments, {"--no-partial-parse", "--log-format", "json", "--target-path",
                       (options_.scratch / "target").string(), "--log-path", (options_.scratch / "logs").string()});
    const auto target = result_of(std::move(arguments), doing);
    if (!target) return tl::unexpected(target.error());
    return Credentials{text_of(*target, "database"), text_of(*target, "schema"), text_of(*target, "path")};
  }

  [[nodiscard]] fs::path partial_parse_of(const std::string& handle) const {
    const auto kept = manifests_.find(handle);
    return kept == manifests_.end() ? fs::path() : kept->second.parent_path() / "partial_parse.msgpack";
  }

  static void add_resolved(Resolved& resolved, const std::string& unique_id, const Json& node) {
    constexpr std::array<std::string_view, 5> types{"model", "seed", "snapshot", "function", "test"};
    const auto type = text_of(node, "resource_type");
    const auto relation = relation_of(node);
    if (std::ranges::find(types, type) == types.end()) return;
    if (type == "test" && relation.rendered.empty()) return;
    resolved.nodes[unique_id] = {relation, text_of(value_of(node, "config"), "materialized"), type};
  }

  // --- building ---

  /// The arguments that select exactly the request's nodes, for `ls` and for the command itself.
  static Result<Arguments> selection_of(const BuildRequest& request, const Json& manifest,
                                        const fs::path& manifest_path) {
    Arguments arguments;
    append(arguments, {"--indirect-selection", "empty", "--target-path", request.target_path.string()});
    add_partial_parse(arguments, manifest_path);
    arguments.emplace_back("--select");
    for (const auto& unique_id : request.nodes) {
      auto selector = selector_of(manifest, unique_id);
      if (!selector) return tl::unexpected(selector.error());
      arguments.push_back(std::move(*selector));
    }
    return arguments;
  }

  /// The parse that a kept manifest came from, so that dbt need not parse again.
  static void add_partial_parse(Arguments& arguments, const fs::path& manifest_path) {
    const auto partial = manifest_path.parent_path() / "partial_parse.msgpack";
    std::error_code error;
    if (fs::exists(partial, error)) append(arguments, {"--partial-parse-file-path", partial.string()});
  }

  /// The unique ids that `dbt ls` lists.
  Result<std::set<std::string>> list(const ProjectAt& at, const Arguments& selection, const std::string& doing) {
    auto arguments = of_project("ls", at);
    append(arguments, {"--quiet", "--output", "json", "--output-keys", "unique_id", "--log-path",
                       (options_.scratch / "logs").string()});
    arguments.insert(arguments.end(), selection.begin(), selection.end());
    const auto listed = run(std::move(arguments), doing);
    if (!listed) return tl::unexpected(listed.error());
    if (listed->exit.status != 0) {
      const auto reason = reason_of(*listed);
      return tl::unexpected(session_error(doing, kind_of_message(reason), reason));
    }
    return listed_ids(listed->out);
  }

  /// What dbt would run, from `dbt ls`; it must be the plan, for an unknown name selects nothing and succeeds.
  Result<BuildOutput> announce(const BuildRequest& request, const Json& manifest, const Arguments& selection,
                               const std::string& doing) {
    const auto found = list(request.at, selection, doing);
    if (!found) return tl::unexpected(found.error());
    const std::set<std::string> asked(request.nodes.begin(), request.nodes.end());
    for (const auto& unique_id : *found) {
      if (!asked.contains(unique_id)) return tl::unexpected(other_set(unique_id));
    }
    BuildOutput output;
    for (const auto& unique_id : asked) {
      const Json& node = *find_node(manifest, unique_id);
      if (const auto reason = why_not_run(request, asked, node); !reason.empty()) {
        NodeResult result;
        result.unique_id = unique_id;
        result.status = NodeStatus::not_run;
        result.message = reason;
        output.results.push_back(std::move(result));
      } else if (!found->contains(unique_id)) {
        return tl::unexpected(other_set(unique_id));
      } else {
        (is_ephemeral(node) ? output.compiled_only : output.announced).push_back(unique_id);
      }
    }
    return output;
  }

  static std::set<std::string> listed_ids(std::string_view text) {
    std::set<std::string> ids;
    while (!text.empty()) {
      const auto newline = text.find('\n');
      const auto line = text.substr(0, newline);
      text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
      if (!line.starts_with('{')) continue;
      if (const auto entry = io::parse_json(line, "reading dbt's list")) ids.insert(text_of(*entry, "unique_id"));
    }
    return ids;
  }

  /// What dbt passes over by its own rules, and why; empty = it runs.
  static std::string why_not_run(const BuildRequest& request, const std::set<std::string>& asked, const Json& node) {
    const auto type = text_of(node, "resource_type");
    if (is_blank(node) && type != "unit_test") return "its file is empty";
    const Json& parents = value_of(value_of(node, "depends_on"), "nodes");
    const bool orphan = parents.is_array() && !parents.empty() && parents.front().is_string() &&
                        !asked.contains(parents.front().get<std::string>());
    if (type == "unit_test" && request.dbt_command == "build" && orphan) {
      return "dbt build runs a unit test only together with its model";
    }
    return {};
  }

  static Failed other_set(const std::string& unique_id) {
    return {ExitStatus::could_not_run,
            "handing the plan to dbt",
            fmt::format("dbt's selectors give another set of nodes than the plan's; '{}' is in one of them only",
                        unique_id),
            "install dbt-core as a Python package, which is given exact ids",
            {}};
  }

  /// Makes a state of what is deferred, each node under the name that it is read by, and defers to it.
  Result<void> add_deferral(const BuildRequest& request, Json manifest, Arguments& selection) {
    Json nodes = Json::object();
    for (const auto& [unique_id, relation] : request.deferred) {
      const Json* node = find_node(manifest, unique_id);
      if (node == nullptr) continue;
      Json moved = *node;
      moved["database"] = relation.database.empty() ? Json() : Json(relation.database);
      moved["schema"] = relation.schema;
      moved["alias"] = relation.identifier;
      moved["relation_name"] = relation.rendered;
      nodes[unique_id] = std::move(moved);
    }
    manifest["nodes"] = std::move(nodes);
    const auto state = options_.scratch / "state";
    if (auto written = io::write_file(state / "manifest.json", io::to_line(manifest), 0600); !written) return written;
    selection.insert(selection.begin(), {"--defer", "--favor-state", "--state", state.string()});
    return {};
  }

  Result<BuildOutput> execute(const BuildRequest& request, const Arguments& selection, BuildOutput output,
                              const BuildListener& on_event, const std::string& doing) {
    const auto run_results = request.target_path / "run_results.json";
    std::error_code error;
    fs::remove(run_results, error);  // requirement K3: what is there afterwards was written by this command
    auto arguments = of_project(request.dbt_command, request.at);
    append(arguments, {"--log-format", "json", "--log-path", (options_.scratch / "logs").string()});
    if (request.threads) append(arguments, {"--threads", std::to_string(*request.threads)});
    if (request.fail_fast) append(arguments, {"--fail-fast"});
    if (request.full_refresh) append(arguments, {"--full-refresh"});
    if (request.empty) append(arguments, {"--empty"});
    arguments.insert(arguments.end(), selection.begin(), selection.end());

    const io::Stopwatch watch;
    const auto ran = run(std::move(arguments), doing);
    const auto results = fs::exists(run_results, error) ? read_run_results(run_results) : Result<RunResults>();
    output.seconds = watch.seconds();
    if (!fs::exists(run_results, error) || !results) {
      if (!ran) return tl::unexpected(ran.error());
      if (!results) return tl::unexpected(results.error());
      const auto reason = reason_of(*ran);
      return tl::unexpected(session_error(doing, kind_of_message(reason), reason));
    }
    add_results(output, *results, on_event);
    output.run_results = run_results;
    output.manifest = request.target_path / "manifest.json";
    if (!ran) {
      output.stopped = ran.error();
      return output;
    }
    const auto log = read_dbt_log(ran->out);
    if (!log.invocation_id.empty() && log.invocation_id != results->invocation_id) {
      return failed(ExitStatus::could_not_run, doing, "run_results.json is of another run of dbt",
                    "let nothing else write into " + request.target_path.string());
    }
    output.warnings = log.warnings;
    output.success = ran->exit.status == 0;
    if (ran->exit.status > 1) {
      const auto reason = reason_of(*ran);
      output.stopped = session_error(doing, kind_of_message(reason), reason);
    }
    return output;
  }

  static void add_results(BuildOutput& output, const RunResults& run, const BuildListener& on_event) {
    for (auto result : run.results) {
      const bool well = result.status == NodeStatus::success || result.status == NodeStatus::pass ||
                        result.status == NodeStatus::no_op;
      if (well) result.query.clear();  // as with the driver: kept for what a person has to look at
      if (on_event) on_event({.kind = BuildEvent::Kind::finished, .node = result, .message = {}});
      output.results.push_back(std::move(result));
    }
    std::ranges::sort(output.results, {}, &NodeResult::unique_id);
  }

  SessionOptions options_;
  SessionFiles files_;
  fs::path log_;
  std::optional<Ready> ready_;
  std::map<std::string, fs::path> manifests_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> linked_;
};

}  // namespace

Result<std::unique_ptr<Session>> start_command_line_session(const SessionOptions& options) {
  auto files = write_session_files(options.scratch / "offshoot");
  if (!files) return tl::unexpected(files.error());
  const auto target = options.scratch / "offshoot" / "target";
  const std::array<std::pair<fs::path, std::string_view>, 3> own{
      {{files->project / "macros/command_line.sql", own_macros},
       {target / "dbt_project.yml", target_project},
       {target / "models/target.sql", target_model}}};
  for (const auto& [path, text] : own) {
    if (auto written = io::write_file(path, text, 0600); !written) return tl::unexpected(written.error());
  }
  return std::make_unique<CommandLineSession>(options, std::move(*files));
}

}  // namespace offshoot::dbt
