// SPDX-License-Identifier: Apache-2.0
#include "flow/unselected_files.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace offshoot::flow {

namespace {

/// Collects what had a part in the selection: nodes, and the macros that they reach.
class Causes {
 public:
  Causes(const state::Selection& selection, const state::Manifest& head) : head_(head) {
    for (const auto& node : selection.selected) {
      for (const auto& reason : node.reasons) add(node, reason);
    }
    for (const auto& node : selection.removed) ids_.insert(node.unique_id);
  }

  [[nodiscard]] bool include_one_of(const state::FileContents& contents) const {
    if (descriptions_ && !contents.docs.empty()) return true;
    for (const auto* ids : {&contents.nodes, &contents.described, &contents.disabled, &contents.macros}) {
      if (std::ranges::any_of(*ids, [&](const std::string& id) { return ids_.contains(id); })) return true;
    }
    return false;
  }

 private:
  void add(const PlannedNode& node, const Reason& reason) {
    if (reason.kind == ReasonKind::upstream || reason.kind == ReasonKind::test_of) {
      if (!reason.path.empty()) ids_.insert(reason.path.front());
      return;
    }
    if (reason.kind == ReasonKind::persisted_descriptions) descriptions_ = true;
    ids_.insert(node.unique_id);
    if (const auto* entry = head_.find_node(node.unique_id)) add_macros(*entry);
  }

  void add_macros(const state::Entry& entry) {
    for (const auto& macro : head_.depends_on(entry, "macros")) {
      const auto* called = macro ? head_.find_macro(*macro) : nullptr;
      if (called != nullptr && ids_.insert(*macro).second) add_macros(*called);
    }
  }

  const state::Manifest& head_;
  std::set<std::string> ids_;
  bool descriptions_ = false;
};

/// Whether a file defines the same macros on both sides.
bool has_same_macros(const state::FileContents& old_contents, const state::FileContents& contents,
                     const state::Manifest& base, const state::Manifest& head) {
  return old_contents.macros == contents.macros && std::ranges::all_of(contents.macros, [&](const std::string& id) {
           const auto* old = base.find_macro(id);
           const auto* now = head.find_macro(id);
           return old != nullptr && now != nullptr &&
                  base.text(*old, state::Field::macro_sql) == head.text(*now, state::Field::macro_sql);
         });
}

std::string because_of(const state::FileContents& contents) {
  if (!contents.described.empty()) return "dbt counts no change in it: descriptions count only with persist_docs";
  if (!contents.nodes.empty()) return "dbt counts no change in it, or the selection leaves it out";
  if (!contents.macros.empty()) return "no node that is selected calls its macros";
  return contents.disabled.empty() ? "documentation" : "disabled";
}

}  // namespace

std::vector<IdleFile> unselected_files(const std::vector<std::string>& relevant, const std::string& project_dir,
                                       const state::Selection& selection, const state::Manifest& base,
                                       const state::Manifest& head) {
  const std::string folder = project_dir == "." ? "" : project_dir + "/";
  const Causes causes(selection, head);
  const state::FileIndex before(base);
  const state::FileIndex now(head);
  std::vector<IdleFile> unselected;
  for (const auto& path : relevant) {
    if (!path.starts_with(folder)) continue;
    const std::string_view in_project = std::string_view(path).substr(folder.size());
    const auto* old_contents = before.find(base.project_name(), in_project);
    const auto* contents = now.find(head.project_name(), in_project);
    // What nothing comes from is a setting: what that did cannot be told.
    if (contents == nullptr && old_contents == nullptr) continue;
    if (old_contents != nullptr && causes.include_one_of(*old_contents)) continue;
    if (contents != nullptr && causes.include_one_of(*contents)) continue;
    const bool only_macros = contents != nullptr && old_contents != nullptr && !contents->macros.empty() &&
                             contents->nodes.empty() && contents->described.empty();
    if (only_macros && has_same_macros(*old_contents, *contents, base, head)) {
      unselected.push_back({path, "dbt does not count this: text outside of its macros"});
    } else {
      unselected.push_back({path, because_of(contents != nullptr ? *contents : *old_contents)});
    }
  }
  return unselected;
}

}  // namespace offshoot::flow
