// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "io/process.hpp"
#include "io/redaction.hpp"
#include "model/outcome.hpp"

namespace offshoot::app {

/// One call of the program, as values: what main read from the process.
struct Invocation {
  std::vector<std::string> arguments;  ///< without the program's own name
  io::Environment environment;
  std::filesystem::path folder;  ///< the working folder, absolute
  std::ostream& out;             ///< data
  std::ostream& err;             ///< people's words
  std::ostream& runner;          ///< commands to GitHub's runner alone: nothing is taken out of it
  io::Redaction& secrets;        ///< what `out`, `err` and all that is kept or sent are cleaned of
  bool err_is_terminal = false;
  bool out_is_terminal = false;
};

/// Runs one command and says how it ended. Never throws: what nobody foresaw is said as a bug, with exit status 3.
ExitStatus run(const Invocation& invocation);

}  // namespace offshoot::app
