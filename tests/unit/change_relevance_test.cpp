// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "change/relevance.hpp"
#include "change/repository.hpp"
#include "change_git.hpp"

namespace offshoot::change {
namespace {

/// Two sides as plain text, and what changed between them.
class Sides {
 public:
  Sides& file(const std::string& path, std::optional<std::string> before, std::optional<std::string> after) {
    ChangedFile changed{.path = path};
    if (!before) changed.status = FileStatus::added;
    if (!after) changed.status = FileStatus::deleted;
    if (before) base_[path] = *before;
    if (after) head_[path] = *after;
    return file(changed);
  }

  Sides& file(ChangedFile changed) {
    change_.files.push_back(std::move(changed));
    return *this;
  }

  Sides& renamed(const std::string& from, const std::string& to, const std::string& text) {
    base_[from] = text;
    head_[to] = text;
    return file({.path = to, .old_path = from, .status = FileStatus::renamed});
  }

  [[nodiscard]] Relevance sort(const ProjectLayout& layout = {}, bool skip_formatting = true) const {
    return relevance(change_, layout, reader(base_), reader(head_), {Dialect::duckdb, skip_formatting});
  }

 private:
  using Texts = std::map<std::string, std::string, std::less<>>;

  static ReadBytes reader(const Texts& texts) {
    return [&texts](std::string_view path) -> std::optional<std::string> {
      const auto found = texts.find(path);
      return found == texts.end() ? std::nullopt : std::optional(found->second);
    };
  }

  Change change_;
  Texts base_;
  Texts head_;
};

/// Why one edited file is idle; "relevant" when it is not.
std::string why_idle(const std::string& path, const ProjectLayout& layout = {}, const std::string& before = "a",
                     const std::string& after = "b") {
  const Relevance result = Sides().file(path, before, after).sort(layout);
  EXPECT_EQ(result.relevant.size() + result.idle.size(), 1U);
  return result.idle.empty() ? "relevant" : result.idle[0].because;
}

TEST(Relevance, WhatDbtReadsIsRelevant) {
  for (const std::string path : {"models/a.sql",
                                 "models/deep/er/a.py",
                                 "models/schema.yml",
                                 "models/schema.YAML",
                                 "macros/m.sql",
                                 "seeds/s.csv",
                                 "snapshots/s.sql",
                                 "tests/t.sql",
                                 "tests/generic/g.sql",
                                 "tests/fixtures/f.csv",
                                 "analyses/x.sql",
                                 "functions/f.sql",
                                 "dbt_packages/p/models/a.sql",
                                 "dbt_project.yml",
                                 "packages.yml",
                                 "dependencies.yml",
                                 "package-lock.yml",
                                 "selectors.yml",
                                 "profiles.yml",
                                 ".dbtignore",
                                 ".env",
                                 "models/\xff\n.sql"}) {
    EXPECT_EQ(why_idle(path), "relevant") << path;
  }
}

TEST(Relevance, WhatDbtDoesNotReadIsIdleWithItsReason) {
  EXPECT_EQ(why_idle("README.md"), "documentation");
  EXPECT_EQ(why_idle("models/README.md"), "documentation");
  EXPECT_EQ(why_idle("LICENSE"), "ignored by dbt");
  EXPECT_EQ(why_idle("models/notes.txt"), "ignored by dbt");
  EXPECT_EQ(why_idle("models/.hidden.sql"), "ignored by dbt");
  EXPECT_EQ(why_idle("models/~lock.sql"), "ignored by dbt");
  EXPECT_EQ(why_idle("models/#save.sql"), "ignored by dbt");
  EXPECT_EQ(why_idle("scripts/x.sql"), "ignored by dbt");
  EXPECT_EQ(why_idle("modelsx/a.sql"), "ignored by dbt");
  EXPECT_EQ(why_idle("models.sql"), "ignored by dbt");
  EXPECT_EQ(why_idle("target/manifest.json"), "written by dbt");
  EXPECT_EQ(why_idle("logs/dbt.log"), "written by dbt");
  EXPECT_EQ(why_idle(".sqlfluff"), "sqlfluff settings: lint only");
  EXPECT_EQ(why_idle("models/.sqlfluff"), "sqlfluff settings: lint only");
  EXPECT_EQ(why_idle("models/deep/.sqlfluffignore"), "sqlfluff settings: lint only");
  EXPECT_EQ(why_idle("assets/a.png", {.asset_paths = {"assets"}}), "documentation");
}

TEST(Relevance, F5_AProjectInAFolderOfAMonorepo) {
  ProjectLayout layout;
  layout.project_dir = "analytics/dbt/";
  EXPECT_EQ(why_idle("analytics/dbt/models/a.sql", layout), "relevant");
  EXPECT_EQ(why_idle("analytics/dbt/dbt_project.yml", layout), "relevant");
  EXPECT_EQ(why_idle("analytics/dbt/setup.py", layout), "ignored by dbt");
  EXPECT_EQ(why_idle("models/a.sql", layout), "outside the dbt project");
  EXPECT_EQ(why_idle("dbt_project.yml", layout), "outside the dbt project");
  EXPECT_EQ(why_idle("analytics/dbt2/models/a.sql", layout), "outside the dbt project");
  EXPECT_EQ(why_idle("README.md", layout), "outside the dbt project");
  EXPECT_EQ(why_idle("other/.sqlfluff", layout), "sqlfluff settings: lint only");
  EXPECT_EQ(why_idle("analytics/.env", layout), "relevant") << "dbt reads .env upward";
  EXPECT_EQ(why_idle("other/.env", layout), "outside the dbt project");
}

TEST(Relevance, PathsOutsideOfTheProjectFolder) {
  ProjectLayout layout;
  layout.project_dir = "dbt";
  layout.macro_paths = {"macros", "../shared_macros"};
  layout.local_packages = {"../packages/utils"};
  layout.profiles_dirs = {"ci/profiles"};
  layout.linked_places = {"common/models"};
  layout.model_paths = {"models", "../../elsewhere"};
  EXPECT_EQ(why_idle("shared_macros/m.sql", layout), "relevant");
  EXPECT_EQ(why_idle("shared_macros/m.txt", layout), "ignored by dbt");
  EXPECT_EQ(why_idle("packages/utils/whatever/m.sql", layout), "relevant");
  EXPECT_EQ(why_idle("packages/utils/dbt_project.yml", layout), "relevant");
  EXPECT_EQ(why_idle("packages/utils/README.md", layout), "documentation");
  EXPECT_EQ(why_idle("packages/other/m.sql", layout), "outside the dbt project");
  EXPECT_EQ(why_idle("ci/profiles/profiles.yml", layout), "relevant");
  EXPECT_EQ(why_idle("ci/profiles.yml", layout), "outside the dbt project");
  EXPECT_EQ(why_idle("common/models/a.sql", layout), "relevant");
  EXPECT_EQ(why_idle("elsewhere/a.sql", layout), "outside the dbt project");
}

TEST(Relevance, AModelPathInTheOutputFolderIsStillRead) {
  EXPECT_EQ(why_idle("target/models/a.sql", {.model_paths = {"target/models"}}), "relevant");
}

TEST(Relevance, WhatAFileBeginsAndEndsWithIsStrippedAsDbtStripsIt) {
  const Sides sides = Sides()
                          .file("models/a.sql", "select 1 -- one", "\nselect 1 -- two\r\n\n")
                          .file("models/b.sql", "select 1 -- one", "select 1 -- one\n{# kept #}\n");
  EXPECT_EQ(sides.sort().relevant, std::vector<std::string>{"models/b.sql"});
}

TEST(Relevance, FormattingIsIdleOnlyWhenItIsSkipped) {
  const Sides sides = Sides()
                          .file("models/a.sql", "select 1 as a", "select\n  1 as a -- one\n , 2")
                          .file("models/b.sql", "select 1 as a", "-- words\nselect\n    1 as a\n")
                          .file("models/s.yml", "models: [{name: a}]", "# words\nmodels: [{name: a}]\n")
                          .file("dbt_project.yml", "name: x\nversion: '1'", "version: '1'\nname: x\n")
                          .file("models/p.py", "x = 1", "x  = 1")
                          .file("seeds/s.csv", "a,b", "a, b")
                          .file("macros/m.sql", "{% macro m() %} a {% endmacro %}", "{% macro m() %}a{% endmacro %}");
  const Relevance skipped = sides.sort();
  EXPECT_EQ(skipped.relevant, (std::vector<std::string>{"models/a.sql", "models/p.py", "seeds/s.csv", "macros/m.sql"}));
  ASSERT_EQ(skipped.idle.size(), 3U);
  EXPECT_EQ(skipped.idle[0], (IdleFile{"models/b.sql", "comments and whitespace only"}));
  EXPECT_EQ(skipped.idle[1].because, "comments, layout or order of keys only");
  EXPECT_EQ(skipped.idle[2].path, "dbt_project.yml");
  EXPECT_TRUE(sides.sort({}, false).idle.empty());
}

TEST(Relevance, DocsBlocksMakeMarkdownRelevant) {
  const std::string block = "{% docs a %} words {% enddocs %}";
  EXPECT_EQ(why_idle("models/d.md", {}, block, block + "x"), "relevant");
  EXPECT_EQ(why_idle("models/d.md", {}, block, "no more"), "relevant");
  EXPECT_EQ(why_idle("models/d.md", {}, "none yet", "{%- docs a -%}x{% enddocs %}"), "relevant");
  EXPECT_EQ(why_idle("docs/d.md", {}, block, "x"), "documentation");
  EXPECT_EQ(why_idle("docs/d.md", {.docs_paths = {"docs"}}, block, "x"), "relevant");
  const Relevance result = Sides()
                               .file("models/gone.md", block, std::nullopt)
                               .file("models/new.md", std::nullopt, block)
                               .file("models/plain.md", std::nullopt, "# Title")
                               .renamed("models/x.md", "models/y.md", "# Title")
                               .renamed("models/v.md", "models/w.md", block)
                               .file({.path = "models/unreadable.md"})
                               .sort();
  EXPECT_EQ(result.relevant,
            (std::vector<std::string>{"models/gone.md", "models/new.md", "models/w.md", "models/unreadable.md"}));
  EXPECT_EQ(result.idle.size(), 2U);
}

TEST(Relevance, F6_AddedDeletedAndRenamedFilesAreRelevant) {
  const Relevance result = Sides()
                               .file("models/new.sql", std::nullopt, "select 1")
                               .file("models/gone.sql", "select 1", std::nullopt)
                               .renamed("models/a.sql", "models/b.sql", "select 1")
                               .renamed("models/out.sql", "attic/out.sql", "select 1")
                               .renamed("attic/in.sql", "models/in.sql", "select 1")
                               .renamed("attic/a.sql", "attic/b.sql", "select 1")
                               .file("dbt_project.yml", "a: 1", std::nullopt)
                               .sort();
  EXPECT_EQ(result.relevant.size(), 6U);
  EXPECT_EQ(result.idle, std::vector<IdleFile>({{"attic/b.sql", "ignored by dbt"}}));
}

TEST(Relevance, F5_LinksSubmodulesAndModes) {
  const Relevance result =
      Sides()
          .file({.path = "models", .status = FileStatus::type_changed, .kind = EntryKind::symlink})
          .file({.path = "dbt/vendor", .kind = EntryKind::submodule})
          .file({.path = "dbt/models/l.sql", .status = FileStatus::added, .kind = EntryKind::symlink})
          .file({.path = "shared", .kind = EntryKind::submodule})
          .file({.path = "elsewhere/l", .kind = EntryKind::symlink})
          .file({.path = "dbt/models/m.sql", .status = FileStatus::mode_changed})
          .sort({.project_dir = "dbt", .macro_paths = {"../shared/macros"}});
  EXPECT_EQ(result.relevant, (std::vector<std::string>{"dbt/vendor", "dbt/models/l.sql", "shared"}));
  EXPECT_EQ(result.idle, (std::vector<IdleFile>{{"models", "outside the dbt project"},
                                                {"elsewhere/l", "outside the dbt project"},
                                                {"dbt/models/m.sql", "only its permissions changed"}}));
}

TEST(Relevance, M2_WhatCannotBeReadIsRelevant) {
  const Relevance result = Sides().file({.path = "models/a.sql"}).file({.path = "dbt_project.yml"}).sort();
  EXPECT_EQ(result.relevant.size(), 2U);
}

TEST(Relevance, WorksOnARealRepository) {
  const testing::GitFolder git;
  git.init();
  git.write("dbt/models/a.sql", "select 1 as a\n");
  git.write("dbt/models/b.sql", "select 1 as b\n");
  git.commit("one");
  git.git({"checkout", "-q", "-b", "feature"});
  git.write("dbt/models/a.sql", "-- words\nselect   1 as a\n");
  git.write("dbt/models/b.sql", "select 2 as b\n");
  git.write("README.md", "x");
  git.commit("two");
  const auto repository = Repository::open(git.path(), TrustOwner::no).value();
  const Change change = compare(repository, {}).value();
  const Relevance result = relevance(change, {.project_dir = "dbt"}, base_reader(repository, change),
                                     head_reader(repository, change), {.dialect = Dialect::duckdb});
  EXPECT_EQ(result.relevant, std::vector<std::string>{"dbt/models/b.sql"});
  EXPECT_EQ(result.idle, (std::vector<IdleFile>{{"README.md", "outside the dbt project"},
                                                {"dbt/models/a.sql", "comments and whitespace only"}}));
}

}  // namespace
}  // namespace offshoot::change
