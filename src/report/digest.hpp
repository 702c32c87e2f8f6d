// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/run.hpp"

namespace offshoot::report {

/// "1 model", "2 models"
std::string counted(std::size_t count, std::string_view one, std::string_view many);
/// "3 s", "1 min 12 s"
std::string duration(double seconds);
/// The first seven digits.
std::string short_sha(const std::string& sha);
/// What people call the node of a unique id: "fct_orders" of "model.shop.fct_orders", "dim.v2" of "model.shop.dim.v2".
std::string short_name(const std::string& unique_id);
/// "production's rows in 2 tables"; empty where the branch began with none.
std::string rows_of_production(const Branch& branch);
std::string_view status_word(NodeStatus status);
/// Whether a node that ended so makes the run fail.
bool is_failing(NodeStatus status);
bool is_test(const PlannedNode& node);
/// Whether dbt runs it and reports a result for it.
bool is_executed(const PlannedNode& node);
/// Whether the node differs itself, rather than standing below one that does or testing one.
bool is_changed(const PlannedNode& node);
/// Whether the node is in the plan because it is read and production cannot be read instead.
bool is_missing_in_production(const PlannedNode& node);

/// One of the stages, and how it ended.
struct StageRow {
  std::string name;
  const Failed* failure = nullptr;
  const Skipped* skipped = nullptr;
  bool finished = false;
  double seconds = -1;  ///< -1 = not known
};

/// One planned node that did not end well. The pointers lie in the run.
struct Trouble {
  const NodeResult* result = nullptr;
  const PlannedNode* node = nullptr;                ///< absent where dbt reports what the plan does not hold
  std::vector<const PlannedNode*> skipped_below{};  ///< what was skipped because of it
};

/// What a run comes to, as every renderer tells it. Its pointers lie in the run and in itself: it cannot be copied.
class Digest {
 public:
  explicit Digest(const Run& run);
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  Digest(Digest&&) = delete;
  Digest& operator=(Digest&&) = delete;
  ~Digest() = default;

  std::vector<StageRow> stages{};
  std::vector<Trouble> failures{};  ///< errors, then failed tests; what they made dbt skip stands below them
  std::vector<Trouble> undone{};    ///< not run, not heard of, and skipped for no reason that is known
  std::vector<Trouble> warnings{};  ///< tests that warn
  std::size_t objects = 0;          ///< models, seeds, snapshots, functions of the plan that execute
  std::size_t objects_built = 0;
  std::size_t models_only = 0;  ///< how many of the objects are models
  std::size_t tests = 0;
  std::size_t tests_passed = 0;     ///< passed or warned
  std::size_t objects_errored = 0;  ///< refused by the warehouse or the compiler
  std::size_t tests_errored = 0;
  std::size_t tests_failed = 0;
  std::size_t skipped = 0;
  std::vector<const LintFinding*> lint_here{};  ///< on changed lines
  std::size_t lint_elsewhere = 0;

  /// The planned node with this unique id; absent where there is none.
  [[nodiscard]] const PlannedNode* node(const std::string& unique_id) const;
  /// How it ended; absent where nothing was built.
  [[nodiscard]] const NodeResult* result(const std::string& unique_id) const;
  /// The planned tests of what has this unique id.
  [[nodiscard]] const std::vector<const PlannedNode*>& tests_on(const std::string& unique_id) const;
  /// "models" where all objects are models, else "nodes".
  [[nodiscard]] std::string objects_counted(std::size_t count) const;

 private:
  void read_stages(const Run& run);
  void read_results(const Build& build);
  void read_troubles();
  void read_lint(const Lint& lint);
  [[nodiscard]] const NodeResult* cause_of_skipping(const PlannedNode& node) const;

  std::map<std::string, const PlannedNode*> nodes_{};
  std::map<std::string, const NodeResult*> results_{};
  std::map<std::string, std::vector<const PlannedNode*>> tests_on_{};  ///< by unique id of what they test
  std::vector<NodeResult> unheard_{};                                  ///< planned, built, and without a result
};

}  // namespace offshoot::report
