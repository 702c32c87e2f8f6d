// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/lint.hpp"
#include "model/outcome.hpp"

namespace offshoot::lint {

/// What sqlfluff says of one file.
struct FileRecord {
  std::string path{};  ///< as sqlfluff writes it: relative to where it started, without "./"; raw bytes
  bool read = true;    ///< false: it found nothing because it rendered nothing; so it looks for an empty file as well
  std::vector<LintFinding> findings{};  ///< without `path` and `on_changed_line`; column 0 = of the file as a whole
  bool operator==(const FileRecord&) const = default;
};

/// Reads what `sqlfluff lint --format json` wrote.
Result<std::vector<FileRecord>> read_records(std::string_view json);

/// sqlfluff's own words, on its standard error, for passing over the file `path`; a sentence of ours where it has none.
std::string why_unlinted(std::string_view standard_error, std::string_view path);

/// The line of sqlfluff's standard error that tells best why it broke.
std::string why_broken(std::string_view standard_error);

}  // namespace offshoot::lint
