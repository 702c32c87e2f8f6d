// SPDX-License-Identifier: Apache-2.0
// run.json from anyone, and everything that is rendered of it.
#include "report/run_json.hpp"

#include <string>

#include "fuzz.hpp"
#include "report/escape.hpp"
#include "report/mark.hpp"
#include "report/markdown.hpp"
#include "report/terminal.hpp"
#include "report/verdict.hpp"

using namespace offshoot;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto run = report::from_json(fuzz::view(data, size), "fuzz.json");
  if (!run) return 0;
  const std::string written = report::to_json(*run);
  const auto again = report::from_json(written, "fuzz.json");
  fuzz::require(again && report::to_json(*again) == written, "what is written can be read, and is written the same");
  const report::CommentOptions small{.limit = 4000};
  const std::string comment = report::comment_markdown(*run, small);
  fuzz::require(comment.size() <= small.limit, "a comment keeps its limit");
  const auto mark = report::read_mark(comment, small.marker);
  fuzz::require(mark && *mark == report::mark_of(*run, small), "a comment's hidden line can be read again");
  const std::string summary = report::terminal_summary(*run, false);
  fuzz::require(report::without_commands(summary) == summary, "no line of the summary is a command to the runner");
  (void)report::verdict(*run);
  return 0;
}
