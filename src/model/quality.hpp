// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace offshoot {

/// What Elementary made of the branch. It never decides the verdict.
struct Quality {
  std::string report{};  ///< path of the page, relative to the run's folder in the store
  std::string tool{};    ///< "elementary 0.25.1"
  double seconds = 0;
  bool operator==(const Quality&) const = default;
};

}  // namespace offshoot
