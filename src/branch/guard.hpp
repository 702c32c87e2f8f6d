// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>

#include "io/clock.hpp"
#include "model/branch.hpp"

namespace offshoot::branch {

/// One schema, or one database file, that carries a mark (or something in a mark's place).
struct Marked {
  std::string name;               ///< the schema's name, or the file's without its ending
  std::optional<OwnerMark> mark;  ///< absent: what stands in the mark's place is not one
};

/// What is known of ourselves when something is to be dropped.
struct DropContext {
  std::string prefix;
  std::string repository_id;
  std::set<std::string> forbidden;  ///< schemas and databases of every profile output, folded; their custom schemas too
};

/// The drop guard (requirement E3, conditions 1 to 5): why `marked` must not be dropped; absent = it may be. Pure.
std::optional<std::string> why_not_drop(const Marked& marked, const DropContext& context);

/// Whether the branch's time is over.
bool expired(const OwnerMark& mark, io::Instant now);

}  // namespace offshoot::branch
