# SPDX-License-Identifier: Apache-2.0
"""The macro that gives a branch production's rows, for what dbt then goes on from."""

import pytest

from test_macros import MARK, duck, pg, warehouse  # noqa: F401 - fixtures

BRANCH, PROD = "shop_pr_7", "analytics"


@pytest.fixture
def branch(warehouse):  # noqa: F811
    warehouse.call("create_branch", schemas=[BRANCH], mark=MARK)
    warehouse.sql(f"create schema {PROD}")
    warehouse.database = warehouse.sql("select current_database()")[0][0]
    return warehouse


@pytest.fixture
def pg_branch(pg):  # noqa: F811
    pg.call("create_branch", schemas=[BRANCH], mark=MARK)
    pg.sql(f"create schema {PROD}", "drop role if exists reader", "create role reader")
    pg.database = pg.sql("select current_database()")[0][0]
    yield pg
    pg.sql(f"drop schema {PROD} cascade", f"drop schema {BRANCH} cascade", "drop role reader")


def clone(warehouse, *names):  # noqa: F811
    return warehouse.call("clone_relations", copies=[
        {"id": f"model.shop.{name}", "database": warehouse.database, "schema": PROD, "name": name, "to": BRANCH, "to_name": name}
        for name in names])


def test_a_branch_gets_productions_rows(branch):
    branch.sql(f"create table {PROD}.t (id int, name varchar)", f"insert into {PROD}.t values (1, 'Ada'), (2, null)")
    assert clone(branch, "t", "absent") == {"cloned": ["model.shop.t"], "left": []}
    assert branch.sql(f"select * from {BRANCH}.t order by 1") == [(1, "Ada"), (2, None)]
    branch.sql(f"insert into {BRANCH}.t values (3, 'Grace')")
    assert branch.sql(f"select count(*) from {PROD}.t") == [(2,)], "it is a copy"


def test_what_an_earlier_check_left_is_replaced(branch):
    branch.sql(f"create table {PROD}.t as select 1 as id")
    clone(branch, "t")
    branch.sql(f"create view {BRANCH}.reads as select id from {BRANCH}.t", f"insert into {BRANCH}.t values (2)",
               f"delete from {PROD}.t", f"insert into {PROD}.t values (3)")
    assert clone(branch, "t") == {"cloned": ["model.shop.t"], "left": []}
    assert branch.sql(f"select id from {BRANCH}.reads") == [(3,)], "a view of the branch goes on reading it"


def test_other_columns_of_an_earlier_check_are_replaced_as_well(branch):
    branch.sql(f"create table {PROD}.t as select 1 as id", f"create table {BRANCH}.t as select 'x' as more, 2 as id")
    assert clone(branch, "t") == {"cloned": ["model.shop.t"], "left": []}
    assert branch.sql(f"select * from {BRANCH}.t") == [(1,)]


def test_a_view_of_production_is_not_cloned(branch):
    branch.sql(f"create view {PROD}.v as select 1 as id")
    assert clone(branch, "v") == {"cloned": [], "left": [{"id": "model.shop.v", "why": "it is no table in production"}]}
    assert branch.sql(f"select count(*) from information_schema.tables where table_schema = '{BRANCH}' and table_name = 'v'") == [(0,)]


@pytest.mark.parametrize("statement, why", [
    (f"create trigger watch before update on {PROD}.t for each row execute function suppress_redundant_updates_trigger()",
     "it has a trigger (watch) in production"),
    (f"alter table {PROD}.t enable row level security", "it has row security in production"),
    (f"alter table {PROD}.t alter id set default 7", "it has a default, or a type of the branch"),
])
def test_what_a_copy_would_not_have_is_left_and_the_others_are_cloned(pg_branch, statement, why):
    pg_branch.sql(f"create table {PROD}.t as select 1 as id", f"create table {PROD}.u as select 2 as id", statement)
    assert clone(pg_branch, "t", "u") == {"cloned": ["model.shop.u"], "left": [{"id": "model.shop.t", "why": why}]}
    assert pg_branch.sql(f"select id from {BRANCH}.u") == [(2,)]


def test_what_something_outside_of_the_branch_reads_is_not_dropped(pg_branch):
    pg_branch.sql(f"create table {PROD}.t as select 1 as id", f"create table {BRANCH}.t as select 'x' as more",
                  f"create view {PROD}.leak as select * from {BRANCH}.t")
    answer = clone(pg_branch, "t")
    assert answer["cloned"] == []
    assert answer["left"][0]["why"].startswith("what stands in its place cannot be replaced: cannot drop table")
    assert pg_branch.sql(f"select * from {PROD}.leak") == [("x",)]


def test_a_login_that_may_only_read_production_is_enough(pg_branch):
    """The roles of docs/warehouses.md: the branch's makes schemas and reads production; whom production's tables are
    granted to does not come along."""
    pg_branch.sql(f"create table {PROD}.t (id int primary key)", f"insert into {PROD}.t values (1)",
                  f"create index t_id on {PROD}.t (id)", f"comment on column {PROD}.t.id is 'which'",
                  "drop role if exists branches", "create role branches login",
                  f"grant usage on schema {PROD} to branches", f"grant select on {PROD}.t to branches",
                  f"grant select on {PROD}.t to reader", f"alter schema {BRANCH} owner to branches")
    profile = pg_branch._common["profiles_dir"]
    try:
        pg_branch._common["profiles_dir"] = pg_branch.profile_of("branches")
        assert clone(pg_branch, "t") == {"cloned": ["model.shop.t"], "left": []}
        pg_branch.sql(f"revoke select on {PROD}.t from branches")
        assert clone(pg_branch, "t")["left"] == [{"id": "model.shop.t", "why": "the login may not read it in production"}]
    finally:
        pg_branch._common["profiles_dir"] = profile
        made = pg_branch.sql(
            f"select relowner::regrole::text, coalesce(relacl::text, ''), col_description(oid, 1), (select count(*) from pg_index where indrelid = c.oid)"
            f" from pg_class c where oid = to_regclass('{BRANCH}.t')")
        pg_branch.sql(f"alter schema {BRANCH} owner to current_user", "drop owned by branches cascade", "drop role branches")
    assert made == [("branches", "", "which", 2)]
