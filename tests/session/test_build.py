"""build: exactly the given nodes, on a pruned manifest, reading production where nothing was built."""

import json
import shutil
import signal
import threading
import time
from pathlib import Path

import duckdb
import psycopg2
import pytest

from client import MACROS

LONG = (
    "select count(*) as n from range(200000) a, range(200000) b, range(2000) c where a.range + b.range + c.range = -1"
)


class Duck:
    """Production in schemas prod*, on DuckDB."""

    def __init__(self, warehouse):
        self.warehouse = warehouse
        self.path = warehouse.output["path"]

    def sql(self, *statements):
        with duckdb.connect(self.path) as connection:
            for statement in statements:
                rows = connection.execute(statement)
            return rows.fetchall()

    def drop_others(self, keep):
        for (name,) in self.sql("select schema_name from duckdb_schemas() where database_name = current_database() and not internal"):
            if name not in keep and name != "main":
                self.sql(f'drop schema "{name}" cascade')


class Postgres:
    def __init__(self, warehouse, server):
        self.warehouse = warehouse
        self.server = server

    def sql(self, *statements):
        connection = psycopg2.connect(**self.server)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    def drop_others(self, keep):
        for (name,) in self.sql("select nspname from pg_namespace where nspname not like 'pg\\_%'"):
            if name not in (*keep, "public", "information_schema"):
                self.sql(f'drop schema "{name}" cascade')


class Branch:
    """A parsed project with a deployed production and a branch's profile."""

    PRODUCTION = ("prod", "prod_raw", "prod_marts", "prod_dims", "prod_snaps", "prod_Loud Marts", "history", "shop")

    def __init__(self, session, kind, project, place):
        self.session, self.kind = session, kind
        self.warehouse = kind.warehouse
        self.profiles = self.warehouse.profile("branch", "pr_7")
        self.target_path = place / "target_build"
        kind.sql("create schema shop", "create table shop.orders as select 1 as person_id, 10 as amount")
        self.project = project
        request = self.warehouse.request
        production = self.warehouse.profile("production", "prod")
        session.ok("parse", **request(project, production, target_path=str(place / "target"), handle="head"))
        self.production = session.ok("resolve", **request(project, production, handle="head", **{"as": "prod"}))["relations"]
        self.relations = session.ok("resolve", **request(project, self.profiles, handle="head", **{"as": "branch"}))["relations"]
        everything = [key for key in self.production if key.split(".")[0] in ("model", "seed", "snapshot") and "blank" not in key]
        built = session.ok(
            "build", **request(project, production, target_path=str(self.target_path), handle="prod", nodes=everything)
        )
        assert built["success"], built

    def request(self, nodes, deferred=None, **more):
        if deferred is None:
            deferred = {key: value for key, value in self.production.items() if key not in nodes}
        request = self.warehouse.request(
            self.project, self.profiles, target_path=str(self.target_path), handle="branch", nodes=nodes, deferred=deferred
        )
        return {**request, **more}

    def build(self, *nodes, **more):
        return self.session.ok("build", **self.request(list(nodes), **more))

    def schemas(self):
        if isinstance(self.kind, Duck):
            rows = self.kind.sql("select schema_name from duckdb_schemas() where database_name = current_database() and not internal")
        else:
            rows = self.kind.sql("select nspname from pg_namespace where nspname like 'pr_7%'")
        return {name for (name,) in rows if name.startswith("pr_7")}


def statuses(result):
    return {item["unique_id"]: item["status"] for item in result["results"] if not item["unique_id"].startswith("operation.")}


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def made(request, session, project, workspace):
    place = workspace / f"build_{request.param}"
    place.mkdir()
    if request.param == "duckdb":
        kind = Duck(request.getfixturevalue("duckdb_warehouse"))
    else:
        kind = Postgres(request.getfixturevalue("postgres_warehouse"), request.getfixturevalue("postgres_database"))
    return Branch(session, kind, project, place)


@pytest.fixture
def branch(made):
    made.kind.sql("create schema pr_7")  # as create_branch does; the project's on-run-end hook writes there
    yield made
    made.kind.drop_others(made.PRODUCTION)


@pytest.fixture
def duck_branch(branch):
    if not isinstance(branch.kind, Duck):
        pytest.skip("tried on DuckDB only")
    return branch


def test_one_model_reads_production_through_an_ephemeral_parent(branch):
    result = branch.build("model.fixture.mart_people")
    assert statuses(result) == {"model.fixture.mart_people": "success"}
    assert result["announced"] == ["model.fixture.mart_people"]
    assert branch.kind.sql("select count(*), max(name) from pr_7_marts.people_mart") == [(3, "LINUS")]
    assert branch.schemas() == {"pr_7_marts", "pr_7"}
    hooks = [item for item in result["results"] if item["unique_id"].startswith("operation.")]
    assert [item["status"] for item in hooks] == ["success", "success"]
    events = [event for event in branch.session.events if event["event"].startswith("node")]
    assert [event["event"] for event in events if event["unique_id"] == "model.fixture.mart_people"] == [
        "node_started",
        "node_finished",
    ]
    finished = next(e for e in events if e["event"] == "node_finished" and e["unique_id"] == "model.fixture.mart_people")
    assert finished["status"] == "success" and finished["relation"].endswith('"pr_7_marts"."people_mart"')


def test_a_parent_that_was_built_earlier_is_read_in_the_branch(branch):
    branch.build("model.fixture.base_people")
    branch.kind.sql("delete from pr_7.base_people where id > 1")
    branch.build("model.fixture.mart_people", deferred={})
    assert branch.kind.sql("select count(*) from pr_7_marts.people_mart") == [(1,)]


def test_the_whole_project(branch):
    nodes = [key for key in branch.relations if not key.startswith("test.")]
    nodes += ["unit_test.fixture.mart_people.upper_names", "unit_test.fixture.view_people.views_pass"]
    result = branch.build(*nodes, deferred={})
    assert result["success"], result
    assert result["compiled_only"] == ["model.fixture.eph_people"]
    assert result["not_run"] == [{"unique_id": "model.fixture.blank", "reason": "its file is empty"}]
    expected = set(nodes) - {"model.fixture.eph_people", "model.fixture.blank"}
    assert set(result["announced"]) == expected == set(statuses(result))
    order = [item["unique_id"] for item in result["results"]]
    assert order.index("unit_test.fixture.mart_people.upper_names") < order.index("model.fixture.mart_people")
    # Jinja's graph shows the whole project, as in a build of an unpruned manifest.
    assert branch.kind.sql("select nodes_in_graph from pr_7.loud_people_ci")[0][0] > str(len(nodes) - 3)
    written = json.loads(Path(result["run_results_path"]).read_text())
    assert {item["unique_id"] for item in written["results"]} >= expected


def test_graph_is_whole_in_a_pruned_build(branch):
    branch.build("model.fixture.loud_people")
    nodes = json.loads((branch.target_path.parent / "target/manifest.json").read_text())["nodes"]
    assert branch.kind.sql("select nodes_in_graph from pr_7.loud_people_ci") == [(str(len(nodes)),)]


def test_unit_tests_read_the_columns_of_production(branch):
    result = branch.build("unit_test.fixture.mart_people.upper_names", "model.fixture.mart_people")
    assert statuses(result)["unit_test.fixture.mart_people.upper_names"] == "pass"
    alone = branch.build("unit_test.fixture.mart_people.upper_names", "model.fixture.base_people")
    assert [item["unique_id"] for item in alone["not_run"]] == ["unit_test.fixture.mart_people.upper_names"]
    assert statuses(alone) == {"model.fixture.base_people": "success"}
    tested = branch.build("unit_test.fixture.view_people.views_pass", dbt_command="test")
    assert statuses(tested) == {"unit_test.fixture.view_people.views_pass": "pass"}


def test_tests_alone_read_production(branch):
    nodes = ["test.fixture.no_nobody", "test.fixture.relationships_mart_people_id__id__ref_base_people_.d77d35328f"]
    result = branch.build(*nodes, dbt_command="test")
    assert statuses(result) == dict.fromkeys(nodes, "pass")


def test_a_failing_test_tells_its_query_and_stores_in_the_branch(branch):
    name = "test.fixture.accepted_values_base_people_country__GB__FI.abaa897bd6"
    result = branch.build(name, "model.fixture.base_people", "snapshot.fixture.snap_new")
    failed = next(item for item in result["results"] if item["unique_id"] == name)
    assert (failed["status"], failed["failures"], result["success"]) == ("fail", 1, False)
    assert "base_people" in failed["compiled_code"]
    assert branch.relations[name]["schema"] == "pr_7_dbt_test__audit" in branch.schemas()
    assert statuses(result)["snapshot.fixture.snap_new"] == "skipped"


def test_incremental_and_snapshot_work_on_the_branch(branch):
    nodes = ["model.fixture.inc_people", "snapshot.fixture.snap_new"]
    assert branch.build(*nodes)["success"]
    count = lambda: branch.kind.sql('select (select count(*) from "pr_7_Loud Marts".inc_people), (select count(*) from pr_7_snaps.snap_new)')
    assert count() == [(3, 3)]
    branch.kind.sql("insert into prod.base_people values (4, 'Mary', 'UK')", "update prod.base_people set name = 'X' where id = 1")
    try:
        assert branch.build(*nodes)["success"]
        assert count() == [(4, 5)]
        full = branch.build("model.fixture.inc_people", full_refresh=True)
        assert full["success"] and branch.kind.sql('select name from "pr_7_Loud Marts".inc_people where id = 1') == [("X",)]
    finally:
        branch.kind.sql("delete from prod.base_people where id = 4", "update prod.base_people set name = 'Ada' where id = 1")
    assert branch.kind.sql("select count(*) from prod_snaps.snap_new") == [(3,)]


def test_empty(branch):
    assert branch.build("model.fixture.base_people", empty=True)["success"]
    assert branch.kind.sql("select count(*) from pr_7.base_people") == [(0,)]


def test_order_is_kept_through_an_unbuilt_node(branch):
    """loud_people reads view_people, which an earlier push built over mart_people."""
    branch.build("model.fixture.mart_people", "model.fixture.view_people")
    result = branch.build("model.fixture.loud_people", "model.fixture.mart_people", deferred={}, threads=4)
    order = [item["unique_id"] for item in result["results"] if item["unique_id"].startswith("model.")]
    assert order == ["model.fixture.mart_people", "model.fixture.loud_people"]


@pytest.mark.parametrize("command, nodes", [("seed", ["seed.fixture.people"]), ("snapshot", ["snapshot.fixture.snap_new"])])
def test_other_commands(branch, command, nodes):
    assert statuses(branch.build(*nodes, dbt_command=command)) == dict.fromkeys(nodes, "success")


def test_compile(branch):
    result = branch.build("model.fixture.mart_people", dbt_command="compile")
    compiled = Path(next(i for i in result["results"] if i["unique_id"] == "model.fixture.mart_people")["compiled_path"])
    assert '"prod"."base_people"' in compiled.read_text()
    assert branch.schemas() == {"pr_7"}


def test_nothing_runs_when_dbt_announces_something_else(branch):
    before = branch.schemas()
    answer = branch.session.ask("build", **branch.request(["model.fixture.base_people", "seed.fixture.people"], dbt_command="run"))
    assert answer["error"]["kind"] == "internal"
    assert "missing: seed.fixture.people; extra: none" in answer["error"]["message"]
    assert answer["result"]["results"] == [] and branch.schemas() == before
    answer = branch.session.ask("build", **branch.request(["seed.fixture.people"], dbt_command="run"))
    assert "missing: seed.fixture.people" in answer["error"]["message"]
    error = branch.session.error("build", **branch.request(["model.fixture.nowhere"]))
    assert error["kind"] == "usage" and "model.fixture.nowhere" in error["message"]


def test_stray_settings_of_the_environment_do_not_count(duck_branch, workspace, project):
    from client import Session

    strays = {"DBT_DEFER": "true", "DBT_STATE": "/nowhere", "DBT_EXCLUDE_RESOURCE_TYPES": "model", "DBT_FULL_REFRESH": "1"}
    other = Session(workspace, workspace / "stray.log", env=strays)
    assert other.receive() and other.receive()["event"] == "ready"
    request = duck_branch.warehouse.request
    other.ok("parse", **request(project, duck_branch.profiles, target_path=str(workspace / "ts"), handle="branch"))
    result = other.ok("build", **duck_branch.request(["model.fixture.base_people"]))
    assert statuses(result) == {"model.fixture.base_people": "success"}
    other.close()


def test_an_old_run_results_file_is_gone(branch):
    path = branch.target_path / "run_results.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    answer = branch.session.ask("build", **branch.request(["seed.fixture.people"], dbt_command="run"))
    assert not answer["ok"] and "results" in path.read_text()


def test_the_parsed_manifests_stay_as_they_were(branch):
    request = branch.warehouse.request
    branch.build("model.fixture.mart_people", "model.fixture.base_people")
    again = branch.session.ok("resolve", **request(branch.project, branch.profiles, handle="head", **{"as": "again"}))
    assert again["relations"] == branch.relations
    result = branch.build("model.fixture.view_people", deferred={}, dbt_command="compile")
    compiled = Path(next(i for i in result["results"] if i["unique_id"].endswith("view_people"))["compiled_path"])
    assert '"pr_7_marts"."people_mart"' in compiled.read_text()


def test_a_failing_model_tells_why_and_where(branch, tmp_path):
    copied = shutil.copytree(branch.project, tmp_path / "project")
    (copied / "models/base_people.sql").write_text("select nothing_such from {{ ref('people') }}")
    request = branch.warehouse.request
    branch.session.ok("parse", **request(copied, branch.profiles, target_path=str(tmp_path / "t"), handle="broken"))
    result = branch.build("model.fixture.base_people", "model.fixture.mart_people", handle="broken", project_dir=str(copied))
    failed = {item["unique_id"]: item for item in result["results"]}["model.fixture.base_people"]
    assert failed["status"] == "error" and "nothing_such" in failed["message"] and "\x1b" not in failed["message"]
    assert "nothing_such" in failed["compiled_code"] and Path(failed["compiled_path"]).exists()
    assert statuses(result)["model.fixture.mart_people"] == "skipped" and not result["success"]
    fast = branch.build(
        "model.fixture.base_people", "model.fixture.mart_people", handle="broken", project_dir=str(copied), fail_fast=True
    )
    assert set(statuses(fast).values()) == {"error", "skipped"}


def test_an_interrupt_keeps_what_had_finished_and_the_session(branch, tmp_path):
    copied = shutil.copytree(branch.project, tmp_path / "project")
    slow = LONG if isinstance(branch.kind, Duck) else "select pg_sleep(60)::text as slept"
    (copied / "models/view_people.sql").write_text("{{ config(materialized='table') }}\n-- {{ ref('mart_people') }}\n" + slow)
    request = branch.warehouse.request
    session = branch.session
    session.ok("parse", **request(copied, branch.profiles, target_path=str(tmp_path / "t"), handle="slow"))
    nodes = ["model.fixture.mart_people", "model.fixture.view_people"]
    number = session.send("build", **branch.request(nodes, handle="slow", project_dir=str(copied)))
    sent = []

    def interrupt(event):
        if event["event"] == "node_started" and event["unique_id"] == "model.fixture.view_people":
            threading.Timer(0.5, lambda: (sent.append(time.monotonic()), session.process.send_signal(signal.SIGINT))).start()

    answer = session.reply(number, on_event=interrupt)
    assert time.monotonic() - sent[0] < 4
    assert answer["error"]["kind"] == "interrupted"
    assert statuses(answer["result"])["model.fixture.mart_people"] == "success"
    assert branch.kind.sql("select count(*) from pr_7_marts.people_mart") == [(3,)]
    if not isinstance(branch.kind, Duck):
        assert branch.kind.sql("select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()") == [(0,)]
    assert branch.build("model.fixture.mart_people")["success"]


def test_list_relations(branch):
    common = {
        "macros_dir": str(MACROS),
        "profiles_dir": branch.profiles,
        "project_dir": str(branch.project),
        "target": "ci",
        "profile": None,
        "target_path": str(branch.target_path),
        "log_path": str(branch.target_path),
    }
    database = branch.production["model.fixture.mart_people"]["database"]
    schemas = [{"database": database, "schema": name} for name in ("prod", "prod_marts", "absent", "pr_7 %_")]
    found = branch.session.ok("list_relations", schemas=schemas, **common)["relations"]
    known = {(item["schema"], item["identifier"]): item["type"] for item in found}
    assert known[("prod_marts", "people_mart")] == "table" and known[("prod", "view_people")] == "view"
    assert {item["schema"] for item in found} == {"prod", "prod_marts"}
    assert {item["database"] for item in found} == {database}


def test_a_branch_in_a_file_of_its_own_reads_productions_file(duck_branch, workspace):
    """Isolation by database: production is attached read-only under its own name."""
    made = duck_branch
    place = workspace / "branch_file"
    place.mkdir()
    attached = [{"path": made.kind.path, "alias": "db", "read_only": True}]
    path = str(place / "shop_pr_7.duckdb")
    profiles = made.warehouse.profile("file", "dev", path=path, attach=attached)
    request = made.warehouse.request(made.project, profiles, handle="head", sources_database="db", **{"as": "file"})
    relations = made.session.ok("resolve", **request)["relations"]
    assert relations["model.fixture.mart_people"]["relation_name"] == '"shop_pr_7"."dev_marts"."people_mart"'
    with duckdb.connect(path) as connection:
        connection.execute("create schema dev")
    result = made.build("model.fixture.mart_people", handle="file", profiles_dir=profiles)
    assert result["success"], result
    with duckdb.connect(path) as connection:
        assert connection.execute("select max(amount) from dev_marts.people_mart").fetchall() == [(10,)]


def test_L3_placed_nodes_are_built_beside_production_under_its_own_profile(branch):
    """As a deploy in mode swap does: names do not come from the project's macros, and what is not placed is read where it is."""
    nodes = ["model.fixture.mart_people", "model.fixture.view_people"]
    production = branch.warehouse.profile("production", "prod")
    request = branch.warehouse.request
    placed = dict.fromkeys(nodes, "pr_7_beside")
    names = branch.session.ok("resolve", **request(branch.project, production, handle="prod", placed=placed, **{"as": "beside"}))["relations"]
    assert {key for key in names if names[key]["schema"] == "pr_7_beside"} == set(nodes)
    assert {key: value for key, value in names.items() if key not in nodes} == {
        key: value for key, value in branch.production.items() if key not in nodes}
    before = branch.kind.sql("select count(*) from prod_marts.people_mart")
    result = branch.session.ok(
        "build", **request(branch.project, production, target_path=str(branch.target_path), handle="beside", nodes=nodes))
    assert result["success"], result
    assert branch.kind.sql("select count(*) from pr_7_beside.view_people") == [(3,)]
    assert branch.kind.sql("select count(*) from prod_marts.people_mart") == before
