// SPDX-License-Identifier: Apache-2.0
#include "flow/publishing.hpp"

#include <algorithm>
#include <system_error>

#include "flow/redacted.hpp"
#include "io/files.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"
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

}  // namespace

std::string run_folder(const Run& run) { return store::run_folder(run.origin.repository_id, run.started, run.id); }

Result<std::string> publish(const Context& context, const Run& run, const std::vector<Artifact>& artifacts) {
  const fs::path mine = context.scratch / "kept";
  std::vector<store::FileToKeep> files;
  const auto add = [&](const std::string& name, std::string_view bytes) {
    files.push_back({name, mine / name});
    return io::write_file(mine / name, bytes, 0600);
  };
  if (auto written = add("run.json", report::to_json(run)); !written) return tl::unexpected(written.error());
  if (auto written = add("comment.md", report::comment_markdown(run)); !written) {
    return tl::unexpected(written.error());
  }
  for (const auto& artifact : artifacts) {
    std::error_code error;
    if (fs::is_directory(artifact.file, error)) {
      std::ranges::move(files_below(artifact), std::back_inserter(files));
      continue;
    }
    if (!fs::is_regular_file(artifact.file, error)) continue;  // a stage that ended early has left nothing to keep
    if (!is_dbt_artifact(artifact.name)) {
      files.push_back({artifact.name, artifact.file});
      continue;
    }
    // What cannot be read as dbt's is not kept: it might hold what is to be taken out.
    const auto bytes = io::read_file(artifact.file);
    const auto redacted = bytes ? redacted_artifact(*bytes) : tl::unexpected(bytes.error());
    if (!redacted) continue;
    if (auto written = add(artifact.name, *redacted); !written) return tl::unexpected(written.error());
  }
  const std::string folder = run_folder(run);
  if (auto kept = store::keep_run(context.store, folder, index_of(run), files); !kept) {
    return tl::unexpected(kept.error());
  }
  return context.store.location(folder);
}

}  // namespace offshoot::flow
