"""The macros of templates/dbt: ownership, dependents, dropping, privileges. E2-E5 of the requirements."""

import json
import subprocess
from pathlib import Path

import duckdb
import psycopg2
import pytest

from client import MACROS, PYTHON

MARK = {"repository_id": 12, "pull_request": 7, "branch": "feat/x", "head": "a" * 40, "created": 1, "expires": 9}
OTHER = {**MARK, "pull_request": 8}
HOSTILE = ['x"; drop schema prod cascade; --', "prod.public", "100%_a", "naïve ☃", "עברית", "back\\slash", "it's"]


class Duck:
    def __init__(self, session, warehouse):
        self.path = warehouse.output.get("path")
        self.kind = "duckdb"
        self._session = session
        self._common = {
            "macros_dir": str(MACROS),
            "profiles_dir": warehouse.profile("macros", "dev"),
            "target": "ci",
            "profile": "fixture",
            "target_path": str(warehouse.folder / "tm"),
            "log_path": str(warehouse.folder / "lm"),
        }

    def ask(self, macro, **arguments):
        return self._session.ask("macro", macro=f"offshoot.{macro}", args=arguments, **self._common)

    def call(self, macro, **arguments):
        answer = self.ask(macro, **arguments)
        assert answer["ok"], answer
        return answer["result"]["value"]

    def sql(self, *statements):
        with duckdb.connect(self.path) as connection:
            for statement in statements:
                rows = connection.execute(statement)
            return rows.fetchall()

    def schemas(self):
        own = "select schema_name from duckdb_schemas() where database_name = current_database() and not internal"
        return {row[0] for row in self.sql(own)} - {"main"}


class Postgres(Duck):
    def __init__(self, session, warehouse, server):
        super().__init__(session, warehouse)
        self.kind = "postgres"
        self.server = server
        self._warehouse = warehouse

    def profile_of(self, role):
        return self._warehouse.profile(role, "dev", user=role)

    def sql(self, *statements):
        connection = psycopg2.connect(**self.server)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    def schemas(self):
        rows = self.sql("select nspname from pg_namespace where nspname not like 'pg\\_%'")
        return {row[0] for row in rows} - {"public", "information_schema"}


@pytest.fixture(scope="module")
def duck(session, duckdb_warehouse):
    return Duck(session, duckdb_warehouse)


@pytest.fixture(scope="module")
def pg(session, workspace, postgres_database):
    from conftest import Warehouse

    folder = workspace / "pgmacros"
    folder.mkdir()
    return Postgres(session, Warehouse(folder, {"type": "postgres", **postgres_database, "threads": 1}), postgres_database)


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request):
    made = request.getfixturevalue("duck" if request.param == "duckdb" else "pg")
    before = made.schemas()
    yield made
    for schema in made.schemas() - before:
        quoted = schema.replace('"', '""')
        made.sql(f'drop schema "{quoted}" cascade')


def test_create_list_keep_drop(warehouse):
    schemas = ["shop_pr_7", "shop_pr_7_marts"]
    assert warehouse.call("create_branch", schemas=schemas, mark=MARK) == {
        "status": "ready",
        "created": schemas,
        "kept": [],
    }
    later = {**MARK, "head": "b" * 40, "created": 5, "expires": 99}
    assert warehouse.call("create_branch", schemas=[*schemas, "shop_pr_7_x"], mark=later) == {
        "status": "ready",
        "created": ["shop_pr_7_x"],
        "kept": schemas,
    }
    listed = {item["schema"]: item["mark"] for item in warehouse.call("list_branches", prefix="shop_pr_7")}
    assert set(listed) == {*schemas, "shop_pr_7_x"}
    assert listed["shop_pr_7"] == {**later, "created": 1, "offshoot": 1}
    assert warehouse.call("list_branches", prefix="shop%") == []
    for schema in schemas:
        warehouse.sql(f"create table {schema}.t as select 1 as a", f"create view {schema}.v as select * from {schema}.t")
    warehouse.sql("create view shop_pr_7.w as select * from shop_pr_7_marts.v")
    assert warehouse.call("drop_branch", schemas=[*schemas, "shop_pr_7_x", "shop_pr_7_gone"], mark=MARK) == {
        "status": "dropped",
        "dropped": [*schemas, "shop_pr_7_x"],
        "absent": ["shop_pr_7_gone"],
    }
    assert not warehouse.schemas() & {*schemas, "shop_pr_7_x"}


def test_E3_a_schema_without_our_mark_is_never_adopted_or_dropped(warehouse):
    warehouse.sql("create schema shop_pr_7_b", "create table shop_pr_7_b.precious as select 1 as a")
    answer = warehouse.call("create_branch", schemas=["shop_pr_7_a", "shop_pr_7_b"], mark=MARK)
    assert answer == {"status": "foreign", "schema": "shop_pr_7_b", "mark": None}
    assert "shop_pr_7_a" not in warehouse.schemas()
    assert warehouse.call("drop_branch", schemas=["shop_pr_7_b"], mark=MARK)["status"] == "foreign"
    assert warehouse.sql("select count(*) from shop_pr_7_b.precious") == [(1,)]


@pytest.mark.parametrize("other", [OTHER, {**MARK, "repository_id": 13}, {**MARK, "pull_request": None}])
def test_E3_another_owners_schema_is_left_alone(warehouse, other):
    warehouse.call("create_branch", schemas=["shop_pr_7"], mark=other)
    assert warehouse.call("create_branch", schemas=["shop_pr_7", "shop_new"], mark=MARK)["status"] == "foreign"
    answer = warehouse.call("drop_branch", schemas=["shop_pr_7"], mark=MARK)
    assert (answer["status"], answer["schema"]) == ("foreign", "shop_pr_7")
    assert "shop_pr_7" in warehouse.schemas() and "shop_new" not in warehouse.schemas()


def test_E3_broken_marks_are_foreign(warehouse):
    warehouse.sql("create schema shop_bad")
    for text in ("no json", '"text"', "[1]", '{"repository_id": 12, "pull_request": 7}', '{"offshoot": 1}', ""):
        if warehouse.kind == "postgres":
            warehouse.sql(f"comment on schema shop_bad is '{text}'")
        else:
            warehouse.sql(f"create or replace table shop_bad._offshoot_owner as select '{text}' as mark")
        assert warehouse.call("drop_branch", schemas=["shop_bad"], mark=MARK)["status"] == "foreign"
    assert warehouse.call("list_branches", prefix="shop_bad") == []


@pytest.mark.parametrize("mark", [{}, {"repository_id": 1}, {"pull_request": 1}, "x", None])
def test_E3_a_mark_needs_an_identity(warehouse, mark):
    answer = warehouse.ask("create_branch", schemas=["shop_x"], mark=mark)
    assert answer["error"]["kind"] == "compilation" and "mark" in answer["error"]["message"]
    assert "shop_x" not in warehouse.schemas()


def test_E3_creation_is_one_transaction(warehouse):
    """The second schema cannot be made, so the first is not there either."""
    if warehouse.kind == "postgres":
        warehouse.sql(
            "create function public.no() returns event_trigger language plpgsql as $$ begin "
            "if exists (select from pg_namespace where nspname = 'shop_second') then raise exception 'no'; end if; end $$",
            "create event trigger no on ddl_command_end when tag in ('COMMENT') execute function public.no()",
        )
        try:
            answer = warehouse.ask("create_branch", schemas=["shop_first", "shop_second"], mark=MARK)
        finally:
            warehouse.sql("drop event trigger no", "drop function public.no()")
        assert answer["error"]["kind"] == "database"
    else:
        answer = warehouse.ask("create_branch", schemas=["shop_first", "SHOP_FIRST"], mark=MARK)
        assert not answer["ok"], answer
    assert not {name for name in warehouse.schemas() if name.lower().startswith("shop_")}


@pytest.mark.parametrize("name", HOSTILE)
def test_E2_names_are_quoted(warehouse, name):
    warehouse.sql("create schema prod", "create table prod.t as select 1 as a")
    assert warehouse.call("create_branch", schemas=[name], mark={**MARK, "branch": name})["created"] == [name]
    assert name in warehouse.schemas()
    listed = {item["schema"]: item["mark"]["branch"] for item in warehouse.call("list_branches", prefix=name)}
    assert listed == {name: name}
    assert warehouse.call("drop_branch", schemas=[name], mark=MARK)["dropped"] == [name]
    assert warehouse.sql("select * from prod.t") == [(1,)]


@pytest.mark.parametrize(
    "name", ["", "a\0b", "a\nb", "x" * 64, "ü" * 32, "x" * 10000, "public", "PG_temp", "Information_Schema", "main", 7, None]
)
def test_E2_names_that_no_branch_bears_are_refused(warehouse, name):
    before = warehouse.schemas()
    for macro in ("create_branch", "drop_branch"):
        assert not warehouse.ask(macro, schemas=["shop_ok", name], mark=MARK)["ok"]
    assert warehouse.schemas() == before


def test_E4_a_view_of_production_over_a_branch_survives(warehouse):
    warehouse.call("create_branch", schemas=["shop_pr_7"], mark=MARK)
    warehouse.sql(
        "create schema prod", "create table shop_pr_7.t as select 1 as a", "create view prod.v as select * from shop_pr_7.t"
    )
    dependents = warehouse.call("branch_dependents", schemas=["shop_pr_7"])
    assert [(item["schema"], item["name"], item["type"]) for item in dependents] == [("prod", "v", "view")]
    answer = warehouse.call("drop_branch", schemas=["shop_pr_7"], mark=MARK)
    assert (answer["status"], answer["dependents"]) == ("refused", dependents)
    assert warehouse.sql("select * from prod.v") == [(1,)]
    warehouse.sql("drop view prod.v")
    assert warehouse.call("drop_branch", schemas=["shop_pr_7"], mark=MARK)["status"] == "dropped"


def test_E4_every_kind_of_dependent_is_seen_on_postgres(pg):
    pg.call("create_branch", schemas=["shop_pr_7"], mark=MARK)
    pg.sql(
        "create schema prod",
        "create table shop_pr_7.t (a int primary key)",
        "create sequence shop_pr_7.s",
        "create type shop_pr_7.e as enum ('x')",
        "create function shop_pr_7.f(int) returns int language sql immutable as 'select $1'",
        "create function shop_pr_7.tr() returns trigger language plpgsql as 'begin return new; end'",
        "create view prod.v as select * from shop_pr_7.t",
        "create materialized view prod.m as select * from shop_pr_7.t",
        "create table prod.fk (a int references shop_pr_7.t)",
        "create table prod.def (a int default nextval('shop_pr_7.s'))",
        "create table prod.typ (a shop_pr_7.e)",
        "create table prod.chk (a int check (shop_pr_7.f(a) > 0))",
        "create table prod.tri (a int)",
        "create trigger tr before insert on prod.tri for each row execute function shop_pr_7.tr()",
        "create table prod.kid () inherits (shop_pr_7.t)",
        "create function prod.g(shop_pr_7.e) returns int language sql as 'select 1'",
        "create domain prod.d as shop_pr_7.e",
    )
    try:
        found = {(item["name"], item["type"]) for item in pg.call("branch_dependents", schemas=["shop_pr_7"])}
        assert found >= {
            ("v", "view"),
            ("m", "materialized view"),
            ("fk", "table"),
            ("def", "table"),
            ("typ", "table"),
            ("chk", "table"),
            ("tri", "table"),
            ("kid", "table"),
            ("prod.g(shop_pr_7.e)", "function"),
            ("d", "type"),
        }
        assert {item["schema"] for item in pg.call("branch_dependents", schemas=["shop_pr_7"])} == {"prod"}
        assert pg.call("drop_branch", schemas=["shop_pr_7"], mark=MARK)["status"] == "refused"
    finally:
        pg.sql("drop schema prod cascade")
    assert pg.call("branch_dependents", schemas=["shop_pr_7"]) == []
    assert pg.call("drop_branch", schemas=["shop_pr_7"], mark=MARK)["status"] == "dropped"


def test_drop_finds_an_order_among_the_branchs_own_objects_on_postgres(pg):
    pg.call("create_branch", schemas=["shop_a", "shop_b"], mark=MARK)
    pg.sql(
        "create table shop_a.z (a int primary key)",
        "create table shop_b.y (a int references shop_a.z, b serial)",
        "create table shop_a.part (a int) partition by list (a)",
        "create table shop_b.part1 partition of shop_a.part for values in (1)",
        "create view shop_b.a as select * from shop_a.z",
        "create materialized view shop_a.b as select * from shop_b.a",
        'create view shop_b."C d" as select * from shop_a.b',
        "create type shop_a.pair as (x int, y int)",
        "create domain shop_a.pos as int check (value > 0)",
        "create function shop_b.f(shop_a.pair) returns int language sql as 'select 1'",
        "create procedure shop_b.p() language sql as 'select 1'",
        "create aggregate shop_a.total(int) (sfunc = int4pl, stype = int)",
        "create table shop_a.uses (p shop_a.pair, q shop_a.pos)",
        "create unlogged table shop_a.u (a int)",
        "create index on shop_a.u (a)",
    )
    answer = pg.call("drop_branch", schemas=["shop_a", "shop_b"], mark=MARK)
    assert answer == {"status": "dropped", "dropped": ["shop_a", "shop_b"], "absent": []}


def test_drop_finds_an_order_among_the_branchs_own_objects_on_duckdb(duck):
    duck.call("create_branch", schemas=["shop_a"], mark=MARK)
    duck.sql(
        "create table shop_a.a (a int primary key)",
        "create table shop_a.b (a int primary key, foreign key (a) references shop_a.a(a))",
        "create table shop_a.c (a int, foreign key (a) references shop_a.b(a))",
        "create index i on shop_a.c(a)",
        "create sequence shop_a.s",
        "create table shop_a.d (a int default nextval('shop_a.s'))",
        "create macro shop_a.m(x) as x + 1",
        "create macro shop_a.mt(x) as table select x",
        "create view shop_a.v as select * from shop_a.c",
        "create view shop_a.w as select * from shop_a.v",
    )
    assert duck.call("drop_branch", schemas=["shop_a"], mark=MARK)["status"] == "dropped"


def test_a_failing_drop_leaves_everything(pg):
    """An object that the macro does not know (a text search configuration) makes the server refuse."""
    pg.call("create_branch", schemas=["shop_pr_7"], mark=MARK)
    pg.sql("create table shop_pr_7.t as select 1 as a", "create text search configuration shop_pr_7.c (copy = simple)")
    assert pg.ask("drop_branch", schemas=["shop_pr_7"], mark=MARK)["error"]["kind"] == "database"
    assert pg.sql("select * from shop_pr_7.t") == [(1,)]
    assert pg.call("list_branches", prefix="shop_pr_7")[0]["mark"]["pull_request"] == 7


def test_E5_write_privileges(pg):
    pg.sql(
        "create schema prod",
        "create table prod.t (a int)",
        "create role reader login",
        "grant usage on schema prod to reader",
        "grant select on prod.t to reader",
        "create role writer login",
        "grant usage on schema prod to writer",
        "grant insert, truncate on prod.t to writer",
    )
    try:
        everything = {item["what"] for item in pg.call("write_privileges", schemas=["prod", "absent"])}
        assert {"superuser", "create in the schema", "owns relations", "delete on tables"} <= everything
        for role, expected in (("reader", set()), ("writer", {"insert on tables", "truncate on tables"})):
            pg._common["profiles_dir"] = pg.profile_of(role)
            found = pg.call("write_privileges", schemas=["prod"])
            assert {item["what"] for item in found} == expected
    finally:
        pg._common["profiles_dir"] = pg.profile_of("postgres")
        pg.sql("drop schema prod cascade", "drop role reader", "drop role writer")


def test_a_duckdb_file_can_be_written(duck):
    assert duck.call("write_privileges", schemas=["prod"])[0]["schema"] == "prod"


def test_database_mark(session, workspace, duck):
    from conftest import Warehouse

    folder = workspace / "branchfile"
    folder.mkdir()
    branch = Duck(session, Warehouse(folder, {"type": "duckdb", "path": str(folder / "shop_pr_7.duckdb")}))
    assert branch.call("read_database_mark") is None
    assert branch.call("create_database_mark", mark=MARK) == {"status": "created"}
    assert branch.call("read_database_mark") == {**MARK, "offshoot": 1}
    assert branch.call("list_branches") == []
    assert branch.call("create_database_mark", mark={**MARK, "head": "c"}) == {"status": "kept"}
    assert branch.call("create_database_mark", mark=OTHER)["status"] == "foreign"
    branch.sql("drop table main._offshoot_owner", "create table t as select 1 as a")
    assert branch.call("create_database_mark", mark=MARK) == {"status": "foreign", "mark": None}
    assert branch.call("create_database_mark", mark=MARK, fresh=True) == {"status": "created"}


def test_only_our_macros_can_be_called(session, duck):
    for name in ("dbt.run_query", "offshoot", "offshoot.nothing", "statement"):
        assert not session.ask("macro", macro=name, args={}, **duck._common)["ok"]


def test_from_the_command_line(duck):
    arguments = json.dumps({"macro": "create_branch", "args": {"schemas": ["shop_cli"], "mark": MARK}})
    command = [
        str(Path(PYTHON).with_name("dbt")), "run-operation", "offshoot_call", "--args", arguments,
        "--project-dir", str(MACROS.parent), "--profiles-dir", duck._common["profiles_dir"], "--profile", "fixture",
        "--target-path", duck._common["target_path"], "--log-path", duck._common["log_path"], "--no-partial-parse",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    line = next(line for line in done.stdout.splitlines() if "OFFSHOOT_RESULT" in line)
    assert json.loads(line.split("OFFSHOOT_RESULT ", 1)[1])["created"] == ["shop_cli"], done.stdout
    assert duck.call("drop_branch", schemas=["shop_cli"], mark=MARK)["dropped"] == ["shop_cli"]
