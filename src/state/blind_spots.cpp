// SPDX-License-Identifier: Apache-2.0
#include "state/blind_spots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace offshoot::state {

namespace {

/// Names that a note tells; the others are counted.
constexpr std::size_t names_told = 5;

constexpr std::string_view prefix = "dbt does not count this: ";

using Names = std::set<std::string>;

bool in_name(char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether `name` stands in `text` as a whole word.
bool names_it(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !in_name(text[at - 1])) && (end == text.size() || !in_name(text[end]))) return true;
  }
  return false;
}

std::string_view name_of(std::string_view unique_id) { return unique_id.substr(unique_id.rfind('.') + 1); }

/// The name under which adapter.dispatch calls a macro: "merge_sql" of "duckdb__merge_sql".
std::string_view dispatched_name(std::string_view name) {
  const std::size_t at = name.find("__");
  return at == std::string_view::npos || at == 0 ? name : name.substr(at + 2);
}

bool names_relations(std::string_view macro) {
  const std::string_view name = dispatched_name(macro);
  return name == "generate_schema_name" || name == "generate_database_name" || name == "generate_alias_name";
}

/// The materialization that a macro defines for this adapter: "table" of "materialization_table_default".
std::optional<std::string> materialization_of(std::string_view macro, std::string_view adapter) {
  constexpr std::string_view begin = "materialization_";
  if (!macro.starts_with(begin)) return std::nullopt;
  for (const std::string_view end : {std::string_view("default"), adapter}) {
    if (!macro.ends_with(end) || macro.size() <= begin.size() + end.size() + 1) continue;
    return std::string(macro.substr(begin.size(), macro.size() - begin.size() - end.size() - 1));
  }
  return std::nullopt;
}

/// The SQL of a node's own hooks.
std::string hooks_of(const Manifest& manifest, const Entry& entry) {
  std::string all;
  for (const std::string_view key : {"pre-hook", "post-hook"}) {
    const std::optional<Value> hooks = decode(member(manifest.raw(entry, Field::config), key));
    for (const Value& hook : hooks ? hooks->items : std::vector<Value>{}) {
      const Value* sql = hook.find("sql");
      all += (sql == nullptr ? hook.text : sql->text) + "\n";
    }
  }
  return all;
}

/// Who uses a macro that dbt sees no use of.
struct Uses {
  Names nodes;  ///< that are not selected
  bool any = false;
};

class BlindSpots {
 public:
  BlindSpots(const Manifest& base, const Manifest& head, const Comparison& comparison, const NodeSet& selected)
      : base_(base), head_(head), unseen_(comparison.unseen_macros()), selected_(selected) {
    if (!unseen_.empty()) find_materializations();
  }

  std::vector<std::string> take(const FileChanged& file_changed) {
    for (const std::string_view id : unseen_) tell_macro(id);
    if (!unused_.empty()) say("macros changed that nothing in the project calls: {}", some_of(unused_));
    tell_run_hooks();
    tell_large_seeds(file_changed);
    return std::move(notes_);
  }

 private:
  template <class... Parts>
  void say(fmt::format_string<Parts...> sentence, Parts&&... parts) {
    notes_.push_back(std::string(prefix) + fmt::format(sentence, std::forward<Parts>(parts)...));
  }

  /// For each macro that a materialization leads to, which those are.
  void find_materializations() {
    for (const Entry& macro : head_.macros()) {
      const auto materialization = materialization_of(name_of(macro.unique_id), head_.adapter_type());
      if (!materialization) continue;
      std::vector<std::string> open{std::string(macro.unique_id)};
      Names seen;
      while (!open.empty()) {
        const std::string id = std::move(open.back());
        open.pop_back();
        const Entry* called = head_.find_macro(id);
        if (called == nullptr || !seen.insert(id).second) continue;
        if (called != &macro) within_[id].insert(*materialization);
        for (auto& next : head_.depends_on(*called, "macros")) {
          if (next) open.push_back(std::move(*next));
        }
      }
    }
  }

  void tell_macro(std::string_view id) {
    const Entry* now = head_.find_macro(id);
    const Entry* old = base_.find_macro(id);
    const std::string_view name = name_of(id);
    const std::string file =
        now != nullptr ? head_.text(*now, Field::original_file_path) : base_.text(*old, Field::original_file_path);
    const std::string_view what = now == nullptr ? "is gone" : old == nullptr ? "is new" : "changed";
    if (const auto materialization = materialization_of(name, head_.adapter_type())) {
      const Uses uses = uses_of_materializations({*materialization});
      if (!uses.nodes.empty()) {
        return say("the materialization {} ({}) {}, which builds {}", *materialization, file, what, list(uses));
      }
      if (uses.any) return;
    }
    if (names_relations(name)) {
      return say("the macro {} ({}) {}, which names schemas, databases or relations", name, file, what);
    }
    if (const auto within = within_.find(std::string(id)); within != within_.end()) {
      const Uses uses = uses_of_materializations(within->second);
      if (!uses.nodes.empty()) {
        return say("the macro {} ({}) {}, which only materializations call ({}); they build {}", name, file, what,
                   some_of({within->second.begin(), within->second.end()}), list(uses));
      }
      if (uses.any) return;
    }
    if (tell_mentions(id, name, file, what)) return;
    // A new macro that nobody calls has no part in anything.
    if (old != nullptr) unused_.push_back(fmt::format("{} ({})", name, file));
  }

  /// Where the macro's name stands though no call of it is known. False = nowhere.
  bool tell_mentions(std::string_view id, std::string_view name, const std::string& file, std::string_view what) {
    const std::string_view called = dispatched_name(name);
    Uses run_hooks, hooks, code;
    for (std::size_t i = 0; i < head_.nodes().size(); ++i) {
      const Entry& entry = head_.nodes()[i];
      const bool in_code = names_it(head_.text(entry, Field::raw_code), called);
      if (entry.unique_id.starts_with("operation.")) {
        if (in_code) run_hooks.nodes.insert(std::string(name_of(entry.unique_id)));
      } else if (in_code) {
        note_use(code, i);
      } else if (names_it(hooks_of(head_, entry), called)) {
        note_use(hooks, i);
      }
    }
    for (const Entry& macro : head_.macros()) {
      if (macro.unique_id == id || !names_it(head_.text(macro, Field::macro_sql), called)) continue;
      const std::string other = head_.text(macro, Field::original_file_path);
      code.any = true;
      code.nodes.insert(fmt::format("{} ({})", name_of(macro.unique_id), other));
    }
    if (!run_hooks.nodes.empty()) {
      say("the macro {} ({}) {}, which hooks of the whole run call: {}", name, file, what, list(run_hooks));
    } else if (!hooks.nodes.empty()) {
      say("the macro {} ({}) {}, which hooks name without a call that dbt sees: {}", name, file, what, list(hooks));
    } else if (!code.nodes.empty()) {
      say("the macro {} ({}) {}, which is passed as a value, or named in a string: {}", name, file, what, list(code));
    }
    return !run_hooks.nodes.empty() || hooks.any || code.any;
  }

  void note_use(Uses& uses, std::size_t node) const {
    uses.any = true;
    const Entry& entry = head_.nodes()[node];
    if (!selected_.contains(static_cast<NodeIndex>(node))) uses.nodes.insert(std::string(name_of(entry.unique_id)));
  }

  [[nodiscard]] Uses uses_of_materializations(const Names& materializations) const {
    Uses uses;
    for (std::size_t i = 0; i < head_.nodes().size(); ++i) {
      const auto used = decode_string(member(head_.raw(head_.nodes()[i], Field::config), "materialized"));
      if (used && materializations.contains(*used)) note_use(uses, i);
    }
    return uses;
  }

  static std::string list(const Uses& uses) { return some_of({uses.nodes.begin(), uses.nodes.end()}); }

  /// on-run-start and on-run-end are compared by dbt and never selected.
  void tell_run_hooks() {
    std::map<std::string, std::string> hooks;  // name and file of those that differ
    const auto look = [&](const Manifest& here, const Manifest& there) {
      for (const Entry& entry : here.nodes()) {
        if (!entry.unique_id.starts_with("operation.")) continue;
        const Entry* other = there.find_node(entry.unique_id);
        if (other != nullptr && here.text(entry, Field::raw_code) == there.text(*other, Field::raw_code)) continue;
        hooks.emplace(name_of(entry.unique_id), here.text(entry, Field::original_file_path));
      }
    };
    look(head_, base_);
    look(base_, head_);
    for (const auto& [name, file] : hooks) say("the hook {} ({}) changed, which runs with every build", name, file);
  }

  /// Seeds that are too large for dbt's hash are compared by path.
  void tell_large_seeds(const FileChanged& file_changed) {
    const auto by_path = [](const Manifest& manifest, const Entry& entry) {
      return member(manifest.raw(entry, Field::checksum), "name") == "\"path\"";
    };
    std::vector<std::string> unknown;
    for (std::size_t i = 0; i < head_.nodes().size(); ++i) {
      const Entry& entry = head_.nodes()[i];
      const Entry* old = base_.find_node(entry.unique_id);
      if (old == nullptr || selected_.contains(static_cast<NodeIndex>(i))) continue;
      if (kind_of(head_, entry) != Kind::seed || !by_path(head_, entry) || !by_path(base_, *old)) continue;
      const std::string file = head_.text(entry, Field::original_file_path);
      if (!file_changed) {
        unknown.push_back(fmt::format("{} ({})", name_of(entry.unique_id), file));
      } else if (file_changed(head_.text(entry, Field::package_name), file)) {
        say("rows of the seed {} ({}) changed; it is too large for dbt to hash and is compared by its path",
            name_of(entry.unique_id), file);
      }
    }
    if (unknown.empty()) return;
    notes_.push_back(
        fmt::format("seeds too large for dbt to hash, so a change of their rows is not seen: {}", some_of(unknown)));
  }

  const Manifest& base_;
  const Manifest& head_;
  std::vector<std::string_view> unseen_;
  const NodeSet& selected_;
  std::map<std::string, Names> within_;  ///< macros by unique id: the materializations that lead to them
  std::vector<std::string> unused_;
  std::vector<std::string> notes_;
};

}  // namespace

std::string some_of(const std::vector<std::string>& names) {
  const std::size_t told = std::min(names.size(), names_told);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(told), ", "));
  return names.size() == told ? text : fmt::format("{} and {} more", text, names.size() - told);
}

std::vector<std::string> blind_spots(const Manifest& base, const Manifest& head, const Comparison& comparison,
                                     const NodeSet& selected, const FileChanged& file_changed) {
  return BlindSpots(base, head, comparison, selected).take(file_changed);
}

}  // namespace offshoot::state
