// SPDX-License-Identifier: Apache-2.0
// The real edr, of the Python environment in OFFSHOOT_TEST_VENV. Elementary's dbt packages come from no registry: the
// test of a whole report takes them from OFFSHOOT_ELEMENTARY_PACKAGES.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "io/files.hpp"
#include "io/process.hpp"
#include "quality/elementary.hpp"

namespace offshoot::quality {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

fs::path virtual_environment() {
  const char* set = std::getenv("OFFSHOOT_TEST_VENV");
  return set != nullptr ? fs::path(set) : fs::path(OFFSHOOT_SOURCE_DIR) / ".venv";
}

/// A project, a profile of a DuckDB file, and stand-ins for the two packages.
class Elementary : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = io::TemporaryFolder::make("quality-test");
    ASSERT_TRUE(folder);
    base_ = folder->path();
    folder_.emplace(*std::move(folder));
    ASSERT_TRUE(fs::exists(virtual_environment() / "bin" / "edr")) << "set OFFSHOOT_TEST_VENV";
    write("home/.edr/config.yml", "anonymous_usage_tracking: true\n");
    write("home/.login/token", "secret");
    write("project/dbt_packages/elementary/dbt_project.yml", "name: elementary\nversion: 0.0.0\n");
    write("project/dbt_packages/dbt_utils/dbt_project.yml", "name: dbt_utils\nversion: 0.0.0\n");
    write("project/dbt_packages/other/dbt_project.yml", "name: other\nversion: 0.0.0\n");
    write("profiles/profiles.yml", profile("toy") + profile("elementary"));
  }

  [[nodiscard]] fs::path at(const fs::path& name) const { return base_ / name; }
  void write(const fs::path& name, std::string_view text, unsigned mode = 0644) const {
    ASSERT_TRUE(io::write_file(at(name), text, mode));
  }
  [[nodiscard]] std::string profile(const std::string& name) const {
    const std::string schema = name == "elementary" ? "pr_7_elementary" : "pr_7";
    return name + ": {target: ci, outputs: {ci: {type: duckdb, path: '" + at("branch.duckdb").string() +
           "', schema: " + schema + ", threads: 2}}}\n";
  }

  [[nodiscard]] ElementaryRequest request() const {
    ElementaryRequest made;
    made.edr = virtual_environment() / "bin" / "edr";
    made.project_dir = at("project");
    made.profiles_dir = at("profiles");
    made.target = "ci";
    made.environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", at("home").string()}, {"DBT_PROFILE", "toy"}};
    made.output_folder = at("out");
    return made;
  }
  /// A program in edr's place, for what the real one cannot be made to do.
  [[nodiscard]] ElementaryRequest request_to(std::string_view script) const {
    write("edr", "#!/bin/sh\n" + std::string(script), 0755);
    auto made = request();
    made.edr = at("edr");
    return made;
  }
  [[nodiscard]] bool has_page() const { return fs::exists(at("out") / page_name); }

  static Failed failure(const Outcome<Quality>& outcome) {
    EXPECT_NE(outcome.failure(), nullptr);
    return outcome.failure() != nullptr ? *outcome.failure() : Failed{};
  }

 private:
  std::optional<io::TemporaryFolder> folder_{};
  fs::path base_{};
};

TEST_F(Elementary, AMissingProgramIsAFailureWithAHint) {
  auto made = request();
  made.edr = "edr";
  const auto why = failure(elementary_report(made));
  EXPECT_EQ(why.status, ExitStatus::could_not_run);
  EXPECT_NE(why.hint.find("pip install elementary-data"), std::string::npos);
}

TEST_F(Elementary, MissingPackagesAreAFailureBeforeAnythingStarts) {
  fs::remove_all(at("project/dbt_packages/dbt_utils"));
  const auto made = request_to("touch \"" + at("started").string() + "\"\n");
  const auto why = failure(elementary_report(made));
  EXPECT_NE(why.why.find("'dbt_utils'"), std::string::npos);
  EXPECT_NE(why.hint.find("dbt deps"), std::string::npos);
  EXPECT_FALSE(fs::exists(at("started")));
}

TEST_F(Elementary, ARefusalOfTheRealEdrLeavesNoPageAndAsksNoServer) {
  write("profiles/profiles.yml", profile("toy"));
  write("python/sitecustomize.py",
        "import socket\n"
        "def mark(*a, **k):\n    open('" +
            at("asked").string() +
            "', 'a').write(repr(a[:1]))\n    raise OSError('no network')\n"
            "socket.getaddrinfo = mark\n");
  auto made = request();
  made.environment["PYTHONPATH"] = at("python").string();
  const auto why = failure(elementary_report(made));
  EXPECT_EQ(why.status, ExitStatus::could_not_run);
  EXPECT_NE(why.why.find("profile named 'elementary'"), std::string::npos) << why.why;
  EXPECT_FALSE(why.hint.empty());
  EXPECT_FALSE(has_page());
  EXPECT_FALSE(fs::exists(at("asked")));
}

TEST_F(Elementary, TheRealEdrIsEndedAtTheLimit) {
  auto made = request();
  made.limit = 300ms;
  const auto begin = std::chrono::steady_clock::now();
  const auto why = failure(elementary_report(made));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_NE(why.why.find("longer than 0.3 s"), std::string::npos) << why.why;
  EXPECT_FALSE(has_page());
}

TEST_F(Elementary, BeingStoppedIsAFailure) {
  std::stop_source stop;
  stop.request_stop();
  auto made = request();
  made.stop = stop.get_token();
  EXPECT_EQ(failure(elementary_report(made)).status, ExitStatus::interrupted);
}

TEST_F(Elementary, SilenceIsAFailure) {
  EXPECT_EQ(failure(elementary_report(request_to("exit 0\n"))).why, "edr ended well and wrote no page");
  EXPECT_EQ(
      failure(elementary_report(request_to("for a; do case $a in --file-path=*) : > \"${a#*=}\";; esac; done\n"))).why,
      "edr ended well and wrote no page");
  EXPECT_FALSE(has_page());
}

TEST_F(Elementary, AnEndBySignalIsAFailure) {
  EXPECT_NE(failure(elementary_report(request_to("echo last words\nkill -9 $$\n"))).why.find("signal 9: last words"),
            std::string::npos);
}

TEST_F(Elementary, HostileOutputIsSurvived) {
  const auto why = failure(elementary_report(
      request_to("printf '{\"data\": 7}\\n{\"data\": {\"exc\": \"\\\\ud800\"}}\\n{\\n\\377\\n'; exit 1\n")));
  EXPECT_NE(why.why.find("status 1"), std::string::npos);
}

TEST_F(Elementary, EdrIsStartedApartFromTheProjectWithTelemetryOff) {
  const auto made = request_to(
      "echo '10:00 INFO Running with edr=9.8.7'\n"
      "cat \"$HOME/.edr/config.yml\" > \"" +
      at("settings").string() +
      "\"\n"
      "cat \"$HOME/.login/token\" > \"" +
      at("token").string() +
      "\"\n"
      "ls \"$DBT_PACKAGES_FOLDER\" > \"" +
      at("packages").string() +
      "\"\n"
      "{ env; pwd; printf '%s\\n' \"$@\"; } > \"" +
      at("seen").string() +
      "\"\n"
      "for a; do case $a in --file-path=*) echo '<html>' > \"${a#*=}\";; esac; done\n");
  const auto outcome = elementary_report(made);
  ASSERT_NE(outcome.finished(), nullptr);
  EXPECT_EQ(outcome.finished()->tool, "elementary 9.8.7");
  EXPECT_EQ(outcome.finished()->report, page_name);
  EXPECT_EQ(*io::read_file(at("out") / page_name), "<html>\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(at("out")), {}), 1);
  const auto settings = *io::read_file(at("settings"));
  for (const char* line :
       {"anonymous_usage_tracking: false", "disable_elementary_version_check: true", "run_dbt_deps_if_needed: false"}) {
    EXPECT_NE(settings.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(*io::read_file(at("token")), "secret");
  EXPECT_EQ(*io::read_file(at("packages")), "dbt_utils\nelementary\n");
  const auto seen = *io::read_file(at("seen"));
  for (const char* part :
       {"DBT_SEND_ANONYMOUS_USAGE_STATS=false", "DO_NOT_TRACK=1", "--open-browser=false", "--profile-target=ci"}) {
    EXPECT_NE(seen.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(seen.find("DBT_PROFILE="), std::string::npos);
  EXPECT_EQ(seen.find(at("project").string()), std::string::npos);
  EXPECT_EQ(*io::read_file(at("home/.edr/config.yml")), "anonymous_usage_tracking: true\n")
      << "the true home stays as it was";
}

TEST_F(Elementary, APageOfARealBranchIsKept) {
  const char* packages = std::getenv("OFFSHOOT_ELEMENTARY_PACKAGES");
  if (packages == nullptr) {
    GTEST_SKIP()
        << "ELEMENTARY IS NOT TESTED: set OFFSHOOT_ELEMENTARY_PACKAGES to a folder with elementary/ and dbt_utils/";
  }
  fs::remove_all(at("project/dbt_packages"));
  fs::create_directories(at("project/dbt_packages"));
  for (const char* name : {"elementary", "dbt_utils"}) {
    fs::create_directory_symlink(fs::path(packages) / name, at("project/dbt_packages") / name);
  }
  write("project/dbt_project.yml",
        "name: toy\nversion: 1.0.0\nprofile: toy\nflags: "
        "{require_explicit_package_overrides_for_builtin_materializations: false}\n"
        "models: {elementary: {+schema: elementary}}\n");
  write("project/models/toy_customers.sql", "select 1 as id\n");
  write("project/models/toy.yml", "models: [{name: toy_customers, columns: [{name: id, data_tests: [unique]}]}]\n");
  for (const char* command : {"run", "test"}) {
    const auto ran = io::run(
        {{(virtual_environment() / "bin" / "dbt").string(), command, "--profiles-dir", at("profiles").string(),
          "--target", "ci"},
         {{"PATH", "/usr/bin:/bin"}, {"HOME", at("home").string()}, {"DBT_SEND_ANONYMOUS_USAGE_STATS", "false"}},
         at("project")});
    ASSERT_TRUE(ran && ran->exit.ok()) << (ran ? ran->out : ran.error().why);
  }
  std::set<fs::path> before;
  for (const auto& entry : fs::recursive_directory_iterator(at("project"))) before.insert(entry.path());
  auto made = request();
  made.packages = packages;
  const auto outcome = elementary_report(made);
  ASSERT_NE(outcome.finished(), nullptr) << failure(outcome).why;
  EXPECT_TRUE(outcome.finished()->tool.starts_with("elementary 0.")) << outcome.finished()->tool;
  EXPECT_GT(outcome.finished()->seconds, 0);
  const auto page = io::read_file(at("out") / page_name);
  ASSERT_TRUE(page);
  EXPECT_NE(page->find("window.elementaryData"), std::string::npos);
  std::set<fs::path> after;
  for (const auto& entry : fs::recursive_directory_iterator(at("project"))) after.insert(entry.path());
  EXPECT_EQ(after, before);
}

class HasElementary : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = io::TemporaryFolder::make("quality-test");
    ASSERT_TRUE(folder);
    base_ = folder->path();
    folder_.emplace(*std::move(folder));
  }
  void write(const char* name, std::string_view text) const { ASSERT_TRUE(io::write_file(base_ / name, text)); }
  [[nodiscard]] bool answer() const { return has_elementary(base_); }

 private:
  std::optional<io::TemporaryFolder> folder_{};
  fs::path base_{};
};

TEST_F(HasElementary, NoWithoutItAndYesWhenItIsInstalledLockedOrAskedFor) {
  EXPECT_FALSE(answer());
  write("packages.yml", "packages:\n  # - package: elementary-data/elementary\n  - package: dbt-labs/dbt_utils\n");
  EXPECT_FALSE(answer());
  write("packages.yml", "packages:\n  - git: https://github.com/elementary-data/dbt-data-reliability.git\n");
  EXPECT_TRUE(answer());
  write("packages.yml", "\xff\xfe");
  EXPECT_FALSE(answer());
  write("package-lock.yml", "packages:\n- package: elementary-data/elementary\n  version: 0.26.1\n");
  EXPECT_TRUE(answer());
  write("package-lock.yml", "");
  write("dependencies.yml", "packages: [{package: elementary-data/elementary, version: 0.26.1}]\n");
  EXPECT_TRUE(answer());
  write("dependencies.yml", "");
  write("dbt_packages/elementary/dbt_project.yml", "name: elementary\n");
  EXPECT_TRUE(answer());
}

}  // namespace
}  // namespace offshoot::quality
