// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/outcome.hpp"
#include "state/json.hpp"
#include "state/manifest.hpp"
#include "state/selection.hpp"
#include "state/selector.hpp"

namespace offshoot::state {

/// What a selector of selectors.yml selects, as the manifest holds it: criteria and sets made of them.
struct Definition {
  enum class Kind {
    criterion,
    named,  ///< another selector's definition
    union_of,
    intersection_of,
    difference_of,  ///< the first part without the second
  };
  Kind kind = Kind::criterion;
  Term term{};                              ///< of a criterion
  std::optional<IndirectSelection> mode{};  ///< of a criterion; absent = the request's
  std::string name{};                       ///< of another selector
  std::vector<Definition> parts{};
};

/// The selectors of a manifest whose names match `pattern`, sorted by name. That none does, and what dbt would not
/// take in one that does, are errors.
Result<std::vector<Definition>> find_definitions(const Manifest& manifest, const std::string& pattern);

}  // namespace offshoot::state
