// SPDX-License-Identifier: Apache-2.0
// offshoot runs, and offshoot runs show.
#include "store/runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/commands.hpp"
#include "app/surroundings.hpp"
#include "io/json.hpp"
#include "report/escape.hpp"
#include "report/render.hpp"
#include "report/run_json.hpp"

namespace offshoot::app {

namespace {

nlohmann::ordered_json to_json(const store::RunIndex& run) {
  auto files = nlohmann::ordered_json::array();
  for (const auto& file : run.files) {
    files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  }
  return {{"id", run.id},     {"started", run.started}, {"command", run.command},   {"ref", run.ref},
          {"head", run.head}, {"status", run.status},   {"headline", run.headline}, {"pull_request", run.pull_request},
          {"files", files}};
}

}  // namespace

ExitStatus list_runs(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "runs");
  if (!surroundings) return fail(invocation, surroundings.error());
  const flow::Context& context = (*surroundings)->context();
  const auto runs =
      store::newest_runs(context.store, context.origin.repository_id, static_cast<std::size_t>(options.most));
  if (!runs) return fail(invocation, runs.error());
  if (options.json) {
    auto data = nlohmann::ordered_json::array();
    for (const auto& run : *runs) data.push_back(to_json(run));
    invocation.out << io::to_line(data) << '\n';
    return ExitStatus::passed;
  }
  if (runs->empty()) invocation.err << "no runs are kept in " << context.store.location("") << '\n';
  for (const auto& run : *runs) {
    const std::string subject = run.pull_request > 0 ? fmt::format("#{}", run.pull_request) : run.ref;
    invocation.out << fmt::format("{}  {:<7} {:<20} {}  {}\n", report::terminal_line(run.id),
                                  report::terminal_line(run.command, 20), report::terminal_line(subject, 40),
                                  report::terminal_line(run.head.substr(0, 7)), report::terminal_line(run.headline));
  }
  return ExitStatus::passed;
}

ExitStatus show_run(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "runs");
  if (!surroundings) return fail(invocation, surroundings.error());
  const flow::Context& context = (*surroundings)->context();
  const auto found = store::find_run(context.store, context.origin.repository_id, options.run_id);
  if (!found) return fail(invocation, found.error());
  if (!*found) {
    return fail(invocation, {ExitStatus::usage,
                             "looking for the run " + report::terminal_line(options.run_id),
                             "no such run is kept in " + context.store.location(""),
                             "offshoot runs lists them",
                             {}});
  }
  const store::FoundRun& run = **found;
  const auto bytes = store::file_of(context.store, run, options.file.empty() ? "run.json" : options.file);
  if (!bytes) return fail(invocation, bytes.error());
  if (!options.file.empty()) {
    invocation.out << *bytes;
    return ExitStatus::passed;
  }
  const auto read = report::from_json(*bytes, "run.json of " + run.index.id);
  if (!read) return fail(invocation, read.error());
  const std::string format = options.json ? "json" : options.format.empty() ? "terminal" : options.format;
  const bool colour = invocation.out_is_terminal && !invocation.environment.contains("NO_COLOR");
  const auto rendered = report::render(*read, format, colour);
  if (!rendered) return fail(invocation, rendered.error());
  invocation.out << *rendered;
  if (format != "terminal") return ExitStatus::passed;
  invocation.out << "\nKept in " << context.store.location(run.folder) << ":\n";
  for (const auto& file : run.index.files) {
    invocation.out << fmt::format("  {:>10}  {}\n", file.size, report::terminal_line(file.name));
  }
  return ExitStatus::passed;
}

}  // namespace offshoot::app
