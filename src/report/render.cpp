// SPDX-License-Identifier: Apache-2.0
#include "report/render.hpp"

#include <fmt/core.h>

#include "report/escape.hpp"
#include "report/junit.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"
#include "report/sarif.hpp"
#include "report/terminal.hpp"

namespace offshoot::report {

Result<std::string> render(const Run& run, std::string_view format, bool colour) {
  if (format == "markdown") return without_commands(comment_markdown(run));
  if (format == "terminal") return terminal_summary(run, colour);
  if (format == "json") return to_json(run);
  if (format == "sarif") return sarif(run);
  if (format == "junit") return junit(run);
  return failed(ExitStatus::usage, "rendering the run", fmt::format("unknown format '{}'", format),
                "use markdown, terminal, json, sarif or junit");
}

}  // namespace offshoot::report
