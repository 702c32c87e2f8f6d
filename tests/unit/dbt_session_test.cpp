// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "dbt/packages.hpp"
#include "dbt/profiles.hpp"
#include "dbt/session.hpp"
#include "io/files.hpp"

namespace offshoot::dbt {
namespace {

namespace fs = std::filesystem;

const fs::path data = fs::path(OFFSHOOT_SOURCE_DIR) / "tests/data/dbt";

/// Where dbt is, for tests that run it.
fs::path venv() {
  const char* set = std::getenv("OFFSHOOT_TEST_VENV");
  return set != nullptr ? fs::path(set) : fs::path(OFFSHOOT_SOURCE_DIR) / ".venv";
}

std::set<std::string> ids_of(const BuildOutput& output) {
  std::set<std::string> ids;
  for (const auto& node : output.results) ids.insert(node.unique_id);
  return ids;
}

// --- a driver that is played by a shell script ---

class PlayedDriver : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(folder_);
    std::signal(SIGPIPE, SIG_IGN);  // as main does
  }
  /// A session whose "python" is this script; it has said that it is ready.
  std::unique_ptr<Session> start(const std::string& script, bool ready = true) {
    const auto python = folder_->path() / "python";
    const std::string hello =
        ready ? "echo '{\"event\":\"started\"}' >&4; echo '{\"event\":\"ready\",\"dbt_version\":\"1.11.16\","
                "\"adapters\":{\"duckdb\":\"1.11.1\"},\"python\":\"3.11.2\"}' >&4\n"
              : "";
    EXPECT_TRUE(io::write_file(python, "#!/bin/sh\n" + hello + script, 0755));
    options_.dbt.python = python;
    options_.environment = {{"PATH", "/usr/bin:/bin"}};
    options_.scratch = folder_->path();
    auto session = start_runner_session(options_);
    EXPECT_TRUE(session) << session.error().why;
    return session ? std::move(*session) : nullptr;
  }
  Result<io::TemporaryFolder> folder_ = io::TemporaryFolder::make("test");
  SessionOptions options_;
};

TEST_F(PlayedDriver, TellsWhatRuns) {
  auto session = start("cat <&3 >/dev/null\n");
  const auto ready = session->ready();
  ASSERT_TRUE(ready) << ready.error().why;
  EXPECT_EQ(ready->dbt_version, "1.11.16");
  EXPECT_EQ(ready->adapters.at("duckdb"), "1.11.1");
  EXPECT_EQ(ready->costs, "");
}

TEST_F(PlayedDriver, WithoutDbtIsAUsageError) {
  auto session = start("echo '{\"event\":\"fatal\",\"what\":\"import\",\"message\":\"no dbt\"}' >&4; exit 3\n", false);
  const auto ready = session->ready();
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().status, ExitStatus::usage);
  EXPECT_NE(ready.error().why.find("no dbt"), std::string::npos);
}

TEST_F(PlayedDriver, M1_DyingIsToldWithItsLastWords) {
  auto session = start("read line <&3; echo 'out of luck' >&2; exit 7\n");
  const auto released = session->release();
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().status, ExitStatus::could_not_run);
  EXPECT_NE(released.error().why.find("ended with status 7"), std::string::npos);
  EXPECT_NE(released.error().hint.find("out of luck"), std::string::npos);
  EXPECT_FALSE(session->release());
}

TEST_F(PlayedDriver, BeingKilledIsTold) {
  auto session = start("read line <&3; kill -9 $$\n");
  EXPECT_NE(session->release().error().why.find("killed by signal 9"), std::string::npos);
}

TEST_F(PlayedDriver, GarbageIsAnErrorOfTheSession) {
  auto session = start("read line <&3; echo 'hello there' >&4; cat <&3 >/dev/null\n");
  const auto released = session->release();
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().status, ExitStatus::could_not_run);
}

TEST_F(PlayedDriver, AnotherSetThanThePlanIsAnError) {
  auto session = start(
      "read line <&3; echo "
      "'{\"id\":1,\"ok\":true,\"result\":{\"success\":true,\"results\":[],\"announced\":[\"model.a.b\","
      "\"model.a.c\"],\"compiled_only\":[],\"not_run\":[]}}' >&4; cat <&3 >/dev/null\n");
  const auto output = session->build({.at = {}, .handle = "h", .target_path = "/t", .nodes = {"model.a.b"}}, {});
  ASSERT_FALSE(output);
  EXPECT_NE(output.error().why.find("'model.a.c'"), std::string::npos);
}

TEST_F(PlayedDriver, WhatHadFinishedIsKeptWhenDbtEndsEarly) {
  auto session = start(
      "read line <&3; echo '{\"id\":1,\"event\":\"node_finished\",\"unique_id\":\"model.a.b\",\"status\":\"success\"}' "
      ">&4\n"
      "echo '{\"id\":1,\"ok\":false,\"error\":{\"kind\":\"interrupted\",\"message\":\"interrupted\"},\"result\":{"
      "\"results\":[{\"unique_id\":\"model.a.b\",\"status\":\"success\"}],\"announced\":[\"model.a.b\"]}}' >&4\n"
      "cat <&3 >/dev/null\n");
  std::vector<BuildEvent> events;
  const auto output =
      session->build({.at = {}, .handle = "h", .target_path = "/t", .nodes = {"model.a.b", "model.a.c"}},
                     [&](const BuildEvent& event) { events.push_back(event); });
  ASSERT_TRUE(output) << output.error().why;
  ASSERT_TRUE(output->stopped);
  EXPECT_EQ(output->stopped->status, ExitStatus::interrupted);
  EXPECT_EQ(output->results.size(), 1U);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, BuildEvent::Kind::finished);
}

TEST_F(PlayedDriver, K2_InterruptEndsTheRunningCommand) {
  std::stop_source stop;
  options_.stop = stop.get_token();
  auto session = start("trap 'exit 0' INT\nread line <&3; while :; do sleep 0.1; done\n");
  ASSERT_TRUE(session->ready());
  const auto begin = std::chrono::steady_clock::now();
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request_stop();
  });
  const auto released = session->release();
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().status, ExitStatus::interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_EQ(session->ready().has_value(), true);
  EXPECT_EQ(session->release().error().status, ExitStatus::interrupted);
}

TEST_F(PlayedDriver, D5_ACommandHasATimeLimit) {
  options_.limit = std::chrono::milliseconds(300);
  auto session = start("trap 'exit 0' INT\nread line <&3; while :; do sleep 0.1; done\n");
  const auto released = session->release();
  ASSERT_FALSE(released);
  EXPECT_EQ(released.error().status, ExitStatus::could_not_run);
  EXPECT_NE(released.error().why.find("took longer"), std::string::npos);
}

// --- dbt itself, on a tiny project ---

class RealDbt : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(venv() / "bin/dbt")) GTEST_SKIP() << "there is no dbt in " << venv() << "; set OFFSHOOT_TEST_VENV";
    ASSERT_TRUE(folder_);
    std::signal(SIGPIPE, SIG_IGN);  // as main does
    fs::copy(data / "tiny", project(), fs::copy_options::recursive);
  }
  [[nodiscard]] fs::path project() const { return folder_->path() / "tiny"; }
  SessionOptions options() {
    SessionOptions options;
    const auto found = find_dbt({venv().string(), project(), project(), {}});
    EXPECT_TRUE(found);
    options.dbt = found.value_or(DbtEnvironment{});
    options.environment = child_environment({{"PATH", "/usr/bin:/bin"}, {"HOME", folder_->path()}}, {}, {}, "duckdb");
    options.folder = project();
    options.scratch = folder_->path() / "scratch";
    fs::create_directories(options.scratch);
    return options;
  }
  [[nodiscard]] ProjectAt at(const fs::path& profiles) const { return {project(), profiles, "tiny", "ci", "{}", {}}; }
  /// The branch's profile folder, with another file and production attached.
  fs::path branch_profile(const ProfileChange& change) {
    const auto profile = read_profile(read_project(project()).value(), {"auto", project(), {}});
    EXPECT_TRUE(profile);
    EXPECT_TRUE(write_profile(*profile, "ci", change, folder_->path() / "branch"));
    return folder_->path() / "branch";
  }
  /// Fills production's file as a deploy would.
  void build_production(Session& session) {
    ProjectAt production = at(project());
    production.target = "prod";
    ASSERT_TRUE(session.resolve({production, "head", "production", std::nullopt}));
    const auto built = session.build({.at = production,
                                      .handle = "production",
                                      .target_path = folder_->path() / "tp",
                                      .nodes = {"model.tiny.people"}},
                                     {});
    ASSERT_TRUE(built) << built.error().why;
    ASSERT_TRUE(built->success);
  }
  Result<io::TemporaryFolder> folder_ = io::TemporaryFolder::make("test");
};

TEST_F(RealDbt, RunnerSessionBuildsABranch) {
  auto started = start_session(options());
  ASSERT_TRUE(started) << started.error().why;
  Session& session = **started;
  const auto parsed = session.parse({at(project()), folder_->path() / "t", "head", {}});
  ASSERT_TRUE(parsed) << parsed.error().why << "\n" << parsed.error().hint;
  EXPECT_EQ(parsed->adapter_type, "duckdb");
  EXPECT_EQ(parsed->target, "ci");
  EXPECT_TRUE(fs::exists(parsed->manifest));
  EXPECT_TRUE(fs::exists(folder_->path() / "t/partial_parse.msgpack"));
  build_production(session);

  const auto file = folder_->path() / "pr_7.duckdb";
  const auto profiles = branch_profile(OtherFile{file, {{project() / "prod.duckdb", "prod"}}});
  const auto resolved = session.resolve({at(profiles), "head", "branch", "prod"});
  ASSERT_TRUE(resolved) << resolved.error().why;
  EXPECT_EQ(resolved->nodes.at("model.tiny.counted").relation,
            (RelationName{"pr_7", "main", "counted", "\"pr_7\".\"main\".\"counted\""}));
  EXPECT_EQ(resolved->nodes.at("model.tiny.ids").relation.rendered, "");
  EXPECT_EQ(resolved->nodes.at("model.tiny.ids").materialized, "ephemeral");

  BuildRequest request{.at = at(profiles), .handle = "branch", .target_path = folder_->path() / "tb"};
  request.nodes = {"model.tiny.counted", "model.tiny.ids", "model.tiny.broken"};
  request.deferred["model.tiny.people"] = {"prod", "main", "people", "\"prod\".\"main\".\"people\""};
  std::set<std::string> finished;
  const auto built = session.build(request, [&](const BuildEvent& event) {
    if (event.kind == BuildEvent::Kind::finished) finished.insert(event.node.unique_id);
  });
  ASSERT_TRUE(built) << built.error().why;
  EXPECT_FALSE(built->success);
  EXPECT_EQ(ids_of(*built), (std::set<std::string>{"model.tiny.broken", "model.tiny.counted"}));
  EXPECT_EQ(finished, ids_of(*built));
  EXPECT_EQ(built->compiled_only, std::vector<std::string>{"model.tiny.ids"});
  EXPECT_EQ(built->results[0].status, NodeStatus::error);
  EXPECT_NE(built->results[0].message.find("missing_column"), std::string::npos);
  EXPECT_NE(built->results[0].query.find("missing_column"), std::string::npos);
  EXPECT_EQ(built->results[1].status, NodeStatus::success) << built->results[1].message;
  EXPECT_EQ(built->results[1].relation, "\"pr_7\".\"main\".\"counted\"");

  const WarehouseAt warehouse{profiles, "tiny", "ci"};
  const auto relations = session.list_relations(warehouse, {{"pr_7", "main"}, {"pr_7", "nowhere"}});
  ASSERT_TRUE(relations) << relations.error().why;
  EXPECT_TRUE(std::ranges::any_of(*relations, [](const auto& one) { return one.identifier == "counted"; }));
  const auto branches = session.macro(warehouse, "list_branches", {{"prefix", "shop"}});
  ASSERT_TRUE(branches) << branches.error().why;
  EXPECT_TRUE(branches->is_array());
  const auto answer = session.debug(warehouse);
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_TRUE(answer->ok);
  EXPECT_TRUE(session.release());
  EXPECT_TRUE(session.forget("branch"));
}

TEST_F(RealDbt, RunnerSessionTellsWhoseFaultItIs) {
  auto session = start_session(options()).value();
  ASSERT_TRUE(io::write_file(project() / "models/bad.sql", "select * from {{ ref('nobody') }}\n"));
  const auto parsed = session->parse({at(project()), folder_->path() / "t", "head", {}});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().status, ExitStatus::usage);
  EXPECT_NE(parsed.error().why.find("nobody"), std::string::npos);
  ProjectAt other = at(project());
  other.target = "nope";
  EXPECT_EQ(session->parse({other, folder_->path() / "t", "head", {}}).error().status, ExitStatus::usage);
  auto hold = io::LineChild::start(
      {.argv = {(venv() / "bin/python").string(), "-c",
                "import duckdb, os; c = duckdb.connect('ci.duckdb'); os.write(4, b'held\\n'); os.read(3, 1)"},
       .environment = {},
       .folder = project()},
      folder_->path() / "hold.log");
  ASSERT_TRUE(hold);
  ASSERT_EQ(hold->receive(std::chrono::seconds(30)), "held");
  const auto answer = session->debug({project(), "tiny", "ci"});
  ASSERT_TRUE(answer) << answer.error().why;
  EXPECT_FALSE(answer->ok);
  EXPECT_EQ(answer->status, ExitStatus::could_not_run);
  EXPECT_NE(answer->hint.find("held by another process"), std::string::npos);
  other.vars = "{broken";
  EXPECT_EQ(session->parse({other, folder_->path() / "t", "head", {}}).error().status, ExitStatus::usage);
}

TEST_F(RealDbt, PackagesAreInstalledBesideTheTree) {
  ASSERT_TRUE(io::write_file(project() / "packages.yml", "packages: [{local: ../shared}]\n"));
  ASSERT_TRUE(io::write_file(folder_->path() / "shared/dbt_project.yml", "name: shared\nversion: '1.0'\n"));
  ASSERT_TRUE(io::write_file(folder_->path() / "shared/macros/one.sql", "{% macro one() %}1{% endmacro %}\n"));
  ASSERT_TRUE(io::write_file(project() / "models/one.sql", "select {{ shared.one() }} as one\n"));
  auto session = start_session(options()).value();
  auto here = at(project());
  PackagesRequest request{
      .at = here, .deps = "auto", .cache = folder_->path() / "cache", .links = folder_->path() / "links"};
  auto packages = provide_packages(read_project(project()).value(), request, *session);
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->found, "dbt deps");
  EXPECT_FALSE(fs::exists(project() / "package-lock.yml"));
  EXPECT_FALSE(fs::exists(project() / "dbt_packages"));
  here.packages_install_path = packages->install_path;
  const auto parsed = session->parse({here, folder_->path() / "t", "head", {}});
  EXPECT_TRUE(parsed) << parsed.error().why;

  // With a lock, the links are made without dbt, and dbt reads them as well.
  ASSERT_TRUE(io::write_file(project() / "package-lock.yml", "packages: [{local: ../shared, name: shared}]\n"));
  request.links = folder_->path() / "links2";
  packages = provide_packages(read_project(project()).value(), request, *session);
  ASSERT_TRUE(packages) << packages.error().why;
  EXPECT_EQ(packages->found, "local folders");
  here.packages_install_path = packages->install_path;
  EXPECT_TRUE(session->parse({here, folder_->path() / "t2", "head2", {}}));
}

TEST_F(RealDbt, CommandLineSessionBuildsABranch) {
  auto started = start_command_line_session(options());
  ASSERT_TRUE(started) << started.error().why;
  Session& session = **started;
  EXPECT_FALSE(session.places_packages());
  const auto parsed = session.parse({at(project()), folder_->path() / "t", "head", {}});
  ASSERT_TRUE(parsed) << parsed.error().why << "\n" << parsed.error().hint;
  EXPECT_EQ(parsed->adapter_type, "duckdb");
  EXPECT_EQ(parsed->credentials.path, "ci.duckdb");
  EXPECT_FALSE(fs::exists(project() / "ci.duckdb")) << "looking must not make a file";

  const auto profiles = branch_profile(OtherSchema{"pr_7"});
  const auto resolved = session.resolve({at(profiles), "head", "branch", std::nullopt});
  ASSERT_TRUE(resolved) << resolved.error().why;
  EXPECT_EQ(resolved->nodes.at("model.tiny.counted").relation.rendered, "\"ci\".\"pr_7\".\"counted\"");
  EXPECT_EQ(resolved->credentials.schema, "pr_7");
  EXPECT_EQ(resolved->credentials.database, "ci");

  BuildRequest first{.at = at(profiles), .handle = "branch", .target_path = folder_->path() / "tb"};
  first.nodes = {"model.tiny.people"};
  auto built = session.build(first, {});
  ASSERT_TRUE(built) << built.error().why;
  EXPECT_TRUE(built->success);
  EXPECT_EQ(ids_of(*built), std::set<std::string>{"model.tiny.people"});

  BuildRequest second{.at = at(profiles), .handle = "branch", .target_path = folder_->path() / "tb"};
  second.nodes = {"model.tiny.counted", "model.tiny.ids"};
  second.deferred["model.tiny.people"] = {"ci", "pr_7", "people", "\"ci\".\"pr_7\".\"people\""};
  built = session.build(second, {});
  ASSERT_TRUE(built) << built.error().why;
  EXPECT_TRUE(built->success);
  EXPECT_EQ(built->compiled_only, std::vector<std::string>{"model.tiny.ids"});

  const auto branches = session.macro({profiles, "tiny", "ci"}, "list_branches", {{"prefix", "shop"}});
  ASSERT_TRUE(branches) << branches.error().why << branches.error().hint;
  EXPECT_TRUE(branches->is_array());
  const auto relations = session.list_relations({profiles, "tiny", "ci"}, {{"ci", "pr_7"}, {"", "nowhere"}});
  ASSERT_TRUE(relations) << relations.error().why << relations.error().hint;
  ASSERT_EQ(relations->size(), 2U);
  EXPECT_TRUE(std::ranges::any_of(
      *relations, [](const auto& one) { return one == ExistingRelation{"ci", "pr_7", "counted", "table"}; }));
}

}  // namespace
}  // namespace offshoot::dbt
