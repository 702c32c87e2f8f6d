// SPDX-License-Identifier: Apache-2.0
#include "flow/publishing.hpp"

#include <algorithm>
#include <system_error>

#include "flow/redacted.hpp"
#include "io/files.hpp"
#include "report/junit.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"
#include "report/sarif.hpp"
#include "report/verdict.hpp"
#include "store/runs.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

/// A folder of more than this is not kept whole.
constexpr std::size_t most_files = 5000;

store::RunIndex index_of(const Run& run) {
  const auto verdict = report::verdict(run);
  const Change* change = run.change.finished();
  return {.id = run.id,
          .started = run.started,
          .command = run.origin.command,
          .ref = run.origin.ref,
          .pull_request = run.origin.pull_request,
          .head = change != nullptr ? change->head.sha : "",
          .status = static_cast<int>(verdict.status),
          .headline = verdict.headline};
}

/// The files below a folder, named after it. A name that cannot be a key (requirement G5) is left out: it is in the
/// repository anyway.
std::vector<store::FileToKeep> files_below(const Artifact& artifact) {
  std::vector<store::FileToKeep> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(artifact.file, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file(error) || it->is_symlink(error)) continue;
    std::string name = artifact.name + "/" + it->path().lexically_relative(artifact.file).generic_string();
    if (store::is_key(name)) files.push_back({std::move(name), it->path()});
    if (files.size() == most_files) break;
  }
  std::ranges::sort(files, {}, &store::FileToKeep::name);
  return files;
}

/// The files of a run, written where they can be kept from.
class Files {
 public:
  explicit Files(const Context& context) : context_(context), folder_(context.scratch / "kept") {}

  Result<void> add(const std::string& name, std::string_view bytes) {
    files_.push_back({name, folder_ / name});
    return io::write_file(folder_ / name, clean(bytes), 0600);
  }

  Result<void> add(const Artifact& artifact) {
    std::error_code error;
    if (fs::is_directory(artifact.file, error)) {
      for (const auto& file : files_below(artifact)) {
        if (auto added = add_file(file.name, file.file); !added) return added;
      }
      return {};
    }
    if (!fs::is_regular_file(artifact.file, error)) return {};  // a stage that ended early has left nothing to keep
    if (!is_dbt_artifact(artifact.name)) return add_file(artifact.name, artifact.file);
    // What cannot be read as dbt's is not kept: it might hold what is to be taken out.
    const auto bytes = io::read_file(artifact.file);
    const auto redacted = bytes ? redacted_artifact(*bytes) : tl::unexpected(bytes.error());
    return redacted ? add(artifact.name, *redacted) : Result<void>();
  }

  Result<void> add_log(const std::string& name, const fs::path& file) {
    const auto bytes = io::read_file(file);
    return bytes ? add(name, redacted_log(*bytes, context_.settings.dbt.vars, context_.environment)) : Result<void>();
  }

  [[nodiscard]] const std::vector<store::FileToKeep>& all() const { return files_; }

 private:
  /// The index has the checksums of what is kept, so secrets are taken out before it is made.
  [[nodiscard]] std::string clean(std::string_view bytes) const {
    return context_.secrets != nullptr ? context_.secrets->clean(bytes) : std::string(bytes);
  }

  Result<void> add_file(const std::string& name, const fs::path& file) {
    const auto bytes = io::read_file(file);
    if (!bytes) return tl::unexpected(bytes.error());
    if (clean(*bytes) != *bytes) return add(name, *bytes);
    files_.push_back({name, file});
    return {};
  }

  const Context& context_;
  fs::path folder_;
  std::vector<store::FileToKeep> files_{};
};

Result<void> add_own(const Run& run, Files& files) {
  constexpr std::size_t longest_report = 16U << 20;
  if (auto added = files.add("run.json", report::to_json(run)); !added) return added;
  if (auto added = files.add("comment.md", report::comment_markdown(run)); !added) return added;
  if (auto added = files.add("report.md", report::comment_markdown(run, {.limit = longest_report})); !added) {
    return added;
  }
  if (run.lint.finished() != nullptr || run.lint.failure() != nullptr) {
    if (auto added = files.add("lint.sarif", report::sarif(run)); !added) return added;
  }
  return run.build.finished() != nullptr ? files.add("tests.xml", report::junit(run)) : Result<void>();
}

Result<std::string> keep(const Context& context, const Run& run, const std::vector<Artifact>& artifacts) {
  Files files(context);
  if (auto added = add_own(run, files); !added) return tl::unexpected(added.error());
  if (run.interrupted_by == 0) {
    if (auto added = files.add_log("dbt.log", context.scratch / "session" / "logs" / "dbt.log"); !added) {
      return tl::unexpected(added.error());
    }
    for (const auto& artifact : artifacts) {
      if (auto added = files.add(artifact); !added) return tl::unexpected(added.error());
    }
  }
  const std::string folder = store::run_folder(run.origin.repository_id, run.started, run.id);
  return store::keep_run(context.store, folder, index_of(run), files.all()).map([&] {
    return context.store.location(folder);
  });
}

}  // namespace

void publish(const Context& context, Run& run, const std::vector<Artifact>& artifacts) {
  const auto kept = keep(context, run, artifacts);
  if (kept) {
    run.kept_in = *kept;
  } else {
    run.notes.push_back("The run could not be kept: " + kept.error().doing + ": " + kept.error().why);
  }
}

}  // namespace offshoot::flow
