// SPDX-License-Identifier: Apache-2.0
#include "flow/doctor.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "flow/memory.hpp"
#include "flow/relations_json.hpp"
#include "flow/stages.hpp"
#include "lint/sqlfluff.hpp"
#include "quality/elementary.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

Finding problem(std::string check, const Failed& failure) {
  return {std::move(check), Health::bad, fmt::format("{}: {}", failure.doing, failure.why), failure.hint,
          failure.status};
}

Finding look_at_git(const Context& context) {
  const auto repository = open_repository(context);
  if (!repository) return problem("git", repository.error());
  const auto branch = repository->default_branch();
  const std::string root = context.repository_root.string();
  if (repository->is_shallow()) {
    return {"git", Health::warning, fmt::format("{} is a shallow clone", root),
            "a pull request's merge commit can be compared with fetch-depth: 2; --base needs fetch-depth: 0"};
  }
  return {"git", Health::good, fmt::format("{}, default branch {}", root, branch ? branch->name : "unknown")};
}

Finding look_at_tool(const ProjectAtHand& at_hand, const std::string& name, const std::string& what_for) {
  if (io::find_program((at_hand.dbt.bin / name).string(), at_hand.child_environment) ||
      io::find_program(name, at_hand.child_environment)) {
    return {name, Health::good, "found beside dbt"};
  }
  return {name, Health::warning, fmt::format("not found, so {}", what_for),
          fmt::format("install it in dbt's environment ({})", at_hand.dbt.bin.string())};
}

/// Whether the target is a DuckDB file that is not there: asking it anything would make it.
std::optional<Finding> look_at_missing_file(const ProjectAtHand& at_hand) {
  const auto* output = at_hand.profile.output(at_hand.target);
  if (output == nullptr || output->type.value != "duckdb" || !output->path.value) return std::nullopt;
  const std::string& path = *output->path.value;
  std::error_code error;
  if (path.empty() || path == ":memory:" || path.starts_with("md:") || fs::exists(at_hand.folder / path, error)) {
    return std::nullopt;
  }
  return Finding{"warehouse", Health::good,
                 fmt::format("the DuckDB file {} does not exist yet; no branch needs it", path)};
}

Finding look_at_warehouse(const std::string& check, dbt::Session& session, const dbt::WarehouseAt& at) {
  const auto answer = session.debug(at);
  if (!answer) return problem(check, answer.error());
  if (!answer->ok) return {check, Health::bad, answer->message, answer->hint, answer->status};
  return {check, Health::good, fmt::format("{} answers as target '{}'", answer->adapter_type, at.target)};
}

/// Whether the login that builds branches could write to production: the schemas that production's nodes lie in.
Finding look_at_grants(const Context& context, const ProjectAtHand& at_hand, dbt::Session& session) {
  const std::string check = "production's grants";
  if (!at_hand.production) {
    return {check, Health::warning, "no production target is known, so nothing is deferred to it",
            "set dbt.production, or name an output prod"};
  }
  auto head = provide_head(context, at_hand, session);
  if (!head) return problem(check, head.error());
  const auto parsed = session.parse({head->at, context.scratch / "target", "head"});
  if (!parsed) return problem(check, parsed.error());
  if (parsed->adapter_type == "duckdb") {
    return {check, Health::good, "a branch has a file of its own and attaches production's read-only"};
  }
  head->at.target = *at_hand.production;
  const auto production = session.resolve({head->at, "head", "production"});
  if (!production) return problem(check, production.error());
  std::set<std::string> schemas;
  for (const auto& [unique_id, relation] : relations_of(production->nodes)) schemas.insert(relation.schema);
  const auto answer = session.macro({at_hand.profile.file.parent_path(), at_hand.profile.name, at_hand.target},
                                    "write_privileges", {{"schemas", schemas}});
  if (!answer) return problem(check, answer.error());
  if (answer->empty()) return {check, Health::good, "the branches' login cannot write to production"};
  std::set<std::string> writable;
  for (const auto& row : *answer) writable.insert(row.value("schema", ""));
  return {check, Health::warning,
          fmt::format("the branches' login could write to production: {}", fmt::join(writable, ", ")),
          "give target and production separate roles, as docs/warehouses.md shows: what a hook or run_query does is "
          "stopped by grants alone"};
}

}  // namespace

std::vector<Finding> doctor(const Context& context) {
  std::vector<Finding> findings{look_at_git(context), look_at_store(context)};
  const auto at_hand = look_at_project(context);
  if (!at_hand) {
    findings.push_back(problem("project", at_hand.error()));
    return findings;
  }
  findings.push_back({"project", Health::good, fmt::format("{} in {}", at_hand->project.name, at_hand->in_repository)});
  findings.push_back({"profile", Health::good,
                      fmt::format("{} ({}), target '{}', production '{}'", at_hand->profile.file.string(),
                                  at_hand->profile.found_by, at_hand->target, at_hand->production.value_or("none"))});
  std::string names;
  for (const auto& [name, value] : at_hand->child_environment) names += (names.empty() ? "" : " ") + name;
  findings.push_back({"environment", Health::good, "dbt sees " + names});

  auto session = start_dbt(context, *at_hand);
  const auto ready = session ? (*session)->ready() : tl::unexpected(session.error());
  if (!ready) {
    findings.push_back(problem("dbt", ready.error()));
    return findings;
  }
  findings.push_back(
      {"dbt", ready->costs.empty() ? Health::good : Health::warning,
       fmt::format("{} in {} ({})", ready->dbt_version, at_hand->dbt.bin.string(), at_hand->dbt.found_by),
       ready->costs});
  if (auto missing = look_at_missing_file(*at_hand)) {
    findings.push_back(std::move(*missing));
  } else {
    findings.push_back(look_at_warehouse(
        "warehouse", **session, {at_hand->profile.file.parent_path(), at_hand->profile.name, at_hand->target}));
  }
  if (findings.back().health == Health::good) findings.push_back(look_at_grants(context, *at_hand, **session));
  findings.push_back(look_at_tool(*at_hand, "sqlfluff", "nothing is linted"));
  if (quality::has_elementary(at_hand->folder)) {
    findings.push_back(look_at_tool(*at_hand, "edr", "Elementary makes no report"));
  }
  return findings;
}

}  // namespace offshoot::flow
