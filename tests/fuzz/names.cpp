// SPDX-License-Identifier: Apache-2.0
// Names of git: refs that become names in the warehouse, paths that are placed in the repository and linked to.
#include "branch/names.hpp"

#include <algorithm>

#include "change/paths.hpp"
#include "fuzz.hpp"
#include "report/escape.hpp"

using namespace offshoot;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [first, second] = fuzz::halves(fuzz::view(data, size));
  for (const std::string_view prefix : {first, std::string_view("shop")}) {
    const auto name = branch::branch_name(prefix, 0, second);
    if (!name) continue;
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    fuzz::require(name->size() <= branch::longest_branch_name && std::all_of(name->begin(), name->end(), plain) &&
                      name->front() >= 'a' && name->front() <= 'z',
                  "a branch's name is plain and short");
    fuzz::require(branch::is_branch_name(*name, prefix), "a branch's name is known again");
    fuzz::require(branch::belongs_to(*name, *name), "a branch belongs to itself");
  }
  if (const auto placed = change::place(first, second)) {
    const auto parts = change::path_parts(*placed);
    fuzz::require(std::find(parts.begin(), parts.end(), "..") == parts.end(), "a place has no ..");
    fuzz::require(placed->empty() || placed->front() != '/', "a place is not absolute");
    fuzz::require(change::place(".", *placed) == placed, "a place is placed where it is");
    fuzz::require(change::lies_in(*placed, "."), "a place lies in the repository");
  }
  const auto unsafe = [](char c) { return c <= ' ' || c >= '\x7f' || c == '(' || c == ')' || c == '<' || c == '"'; };
  const std::string path = report::url_path(first);
  fuzz::require(std::none_of(path.begin(), path.end(), unsafe), "a path in a URL is encoded");
  const std::string target = report::link_target(first);
  fuzz::require(std::none_of(target.begin(), target.end(), unsafe), "a link's target ends nothing around it");
  return 0;
}
