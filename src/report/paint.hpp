// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace offshoot::report {

/// Colours of a terminal, or none.
class Paint {
 public:
  enum class Tone { plain, good, warn, bad, dim };

  explicit Paint(bool colour) : colour_(colour) {}

  [[nodiscard]] std::string operator()(std::string_view shown, Tone tone) const {
    if (!colour_ || tone == Tone::plain) return std::string(shown);
    const std::string_view code = tone == Tone::good   ? "32"
                                  : tone == Tone::warn ? "33"
                                  : tone == Tone::bad  ? "31"
                                                       : "2";
    return fmt::format("\x1B[{}m{}\x1B[0m", code, shown);
  }

 private:
  bool colour_;
};

}  // namespace offshoot::report
