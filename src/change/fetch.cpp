// SPDX-License-Identifier: Apache-2.0
#include "change/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "change/git.hpp"
#include "io/base64.hpp"

namespace offshoot::change {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes long_enough{5};

bool is_sha(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_on_this_machine(std::string_view url) { return url.starts_with("http://127.0.0.1:"); }

/// What git may know: how to reach the server, and the token.
io::Environment environment_of_git(const Upstream& upstream, const fs::path& scratch, const io::Environment& ours) {
  io::Environment environment{
      {"HOME", scratch.native()},
      {"LANG", "C.UTF-8"},
      {"GIT_CONFIG_NOSYSTEM", "1"},
      {"GIT_CONFIG_GLOBAL", "/dev/null"},
      {"GIT_TERMINAL_PROMPT", "0"},
      {"GIT_ALLOW_PROTOCOL", is_on_this_machine(upstream.url) ? "http" : "https"},
      {"GIT_CONFIG_COUNT", "1"},
      {"GIT_CONFIG_KEY_0", fmt::format("http.{}.extraHeader", upstream.url)},
      {"GIT_CONFIG_VALUE_0", "Authorization: Basic " + io::base64_of("x-access-token:" + upstream.token)}};
  for (const char* name : {"PATH", "TMPDIR", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                           "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    if (const auto found = ours.find(name); found != ours.end()) environment.insert(*found);
  }
  if (const auto found = ours.find("SSL_CERT_FILE"); found != ours.end()) {
    environment.emplace("GIT_SSL_CAINFO", found->second);
  }
  return environment;
}

/// git's last line, which says why.
std::string reason_of(const io::Output& output) {
  if (output.exit.timed_out) return fmt::format("git had no end within {} min", long_enough.count());
  std::string_view text = output.err;
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t line = text.rfind('\n');
  if (line != std::string_view::npos) text.remove_prefix(line + 1);
  // git would ask a person now, and is told not to.
  if (text.find("could not read Username") != std::string_view::npos) return "the server refused the token";
  return text.empty() ? fmt::format("git ended with {}", output.exit.status) : std::string(text.substr(0, 300));
}

/// Where the repository's objects lie: of a linked work tree, its main one's.
fs::path objects_of(git_repository* repository) { return fs::path(git_repository_commondir(repository)) / "objects"; }

/// Puts the packs of one folder of objects into another. The index comes last: without it a pack is not looked at.
Result<void> put_packs(const fs::path& from, const fs::path& to, const std::string& doing) {
  std::error_code error;
  fs::create_directories(to / "pack", error);
  for (const std::string_view ending : {".pack", ".idx"}) {
    for (fs::directory_iterator it(from / "pack", error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() != ending) continue;
      const fs::path target = to / "pack" / it->path().filename();
      const fs::path beside = target.native() + ".offshoot";
      fs::copy_file(it->path(), beside, fs::copy_options::overwrite_existing, error);
      if (!error) fs::rename(beside, target, error);
      if (error) break;
    }
  }
  if (!error) return {};
  return failed(ExitStatus::usage, doing, "it cannot be put into the clone: " + error.message(),
                "set fetch-depth: 2 at actions/checkout");
}

}  // namespace

Result<std::vector<std::string>> parents_of_head(const Repository& repository) {
  git_oid id;
  git_repository* git = repository.handle().repository.get();
  if (const int code = git_reference_name_to_id(&id, git, "HEAD"); code < 0) {
    return tl::unexpected(git_failure(git, code, "reading HEAD"));
  }
  return lookup_commit(git, id).map([](const GitCommit& head) {
    std::vector<std::string> parents;
    parents.reserve(git_commit_parentcount(head.get()));
    for (unsigned i = 0; i < git_commit_parentcount(head.get()); ++i) {
      parents.push_back(hex(*git_commit_parent_id(head.get(), i)));
    }
    return parents;
  });
}

Result<void> fetch_commit(const Repository& repository, const std::string& sha, const Upstream& upstream,
                          const fs::path& scratch, const io::Environment& environment) {
  const std::string doing = fmt::format("fetching {}, which the shallow clone lacks", sha.substr(0, 12));
  const auto cannot = [&](std::string why) {
    return failed(ExitStatus::usage, doing, std::move(why), "set fetch-depth: 2 at actions/checkout");
  };
  if (!is_sha(sha)) return cannot("it is no commit's id");
  if (!upstream.url.starts_with("https://") && !is_on_this_machine(upstream.url))
    return cannot("the server does not speak TLS");
  const fs::path folder = scratch / ("fetched-" + sha);
  const std::vector<std::string> in_it{"git", "--git-dir", folder.native()};
  const std::array<std::vector<std::string>, 2> steps{{
      {"init", "--quiet", "--bare", "--template=", "--object-format=sha1"},
      {"-c",
       "core.hooksPath=/dev/null",
       "-c",
       "core.fsmonitor=false",
       "-c",
       "credential.helper=",
       "-c",
       "http.followRedirects=false",
       "-c",
       "fetch.unpackLimit=1",
       "fetch",
       "--quiet",
       "--depth=1",
       "--no-tags",
       "--no-write-fetch-head",
       "--no-recurse-submodules",
       "--no-auto-maintenance",
       "--end-of-options",
       upstream.url,
       sha},
  }};
  for (const auto& step : steps) {
    io::Command command{
        .argv = in_it, .environment = environment_of_git(upstream, scratch, environment), .folder = scratch};
    command.argv.insert(command.argv.end(), step.begin(), step.end());
    const auto output = io::run(command, {.limit = long_enough, .keep = 1U << 16});
    if (!output) return cannot(output.error().why);
    if (!output->exit.ok()) return cannot(reason_of(*output));
  }
  git_repository* git = repository.handle().repository.get();
  if (auto put = put_packs(folder / "objects", objects_of(git), doing); !put) return put;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  git_odb* raw = nullptr;
  if (git_repository_odb(&raw, git) == 0) {
    git_odb_refresh(raw);
    git_odb_free(raw);
  }
  git_oid id;
  git_oid_fromstr(&id, sha.c_str());
  if (auto there = lookup_commit(git, id); !there) return cannot("the server gave something else");
  return {};
}

}  // namespace offshoot::change
