// SPDX-License-Identifier: Apache-2.0
// Why nodes are selected: that each reason can be shown, and what dbt does not count.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "long_form.hpp"
#include "state/selection.hpp"
#include "state_builder.hpp"

namespace offshoot::state::test {
namespace {

Ids strings(const json& list) { return list.get<Ids>(); }

bool holds(const Ids& list, const std::string& item) { return std::find(list.begin(), list.end(), item) != list.end(); }

/// Random projects: models, tests and sources that read earlier ones, macros that call earlier ones.
class Project {
 public:
  explicit Project(unsigned seed) : random_(seed) {
    for (int i = 0; i < 6; ++i) {
      base.add_macro("m" + std::to_string(i), some(macros_));
      macros_.push_back("macro.shop.m" + std::to_string(i));
    }
    base.add("source.shop.raw");
    parents_ = {"source.shop.raw"};
    for (int i = 0; i < 14; ++i) {
      const std::string name = std::to_string(i);
      const std::string id = (i % 5 == 4 ? "snapshot.shop.n" : i == 0 ? "seed.shop.n" : "model.shop.n") + name;
      base.add(id, i == 0 ? Ids{} : some(parents_), some(macros_));
      if (chance(3)) base.add("test.shop.t" + name, {id})["test_metadata"] = {{"name", "unique"}};
      if (chance(4)) base.add("unit_test.shop.u" + name, {id});
      if (i != 0 && chance(4)) base[id]["config"]["materialized"] = "ephemeral";
      parents_.push_back(id);
    }
    base.add("exposure.shop.e", some(parents_));
    head = base;
    for (int i = 0; i < 3; ++i) change();
  }

  Builder base, head;

 private:
  bool chance(int in) { return std::uniform_int_distribution<int>(1, in)(random_) == 1; }
  const std::string& one_of(const Ids& all) {
    return all[std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random_)];
  }
  Ids some(const Ids& all) {
    std::set<std::string> chosen;
    for (std::size_t i = 0; !all.empty() && i < 2; ++i) {
      if (!chance(3)) chosen.insert(one_of(all));
    }
    return {chosen.begin(), chosen.end()};
  }
  void change() {
    const std::string& id = one_of(parents_);
    switch (std::uniform_int_distribution<int>(0, 5)(random_)) {
      case 0:
        head[one_of(macros_)]["macro_sql"] = "changed";
        break;
      case 1:
        head.add("model.shop.new", {id});
        break;
      case 2:
        head[id]["unrendered_config"]["meta"] = {{"owner", "ada"}};
        break;
      case 3:
        head[id]["unrendered_config"]["schema"] = "other";
        break;
      case 4:
        head[id]["fqn"] = {"shop", "folder", "x"};
        break;
      default:
        if (id.starts_with("seed.")) {
          head[id]["checksum"]["checksum"] = "2";
        } else {
          head[id]["raw_code"] = "select 2";
        }
    }
  }

  std::mt19937 random_;
  Ids macros_, parents_;
};

/// Checks every reason of one selection against the manifests.
class Checker {
 public:
  Checker(Builder base, Builder head) : base_(std::move(base)), head_(std::move(head)) {
    for (const std::string& id : ids_of(base_, head_, "state:modified", IndirectSelection::empty)) modified_.insert(id);
  }

  void check(const PlannedNode& node) {
    ASSERT_FALSE(node.reasons.empty()) << node.unique_id;
    for (const Reason& reason : node.reasons) check(node.unique_id, reason);
  }

 private:
  void check(const std::string& id, const Reason& reason) {
    const std::string what = id + ", reason " + std::to_string(static_cast<int>(reason.kind)) + " " + reason.detail;
    switch (reason.kind) {
      case ReasonKind::added:
        EXPECT_TRUE(base_[id].is_null()) << what;
        break;
      case ReasonKind::body:
        EXPECT_TRUE(base_[id]["raw_code"] != head_[id]["raw_code"] || base_[id]["checksum"] != head_[id]["checksum"])
            << what;
        break;
      case ReasonKind::configs:
      case ReasonKind::relation:
      case ReasonKind::properties:
        EXPECT_NE(reason.detail.find(" -> "), std::string::npos) << what;
        EXPECT_TRUE(modified_.contains(id)) << what;
        break;
      case ReasonKind::macros:
        check_macros(id, reason, what);
        break;
      case ReasonKind::upstream:
        ASSERT_FALSE(reason.path.empty()) << what;
        EXPECT_TRUE(modified_.contains(reason.path.front())) << what;
        EXPECT_EQ(reason.detail, head_[reason.path.front()]["name"].get<std::string>()) << what;
        check_way(id, reason.path, what);
        break;
      case ReasonKind::test_of:
        ASSERT_FALSE(reason.path.empty()) << what;
        EXPECT_EQ(reason.detail, head_[reason.path.back()]["name"].get<std::string>()) << what;
        check_way(id, reason.path, what);
        break;
      default:
        ADD_FAILURE() << "nothing but state was asked for: " << what;
    }
  }

  void check_way(const std::string& id, const Ids& path, const std::string& what) {
    for (std::size_t i = 0; i < path.size(); ++i) {
      const std::string& reader = i + 1 < path.size() ? path[i + 1] : id;
      EXPECT_TRUE(holds(strings(head_[reader]["depends_on"]["nodes"]), path[i])) << what << ": " << path[i];
    }
  }

  /// The first of the path changed, each is called by the next, the last by the node.
  void check_macros(const std::string& id, const Reason& reason, const std::string& what) {
    ASSERT_FALSE(reason.path.empty()) << what;
    EXPECT_NE(base_[reason.path.front()]["macro_sql"], head_[reason.path.front()]["macro_sql"]) << what;
    EXPECT_EQ(reason.detail, head_[reason.path.front()]["name"].get<std::string>()) << what;
    for (std::size_t i = 0; i < reason.path.size(); ++i) {
      const std::string& caller = i + 1 < reason.path.size() ? reason.path[i + 1] : id;
      EXPECT_TRUE(holds(strings(head_[caller]["depends_on"]["macros"]), reason.path[i])) << what;
    }
  }

  Builder base_, head_;
  std::set<std::string> modified_;
};

TEST(Reasons, EverySelectedNodeHasOneWhoseCauseCanBeShown) {
  const unsigned runs = offshoot::tests::cases(300, 17);
  std::size_t nodes = 0;
  std::map<ReasonKind, std::size_t> kinds;
  for (unsigned seed = 0; seed < runs && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Project project(seed);
    const Result<Selection> selection = selected(project.base, project.head);
    ASSERT_TRUE(selection) << selection.error().why;
    Checker checker(project.base, project.head);
    for (const PlannedNode& node : selection->selected) {
      checker.check(node);
      ++nodes;
      for (const Reason& reason : node.reasons) ++kinds[reason.kind];
    }
  }
  EXPECT_GT(nodes, runs);
  EXPECT_EQ(kinds.size(), 8U) << "each kind of reason that state:modified+ can give was met";
}

TEST(LeftOut, WhatFormattingKeepsOutIsToldNodeByNode) {
  Builder base;
  base.add_macro("m");
  base.add("model.shop.a");
  base.add("model.shop.b", {"model.shop.a"});
  base.add("test.shop.t", {"model.shop.b"})["test_metadata"] = {{"name", "unique"}};
  base.add("model.shop.c", {}, {"macro.shop.m"});
  base.add("model.shop.d");
  Builder head = base;
  head["model.shop.a"]["raw_code"] = "select 1 as a  ";
  head["macro.shop.m"]["macro_sql"] = base["macro.shop.m"]["macro_sql"].get<std::string>() + " ";
  head["model.shop.d"]["raw_code"] = "select 2";
  SelectRequest request;
  request.same_code = [](std::string_view before, std::string_view after) {
    const auto trimmed = [](std::string_view text) { return text.substr(0, text.find_last_not_of(' ') + 1); };
    return trimmed(before) == trimmed(after);
  };
  const Result<Selection> selection = selected(base, head, request);
  ASSERT_TRUE(selection);
  EXPECT_EQ(ids(selection->selected), Ids{"model.shop.d"});
  EXPECT_EQ(selection->as_dbt, ids_of(base, head, "state:modified+"));
  const std::vector<LeftOut> expected = {
      {"model.shop.a", "only its comments and whitespace changed"},
      {"model.shop.b", "below a, of which only comments and whitespace changed"},
      {"model.shop.c", "only comments and whitespace of the macro m changed"},
      {"test.shop.t", "tests b, which is left out"},
  };
  EXPECT_EQ(selection->left_out, expected);
}

/// The notes for a project whose macros change as `change` says.
std::vector<std::string> notes_of(const Builder& base, const Builder& head, const SelectRequest& request = {}) {
  const Result<Selection> selection = selected(base, head, request);
  return selection ? selection->notes : Ids{"error: " + selection.error().why};
}

TEST(BlindSpots, MaterializationsAndWhatOnlyTheyCallNameWhatTheyBuild) {
  Builder base;
  base.add("model.shop.a")["config"]["materialized"] = "fancy";
  base.add_macro("inner");
  base.add_macro("materialization_fancy_duckdb", {"macro.shop.inner"});
  base.add_macro("materialization_fancy_snowflake");
  Builder head = base;
  head["macro.shop.inner"]["macro_sql"] = "changed";
  head["macro.shop.materialization_fancy_duckdb"]["macro_sql"] = "changed";
  const Ids both = {
      "dbt does not count this: the macro inner (macros/inner.sql) changed, which only materializations call (fancy); "
      "they build a",
      "dbt does not count this: the materialization fancy (macros/materialization_fancy_duckdb.sql) changed, which "
      "builds a"};
  EXPECT_EQ(notes_of(base, head), both);
  head["model.shop.a"]["raw_code"] = "select 2";
  EXPECT_EQ(notes_of(base, head), Ids{}) << "what they build is built anyway";
}

TEST(BlindSpots, MacrosThatHooksCallOrThatArePassedAsValues) {
  Builder base;
  base.add("model.shop.a")["config"]["post-hook"] = {{{"sql", "{{ mark() }}"}, {"transaction", true}}};
  base.add("model.shop.b")["raw_code"] = "select {{ apply(duckdb__given) }}";
  base.add("model.shop.c")["raw_code"] = "select remarks";
  for (const char* name : {"mark", "given", "unused"}) base.add_macro(name);
  Builder head = base;
  for (const char* name : {"mark", "unused"}) head["macro.shop." + std::string(name)]["macro_sql"] = "changed";
  head.add_macro("duckdb__given");
  head.add_macro("brand_new");
  const Ids expected = {
      "dbt does not count this: the macro duckdb__given (macros/duckdb__given.sql) is new, which is passed as a value, "
      "or named in a string: given (macros/given.sql)",
      "dbt does not count this: the macro mark (macros/mark.sql) changed, which hooks name without a call that dbt "
      "sees: a",
      "dbt does not count this: macros changed that nothing in the project calls: unused (macros/unused.sql)"};
  EXPECT_EQ(notes_of(base, head), expected);
}

TEST(BlindSpots, LargeSeedsAreToldWhereTheirRowsMayHaveChanged) {
  Builder base;
  base.add("seed.shop.big")["checksum"] = {{"name", "path"}, {"checksum", "seeds/big.csv"}};
  EXPECT_EQ(notes_of(base, base),
            Ids{"seeds too large for dbt to hash, so a change of their rows is not seen: big (models/big.sql)"});
  SelectRequest request;
  request.file_changed = [](std::string_view, std::string_view) { return false; };
  EXPECT_EQ(notes_of(base, base, request), Ids{});
  request.file_changed = [](std::string_view package, std::string_view path) {
    return package == "shop" && path == "models/big.sql";
  };
  EXPECT_EQ(notes_of(base, base, request),
            Ids{"dbt does not count this: rows of the seed big (models/big.sql) changed; it is too large for dbt to "
                "hash and is compared by its path"});
}

}  // namespace
}  // namespace offshoot::state::test
