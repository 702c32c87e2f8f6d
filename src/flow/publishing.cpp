// SPDX-License-Identifier: Apache-2.0
#include "flow/publishing.hpp"

#include "io/files.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"

namespace offshoot::flow {

std::string run_folder(const Run& run) {
  return run.origin.repository_id + "/runs/" + run.started.substr(0, 10) + "/" + run.id;
}

Result<std::string> publish(const Context& context, const Run& run, const std::vector<Artifact>& artifacts) {
  const std::string folder = run_folder(run);
  for (const auto& artifact : artifacts) {
    const auto bytes = io::read_file(artifact.file);
    if (!bytes) continue;  // a stage that ended early has left nothing to keep
    if (auto kept = context.store.put(folder + "/" + artifact.name, *bytes); !kept) return tl::unexpected(kept.error());
  }
  if (auto kept = context.store.put(folder + "/comment.md", report::comment_markdown(run)); !kept) {
    return tl::unexpected(kept.error());
  }
  // run.json comes last: where it is, the rest is whole.
  if (auto kept = context.store.put(folder + "/run.json", report::to_json(run)); !kept) {
    return tl::unexpected(kept.error());
  }
  return context.store.location(folder + "/run.json");
}

}  // namespace offshoot::flow
