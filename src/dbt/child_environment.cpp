// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "dbt/environment.hpp"

namespace offshoot::dbt {

namespace {

using Names = std::span<const std::string_view>;

// What any program needs: where things are, the language, the way out to the network, and RUNNER_TRACKING_ID, by which
// the runner finds orphans.
constexpr std::array<std::string_view, 29> plain{"PATH",
                                                 "HOME",
                                                 "LANG",
                                                 "LANGUAGE",
                                                 "TZ",
                                                 "TMPDIR",
                                                 "VIRTUAL_ENV",
                                                 "CONDA_PREFIX",
                                                 "RUNNER_TRACKING_ID",
                                                 "LD_LIBRARY_PATH",
                                                 "PYTHONPATH",
                                                 "PYTHONUTF8",
                                                 "HTTP_PROXY",
                                                 "HTTPS_PROXY",
                                                 "NO_PROXY",
                                                 "ALL_PROXY",
                                                 "http_proxy",
                                                 "https_proxy",
                                                 "no_proxy",
                                                 "all_proxy",
                                                 "SSL_CERT_FILE",
                                                 "SSL_CERT_DIR",
                                                 "REQUESTS_CA_BUNDLE",
                                                 "CURL_CA_BUNDLE",
                                                 "GIT_SSL_CAINFO",
                                                 "XDG_CACHE_HOME",
                                                 "XDG_CONFIG_HOME",
                                                 "NO_COLOR",
                                                 "USER"};

// dbt's own settings that change neither what is built, nor where, nor where files go.
constexpr std::array<std::string_view, 15> dbt_flags{
    "DBT_PARTIAL_PARSE",      "DBT_STATIC_PARSER",   "DBT_USE_EXPERIMENTAL_PARSER", "DBT_WARN_ERROR",
    "DBT_WARN_ERROR_OPTIONS", "DBT_POPULATE_CACHE",  "DBT_CACHE_SELECTED_ONLY",     "DBT_INTROSPECT",
    "DBT_VERSION_CHECK",      "DBT_MACRO_DEBUGGING", "DBT_SINGLE_THREADED",         "DBT_USE_FAST_TEST_EDGES",
    "DBT_LOG_LEVEL_FILE",     "DBT_PRINTER_WIDTH",   "DBT_SHOW_ALL_DEPRECATIONS"};

constexpr std::array<std::string_view, 16> postgres{
    "PGHOST",     "PGHOSTADDR", "PGPORT",        "PGDATABASE",    "PGUSER",
    "PGPASSWORD", "PGPASSFILE", "PGSERVICE",     "PGSERVICEFILE", "PGSSLMODE",
    "PGSSLCERT",  "PGSSLKEY",   "PGSSLROOTCERT", "PGSSLCRL",      "PGCONNECT_TIMEOUT",
    "KRB5CCNAME"};
constexpr std::array<std::string_view, 2> duckdb{"MOTHERDUCK_TOKEN", "motherduck_token"};
constexpr std::array<std::string_view, 6> bigquery{
    "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_QUOTA_PROJECT",     "CLOUDSDK_CONFIG",
    "CLOUDSDK_CORE_PROJECT",          "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"};
constexpr std::array<std::string_view, 3> snowflake{"SNOWFLAKE_HOME", "SF_TEMPORARY_CREDENTIAL_CACHE_DIR",
                                                    "SF_OCSP_RESPONSE_CACHE_DIR"};
constexpr std::array<std::string_view, 6> databricks{"DATABRICKS_HOST",        "DATABRICKS_TOKEN",
                                                     "DATABRICKS_CLIENT_ID",   "DATABRICKS_CLIENT_SECRET",
                                                     "DATABRICKS_CONFIG_FILE", "DATABRICKS_CONFIG_PROFILE"};
constexpr std::array<std::string_view, 8> spark{"SPARK_HOME",      "SPARK_CONF_DIR", "SPARK_LOCAL_IP", "JAVA_HOME",
                                                "HADOOP_CONF_DIR", "HADOOP_HOME",    "PYSPARK_PYTHON", "KRB5CCNAME"};
constexpr std::array<std::string_view, 3> trino{"KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME"};
constexpr std::array<std::string_view, 4> azure{"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET",
                                                "AZURE_AUTHORITY_HOST"};

/// The variables that an adapter's documentation, or its driver's, names.
Names documented_by(std::string_view adapter) {
  static const std::map<std::string_view, Names> table{
      {"postgres", postgres},   {"redshift", postgres},     {"duckdb", duckdb}, {"bigquery", bigquery},
      {"snowflake", snowflake}, {"databricks", databricks}, {"spark", spark},   {"trino", trino},
      {"fabric", azure},        {"sqlserver", azure},       {"synapse", azure}};
  const auto found = table.find(adapter);
  return found == table.end() ? Names() : found->second;
}

bool contains(Names names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

/// What steers the runner or names its tokens. No setting lets it through.
bool is_the_runners(std::string_view name) {
  constexpr std::array<std::string_view, 7> exact{"GITHUB_TOKEN", "GH_TOKEN",     "GITHUB_OUTPUT",      "GITHUB_ENV",
                                                  "GITHUB_PATH",  "GITHUB_STATE", "GITHUB_STEP_SUMMARY"};
  return contains(exact, name) || name.starts_with("ACTIONS_") || name.starts_with("INPUT_");
}

bool is_asked_for(const std::string& name, const std::set<std::string>& read_names,
                  const std::vector<std::string>& pass_env) {
  return read_names.contains(name) || std::ranges::find(pass_env, name) != pass_env.end();
}

/// What env_var() reads goes through, but no cloud credentials that the job holds for other ends.
bool is_granted(const std::string& name, const std::set<std::string>& read_names,
                const std::vector<std::string>& pass_env) {
  if (is_the_runners(name)) return false;
  if (std::ranges::find(pass_env, name) != pass_env.end()) return true;
  return read_names.contains(name) && !name.starts_with("AWS_");
}

}  // namespace

io::Environment child_environment(const io::Environment& ours, const std::set<std::string>& read_names,
                                  const std::vector<std::string>& pass_env, std::string_view adapter) {
  io::Environment theirs;
  const Names documented = documented_by(adapter);
  for (const auto& [name, value] : ours) {
    const bool common = contains(plain, name) || contains(dbt_flags, name) || name.starts_with("LC_");
    if (common || contains(documented, name) || is_granted(name, read_names, pass_env)) theirs.emplace(name, value);
  }
  theirs["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false";
  theirs["DBT_ENGINE_SEND_ANONYMOUS_USAGE_STATS"] = "false";
  theirs["DO_NOT_TRACK"] = "1";
  return theirs;
}

std::vector<std::string> withheld_names(const io::Environment& ours, const std::set<std::string>& read_names,
                                        const std::vector<std::string>& pass_env) {
  std::vector<std::string> names;
  for (const auto& [name, value] : ours) {
    if (is_asked_for(name, read_names, pass_env) && !is_granted(name, read_names, pass_env)) names.push_back(name);
  }
  return names;
}

}  // namespace offshoot::dbt
