// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/run.hpp"

namespace offshoot::report {

/// What a run comes to, in one word.
enum class Conclusion { passed, nothing_to_build, findings, could_not_run, locked, usage, refused, interrupted };

/// The judgement of a run: what the process exits with and what a person reads first.
struct Verdict {
  ExitStatus status = ExitStatus::could_not_run;
  Conclusion conclusion = Conclusion::could_not_run;
  std::string headline;  ///< one line of plain text, at most 140 bytes; may quote the project, so escape it
  bool operator==(const Verdict&) const = default;
};

/// Judges a run; a pure function. The first of these that holds decides:
///  1. it was interrupted (130, 143);
///  2. a stage failed, the gravest first: refused, usage, locked, could not run;
///  3. a stage that had to run was never reached: could not run;
///  4. a planned node failed, errored, was skipped, did not run or was not heard of, or (where the settings say so) a
///     lint finding stands on a changed line: findings;
///  5. it passed; and if it built nothing, the headline says that and why.
/// Elementary never decides, a warning never does, and a linter that broke only where lint findings would.
Verdict verdict(const Run& run);

}  // namespace offshoot::report
