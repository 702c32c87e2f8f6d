// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/clock.hpp"
#include "model/outcome.hpp"
#include "model/plan.hpp"
#include "state/graph.hpp"
#include "state/manifest.hpp"
#include "state/selection.hpp"

namespace offshoot::state {

/// dbt's kinds of resource, as far as they are compared by different rules.
enum class Kind {
  model,
  seed,
  function,
  singular_test,
  generic_test,
  hidden_node,  ///< analyses and hooks: compared, and never selected
  other_node,
  source,
  exposure,
  metric,
  semantic_model,
  unit_test,
  saved_query,
};

Kind kind_of(const Manifest& manifest, const Entry& entry);
/// What lives in `nodes` or `functions`.
bool is_node_like(Kind kind);

/// What of a node differs: bits, so that each of dbt's sub-selectors is a mask.
using Pieces = unsigned;

namespace piece {
inline constexpr Pieces none = 0;
inline constexpr Pieces added = 1U << 0;  ///< the base does not have it; then only `macros` is looked at besides
inline constexpr Pieces body = 1U << 1;
inline constexpr Pieces configs = 1U << 2;
inline constexpr Pieces descriptions = 1U << 3;  ///< that persist_docs writes to the warehouse
inline constexpr Pieces relation = 1U << 4;
inline constexpr Pieces macros = 1U << 5;
inline constexpr Pieces contract = 1U << 6;
inline constexpr Pieces properties = 1U << 7;  ///< any other field that dbt compares for this kind
}  // namespace piece

/// A contract that what depends on the model relied on, and that the head breaks.
struct BrokenContract {
  std::string unique_id;
  std::string original_file_path;
  bool versioned = false;            ///< then dbt stops with an error; else it warns
  std::vector<std::string> changes;  ///< "the column 'amount' was removed"
};

/// The comparison of two manifests, node by node.
class Comparison {
 public:
  /// `compare_more_unrendered_values`: dbt's behaviour flag of that name. Both manifests must outlive this.
  /// `same_code`: texts that differ and that it calls the same count as the same; none = only equal texts do.
  Comparison(const Manifest& base, const Manifest& head, bool compare_more_unrendered_values, SameCode same_code = {});

  /// What dbt stops with when it evaluates a value of its `state:` method: a broken contract of a versioned model, a
  /// macro that is not there. `now` decides which deprecation dates are past.
  [[nodiscard]] Result<void> check(std::string_view state, io::Instant now) const;
  /// The pieces for which a value of dbt's `state:` method selects the node; none = it does not. For "old" and
  /// "unmodified", which are no differences, ask `matches`.
  [[nodiscard]] Pieces counted(NodeIndex node, std::string_view state) const;
  /// Whether a value of dbt's `state:` method selects the node.
  [[nodiscard]] bool matches(NodeIndex node, std::string_view state) const;
  /// The named pieces in words, one reason for each setting, field or macro.
  [[nodiscard]] std::vector<Reason> explain(NodeIndex node, Pieces pieces);

  /// Contracts that nodes of the head break.
  [[nodiscard]] const std::vector<BrokenContract>& broken_contracts() const { return broken_; }
  /// Contracts of models that the head has no more or disables, and that are not past their deprecation at `now`.
  [[nodiscard]] std::vector<BrokenContract> removed_contracts(io::Instant now) const;
  /// Macros that differ, are new or are gone, and that no node which can be selected reaches through depends_on, which
  /// is all that dbt looks at. Sorted; views into the manifests.
  [[nodiscard]] std::vector<std::string_view> unseen_macros() const;
  /// Nodes and macros that dbt would call modified and `same_code` does not, in the order of the head.
  [[nodiscard]] const std::vector<std::string_view>& reformatted() const { return reformatted_; }

 private:
  using MacroList = std::vector<std::optional<std::string>>;
  enum class MacroVerdict { same, modified, dangling };

  /// Whether the code of `now` and `old` is the same, or `same_code_` calls it so.
  bool is_same_code(const Entry& now, const Entry& old, Field field);
  void find_changed_macros();
  void compare(NodeIndex node);
  [[nodiscard]] bool is_changed(std::string_view macro) const;
  [[nodiscard]] const MacroList& macros_of(std::string_view macro) const;
  MacroVerdict macro_verdict(Raw list);
  const std::vector<Reason>& macro_reasons(Raw list);
  bool same_contract(const Entry& entry, const Entry& old);

  const Manifest* base_;
  const Manifest* head_;
  bool more_;
  SameCode same_code_;
  std::vector<std::string_view> reformatted_;  ///< nodes and macros whose code `same_code_` called the same
  std::vector<Kind> kinds_;
  std::vector<const Entry*> old_;
  std::vector<Pieces> pieces_;
  std::vector<std::string_view> changed_macros_;                 ///< sorted
  std::unordered_map<std::string_view, MacroList> macro_calls_;  ///< depends_on.macros of each macro of the head
  std::unordered_map<Raw, MacroVerdict> verdicts_;               ///< by the text of a node's depends_on.macros
  std::unordered_map<Raw, std::vector<Reason>> macro_reasons_;
  std::vector<BrokenContract> broken_;
  std::optional<NodeIndex> dangling_;  ///< the first node that depends on a macro which is not there
};

}  // namespace offshoot::state
