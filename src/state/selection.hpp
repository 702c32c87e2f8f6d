// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/clock.hpp"
#include "model/outcome.hpp"
#include "model/plan.hpp"
#include "state/manifest.hpp"

namespace offshoot::state {

/// What dbt does with a test of which not all parents are selected; dbt's own four modes.
enum class IndirectSelection { eager, cautious, buildable, empty };

/// By dbt's name for it; absent = there is none of that name.
std::optional<IndirectSelection> indirect_selection_of(std::string_view name);

/// Whether two texts of SQL with Jinja, the base's and the head's, mean the same though they differ.
using SameCode = std::function<bool(std::string_view before, std::string_view after)>;

/// Whether a file of a package differs between base and head; `path` is relative to the package's folder.
using FileChanged = std::function<bool(std::string_view package, std::string_view path)>;

/// What to select, in dbt's words.
struct SelectRequest {
  std::string select = "state:modified+";  ///< empty = everything, as with dbt
  std::string exclude{};
  IndirectSelection indirect_selection = IndirectSelection::eager;
  /// dbt's behaviour flag state_modified_compare_more_unrendered_values, as both manifests were parsed.
  bool compare_more_unrendered_values = false;
  /// Code that this calls the same does not count as modified. Absent = as dbt, every byte counts. What the selection
  /// lacks for it is told in `left_out`.
  SameCode same_code{};
  /// Absent = it is not known which files changed.
  FileChanged file_changed{};
  /// The moment at which a deprecation date counts as past; absent = now.
  std::optional<io::Instant> now{};
};

/// What a request selects, and why.
struct Selection {
  std::vector<PlannedNode> selected{};  ///< as `dbt ls` lists it: sorted by unique_id; `relation` is left empty
  std::vector<std::string> as_dbt{};    ///< unique ids that dbt selects, where every byte counts; sorted
  std::vector<LeftOut> left_out{};      ///< what of these `same_code` keeps out, and why; sorted by unique_id
  std::vector<RemovedNode> removed{};   ///< sorted by unique_id
  std::vector<std::string> notes{};     ///< what dbt does not count though it changed, and what dbt would warn of
};

/// Compares `head` with `base` and selects from it, node for node as the dbt that wrote both does. A selector that dbt
/// or this does not know, manifests of two dbt versions, and what makes dbt itself stop are errors.
Result<Selection> select(const Manifest& base, const Manifest& head, const SelectRequest& request);

/// The part of a selection that dbt executes and reports.
struct BuildList {
  std::vector<PlannedNode> nodes{};    ///< sorted by unique_id
  std::vector<PlannedNode> unbuilt{};  ///< selected, and not executed; sorted by unique_id
  std::vector<std::string> notes{};    ///< what of these a reader would expect to be executed, and why it is not
};

/// Unit tests whose model is not selected: `dbt test` runs them, and `dbt build` does not.
enum class LoneUnitTests { stay, go };

/// Leaves out what dbt does not run: sources, metrics and semantic models, ephemeral models, nodes without code.
BuildList build_list(const Selection& selection, const Manifest& head,
                     LoneUnitTests lone_unit_tests = LoneUnitTests::stay);

}  // namespace offshoot::state
