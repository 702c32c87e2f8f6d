# SPDX-License-Identifier: Apache-2.0
"""Deploys in mode swap: built and tested beside production, then exchanged. L3 of the requirements."""

import os
import signal
import threading
import time

import pytest

from conftest import ALL, kinds

VERSIONS = "select (select max(version) from store.orders), (select max(version) from store.totals), (select max(version) from store.daily)"


def next_version(store, number, more=""):
    """A commit that makes every relation show this version."""
    return store.edit(f"Version {number}", "orders", f"{number - 1} as version", f"{number} as version{more}")


def all_rows(store):
    return store.sql(VERSIONS)[0]


def test_L3_a_failing_last_test_leaves_production_as_it_was(store):
    store.deploy(mode="swap")
    before = store.fingerprint()
    store.edit("Break a test", "orders", "amount, 1 as version", "-amount as amount, 2 as version")
    result = store.deploy(mode="swap", expect=1)
    assert "assert_totals" in result.stderr
    assert store.fingerprint() == before
    assert "production is as it was" in store.run()["deployment"]["because"]


def test_L3_production_shows_the_new_version_and_incremental_models_go_on(store):
    store.deploy(mode="in-place")
    built = store.sql("select order_id, built_at from store.daily order by 1")
    store.sql("insert into raw.orders values (3, 'de', 30)")
    next_version(store, 2)
    store.deploy(mode="swap")
    assert store.sql("select version, count(*) from store.orders group by 1") == [(2, 3)]
    assert store.sql("select order_id, version from store.daily order by 1") == [(1, 1), (2, 1), (3, 2)]
    assert store.sql("select order_id, built_at from store.daily where order_id < 3 order by 1") == built
    deployment = store.run()["deployment"]["value"]
    assert deployment["kept_until"] > store.run()["started"] and store.leftovers() != []


def test_L3_owners_grants_comments_and_indexes_are_as_after_a_build_in_place(pg):
    pg.sql("create role bi_reader", "create schema if not exists store",
           "alter default privileges in schema store grant select on tables to bi_reader")
    pg.deploy(mode="in-place")
    pg.sql("grant update on store.daily to bi_reader", "create index by_hand on store.daily (amount)",
           "comment on table store.daily is 'by hand'", "grant delete on store_reference.countries to bi_reader")
    before = pg.catalog()
    next_version(pg, 2)
    pg.deploy("--select", "+totals+ daily", mode="swap")
    assert pg.catalog() == before, "grants, comments, indexes, owners or definitions differ"
    assert all_rows(pg)[:2] == (2, 2)
    pg.deploy("--select", "+totals+ daily", mode="in-place")
    assert pg.catalog() == before
    pg.sql("drop owned by bi_reader", "drop role bi_reader")


def test_L3_a_view_of_others_reads_the_new_rows_and_a_reader_sees_no_mixture(pg):
    pg.deploy(mode="in-place")
    pg.sql("create schema bi", "create view bi.report as select o.version as o, t.version as t from store.orders o, store.totals t")
    next_version(pg, 2)
    seen, problems, stop = set(), [], threading.Event()

    def read():
        import psycopg2

        connection = psycopg2.connect(host="127.0.0.1", port=pg.postgres.port, user=pg.postgres.user, dbname=pg.database)
        connection.autocommit = True
        cursor = connection.cursor()
        while not stop.is_set():
            try:
                cursor.execute("select max(o.version), max(t.version), max(r.o), max(r.t) from store.orders o, store.totals t, bi.report r")
                seen.add(cursor.fetchone())
            except Exception as error:
                problems.append(str(error))
            time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        pg.deploy(mode="swap")
        time.sleep(0.2)
    finally:
        stop.set()
        reader.join()
    assert problems == []
    assert seen == {(1, 1, 1, 1), (2, 2, 2, 2)}
    assert [name.replace('"', "") for name in pg.run()["deployment"]["value"]["recreated"]] == ["bi.report"]


def test_L3_what_cannot_be_bound_again_stops_the_swap_and_is_named(pg):
    pg.deploy(mode="in-place")
    pg.sql("create schema bi", "create materialized view bi.heavy as select * from store.orders")
    before = pg.fingerprint()
    next_version(pg, 2)
    result = pg.deploy(mode="swap", expect=5)
    assert "bi.heavy" in result.stderr
    assert pg.fingerprint() == before


@kinds([i * 0.02 for i in range(30)] if ALL else [0.02], [0.3])
def test_L3_K5_killed_in_the_exchange_it_is_all_old_or_all_new_after_a_rerun(store, kind):
    store.deploy(mode="in-place")
    next_version(store, 2)
    child = store.start(mode="swap")
    for line in child.stderr:
        if "Exchanging" in line:
            break
    time.sleep(kind)
    child.send_signal(signal.SIGKILL)
    child.wait()
    time.sleep(0.5)  # until the server has seen the connection go
    store.let_leases_run_out()
    state = all_rows(store)
    assert state in ((1, 1, 1), (2, 2, 1)), state
    store.deploy(mode="swap")
    assert all_rows(store) == (2, 2, 1)
    assert store.run()["deployment"]["state"] in ("finished", "skipped")
    versions = {name.split("_was_")[0].removesuffix("_store").removesuffix("_store_reference") for name in store.leftovers()}
    assert len(versions) <= 1, store.leftovers()


@pytest.mark.long_form
def test_L3_a_file_that_is_written_to_meanwhile_is_not_lost(duck):
    """A writer cannot come in between: it is told that the file is held."""
    import duckdb

    duck.deploy(mode="in-place")
    next_version(duck, 2)
    child = duck.start(mode="swap")
    held = False
    for line in child.stderr:
        if "Building" in line:
            try:
                duckdb.connect(str(duck.production)).close()
            except duckdb.IOException:
                held = True
    assert child.wait() == 0 and held
    assert all_rows(duck) == (2, 2, 1)


def test_M1_swap_on_another_adapter_is_a_matter_of_settings(duck):
    assert duck.deploy("--set", "deploy.mode=exchange", expect=2)
