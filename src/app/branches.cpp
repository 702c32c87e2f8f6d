// SPDX-License-Identifier: Apache-2.0
// offshoot branches.
#include "flow/branches.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/commands.hpp"
#include "app/surroundings.hpp"
#include "branch/guard.hpp"
#include "flow/swap.hpp"
#include "io/json.hpp"
#include "report/escape.hpp"

namespace offshoot::app {

namespace {

nlohmann::ordered_json to_json(const branch::Found& found, bool expired) {
  const OwnerMark& mark = found.mark;
  return {{"branch", mark.branch},   {"pull_request", mark.pull_request},
          {"ref", mark.ref},         {"head", mark.head},
          {"created", mark.created}, {"expires", mark.expires},
          {"expired", expired},      {"of_production", flow::is_beside_production(mark)},
          {"file", found.file},      {"schemas", found.schemas}};
}

/// Whose it is, for people: the mark is what somebody has put into the warehouse.
std::string owner(const OwnerMark& mark) {
  if (flow::is_beside_production(mark)) return "production " + flow::beside_which_production(mark);
  return mark.pull_request > 0 ? fmt::format("#{}", mark.pull_request) : mark.ref;
}

}  // namespace

ExitStatus list_branches(const Invocation& invocation, const Options& options) {
  const auto surroundings = Surroundings::make(invocation, options, "branches");
  if (!surroundings) return fail(invocation, surroundings.error());
  const flow::Context& context = (*surroundings)->context();
  auto search = flow::BranchSearch::begin(context);
  if (!search) return fail(invocation, search.error());
  const auto found = search->find();
  if (!found) return fail(invocation, found.error());
  for (const auto& left : found->left) invocation.err << "left alone: " << report::terminal_line(left) << '\n';
  if (options.json) {
    auto data = nlohmann::ordered_json::array();
    for (const auto& one : found->branches) data.push_back(to_json(one, branch::expired(one.mark, context.started)));
    invocation.out << io::to_line(data) << '\n';
    return ExitStatus::passed;
  }
  if (found->branches.empty()) invocation.err << "there are no branches of this repository\n";
  for (const auto& one : found->branches) {
    const OwnerMark& mark = one.mark;
    const std::string place = one.file.empty() ? fmt::format("{}", fmt::join(one.schemas, ", ")) : one.file.string();
    invocation.out << fmt::format("{:<24} {:<20} {:<7} until {}{}  {}\n", report::terminal_line(mark.branch),
                                  report::terminal_line(owner(mark), 40), report::terminal_line(mark.head.substr(0, 7)),
                                  report::terminal_line(mark.expires),
                                  branch::expired(mark, context.started) ? " (over)" : "",
                                  report::terminal_line(place, 200));
  }
  return ExitStatus::passed;
}

}  // namespace offshoot::app
