// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flow/deploy_plan.hpp"
#include "flow/deployed.hpp"
#include "io/locked_file.hpp"

namespace offshoot::flow {

/// What an exchange did.
struct Exchanged {
  std::vector<std::string> relations{};  ///< rendered; of a DuckDB file the file
  std::vector<std::string> recreated{};  ///< views outside that were bound again
};

/// Write, audit, publish: production's next version, built and tested beside it and then exchanged for it.
class Swap {
 public:
  virtual ~Swap() = default;
  /// What is built beside, and where: to be handed to dbt.
  [[nodiscard]] virtual const Planned& planned() const = 0;
  /// What the exchange will leave of the version before.
  [[nodiscard]] virtual const Kept& kept() const = 0;
  /// How what is built beside is called there, as SQL reads it, by unique id; what is not named has production's name.
  [[nodiscard]] virtual const std::map<std::string, std::string>& names_beside() const = 0;
  /// Copies relations of a branch, by unique id, to where the next version is built: all that can be, and of the others
  /// why not, by unique id. Where the branch is gone, or is not any more what the check with this mark left, nothing is
  /// copied, and that is an error.
  virtual Result<std::map<std::string, std::string>> copy_from(
      const Branch& branch, const std::map<std::string, RelationName>& in_branch) = 0;
  /// Puts what was built in production's place, all or nothing. The session must have released the warehouse.
  virtual Result<Exchanged> exchange() = 0;
  /// Drops what was built beside, which will not be needed.
  virtual Result<void> discard() = 0;
};

/// Whether relations can be exchanged on this adapter.
bool can_be_exchanged(const std::string& adapter);

/// Makes the place beside production, marked as ours, with copies of what the build goes on from. Other adapters than
/// PostgreSQL and DuckDB are refused with status usage, and so is what cannot be exchanged, by name.
Result<std::unique_ptr<Swap>> stage(const Context& context, const ProjectAtHand& at_production, const DeployPlan& plan,
                                    const Commit& head, dbt::Session& session);

/// The two kinds.
Result<std::unique_ptr<Swap>> stage_schemas(const Context& context, const ProjectAtHand& at_production,
                                            const DeployPlan& plan, const Commit& head, dbt::Session& session);
Result<std::unique_ptr<Swap>> stage_file(const Context& context, const ProjectAtHand& at_production,
                                         const DeployPlan& plan, dbt::Session& session);

/// A place for one version of production, not yet made: its name, and its mark. Its head is left empty: the exchange
/// itself writes there which commit it brought.
Result<Branch> place_beside(const Context& context, const std::string& target);

/// Whether a mark is that of such a place, for this target or any. No git branch can be called so.
bool is_beside_production(const OwnerMark& mark);
bool is_beside_production(const OwnerMark& mark, const std::string& target);
/// That target; empty for a mark of a branch.
std::string beside_which_production(const OwnerMark& mark);

/// The schema that stands for one of production's in such a place; `infix` tells those of the version before.
std::string schema_beside(const std::string& branch, std::string_view infix, const std::string& schema);

/// Keeps writers away from a DuckDB file, after waiting for one that has it; absent where there is no file yet.
Result<std::optional<io::LockedFile>> lock_file(const Context& context, const std::filesystem::path& file);

/// What both kinds do in copy_from: `at` reaches branch and production at once, and `schema_beside_of` says which
/// schema stands there for one of the plan's.
Result<std::map<std::string, std::string>> copy_from_branch(
    const Branch& branch, const std::map<std::string, RelationName>& in_branch, const Plan& beside,
    const dbt::WarehouseAt& at, dbt::Session& session,
    const std::function<std::string(const std::string&)>& schema_beside_of);

/// Puts relations in production's place in one transaction of PostgreSQL; waits a while where they are being read.
Result<Exchanged> exchange_relations(const Context& context, const dbt::WarehouseAt& at,
                                     const nlohmann::json& arguments, dbt::Session& session);

/// Puts the file `next` in the place of `current`, which is kept as `previous`. At any moment `current` is one of the
/// two, whole.
Result<void> exchange_files(const std::filesystem::path& next, const std::filesystem::path& current,
                            const std::filesystem::path& previous);

}  // namespace offshoot::flow
