// SPDX-License-Identifier: Apache-2.0
#include "app/surroundings.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ostream>
#include <random>

#include "app/settings.hpp"
#include "change/repository.hpp"
#include "io/json.hpp"
#include "store/folder_store.hpp"
#include "store/s3_store.hpp"

namespace offshoot::app {

namespace fs = std::filesystem;

namespace {

std::string variable(const io::Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

/// The flags that are settings by another name.
std::vector<std::string> flags_of(const Options& options) {
  std::vector<std::string> flags;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) flags.push_back(fmt::format("{}={}", key, value));
  };
  add("dbt.project", options.project_dir);
  add("dbt.profiles", options.profiles_dir);
  add("dbt.target", options.target);
  add("dbt.production", options.production);
  add("dbt.python", options.python);
  add("store", options.store);
  add("build.select", options.select);
  add("build.exclude", options.exclude);
  if (options.full_refresh) flags.emplace_back("build.full_refresh=true");
  if (options.fail_fast) flags.emplace_back("build.fail_fast=true");
  if (options.threads > 0) flags.push_back(fmt::format("build.threads={}", options.threads));
  flags.insert(flags.end(), options.set.begin(), options.set.end());
  return flags;
}

/// The number of the pull request that GitHub's event is about; 0 = none.
int pull_request_of(const io::Environment& environment) {
  const std::string path = variable(environment, "GITHUB_EVENT_PATH");
  if (path.empty()) return 0;
  const auto bytes = io::read_file(path, 32U << 20);
  if (!bytes) return 0;
  const auto event = io::parse_json(*bytes, "reading the event");
  if (!event || !event->is_object()) return 0;
  const auto pull_request = event->find("pull_request");
  if (pull_request == event->end() || !pull_request->is_object()) return 0;
  const auto number = pull_request->find("number");
  return number != pull_request->end() && number->is_number_integer() ? number->get<int>() : 0;
}

Origin origin_of(const Invocation& invocation, const Options& options, const std::string& command,
                 const change::Repository& repository) {
  const io::Environment& environment = invocation.environment;
  Origin origin;
  origin.command = command;
  origin.pull_request = options.pull_request;
  if (variable(environment, "GITHUB_ACTIONS") == "true") {
    origin.event = variable(environment, "GITHUB_EVENT_NAME");
    origin.repository = variable(environment, "GITHUB_REPOSITORY");
    origin.repository_id = variable(environment, "GITHUB_REPOSITORY_ID");
    origin.ref = variable(environment, "GITHUB_HEAD_REF");
    if (origin.ref.empty()) origin.ref = variable(environment, "GITHUB_REF_NAME");
    origin.server_url = variable(environment, "GITHUB_SERVER_URL");
    const std::string run = variable(environment, "GITHUB_RUN_ID");
    if (!run.empty()) origin.run_url = fmt::format("{}/{}/actions/runs/{}", origin.server_url, origin.repository, run);
    if (origin.pull_request == 0) origin.pull_request = pull_request_of(environment);
  }
  if (origin.repository_id.empty()) origin.repository_id = repository.identity();
  if (origin.ref.empty()) origin.ref = repository.head_branch();
  return origin;
}

std::string run_id_of(const io::Environment& environment, const std::string& started) {
  std::string compact;
  for (const char c : started) {
    if (c != '-' && c != ':') compact += c;
  }
  const std::string run = variable(environment, "GITHUB_RUN_ID");
  if (!run.empty()) return fmt::format("{}-{}-{}", compact, run, variable(environment, "GITHUB_RUN_ATTEMPT"));
  std::random_device random;
  return fmt::format("{}-{:08x}-1", compact, random());
}

Result<Settings> settings_of(const Invocation& invocation, const Options& options, const Origin& origin,
                             const change::Repository& repository, std::vector<std::string>& notes) {
  SettingsSources sources{.environment = invocation.environment, .flags = flags_of(options)};
  const fs::path file =
      options.config.empty() ? repository.root() / sources.file_name : invocation.folder / options.config;
  if (!options.config.empty()) sources.file_name = options.config;
  std::error_code error;
  if (!options.config.empty() || fs::exists(file, error)) {
    auto text = io::read_file(file, 1U << 20);
    if (!text) return tl::unexpected(text.error());
    sources.file_text = std::move(*text);
  }
  if (!origin.event.starts_with("pull_request")) return load_settings(sources);
  // What decides where things go comes from the base's file, not from the pull request's (requirement A1a).
  const auto base = repository.commit("HEAD^1");
  if (!base) return tl::unexpected(base.error());
  const auto base_text = repository.read_file(*base, "offshoot.yml");
  if (!base_text) return tl::unexpected(base_text.error());
  return load_settings_for_pull_request(sources, *base_text, notes);
}

/// Says which settings that were changed from their default this version reads and does nothing with.
std::vector<std::string> settings_without_effect(const Settings& settings) {
  const Settings defaults;
  std::vector<std::string> notes;
  const auto look = [&](bool changed, const char* key) {
    if (changed) notes.push_back(fmt::format("The setting {} has no effect in this version.", key));
  };
  look(settings.branch.incremental != defaults.branch.incremental, "branch.incremental");
  look(settings.compare != defaults.compare, "compare");
  look(settings.deploy != defaults.deploy, "deploy");
  look(settings.comment_when != defaults.comment_when, "comment.when");
  look(settings.dbt.requirements != defaults.dbt.requirements, "dbt.requirements");
  return notes;
}

struct OpenStore {
  std::unique_ptr<store::Store> store;
  fs::path cache;
};

/// The store that the settings name, and a folder of this machine for what is only worth keeping here. It is not told
/// of interruptions: an interrupted run is kept as well.
Result<OpenStore> open_store(const std::string& setting, const fs::path& root, const io::Environment& environment) {
  if (!setting.starts_with("s3://")) {
    const fs::path folder = root / setting;
    return OpenStore{std::make_unique<store::FolderStore>(folder), folder / "cache"};
  }
  auto opened = store::open_s3(setting, environment);
  if (!opened) return tl::unexpected(opened.error());
  const fs::path local = root / Settings{}.store;
  std::error_code error;
  if (!fs::exists(local / ".gitignore", error)) {
    if (auto written = io::write_file(local / ".gitignore", "*\n"); !written) return tl::unexpected(written.error());
  }
  return OpenStore{std::move(*opened), local / "cache"};
}

report::ProgressOptions progress_options(const Invocation& invocation) {
  winsize window{};
  const bool known =
      invocation.err_is_terminal && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
  return {.terminal = invocation.err_is_terminal,
          .colour = invocation.err_is_terminal && !invocation.environment.contains("NO_COLOR"),
          .width = known ? window.ws_col : std::size_t{80}};
}

}  // namespace

Surroundings::Surroundings(const Invocation& invocation, io::TemporaryFolder scratch)
    : scratch_(std::move(scratch)),
      progress_([&err = invocation.err](std::string_view text) { err << text << std::flush; },
                [this] { return watch_.seconds(); }, progress_options(invocation)) {}

Result<std::unique_ptr<Surroundings>> Surroundings::make(const Invocation& invocation, const Options& options,
                                                         const std::string& command) {
  auto scratch = io::TemporaryFolder::make("run");
  if (!scratch) return tl::unexpected(scratch.error());
  std::unique_ptr<Surroundings> made(new Surroundings(invocation, std::move(*scratch)));

  const auto repository = change::Repository::open(invocation.folder / options.repository, change::TrustOwner::no);
  if (!repository) return tl::unexpected(repository.error());
  const Origin origin = origin_of(invocation, options, command, *repository);
  std::vector<std::string> notes;
  auto settings = settings_of(invocation, options, origin, *repository, notes);
  if (!settings) return tl::unexpected(settings.error());
  for (auto& note : settings_without_effect(*settings)) notes.push_back(std::move(note));
  auto store = open_store(settings->store, repository->root(), invocation.environment);
  if (!store) return tl::unexpected(store.error());
  made->store_ = std::move(store->store);
  const io::Instant started = io::now();
  made->context_ = std::make_unique<flow::Context>(flow::Context{
      .repository_root = repository->root(),
      .environment = invocation.environment,
      .settings = std::move(*settings),
      .origin = origin,
      .notes = std::move(notes),
      .base = options.base.empty() ? std::nullopt : std::optional(options.base),
      .run_id = run_id_of(invocation.environment, io::rfc3339(started)),
      .started = started,
      .stop = made->interrupts_.token(),
      .interrupted_by = [&interrupts = made->interrupts_] { return interrupts.signal(); },
      .progress = made->progress_,
      .store = *made->store_,
      .cache = store->cache,
      .scratch = made->scratch_.path(),
  });
  return made;
}

}  // namespace offshoot::app
