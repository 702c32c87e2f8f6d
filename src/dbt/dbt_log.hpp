// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/build.hpp"

namespace offshoot::dbt {

/// What a dbt command said with `--log-format json`, one JSON object a line.
struct DbtLog {
  std::string dbt_version;
  std::string invocation_id;
  std::vector<DbtMessage> warnings{};
  std::vector<DbtMessage> errors{};
  std::optional<std::string> macro_result{};  ///< the JSON after OFFSHOOT_RESULT, of the run-operation `offshoot_call`
  std::string other;                          ///< lines that are no JSON: what dbt says before its log is set up

  /// All that it gave as reasons for a failure, as one text.
  [[nodiscard]] std::string reasons() const;
};

/// Reads it. Never fails: lines of another form are kept as text.
DbtLog read_dbt_log(std::string_view text);

}  // namespace offshoot::dbt
