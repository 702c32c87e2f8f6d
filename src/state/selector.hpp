// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/outcome.hpp"

namespace offshoot::state {

/// dbt's methods of selection, as far as two manifests can answer them.
enum class Method {
  access,
  config,
  exposure,
  file,
  fqn,
  group,
  metric,
  package,
  path,
  resource_type,
  saved_query,
  selector,
  semantic_model,
  source,
  state,
  tag,
  test_name,
  test_type,
  unit_test,
  version,
};

/// One criterion: "2+state:modified+". Depths are absent where the operator is.
struct Term {
  std::string raw;
  Method method = Method::fqn;
  std::vector<std::string> arguments{};  ///< config.meta.owner: {"meta", "owner"}
  std::string value;
  bool childrens_parents = false;  ///< the prefix "@"
  std::optional<std::size_t> above{};
  std::optional<std::size_t> below{};
  bool operator==(const Term&) const = default;
};

/// A union of intersections: "a,b c" is (a and b) or c.
using Selector = std::vector<std::vector<Term>>;

/// Parses one criterion. `option` names in errors where it stands.
Result<Term> parse_term(std::string_view text, std::string_view option);
/// A criterion of a method, "config.materialized", and what it looks for, without operators.
Result<Term> make_term(std::string_view method, const std::string& value, std::string_view option);

/// The digits of an operator; none = without end.
std::size_t depth_of(std::string_view digits);

/// Parses what stands behind dbt's --select or --exclude. `option` names it in errors. What dbt would not know, and
/// what cannot be answered from manifests (result:, source_status:), is an error. Blanks only = empty.
Result<Selector> parse_selector(std::string_view text, std::string_view option);

}  // namespace offshoot::state
