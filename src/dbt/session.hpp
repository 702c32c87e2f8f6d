// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dbt/environment.hpp"
#include "io/process.hpp"
#include "model/build.hpp"
#include "model/outcome.hpp"
#include "model/plan.hpp"

namespace offshoot::dbt {

/// What runs in the session.
struct Ready {
  std::string dbt_version;                        ///< "1.11.16"
  std::map<std::string, std::string> adapters{};  ///< installed adapters and their versions; may be empty: not known
  std::string python;                             ///< "3.11.7"; empty: not known
  std::string costs;  ///< what this way of running dbt costs, a sentence for the report; empty = nothing
};

/// Which project, under which profile. Paths are absolute.
struct ProjectAt {
  std::filesystem::path project_dir;
  std::filesystem::path profiles_dir;
  std::string profile;                            ///< empty = as dbt_project.yml says
  std::string target;                             ///< empty = the profile's default
  std::string vars = "{}";                        ///< one JSON object
  std::filesystem::path packages_install_path{};  ///< where its packages are; empty = as dbt_project.yml says
};

/// Which warehouse: a target of a profile.
struct WarehouseAt {
  std::filesystem::path profiles_dir;
  std::string profile;  ///< required
  std::string target;   ///< empty = the profile's default
};

/// Where a profile's credentials lead to. No secrets. Empty where the session cannot tell.
struct Credentials {
  std::string database;
  std::string schema;
  std::string path;  ///< DuckDB's file
};

/// Parses a project as it is under the profile as it is; manifest.json and partial_parse.msgpack land in `target_path`.
struct ParseRequest {
  ProjectAt at;
  std::filesystem::path target_path;
  std::string handle;                          ///< the name under which the session keeps the manifest
  std::filesystem::path partial_parse_file{};  ///< start from that one; empty = from what is in `target_path`
  bool keep_partial_parse = true;              ///< write partial_parse.msgpack for a later parse
};

struct Parsed {
  std::filesystem::path manifest;
  std::string adapter_type;
  std::string profile;
  std::string target;
  int threads = 0;       ///< 0: not known
  bool partial = false;  ///< the partial parse file was of use
  Credentials credentials{};
  std::vector<DbtMessage> warnings{};
  double seconds = 0;
};

/// The names that the profile of `at` (the branch's) gives to everything in `handle`. The result is kept under `as`.
struct ResolveRequest {
  ProjectAt at;
  std::string handle;
  std::string as;
  std::optional<std::string> sources_database{};  ///< sources that name no database of their own are read from this one
  std::map<std::string, std::string> placed{};  ///< by unique id, the schema of nodes that do not lie where macros say
};

struct ResolvedNode {
  RelationName relation;  ///< `rendered` is empty for what has no relation (ephemeral models)
  std::string materialized;
  std::string resource_type;
};

struct Resolved {
  std::map<std::string, ResolvedNode> nodes{};  ///< by unique id
  Credentials credentials{};
};

/// One dbt command over exactly `nodes`, in a manifest kept under `handle`.
struct BuildRequest {
  ProjectAt at;  ///< the profile must be the one that `handle` was resolved for
  std::string handle;
  std::filesystem::path target_path;  ///< not the parse's: a small manifest.json is written there
  std::string dbt_command = "build";  ///< build, run, seed, snapshot, test, compile
  std::vector<std::string> nodes{};
  std::map<std::string, RelationName> deferred{};  ///< where unbuilt parents are read; others as in `handle`
  std::optional<int> threads{};                    ///< absent = the profile's
  bool fail_fast = false;
  bool full_refresh = false;
  bool empty = false;
};

/// What dbt's own selectors select of a parsed manifest.
struct SelectionRequest {
  ProjectAt at;  ///< that `handle` was parsed for
  std::string handle;
  std::filesystem::path state;  ///< the manifest.json that `state:` compares with
  std::string select;
  std::string exclude{};
};

/// What dbt says while it runs.
struct BuildEvent {
  enum class Kind { started, finished, message };
  Kind kind = Kind::message;
  NodeResult node{};  ///< of started only the id; of finished how it ended
  DbtMessage message{};
};
using BuildListener = std::function<void(const BuildEvent&)>;

struct BuildOutput {
  bool success = false;                      ///< every node ended well
  std::vector<NodeResult> results{};         ///< what dbt reported, hooks ("operation.…") and not_run included; by id
  std::vector<std::string> announced{};      ///< what dbt said that it would execute
  std::vector<std::string> compiled_only{};  ///< ephemeral models
  std::vector<DbtMessage> warnings{};
  double seconds = 0;
  std::filesystem::path run_results{};  ///< empty: dbt wrote none
  std::filesystem::path manifest{};     ///< the small one; with compiled code
  std::optional<Failed> stopped{};      ///< dbt ended early (interrupted, say); `results` holds what had finished
};

/// A relation that exists in the warehouse.
struct ExistingRelation {
  std::string database;
  std::string schema;
  std::string identifier;
  std::string type;  ///< "table", "view"; may be empty
  bool operator==(const ExistingRelation&) const = default;
};

struct SchemaName {
  std::string database;  ///< empty = the target's
  std::string schema;
};

/// Whether the warehouse answers.
struct Answer {
  bool ok = false;
  std::string adapter_type;
  std::string message;
  ExitStatus status = ExitStatus::passed;  ///< what a command that needs it would end with
  std::string hint;
};

/// dbt, kept running between commands, which go one after another from one thread. Between commands it holds no
/// connection to the warehouse, so that a DuckDB file can be opened by others. Errors of the project are
/// ExitStatus::usage, those of the warehouse could_not_run. Once interrupted, every request answers so.
class Session {
 public:
  virtual ~Session() = default;

  /// Waits until dbt is there.
  virtual Result<Ready> ready() = 0;
  virtual Result<Parsed> parse(const ParseRequest& request) = 0;
  virtual Result<Resolved> resolve(const ResolveRequest& request) = 0;
  /// Failing nodes are data. An error: nothing ran, or nothing is known of what ran.
  virtual Result<BuildOutput> build(const BuildRequest& request, const BuildListener& on_event) = 0;
  /// The unique ids that `dbt ls` would list, sorted.
  virtual Result<std::vector<std::string>> select(const SelectionRequest& request) = 0;
  /// The value of a macro of templates/dbt, "list_branches", run in one transaction.
  virtual Result<nlohmann::json> macro(const WarehouseAt& at, const std::string& name, const nlohmann::json& args) = 0;
  /// A schema that does not exist has none.
  virtual Result<std::vector<ExistingRelation>> list_relations(const WarehouseAt& at,
                                                               const std::vector<SchemaName>& schemas) = 0;
  /// An error: the profile is broken.
  virtual Result<Answer> debug(const WarehouseAt& at) = 0;
  /// `dbt deps` into `at.packages_install_path`.
  virtual Result<void> deps(const ProjectAt& at) = 0;
  /// Whether `packages_install_path` may be set in requests.
  [[nodiscard]] virtual bool places_packages() const = 0;
  /// Lets go of a manifest.
  virtual Result<void> forget(const std::string& handle) = 0;
  /// Closes all connections. Every command does so by itself when it ends.
  virtual Result<void> release() = 0;
  /// dbt's own words, for people: grows while the session lives; may not exist.
  [[nodiscard]] virtual std::filesystem::path log() const = 0;
  /// Ends the running command: dbt cancels its queries, then it is ended by force. From any thread.
  virtual void interrupt() = 0;
};

struct SessionOptions {
  DbtEnvironment dbt;
  io::Environment environment{};  ///< the child's; see child_environment
  std::filesystem::path folder;   ///< working folder: relative paths of a profile start there
  std::filesystem::path scratch;  ///< a private folder for the driver's files, logs and targets
  std::chrono::milliseconds start_limit = std::chrono::minutes(5);
  std::chrono::milliseconds limit = std::chrono::hours(5) + std::chrono::minutes(45);  ///< of one command
  std::stop_token stop{};
};

/// Starts a session of the best kind that the environment has: dbt's programmatic runner in a long-lived child, else
/// the command line. Returns at once: dbt is imported while the caller does something else. To be called on a thread
/// that outlives the session, for the child dies with it.
Result<std::unique_ptr<Session>> start_session(const SessionOptions& options);

/// The two kinds.
Result<std::unique_ptr<Session>> start_runner_session(const SessionOptions& options);
Result<std::unique_ptr<Session>> start_command_line_session(const SessionOptions& options);

}  // namespace offshoot::dbt
