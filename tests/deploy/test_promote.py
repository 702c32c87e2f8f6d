# SPDX-License-Identifier: Apache-2.0
"""Deploys in mode promote: what a pull request's branch has built of the very tree is copied instead of built."""

import hashlib
import json
from pathlib import Path

import pytest

from conftest import Store

HEAVY = "select country, amount, version from {{ ref('totals') }} where amount > 0"
ROWS = {"orders": "select order_id, code, amount, version from store.orders order by 1",
        "countries": "select code, country from store_reference.countries order by 1",
        "totals": "select country, amount, version from store.totals order by 1",
        "heavy": "select country, amount, version from store.heavy order by 1",
        "daily": "select order_id, amount, version from store.daily order by 1"}


def check(store, expect=0, **environment):
    """The check of a feature branch that was cut from main and is up to date."""
    result = store.call("check", "--base", "main", "--no-lint", **environment)
    assert result.returncode == expect, result.stderr


def merge(store, **models):
    """A feature with these models, checked, and merged so that main has the very tree."""
    store.git("switch", "--quiet", "--create", "feature")
    store.commit("Feature", **models)
    check(store)
    into_main(store)


def into_main(store):
    store.git("switch", "--quiet", "main")
    store.git("merge", "--quiet", "--no-ff", "--message", "Merge", "feature")


def promotions(store):
    return {one["unique_id"].split(".")[-1]: "promoted" if one["from"] else one["because"] for one in store.run()["plan"]["value"]["promotions"]}


def rewrite_check(store, change):
    """As if the kept check had been another one: its run.json, and the checksum that goes with it."""
    [path] = [path for path in store.kept.glob("*/runs/*/*/run.json") if json.loads(path.read_text())["origin"]["command"] == "check"]
    run = json.loads(path.read_text())
    change(run)
    path.write_text(json.dumps(run))
    index = json.loads((path.parent / "index.json").read_text())
    for file in index["files"]:
        if file["name"] == "run.json":
            file |= {"size": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (path.parent / "index.json").write_text(json.dumps(index))


def in_branch(store, statement):
    """Does something in the branch's own tables, named as {place}."""
    branch = next(run["branch"]["value"] for run in reversed(store.runs()) if run["origin"]["command"] == "check")
    if store.postgres:
        return store.sql(statement.format(place=branch["name"]))
    import duckdb

    with duckdb.connect(branch["path"]) as connection:
        return connection.execute(statement.format(place="store"))


def version_2(store):
    text = (store.repository / "models/orders.sql").read_text()
    return text.replace("1 as version", "2 as version")


def test_L3_what_is_promoted_equals_a_build_in_place(store, tmp_path, offshoot):
    built = Store(tmp_path / "built", offshoot, store.postgres)
    for one in (store, built):
        one.deploy(mode="in-place")
        (one.repository / "seeds/countries.csv").write_text("code,country\nde,Germany\nfr,France\nit,Italy\n")
        if one.postgres:
            one.sql("create role bi_reader" if one is store else "select 1",
                    "alter default privileges in schema store grant select on tables to bi_reader",
                    "grant select on store_reference.countries to bi_reader", "comment on table store.daily is 'by hand'")
        merge(one, orders=version_2(one), heavy=HEAVY)
    store.deploy(mode="promote")
    built.deploy(mode="in-place")
    assert promotions(store) == {"orders": "promoted", "countries": "promoted", "heavy": "promoted",
                                 "totals": "it is materialized as view", "daily": "it is materialized as incremental"}
    for name, query in ROWS.items():
        assert store.sql(query) == built.sql(query), name
    results = {result["unique_id"].split(".")[2]: result for result in store.run()["build"]["value"]["results"]}
    assert results["orders"]["message"].startswith("promoted from ") and results["orders"]["status"] == "success"
    assert results["assert_totals"]["status"] == "pass", "what was promoted is tested as well"
    assert store.run()["deployment"]["value"]["mode"] == "promote"
    comment = max(store.kept.glob("*/runs/*/*/comment.md")).read_text()
    assert "3 promoted from a branch, 2 built" in comment and "built, because it is materialized as view" in comment
    if store.postgres:
        assert store.catalog() == built.catalog(), "grants, comments, indexes, owners or definitions differ"
        store.sql("drop owned by bi_reader")
        built.sql("drop owned by bi_reader", "drop role bi_reader")
    else:
        about = ("select table_name, comment from duckdb_tables() where schema_name = 'store' union all "
                 "select table_name || '.' || column_name, comment from duckdb_columns() where schema_name = 'store' order by 1")
        assert store.sql(about) == built.sql(about)
        assert ("orders", "One row per order.") in store.sql(about)
    before = store.git("rev-parse", "main~1")
    rolled_back = store.call("rollback", "--to", before)
    assert rolled_back.returncode == 0, rolled_back.stderr
    assert store.sql("select max(version) from store.orders") == [(1,)]


def test_L3_a_failing_test_on_what_is_promoted_leaves_production_as_it_was(store):
    store.deploy(mode="swap")
    merge(store, orders=version_2(store))
    in_branch(store, "update {place}.orders set amount = -100")
    before = store.fingerprint()
    result = store.deploy(mode="promote", expect=1)
    assert "assert_totals" in result.stderr
    assert promotions(store)["orders"] == "promoted", "these rows came from the branch"
    assert store.fingerprint() == before
    assert store.sql("select max(version), min(amount) from store.orders") == [(1, 10)]


@pytest.mark.parametrize("event_of_check", ["pull_request", "issue_comment"])
def test_a_pull_request_is_named_and_a_fork_that_was_approved_is_never_promoted(duck, tmp_path, event_of_check):
    duck.deploy()
    duck.git("switch", "--quiet", "--create", "feature")
    duck.commit("Feature", apart="select 2 as one")
    into_main(duck)
    head, base = duck.git("rev-parse", "feature"), duck.git("rev-parse", "main~1")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "repository": {"id": 7, "default_branch": "main"},
                                 "pull_request": {"number": 7, "state": "open", "head": {"sha": head, "ref": "feature", "repo": {"id": 7}},
                                                  "base": {"sha": base, "ref": "main", "repo": {"id": 7}}}}))
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY_ID": "7", "GITHUB_REPOSITORY": "acme/store"}
    checked = duck.call("check", "--no-lint", GITHUB_EVENT_NAME="pull_request", GITHUB_REF_NAME="7/merge", **actions)
    assert checked.returncode == 0, checked.stderr
    rewrite_check(duck, lambda run: run["origin"].update(event=event_of_check))
    event.write_text(json.dumps({"ref": "refs/heads/main", "repository": {"id": 7, "default_branch": "main"}}))
    result = duck.deploy(mode="promote", GITHUB_EVENT_NAME="push", GITHUB_REF_NAME="main", **actions)
    words = "promoted from pr-7" if event_of_check == "pull_request" else "whose head may come from another repository"
    assert f"apart: {'' if event_of_check == 'pull_request' else 'built, because '}" in result.stderr and words in result.stderr
    assert duck.sql("select one from store.apart") == [(2,)]


MINE = """{% materialization mine, default %}
  {%- call statement('main') -%} create table if not exists {{ this }} as ({{ sql }}) {%- endcall -%}
  {%- do adapter.commit() -%}
  {{ return({'relations': [this]}) }}
{% endmaterialization %}"""


def test_what_a_copy_would_not_be_is_built(pg):
    pg.sql("create role promoted_reader")
    pg.deploy()
    reasons = {"plain": "promoted",
               "prepared": "it has a pre-hook",
               "hooked": "it has a post-hook",
               "hooked_seed": "it has a post-hook",
               "granted": "it has grants",
               "contracted": "it has a contract",
               "growing": "it is materialized as incremental",
               "kept": "it is materialized as snapshot",
               "made": "it is materialized as mine",
               "above_made": "made, which it reads, is not as in the branch",
               "asks": "its compiled SQL is not the same in production",
               "below": "asks, which it reads, is not as in the branch",
               "named": "its compiled SQL may store the names of relations",
               "settled": "its settings is not the same in production",
               "through": "promoted",
               "defaulted": "it has a default, or a type of the branch",
               "secured": "it has row security in the branch",
               "seen": "it is no table in the branch"}
    (pg.repository / "models/contracted.yml").write_text(
        "models:\n  - name: contracted\n    config: {contract: {enforced: true}}\n    columns: [{name: one, data_type: int}]\n")
    (pg.repository / "snapshots").mkdir()
    (pg.repository / "snapshots/kept.sql").write_text(
        "{% snapshot kept %}{{ config(unique_key='one', strategy='check', check_cols='all') }} select 1 as one{% endsnapshot %}")
    (pg.repository / "macros").mkdir()
    (pg.repository / "macros/mine.sql").write_text(MINE)
    (pg.repository / "seeds/hooked_seed.csv").write_text("one\n1\n")
    (pg.repository / "seeds/seeds.yml").write_text("seeds:\n  - name: hooked_seed\n    config: {post_hook: select 1}\n")
    merge(pg, plain="select 1 as one",
          prepared="{{ config(pre_hook='select 1') }} select 1 as one",
          hooked="{{ config(post_hook='select 1') }} select 1 as one",
          granted="{{ config(grants={'select': ['promoted_reader']}) }} select 1 as one",
          contracted="select 1 as one",
          growing="{{ config(materialized='incremental') }} select 1 as one",
          made="{{ config(materialized='mine') }} select 1 as one",
          above_made="select one from {{ ref('made') }}",
          asks="select 1 as one {% if target.name != 'pg_prod' %} limit 1 {% endif %}",
          below="select one from {{ ref('asks') }}",
          named="select '{{ this }}' as one",
          settled="{{ config(meta={'of': target.name}) }} select 1 as one",
          between="{{ config(materialized='ephemeral') }} select one from {{ ref('plain') }}",
          through="select one from {{ ref('between') }}",
          defaulted="select 1 as one", secured="select 1 as one", seen="select 1 as one")
    in_branch(pg, "alter table {place}.defaulted alter one set default 7")
    in_branch(pg, "alter table {place}.secured enable row level security")
    in_branch(pg, "alter table {place}.seen rename to hidden")
    in_branch(pg, "create view {place}.seen as select * from {place}.hidden")
    pg.deploy(mode="promote")
    assert promotions(pg) == reasons
    for name in reasons:
        schema = "store_reference" if name == "hooked_seed" else "store"
        assert len(pg.sql(f"select * from {schema}.{name}")) == 1, name
    pg.sql("drop owned by promoted_reader", "drop role promoted_reader")


NOTE = """{% macro note(what) %}
  {%- do run_query("create table if not exists " ~ target.schema ~ ".notes (what text)") -%}
  {%- do run_query("insert into " ~ target.schema ~ ".notes values ('" ~ what ~ "')") -%}
{% endmacro %}"""


def test_what_writes_while_it_is_compiled_is_built_and_writes_once(duck):
    """dbt names no macro in the manifest that is called under `if execute`."""
    duck.deploy()
    (duck.repository / "macros").mkdir()
    (duck.repository / "macros/note.sql").write_text(NOTE)
    merge(duck, noted="{% if execute %}{% do note('table') %}{% endif %} select 2 as one",
          seen="{{ config(materialized='view') }} {% if execute %}{% do note('view') %}{% endif %} select 2 as one",
          between="{{ config(materialized='ephemeral') }} {% if execute %}{% do note('ephemeral') %}{% endif %} select 2 as one",
          through="select one from {{ ref('between') }}",
          above="select one from {{ ref('noted') }}",
          apart="select 2 as one")
    duck.deploy(mode="promote")
    writes = "it may run a statement while it is compiled"
    assert promotions(duck) == {"noted": writes, "seen": writes, "through": writes, "apart": "promoted",
                                "above": "noted, which it reads, is not as in the branch"}
    assert duck.sql("select what from store.notes order by 1") == [("ephemeral",), ("table",), ("view",)]


def test_a_macro_in_place_of_dbts_own_means_a_build(duck):
    """This one makes a table and counts it: a copy would not be counted."""
    duck.deploy()
    (duck.repository / "macros").mkdir()
    (duck.repository / "macros/count.sql").write_text(
        "{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) %}"
        "create table if not exists {{ target.schema }}.made (name text); "
        "insert into {{ target.schema }}.made values ('{{ relation.identifier }}'); "
        "create table {{ relation }} as ({{ compiled_code }}){% endmacro %}")
    merge(duck, apart="select 2 as one")
    duck.deploy(mode="promote")
    assert set(promotions(duck).values()) == {"the project makes relations in a way of its own: duckdb__create_table_as"}
    assert ("apart__dbt_tmp",) in duck.sql("select name from store.made")
    assert duck.sql("select one from store.apart") == [(2,)]


def test_a_login_of_production_that_may_not_read_the_branch_builds(pg):
    checker, deployer = f"{pg.database}_checker", f"{pg.database}_deployer"
    profiles = pg.repository / "profiles.yml"
    profiles.write_text(profiles.read_text() + "      user: \"{{ env_var('STORE_PG_DEPLOYER') }}\"\n")
    pg.commit("Two logins")
    for login in (checker, deployer):
        pg.sql(f"create role {login} login", f"grant create on database {pg.database} to {login}",
               f"grant usage on schema raw to {login}", f"grant select on raw.orders to {login}")
    pg.sql(f"alter default privileges for role {deployer} grant usage on schemas to {checker}",
           f"alter default privileges for role {deployer} grant select on tables to {checker}")
    pg.environment |= {"STORE_PG_USER": checker, "STORE_PG_DEPLOYER": deployer}
    pg.deploy()
    (pg.repository / "seeds/countries.csv").write_text("code,country\nde,Germany\nfr,France\nit,Italy\n")
    merge(pg, orders=version_2(pg), apart="select 2 as one", hidden="select 2 as one")
    in_branch(pg, f"grant usage on schema {{place}} to {deployer}")
    in_branch(pg, f"grant select on {{place}}.apart to {deployer}")
    in_branch(pg, f"grant select on {{place}}_reference.countries to {deployer}")
    pg.deploy(mode="promote")
    found = promotions(pg)
    unread = "the login may not read it in the branch"
    assert {name: found[name] for name in ("apart", "hidden", "orders", "countries")} == {
        "apart": "promoted", "hidden": unread, "orders": unread, "countries": unread}
    assert pg.sql("select (select one from store.apart), (select one from store.hidden)") == [(2, 2)]
    assert pg.sql("select version, count(*) from store.orders group by 1") == [(2, 2)]
    assert pg.sql("select count(*) from store_reference.countries") == [(3,)]
    assert {row[3] for row in pg.catalog() if not row[0].startswith("raw.")} == {deployer}
    for login in (checker, deployer):
        pg.sql(f"drop owned by {login} cascade", f"drop role {login}")


def test_a_branch_file_that_cannot_be_read_is_built(duck):
    duck.deploy()
    merge(duck, orders=version_2(duck), apart="select 2 as one")
    branch = next(run["branch"]["value"] for run in reversed(duck.runs()) if run["origin"]["command"] == "check")
    Path(branch["path"]).write_bytes(b"no database" * 1000)
    duck.deploy(mode="promote")
    assert "promoted" not in promotions(duck).values()
    assert "not a valid DuckDB database file" in promotions(duck)["apart"]
    assert duck.sql("select (select one from store.apart), (select max(version) from store.orders)") == [(2, 2)]


@pytest.mark.long_form
def test_where_all_is_made_anew_nothing_is_promoted(duck):
    merge(duck, apart="select 2 as one")
    duck.deploy("--select", "apart", mode="promote", STORE_PROD=str(duck.production.parent / "new.duckdb"))
    assert promotions(duck) == {"apart": "production's file does not exist yet"}
    duck.deploy("--select", "apart", "--full-refresh", mode="promote")
    assert promotions(duck) == {"apart": "a full refresh was asked for"}
    duck.deploy("--select", "apart", mode="promote")
    assert promotions(duck) == {"apart": "promoted"}
    rewrite_check(duck, lambda run: run["branch"]["value"].update(isolation="schema"))
    duck.deploy("--select", "apart", mode="promote")
    assert "lies where production's login cannot read it" in promotions(duck)["apart"]


@pytest.mark.long_form
def test_a_parent_that_was_deployed_since_is_not_what_the_branch_read(store):
    """The check reads orders in production; a deploy of it comes between."""
    store.deploy()
    merge(store, above="select max(amount) as most from {{ ref('orders') }}", apart="select 2 as one")
    store.sql("insert into raw.orders values (3, 'de', 300)")
    store.git("checkout", "--quiet", "main~1")
    store.deploy("--select", "orders")
    store.git("switch", "--quiet", "main")
    store.deploy(mode="promote")
    assert promotions(store) == {"above": "production was deployed to since the branch read orders there", "apart": "promoted"}
    assert store.sql("select most from store.above") == [(300,)]


@pytest.mark.long_form
def test_another_tree_or_a_branch_that_is_gone_is_built(store):
    store.deploy()
    store.git("switch", "--quiet", "--create", "feature")
    store.commit("Feature", apart="select 2 as one")
    check(store)
    store.git("switch", "--quiet", "main")
    store.commit("Meanwhile", other="select 1 as one")
    into_main(store)
    store.deploy(mode="promote")
    assert promotions(store) == {"apart": "no check of this tree is known", "other": "no check of this tree is known"}
    assert store.sql("select one from store.apart") == [(2,)]

    store.git("switch", "--quiet", "feature")
    store.git("merge", "--quiet", "main")
    first = store.commit("Again", apart="select 3 as one")
    check(store)
    store.commit("More", apart="select 4 as one")
    check(store)
    store.git("switch", "--quiet", "main")
    store.git("merge", "--quiet", "--no-ff", "--message", "Merge", first)
    store.deploy(mode="promote")
    assert "as the check left it" in promotions(store)["apart"], "the branch was built again, from another tree"
    assert store.sql("select one from store.apart") == [(3,)]

    store.git("merge", "--quiet", "--no-ff", "--message", "Merge", "feature")
    store.git("switch", "--quiet", "feature")
    assert store.call("clean").returncode == 0
    store.git("switch", "--quiet", "main")
    store.deploy(mode="promote")
    assert any(words in promotions(store)["apart"] for words in ("it was dropped", "not there any more"))
    assert store.sql("select one from store.apart") == [(4,)]


@pytest.mark.long_form
def test_what_read_sources_long_ago_is_built(duck):
    duck.deploy()
    merge(duck, orders=version_2(duck), apart="select 2 as one", heavy=HEAVY)

    def three_hours_ago(run):
        hour = int(run["started"][11:13])
        assert run["started"][13] == ":"
        run["started"] = run["started"][:11] + f"{hour - 3:02}" + run["started"][13:] if hour >= 3 else "2000-01-01T00:00:00Z"

    rewrite_check(duck, three_hours_ago)
    duck.deploy("--set", "deploy.promote_within=2h", mode="promote")
    found = promotions(duck)
    assert "more than 2 hours ago" in found["orders"] and "more than 2 hours ago" in found["heavy"]
    assert found["apart"] == "promoted", "it reads nothing that could have changed"


@pytest.mark.long_form
def test_hooks_of_the_whole_run_mean_a_build(duck):
    duck.deploy()
    project = duck.repository / "dbt_project.yml"
    project.write_text(project.read_text() + '\non-run-end: "select 1"\n')
    merge(duck, apart="select 2 as one")
    duck.deploy(mode="promote")
    assert promotions(duck) == {"apart": "the project has hooks of the whole run"}


def test_a_branch_elsewhere_or_of_another_repository_is_not_read(pg):
    pg.deploy()
    merge(pg, apart="select 2 as one")
    [(name, mark)] = pg.sql("select nspname, obj_description(oid, 'pg_namespace') from pg_namespace where nspname like 'offshoot\\_b\\_feature%'")
    pg.sql(f"comment on schema {name} is '{mark.replace(json.loads(mark)['repository_id'], 'another')}'")
    pg.deploy(mode="promote")
    assert "it was dropped, or is not as the check left it" in promotions(pg)["apart"]
    assert pg.sql("select one from store.apart") == [(2,)]
    for elsewhere in ({"database": "elsewhere"}, {"isolation": "database"}):
        rewrite_check(pg, lambda run: run["branch"]["value"].update(elsewhere))
        pg.deploy("--select", "apart", mode="promote")
        assert "lies where production's login cannot read it" in promotions(pg)["apart"]
        rewrite_check(pg, lambda run: run["branch"]["value"].update(database=pg.database))
