// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "dbt/dbt_command.hpp"
#include "dbt/dbt_log.hpp"
#include "dbt/plan_as_selectors.hpp"
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

RelationName relation_of(const Json& node) {
  return {text_of(node, "database"), text_of(node, "schema"), text_of(node, "alias"), text_of(node, "relation_name")};
}

class CommandLineSession final : public Session {
 public:
  CommandLineSession(SessionOptions options, SessionFiles files)
      : options_(std::move(options)), files_(std::move(files)), dbt_(options_) {}

  Result<Ready> ready() override {
    if (ready_) return *ready_;
    auto versions = dbt_.versions();
    if (!versions) return versions;
    versions->costs = costs;
    ready_ = std::move(*versions);
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
    const auto listed = dbt_.list(request.at, *selection, doing);
    if (!listed) return tl::unexpected(listed.error());
    auto output = announce(request, *manifest, *listed);
    if (!output) return output;
    if (output->announced.empty() && output->compiled_only.empty()) {
      output->success = true;
      return output;
    }
    if (!request.deferred.empty()) {
      const auto state = options_.scratch / "state";
      if (auto added = add_deferral(*selection, request, std::move(*manifest), state); !added) {
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
    const auto listed = dbt_.list(request.at, selection, doing);
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
    const auto output = dbt_.run(std::move(arguments), doing);
    if (!output) return tl::unexpected(output.error());
    if (output->exit.status == 0) return Answer{true, "", "the warehouse answers", ExitStatus::passed, ""};
    const auto reason = DbtCommand::reason_of(*output);
    auto failure = session_error(doing, kind_of_message(reason), reason);
    if (failure.status == ExitStatus::usage) return tl::unexpected(std::move(failure));
    return Answer{false, "", reason, failure.status, failure.hint};
  }

  Result<void> deps(const ProjectAt& at) override {
    const std::string doing = "installing packages (dbt deps)";
    if (auto fits = check_packages(at, doing); !fits) return fits;
    auto arguments = project_arguments("deps", at);
    append(arguments, {"--log-format", "json"});
    const auto log = dbt_.succeed(std::move(arguments), doing);
    if (!log) return tl::unexpected(log.error());
    return {};
  }

  [[nodiscard]] bool places_packages() const override { return false; }
  Result<void> forget(const std::string& handle) override {
    manifests_.erase(handle);
    return {};
  }
  Result<void> release() override { return {}; }
  [[nodiscard]] fs::path log() const override { return dbt_.log(); }
  void interrupt() override { dbt_.interrupt(); }

 private:
  /// The value of a macro of the tiny project.
  Result<Json> run_operation(const WarehouseAt& at, const std::string& macro, const Json& args,
                             const std::string& doing) {
    auto arguments = of_macro_project("run-operation", at);
    append(arguments, {macro, "--args", io::to_line(args), "--log-format", "json"});
    return dbt_.result_of(std::move(arguments), doing);
  }

  Arguments of_macro_project(const std::string& command, const WarehouseAt& at) const {
    auto arguments = command_arguments(command, files_.project, at.profiles_dir, at.profile, at.target);
    append(arguments,
           {"--target-path", (options_.scratch / "target").string(), "--log-path", dbt_.log_folder().string()});
    return arguments;
  }

  static Result<Json> read_json(const fs::path& path, const std::string& doing) {
    const auto text = io::read_file(path);
    if (!text) return tl::unexpected(text.error());
    return io::parse_json(*text, fmt::format("{}: reading {}", doing, path.string()));
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
    auto arguments = project_arguments("parse", at);
    append(arguments,
           {"--log-format", "json", "--target-path", target_path.string(), "--log-path", dbt_.log_folder().string()});
    std::error_code error;
    if (!partial.empty() && fs::exists(partial, error)) {
      append(arguments, {"--partial-parse-file-path", partial.string()});
    }
    return dbt_.succeed(std::move(arguments), doing);
  }

  /// Where the profile leads to, as dbt renders it; no connection is made. Empty without the profile's name, which only
  /// the project knows then.
  Result<Credentials> credentials_of(const ProjectAt& at, const std::string& doing) {
    if (at.profile.empty()) return Credentials{};
    auto arguments =
        command_arguments("parse", files_.project.parent_path() / "target", at.profiles_dir, at.profile, at.target);
    append(arguments, {"--no-partial-parse", "--log-format", "json", "--target-path",
                       (options_.scratch / "target").string(), "--log-path", dbt_.log_folder().string()});
    const auto target = dbt_.result_of(std::move(arguments), doing);
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

  Result<BuildOutput> execute(const BuildRequest& request, const Arguments& selection, BuildOutput output,
                              const BuildListener& on_event, const std::string& doing) {
    const auto run_results = request.target_path / "run_results.json";
    std::error_code error;
    fs::remove(run_results, error);  // requirement K3: what is there afterwards was written by this command
    auto arguments = project_arguments(request.dbt_command, request.at);
    append(arguments, {"--log-format", "json", "--log-path", dbt_.log_folder().string()});
    if (request.threads) append(arguments, {"--threads", std::to_string(*request.threads)});
    if (request.fail_fast) append(arguments, {"--fail-fast"});
    if (request.full_refresh) append(arguments, {"--full-refresh"});
    if (request.empty) append(arguments, {"--empty"});
    arguments.insert(arguments.end(), selection.begin(), selection.end());

    const io::Stopwatch watch;
    const auto ran = dbt_.run(std::move(arguments), doing);
    const auto results = fs::exists(run_results, error) ? read_run_results(run_results) : Result<RunResults>();
    output.seconds = watch.seconds();
    if (!fs::exists(run_results, error) || !results) {
      if (!ran) return tl::unexpected(ran.error());
      if (!results) return tl::unexpected(results.error());
      const auto reason = DbtCommand::reason_of(*ran);
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
      const auto reason = DbtCommand::reason_of(*ran);
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
  DbtCommand dbt_;
  std::optional<Ready> ready_;
  std::map<std::string, fs::path> manifests_;
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
