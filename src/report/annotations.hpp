// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "model/announcement.hpp"
#include "model/run.hpp"

/// What is to be said at lines of the head's files. All text is plain, without control characters, and may quote the
/// project: whoever writes it down escapes it for where it goes. The most severe come first.
namespace offshoot::report {

/// Places that failures of stages name.
std::vector<Annotation> annotations_of_stages(const Run& run);
/// What did not build, and tests that failed or warned, at the first changed line of their files, or of what they test.
std::vector<Annotation> annotations_of_build(const Run& run);
/// Lint findings on changed lines.
std::vector<Annotation> annotations_of_lint(const Run& run);
/// All of these.
std::vector<Annotation> annotations(const Run& run);

}  // namespace offshoot::report
