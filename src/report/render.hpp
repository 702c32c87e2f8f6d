// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "model/run.hpp"

namespace offshoot::report {

/// A run in one of the formats "markdown", "terminal", "json", "sarif" and "junit"; another is a usage error that names
/// them. `colour` is for the terminal.
Result<std::string> render(const Run& run, std::string_view format, bool colour);

}  // namespace offshoot::report
