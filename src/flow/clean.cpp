// SPDX-License-Identifier: Apache-2.0
#include "flow/clean.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "branch/folders.hpp"
#include "branch/lifecycle.hpp"
#include "branch/names.hpp"
#include "flow/branches.hpp"
#include "flow/leases.hpp"
#include "flow/swap.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

/// Whether a branch is among those asked for.
Result<std::function<bool(const OwnerMark&)>> chooser(const Context& context, const CleanOptions& options) {
  if (options.all) return [](const OwnerMark&) { return true; };
  if (options.expired) return [now = context.started](const OwnerMark& mark) { return branch::expired(mark, now); };
  if (!options.branch.empty()) return [name = options.branch](const OwnerMark& mark) { return mark.branch == name; };
  auto own = branch::branch_name(context.settings.branch.prefix, context.origin.pull_request, context.origin.ref);
  if (!own) return tl::unexpected(own.error());
  return [name = std::move(*own)](const OwnerMark& mark) { return mark.branch == name; };
}

/// Whether this login may drop the branch; files, whoever may.
Result<bool> may_drop(const branch::Found& one, const dbt::WarehouseAt& at, dbt::Session& session) {
  if (!one.file.empty()) return true;
  const auto droppable = session.macro(at, "droppable_schemas", {{"schemas", one.schemas}});
  if (!droppable) return tl::unexpected(droppable.error());
  return droppable->size() == one.schemas.size();
}

/// Whose lease keeps others from dropping it.
std::string lease_of(const Context& context, const OwnerMark& mark) {
  const std::string target = beside_which_production(mark);
  return target.empty() ? lease_of_branch(context, mark.branch) : lease_of_production(context, target);
}

/// Sorts what was found into what is to be dropped, which is returned, and what is not.
Result<std::vector<branch::Found>> sort_out(branch::Listing&& found,
                                            const std::function<bool(const OwnerMark&)>& chosen,
                                            const dbt::WarehouseAt& warehouse, dbt::Session& session,
                                            Cleaned& cleaned) {
  std::vector<branch::Found> to_drop;
  cleaned.left = std::move(found.left);
  cleaned.kept.clear();
  for (auto& one : found.branches) {
    if (!chosen(one.mark)) {
      cleaned.kept.push_back(fmt::format("{} (until {})", one.mark.branch, one.mark.expires));
      continue;
    }
    if (is_beside_production(one.mark)) {
      const auto may = may_drop(one, warehouse, session);
      if (!may) return tl::unexpected(may.error());
      if (!*may) {
        cleaned.left.push_back(fmt::format(
            "'{}' holds a version of production; deploy drops it, with production's login", one.mark.branch));
        continue;
      }
    }
    to_drop.push_back(std::move(one));
  }
  return to_drop;
}

/// By key; or why one could not be had.
using Leases = std::map<std::string, Result<std::unique_ptr<store::Lease>>>;

/// Asked before each drop: those before may have taken longer than a lease lasts.
Result<void> hold(const Leases& leases, const std::string& key) {
  const auto found = leases.find(key);
  if (found == leases.end()) return failed(ExitStatus::locked, "dropping", "it was made meanwhile", "run clean again");
  return found->second ? (*found->second)->renew() : tl::unexpected(found->second.error());
}

Result<void> drop_one(const branch::Found& one, const dbt::WarehouseAt& warehouse, dbt::Session& session) {
  const bool folder_of_files = !one.file.empty() && fs::is_directory(one.file);
  return folder_of_files ? branch::drop_folder(one.file) : branch::drop(one, warehouse, session);
}

}  // namespace

Result<Cleaned> clean(const Context& context, const CleanOptions& options) {
  const auto asked_for = chooser(context, options);
  if (!asked_for) return tl::unexpected(asked_for.error());
  auto search = BranchSearch::begin(context);
  if (!search) return tl::unexpected(search.error());
  Cleaned cleaned;
  const auto look = [&]() -> Result<std::vector<branch::Found>> {
    auto found = search->find();
    if (!found) return tl::unexpected(found.error());
    return sort_out(std::move(*found), *asked_for, search->warehouse(), search->session(), cleaned);
  };
  auto to_drop = look();
  if (!to_drop) return tl::unexpected(to_drop.error());

  Leases leases;
  if (!options.dry_run && !to_drop->empty()) {
    const bool many = options.all || options.expired;
    for (const auto& one : *to_drop) {
      const std::string key = lease_of(context, one.mark);
      if (leases.contains(key)) continue;
      leases.emplace(key, take_lease(context, key, "clean of " + one.mark.branch,
                                     many ? std::chrono::minutes(0) : context.settings.deploy.lock));
    }
    // Whoever had a lease may have renewed the branch, or dropped it.
    to_drop = look();
    if (!to_drop) return tl::unexpected(to_drop.error());
  }
  for (const auto& one : *to_drop) {
    auto dropped = options.dry_run ? Result<void>{} : hold(leases, lease_of(context, one.mark));
    if (dropped && !options.dry_run) dropped = drop_one(one, search->warehouse(), search->session());
    if (dropped) {
      cleaned.dropped.push_back(one.mark.branch);
    } else {
      cleaned.failures.push_back(dropped.error());
    }
  }
  if (options.expired) {
    auto tidied = tidy_store(context, options.dry_run);
    if (tidied) {
      cleaned.store = *tidied;
    } else {
      cleaned.failures.push_back(tidied.error());
    }
  }
  return cleaned;
}

}  // namespace offshoot::flow
