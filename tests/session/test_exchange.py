# SPDX-License-Identifier: Apache-2.0
"""The macros that replace production's relations: copies, the exchange, and what is dropped. L3, L6 of the requirements."""

import threading
import time

import pytest

from test_macros import Postgres

MARK = {"repository_id": 12, "branch": "shop_b_x", "pull_request": None}
STAGING, KEPT, PROD = "shop_b_x_prod", "shop_b_x_was_prod", "prod"


@pytest.fixture
def pg(session, postgres_warehouse, postgres_database):
    warehouse = Postgres(session, postgres_warehouse, postgres_database)
    for schema in (STAGING, KEPT, PROD, "bi"):
        warehouse.sql(f"drop schema if exists {schema} cascade")
    warehouse.sql("drop role if exists reader", "drop role if exists auditor", "create role reader", "create role auditor")
    warehouse.sql(f"create schema {PROD}", "create schema bi")
    warehouse.call("create_branch", schemas=[STAGING, KEPT], mark=MARK)
    yield warehouse
    for schema in ("bi", STAGING, KEPT, PROD):
        warehouse.sql(f"drop schema if exists {schema} cascade")
    warehouse.sql("drop role reader", "drop role auditor")


def exchange(pg, *names, views="create", fresh=True, **more):
    relations = [{"schema": PROD, "name": name, "from": STAGING, "to": KEPT, "fresh": fresh} for name in names]
    return pg.call("exchange_relations", relations=relations, views=views, mark=MARK, kept=[KEPT], staging=[STAGING], **more)


def test_K6_what_another_takes_away_cannot_be_exchanged_any_more(pg):
    """Fencing: who was stopped before its exchange finds nothing, and production is as it was."""
    pg.sql(f"create table {PROD}.t as select 1 as v", f"create table {STAGING}.t as select 2 as v")
    answer = pg.call("drop_unfinished_place", repository_id="12", branch=MARK["branch"])
    assert answer == {"status": "dropped", "dropped": [STAGING, KEPT]}
    with pytest.raises(AssertionError, match="Compilation Error in macro exchange_relations"):
        exchange(pg, "t")
    assert pg.sql(f"select v from {PROD}.t") == [(1,)]


def test_K6_an_exchange_that_has_happened_is_not_taken_away(pg):
    pg.sql(f"create table {PROD}.t as select 1 as v", f"create table {STAGING}.t as select 2 as v")
    relations = [{"schema": PROD, "name": "t", "from": STAGING, "to": KEPT, "fresh": True}]
    pg.call("exchange_relations", relations=relations, views="create", mark=MARK | {"head": "abc"}, kept=[KEPT], staging=[STAGING])
    assert pg.call("drop_unfinished_place", repository_id="12", branch=MARK["branch"]) == {"status": "finished"}
    assert pg.sql(f"select v from {KEPT}.t") == [(1,)]
    assert pg.call("drop_unfinished_place", repository_id="13", branch=MARK["branch"])["dropped"] == [], "another repository's"


def acl(pg, schema, name):
    rows = pg.sql(
        "select a.privilege_type, coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.is_grantable from pg_class c"
        f" cross join lateral aclexplode(c.relacl) a where c.oid = '{schema}.{name}'::regclass and a.grantee <> c.relowner")
    return sorted(rows)


def test_L3_tables_and_views_take_productions_place(pg):
    pg.sql(f"create table {PROD}.t as select 1 as v", f"create view {PROD}.w as select v from {PROD}.t",
           f"create view bi.report as select v + 1 as v from {PROD}.w", f"create view bi.outer_report as select v from bi.report",
           f"create view bi.direct as select v from {PROD}.t",
           f"create table {STAGING}.t as select 2 as v",
           f"create view {STAGING}.w as select v, '{STAGING}' as here from {STAGING}.t",
           f"comment on view {STAGING}.w is 'it''s w'", f"comment on column {STAGING}.w.v is 'the v'",
           f"grant select on {STAGING}.w to reader")
    answer = exchange(pg, "t", "w")
    assert answer["status"] == "exchanged", answer
    assert [one["name"] for one in answer["recreated"]] == ["direct", "report"]
    assert pg.sql(f"select v, here from {PROD}.w") == [(2, PROD)]
    assert pg.sql("select v from bi.report union all select v from bi.outer_report union all select v from bi.direct") == [(3,), (3,), (2,)]
    assert pg.sql(f"select v from {KEPT}.t union all select v from {KEPT}.w") == [(1,), (1,)]
    assert STAGING not in pg.schemas()
    assert acl(pg, PROD, "w") == [("SELECT", "reader", False)]
    assert pg.sql(f"select obj_description('{PROD}.w'::regclass), col_description('{PROD}.w'::regclass, 1)") == [("it's w", "the v")]
    back = [{"schema": PROD, "name": name, "from": KEPT, "to": "shop_b_x_back", "fresh": False} for name in ("t", "w")]
    pg.call("create_branch", schemas=["shop_b_x_back"], mark=MARK)
    answer = pg.call("exchange_relations", relations=back, views="move", mark=MARK, kept=["shop_b_x_back"], staging=[KEPT])
    assert answer["status"] == "exchanged", answer
    assert pg.sql(f"select v from {PROD}.w") == [(1,)]
    assert pg.sql("select v from bi.report union all select v from bi.direct") == [(2,), (1,)]
    pg.sql("drop schema shop_b_x_back cascade")


def test_L3_a_schema_that_production_does_not_have_yet_is_made(pg):
    pg.sql(f"drop schema {PROD}", f"create table {STAGING}.t as select 2 as v")
    assert exchange(pg, "t")["status"] == "exchanged"
    assert pg.sql(f"select v from {PROD}.t") == [(2,)]


def test_L3_default_privileges_of_the_schema_are_given_to_what_is_new(pg):
    pg.sql(f"alter default privileges in schema {PROD} grant select on tables to reader",
           f"create table {PROD}.t as select 1 as v", f"create view {PROD}.w as select 1 as v")
    before = acl(pg, PROD, "t"), acl(pg, PROD, "w")
    pg.sql(f"create table {STAGING}.t as select 2 as v", f"create view {STAGING}.w as select 2 as v")
    assert exchange(pg, "t", "w")["status"] == "exchanged"
    assert (acl(pg, PROD, "t"), acl(pg, PROD, "w")) == before == ([("SELECT", "reader", False)],) * 2


def test_L3_a_copy_is_as_the_original(pg):
    pg.sql(f"create table {PROD}.i (id int primary key, at date not null, n int generated always as identity,"
           " twice int generated always as (id * 2) stored, check (id > 0)) with (fillfactor = 70)",
           f"create index i_at on {PROD}.i (at desc) where id > 1", f"insert into {PROD}.i (id, at) select g, current_date from generate_series(1, 3) g",
           f"comment on table {PROD}.i is 'rows'", f"comment on column {PROD}.i.at is 'when'",
           f"grant select on {PROD}.i to reader with grant option", f"grant update (at) on {PROD}.i to auditor")
    def look(schema):
        return (pg.sql(f"select * from {schema}.i order by 1"),
                pg.sql(f"select replace(indexdef, '{schema}.', '') from pg_indexes where schemaname = '{schema}' and tablename = 'i' order by 1"),
                pg.sql(f"select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = '{schema}.i'::regclass order by 1"),
                pg.sql(f"select obj_description('{schema}.i'::regclass), col_description('{schema}.i'::regclass, 2)"),
                pg.sql(f"select reloptions, relowner from pg_class where oid = '{schema}.i'::regclass"),
                pg.sql(f"select attname, attacl::text from pg_attribute where attrelid = '{schema}.i'::regclass and attnum > 0 order by 1"),
                acl(pg, schema, "i"))
    before = look(PROD)
    answer = pg.call("copy_relations", copies=[{"schema": PROD, "name": "i", "to": STAGING}, {"schema": PROD, "name": "absent", "to": STAGING}])
    assert answer == {"status": "copied", "copied": [{"schema": PROD, "name": "i"}]}
    assert look(STAGING) == before
    assert exchange(pg, "i", fresh=False)["status"] == "exchanged"
    assert look(PROD) == before
    pg.sql(f"insert into {PROD}.i (id, at) values (4, current_date)")
    assert pg.sql(f"select n from {PROD}.i where id = 4") == [(4,)]


@pytest.mark.parametrize("statement, what", [
    (f"create trigger watch before update on {PROD}.i for each row execute function suppress_redundant_updates_trigger()", "trigger"),
    (f"alter table {PROD}.i enable row level security", "row security"),
    (f"alter table {PROD}.i add column s serial", "sequence"),
])
def test_L3_what_a_copy_would_lose_is_refused(pg, statement, what):
    pg.sql(f"create table {PROD}.i (id int)", statement)
    answer = pg.call("copy_relations", copies=[{"schema": PROD, "name": "i", "to": STAGING}])
    assert answer["status"] == "refused" and what in answer["blockers"][0]["what"]


@pytest.mark.parametrize("statement, name", [
    (f"create materialized view bi.m as select v from {PROD}.t", "m"),
    (f"create table bi.child (v int references {PROD}.t)", "child"),
    (f"create view bi.narrow as select gone from {PROD}.t", "narrow"),
])
def test_L3_a_reader_that_cannot_be_bound_again_stops_the_exchange_and_is_named(pg, statement, name):
    pg.sql(f"create table {PROD}.t (v int primary key, gone int)", statement, f"create table {STAGING}.t as select 2 as v")
    before = pg.sql(f"select oid from pg_class where oid = '{PROD}.t'::regclass")
    answer = exchange(pg, "t")
    assert answer["status"] == "refused" and [one["name"] for one in answer["dependents"]] == [name], answer
    assert pg.sql(f"select oid from pg_class where oid = '{PROD}.t'::regclass") == before


def test_L3_a_reader_that_holds_on_is_not_waited_for(pg):
    import psycopg2

    pg.sql(f"create table {PROD}.t as select 1 as v", f"create table {STAGING}.t as select 2 as v")
    holder = psycopg2.connect(**pg.server)
    holder.cursor().execute(f"select * from {PROD}.t")
    assert exchange(pg, "t") == {"status": "busy"}
    holder.close()
    assert exchange(pg, "t")["status"] == "exchanged"


def test_L6_removed_relations_go_unless_something_needs_them(pg):
    pg.sql(f"create table {PROD}.a as select 1 as v", f"create view {PROD}.b as select v from {PROD}.a",
           f"create table {PROD}.c as select 1 as v", f"create view bi.needs_c as select v from {PROD}.c")
    answer = pg.call("drop_removed_relations", relations=[{"schema": PROD, "name": name} for name in ("a", "b", "c", "absent")])
    assert sorted(one["name"] for one in answer["dropped"]) == ["a", "b"]
    assert [one["name"] for one in answer["kept"]] == ["c"] and "depend" in answer["kept"][0]["why"]


def test_L3_a_reader_in_a_loop_sees_all_old_or_all_new(pg):
    import psycopg2

    pg.sql(f"create table {PROD}.t as select 0 as v", f"create table {PROD}.u as select 0 as v",
           f"create view {PROD}.w as select v from {PROD}.t", f"create view bi.report as select t.v as tv, u.v as uv, w.v as wv from {PROD}.t, {PROD}.u, {PROD}.w")
    seen, problems, stop = set(), [], threading.Event()

    def read():
        connection = psycopg2.connect(**pg.server)
        connection.autocommit = True
        cursor = connection.cursor()
        while not stop.is_set():
            try:
                cursor.execute(f"select t.v, u.v, w.v, r.tv, r.uv, r.wv from {PROD}.t, {PROD}.u, {PROD}.w, bi.report r")
                seen.add(cursor.fetchall()[0])
                time.sleep(0.002)
            except Exception as error:
                problems.append(str(error))
        connection.close()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for version in range(1, 7):
            pg.call("create_branch", schemas=[STAGING, f"{KEPT}_{version}"], mark=MARK)
            pg.sql(f"create table {STAGING}.t as select {version} as v", f"create table {STAGING}.u as select {version} as v",
                   f"create view {STAGING}.w as select v from {STAGING}.t")
            relations = [{"schema": PROD, "name": n, "from": STAGING, "to": f"{KEPT}_{version}", "fresh": True} for n in "tuw"]
            for _ in range(10):
                answer = pg.call("exchange_relations", relations=relations, views="create", mark=MARK, kept=[], staging=[STAGING])
                if answer["status"] != "busy":
                    break
            assert answer["status"] == "exchanged", answer
    finally:
        stop.set()
        for reader in readers:
            reader.join()
        pg.sql(*(f"drop schema if exists {KEPT}_{version} cascade" for version in range(1, 7)))
    assert problems == []
    assert all(len(set(row)) == 1 for row in seen), seen
    assert len(seen) > 2
