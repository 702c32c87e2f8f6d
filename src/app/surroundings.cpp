// SPDX-License-Identifier: Apache-2.0
#include "app/surroundings.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <random>
#include <span>
#include <sstream>

#include "app/checkout.hpp"
#include "app/event.hpp"
#include "app/secrets.hpp"
#include "app/settings.hpp"
#include "app/trigger.hpp"
#include "change/repository.hpp"
#include "dbt/profiles.hpp"
#include "dbt/project.hpp"
#include "store/folder_store.hpp"
#include "store/redacting_store.hpp"
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
  add("dbt.vars", options.vars);
  if (options.full_refresh) flags.emplace_back("build.full_refresh=true");
  if (options.fail_fast) flags.emplace_back("build.fail_fast=true");
  if (options.threads > 0) flags.push_back(fmt::format("build.threads={}", options.threads));
  flags.insert(flags.end(), options.set.begin(), options.set.end());
  return flags;
}

/// What the job is about, as GitHub says.
struct Occasion {
  std::optional<Event> event{};               ///< absent on a laptop
  std::optional<PullRequest> pull_request{};  ///< of the event, or the one that a comment asks for
  std::optional<Commit> decides{};            ///< see deciding_commit
  bool from_default_branch = false;           ///< nothing of the head is read: it was closed, or may be gone
};

Result<Occasion> occasion_of(const Invocation& invocation, const Options& options, const std::string& command,
                             const change::Repository& repository) {
  auto event = event_of_job(invocation.environment);
  if (!event) return tl::unexpected(event.error());
  Occasion occasion{.event = std::move(*event)};
  if (!occasion.event) return occasion;
  occasion.pull_request = options.approved ? options.approved : occasion.event->pull_request;
  const bool closed = occasion.event->pull_request && occasion.event->action == "closed";
  occasion.from_default_branch = command == "clean" && (closed || options.from_default_branch);
  if (!occasion.from_default_branch) {
    auto provided =
        provide_base(repository, *occasion.event, occasion.pull_request, invocation.environment, invocation.err);
    if (!provided) return tl::unexpected(provided.error());
  }
  auto decides = occasion.from_default_branch ? commit_of_default_branch(repository, *occasion.event)
                                              : deciding_commit(repository, *occasion.event, occasion.pull_request);
  if (!decides) return tl::unexpected(decides.error());
  occasion.decides = std::move(*decides);
  return occasion;
}

Origin origin_of(const Invocation& invocation, const Options& options, const std::string& command,
                 const change::Repository& repository, const Occasion& occasion) {
  const io::Environment& environment = invocation.environment;
  Origin origin;
  origin.command = command;
  origin.pull_request = options.pull_request;
  if (is_github_job(environment)) {
    origin.event = variable(environment, "GITHUB_EVENT_NAME");
    origin.repository = variable(environment, "GITHUB_REPOSITORY");
    origin.repository_id = variable(environment, "GITHUB_REPOSITORY_ID");
    origin.ref = variable(environment, "GITHUB_HEAD_REF");
    if (origin.ref.empty()) origin.ref = variable(environment, "GITHUB_REF_NAME");
    origin.server_url = variable(environment, "GITHUB_SERVER_URL");
    const std::string run = variable(environment, "GITHUB_RUN_ID");
    if (!run.empty()) origin.run_url = fmt::format("{}/{}/actions/runs/{}", origin.server_url, origin.repository, run);
    if (occasion.pull_request) {
      if (origin.pull_request == 0) origin.pull_request = occasion.pull_request->number;
      if (!occasion.pull_request->head_ref.empty()) origin.ref = occasion.pull_request->head_ref;
    }
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

Result<Settings> settings_of(const Invocation& invocation, const Options& options, const Occasion& occasion,
                             const change::Repository& repository, std::vector<std::string>& notes) {
  SettingsSources sources{.environment = invocation.environment, .flags = flags_of(options)};
  if (occasion.from_default_branch) {
    const auto text = repository.read_file(*occasion.decides, sources.file_name);
    if (!text) return tl::unexpected(text.error());
    sources.file_text = *text;
    sources.file_name += " of the default branch";
    return load_settings(sources);
  }
  if (options.config.empty()) {
    // No symbolic link of a pull request's is followed to a file of the runner's.
    auto text = repository.read_work_file(sources.file_name);
    if (!text) return tl::unexpected(text.error());
    sources.file_text = std::move(*text);
  } else {
    sources.file_name = options.config;
    auto text = io::read_file(invocation.folder / options.config, 1U << 20);
    if (!text) return tl::unexpected(text.error());
    sources.file_text = std::move(*text);
  }
  if (!occasion.decides) return load_settings(sources);
  // What decides where things go comes from the base's file, not from the pull request's (requirement A1a).
  const auto base_text = repository.read_file(*occasion.decides, "offshoot.yml");
  if (!base_text) return tl::unexpected(base_text.error());
  return load_settings_for_pull_request(sources, *base_text, notes);
}

/// Where the project is read. A closed pull request's is that of the default branch, whatever was checked out.
Result<fs::path> project_root(const change::Repository& repository, const Occasion& occasion, const fs::path& scratch) {
  if (!occasion.from_default_branch) return repository.root();
  const auto head = repository.commit("HEAD");
  if (head && head->sha == occasion.decides->sha) return repository.root();
  fs::path folder = scratch / "default-branch";
  if (const auto exported = repository.export_tree(*occasion.decides, folder); !exported) {
    return tl::unexpected(exported.error());
  }
  return folder;
}

/// What to compare with, where a person or the event says it.
std::optional<std::string> base_of(const Options& options, const Occasion& occasion) {
  if (!options.base.empty()) return options.base;
  if (occasion.pull_request && !occasion.pull_request->base_ref.empty()) return occasion.pull_request->base_ref;
  if (occasion.event && occasion.event->name == "merge_group") return occasion.event->base_sha;
  return std::nullopt;
}

/// Requirement A7.
std::optional<std::string> expected_head_of(const Occasion& occasion) {
  if (!occasion.pull_request || occasion.pull_request->head_sha.empty()) return std::nullopt;
  return occasion.pull_request->head_sha;
}

/// Says which settings that were changed from their default this version reads and does nothing with.
std::vector<std::string> settings_without_effect(const Settings& settings) {
  const Settings defaults;
  std::vector<std::string> notes;
  const auto look = [&](bool changed, const char* key) {
    if (changed) notes.push_back(fmt::format("The setting {} has no effect in this version.", key));
  };
  look(settings.compare != defaults.compare, "compare");
  look(settings.dbt.requirements != defaults.dbt.requirements, "dbt.requirements");
  return notes;
}

/// Whether the next job will find what this one keeps. A folder of the checkout goes with the runner; one elsewhere was
/// chosen by a person who has such a disk.
bool will_last(const store::Store& store, const fs::path& folder, const change::Repository& repository,
               const io::Environment& environment) {
  if (store.shared() || !is_github_job(environment)) return true;
  const fs::path inside = folder.lexically_normal().lexically_relative(repository.root());
  return inside.empty() || *inside.begin() == "..";
}

/// What the profile holds of secrets. A project that cannot be read is told of later.
void learn_secrets(const Invocation& invocation, const fs::path& root, const Settings& settings) {
  const auto project = dbt::read_project((root / settings.dbt.project).lexically_normal());
  if (!project) return;
  const auto profile = dbt::read_profile(*project, {settings.dbt.profiles, root, invocation.environment});
  if (profile) add_secrets_of_profile(profile->document, invocation.environment, invocation.secrets);
}

struct OpenStore {
  std::unique_ptr<store::Store> store;
  fs::path cache;
};

/// The store that the settings name, and a folder of this machine for what is only worth keeping here.
Result<OpenStore> open_store(const std::string& setting, const fs::path& root, const io::Environment& environment,
                             store::S3Surroundings s3) {
  if (!setting.starts_with("s3://")) {
    const fs::path folder = root / setting;
    return OpenStore{std::make_unique<store::FolderStore>(folder), folder / "cache"};
  }
  auto opened = store::open_s3(setting, environment, std::move(s3));
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

void Surroundings::learn(const Invocation& invocation, const std::string& secret) {
  const std::lock_guard lock(learning_);
  const auto known = invocation.secrets.lines().size();
  invocation.secrets.add(secret);
  const auto lines = invocation.secrets.lines();
  if (lines.size() == known || !is_github_job(invocation.environment)) return;
  std::ostringstream masks;
  mask(std::span(lines).subspan(known), masks);
  if (commands_) {
    commands_->tell(masks.str());
  } else {
    invocation.runner << masks.str() << std::flush;
  }
}

Result<std::unique_ptr<Surroundings>> Surroundings::make(const Invocation& invocation, const Options& options,
                                                         const std::string& command) {
  auto scratch = io::TemporaryFolder::make("run");
  if (!scratch) return tl::unexpected(scratch.error());
  std::unique_ptr<Surroundings> made(new Surroundings(invocation, std::move(*scratch)));

  const fs::path folder = invocation.folder / options.repository;
  const auto trust_owner = trust_in_owner(invocation.environment, folder);
  const auto repository = change::Repository::open(folder, trust_owner);
  if (!repository) return tl::unexpected(repository.error());
  const auto occasion = occasion_of(invocation, options, command, *repository);
  if (!occasion) return tl::unexpected(occasion.error());
  const Origin origin = origin_of(invocation, options, command, *repository, *occasion);
  std::vector<std::string> notes;
  auto settings = settings_of(invocation, options, *occasion, *repository, notes);
  if (!settings) return tl::unexpected(settings.error());
  auto trust = Result<flow::HeadTrust>(flow::HeadTrust::trusted);
  if (occasion->event && !occasion->from_default_branch)
    trust = trust_in(*occasion->event, *settings, options.approved);
  if (!trust) return tl::unexpected(trust.error());
  constexpr std::array<std::string_view, 3> careful{"check", "plan", "lint"};
  if (*trust != flow::HeadTrust::trusted && std::ranges::find(careful, command) == careful.end()) {
    return failed(ExitStatus::refused, command, "the head is not trusted, and this command runs its code",
                  "only check, plan and lint take such a head");
  }
  auto root = project_root(*repository, *occasion, made->scratch_.path());
  if (!root) return tl::unexpected(root.error());
  for (auto& note : settings_without_effect(*settings)) notes.push_back(std::move(note));
  const auto learned = [&invocation, made = made.get()](const std::string& secret) { made->learn(invocation, secret); };
  // Not told of an interruption at once: an interrupted run is kept as well.
  auto store = open_store(settings->store, repository->root(), invocation.environment,
                          {.stop = made->interrupts_.late_token(), .learned = learned});
  if (!store) return tl::unexpected(store.error());
  made->store_ = std::make_unique<store::RedactingStore>(std::move(store->store), invocation.secrets);
  const auto masked = invocation.secrets.lines().size();
  if (*trust == flow::HeadTrust::trusted) learn_secrets(invocation, *root, *settings);
  if (is_github_job(invocation.environment)) {
    const auto lines = invocation.secrets.lines();
    mask(std::span(lines).subspan(masked), invocation.runner);
    made->commands_.emplace(invocation.runner);
  }
  const bool lasts =
      will_last(*made->store_, repository->root() / settings->store, *repository, invocation.environment);
  const io::Instant started = io::now();
  made->context_ = std::make_unique<flow::Context>(flow::Context{
      .repository_root = std::move(*root),
      .environment = invocation.environment,
      .settings = std::move(*settings),
      .origin = origin,
      .notes = std::move(notes),
      .base = base_of(options, *occasion),
      .base_of_pull_request = options.base.empty() && occasion->pull_request.has_value(),
      .expected_head = expected_head_of(*occasion),
      .trusted_commit = occasion->decides ? std::optional(occasion->decides->sha) : std::nullopt,
      .secrets = &invocation.secrets,
      .learned = learned,
      .head_trust = *trust,
      .trust_owner = trust_owner,
      .default_branch = occasion->event ? occasion->event->default_branch : "",
      .run_id = run_id_of(invocation.environment, io::rfc3339(started)),
      .started = started,
      .stop = made->interrupts_.token(),
      .interrupted_by = [&interrupts = made->interrupts_] { return interrupts.signal(); },
      .progress = made->progress_,
      .store = *made->store_,
      .store_lasts = lasts,
      .cache = store->cache,
      .scratch = made->scratch_.path(),
  });
  return made;
}

Result<Settings> Surroundings::deciding_settings(const Invocation& invocation, const Options& options) {
  const fs::path folder = invocation.folder / options.repository;
  const auto repository = change::Repository::open(folder, trust_in_owner(invocation.environment, folder));
  if (!repository) return tl::unexpected(repository.error());
  const auto occasion = occasion_of(invocation, options, "clean", *repository);
  if (!occasion) return tl::unexpected(occasion.error());
  std::vector<std::string> notes;
  return settings_of(invocation, options, *occasion, *repository, notes);
}

}  // namespace offshoot::app
