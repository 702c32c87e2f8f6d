"""The session as a process: the protocol, errors and their kinds, letting go, ending."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import duckdb
import pytest

from client import DRIVER, MACROS, PYTHON, Session


@pytest.fixture
def request_of(duckdb_warehouse, project, tmp_path):
    def make(profiles=None, **more):
        profiles = profiles or duckdb_warehouse.profile("dev", "dev")
        return duckdb_warehouse.request(
            more.pop("project_dir", project), profiles, target_path=str(tmp_path / "t"), handle="h", **more
        )

    return make


@pytest.fixture
def opened(duckdb_warehouse, tmp_path):
    return {
        "macros_dir": str(MACROS),
        "profiles_dir": duckdb_warehouse.profile("dev", "dev"),
        "profile": "fixture",
        "target": "ci",
        "target_path": str(tmp_path),
        "log_path": str(tmp_path),
    }


def changed(project, tmp_path, files):
    copied = shutil.copytree(project, tmp_path / "project")
    for name, text in files.items():
        (copied / name).write_text(text)
    return str(copied)


def test_parse_tells_what_it_found(session, request_of, duckdb_warehouse):
    result = session.ok("parse", **request_of())
    assert result["adapter_type"] == "duckdb" and result["target"] == "ci" and not result["partial"]
    assert result["credentials"] == {"database": "db", "schema": "dev", "path": duckdb_warehouse.output["path"]}
    assert json.load(open(result["manifest_path"]))["metadata"]["adapter_type"] == "duckdb"
    assert not os.path.exists(duckdb_warehouse.output["path"]), "parse opened the warehouse"


def test_a_second_tree_starts_from_the_firsts_partial_parse(session, request_of, project, tmp_path):
    session.ok("parse", **request_of())
    other = changed(project, tmp_path, {"models/extra.sql": "select 1 as id"})
    again = {**request_of(project_dir=other), "target_path": str(tmp_path / "t2")}
    result = session.ok("parse", **again, partial_parse_file=str(tmp_path / "t/partial_parse.msgpack"))
    assert result["partial"]
    assert "model.fixture.extra" in json.load(open(result["manifest_path"]))["nodes"]


def test_warnings_are_told(session, request_of, project, tmp_path):
    other = changed(project, tmp_path, {"models/more.yml": "models:\n  - name: nowhere_at_all\n"})
    warnings = session.ok("parse", **request_of(project_dir=other))["warnings"]
    assert any("nowhere_at_all" in warning["message"] and warning["code"] for warning in warnings)


@pytest.mark.parametrize(
    "files, kind, place",
    [
        ({"models/bad.sql": "select {{ 1 +"}, "compilation", {"file": "models/bad.sql"}),
        ({"models/bad.sql": "select * from {{ ref('nowhere') }}"}, "compilation", {"node": "model.fixture.bad"}),
        ({"models/bad.yml": "models: [\n"}, "parsing", {"line": 2}),
        ({"dbt_project.yml": "name: [\n"}, "project", {}),
        ({"dbt_project.yml": "name: fixture\nprofile: nowhere\nversion: '1'"}, "profile", {}),
        ({"packages.yml": "packages: [{local: ../nowhere}]"}, "dependency", {}),
    ],
)
def test_errors_have_kinds_and_places(session, request_of, project, tmp_path, files, kind, place):
    error = session.error("parse", **request_of(project_dir=changed(project, tmp_path, files)))
    assert error["kind"] == kind, error
    assert place.items() <= error.items(), error
    assert "\x1b" not in error["message"] and "Traceback" not in error["message"] and len(error["message"]) < 9000


def test_profile_errors(session, request_of, duckdb_warehouse, tmp_path):
    session.ok("parse", **request_of())  # the errors before left the session whole
    assert session.error("parse", **request_of(str(tmp_path)))["kind"] == "profile"
    assert session.error("parse", **{**request_of(), "target": "nowhere"})["kind"] == "profile"
    no_schema = duckdb_warehouse.profile("bad", "x", type="nothing")
    assert session.error("parse", **request_of(no_schema))["kind"] in ("profile", "compilation")


def test_bad_requests(session, request_of):
    for line in (b"\n", b"x\n", b"[1]\n", b"[" * 100000 + b"\n", b"\xff\n", b'{"id": 5}\n'):
        session.send_raw(line)
    answers = [session.receive() for _ in range(5)]
    assert [answer["error"]["kind"] for answer in answers] == ["usage"] * 5
    assert [answer["id"] for answer in answers] == [None] * 4 + [5]
    assert session.error("nothing")["kind"] == "usage"
    assert session.error("__init__")["kind"] == "usage"
    assert session.error("parse")["message"] == "parse: 'project_dir' is missing"
    assert session.error("resolve", **{**request_of(), "handle": "gone", "as": "x"})["kind"] == "usage"
    assert session.ok("forget", handle="gone") == {"known": False}


def test_the_duckdb_file_is_free_after_each_command(session, opened, duckdb_warehouse):
    path = duckdb_warehouse.output["path"]
    session.ok("macro", macro="offshoot.list_branches", args={"prefix": ""}, **opened)
    assert session.ok("debug", **opened)["ok"]
    with duckdb.connect(path) as connection:
        connection.execute("create or replace table seen as select 1 as a")
    session.ok("release")


def test_a_file_held_by_another_process_is_locked(session, opened, duckdb_warehouse):
    with duckdb.connect(duckdb_warehouse.output["path"]):
        assert session.error("macro", macro="offshoot.list_branches", args={}, **opened)["kind"] == "locked"
        answer = session.ok("debug", **opened)
        assert (answer["ok"], answer["kind"], answer["adapter_type"]) == (False, "locked", "duckdb")
    assert session.ok("debug", **opened)["ok"]


def test_a_server_that_is_away_is_a_connection_error(session, opened, workspace):
    from conftest import Warehouse

    away = Warehouse(workspace, {"type": "postgres", "host": "127.0.0.1", "port": 1, "user": "u", "password": "s3cret", "dbname": "d"})
    away_request = {**opened, "profiles_dir": away.profile("away", "dev")}
    error = session.error("macro", macro="offshoot.list_branches", args={}, **away_request)
    assert error["kind"] == "connection" and "s3cret" not in error["message"]
    assert session.ok("debug", **away_request)["kind"] == "connection"


def test_a_macro_costs_little_after_a_parse(session, request_of, opened):
    session.ok("parse", **request_of())
    session.ok("macro", macro="offshoot.list_branches", args={}, **opened)
    started = time.monotonic()
    session.ok("macro", macro="offshoot.list_branches", args={}, **opened)
    assert time.monotonic() - started < 1.0  # 0.06 s on an idle machine; the bound is for a busy one


def test_macros_of_the_users_project_take_no_part(session, request_of, opened, project, tmp_path):
    hostile = "{% macro statement(name=none) %}{{ exceptions.raise_compiler_error('mine') }}{% endmacro %}"
    hostile += "{% macro duckdb__all_marks(names=none) %}{{ return({}) }}{% endmacro %}"
    other = changed(project, tmp_path, {"macros/hostile.sql": hostile})
    session.ok("parse", **request_of(project_dir=other))
    mark = {"repository_id": 1, "pull_request": 1}
    named = {**opened, "profile": None, "project_dir": other}
    session.ok("macro", macro="offshoot.create_branch", args={"schemas": ["own_1"], "mark": mark}, **named)
    found = session.ok("macro", macro="offshoot.list_branches", args={"prefix": "own_"}, **named)["value"]
    assert [item["schema"] for item in found] == ["own_1"]
    session.ok("macro", macro="offshoot.drop_branch", args={"schemas": ["own_1"], "mark": mark}, **named)


def test_deps_and_parse_with_packages_elsewhere(session, request_of, project, tmp_path):
    package = tmp_path / "package"
    (package / "models").mkdir(parents=True)
    (package / "dbt_project.yml").write_text("name: extra\nversion: 1.0.0\nmodels: {extra: {+schema: ext}}\n")
    (package / "models/from_package.sql").write_text("select 1 as id")
    other = changed(project, tmp_path, {"packages.yml": f"packages: [{{local: {package}}}]"})
    installed = str(tmp_path / "cache/packages")
    request = request_of(project_dir=other, packages_install_path=installed)
    session.ok("deps", **request)
    assert os.path.isdir(installed + "/extra") and not os.path.exists(other + "/dbt_packages")
    session.ok("parse", **request)
    relations = session.ok("resolve", **request, **{"as": "r"})["relations"]
    assert relations["model.extra.from_package"]["schema"] == "dev_ext"


def test_vars(session, request_of, project, tmp_path):
    other = changed(project, tmp_path, {"models/v.sql": "{{ config(schema=var('place')) }} select '{{ var(\"place\") }}' as x"})
    request = request_of(project_dir=other, vars={"place": 'a"b'})
    session.ok("parse", **{**request, "vars": {"place": "so"}})
    assert session.ok("resolve", **{**request, "vars": {"place": "so"}}, **{"as": "r"})["relations"]["model.fixture.v"]["schema"] == "dev_so"


def test_the_working_directory_stays(session, request_of, session_folder):
    session.ok("parse", **request_of())
    assert os.readlink(f"/proc/{session.process.pid}/cwd") == str(session_folder)


def test_no_dbt_is_fatal(tmp_path):
    started = Session(tmp_path, tmp_path / "log", env={"PYTHONPATH": ""}, python=shutil.which("python3", path="/usr/bin") or sys.executable)
    assert started.receive()["event"] == "started"
    fatal = started.receive()
    assert (fatal["event"], fatal["what"]) == ("fatal", "import") and "dbt" in fatal["message"]
    assert started.close() == 3


def test_ready_names_the_versions_and_signals_and_the_end(workspace):
    """One process: an inherited ignored SIGINT, SIGINT while idle, shutdown."""
    started = Session(workspace, workspace / "signals.log")
    assert started.receive()["pid"] == started.process.pid
    ready = started.receive()
    assert ready["dbt_version"].startswith("1.") and set(ready["adapters"]) >= {"duckdb", "postgres"}
    started.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    started.send_raw(b'{"id": 1, "comm')
    started.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    started.send_raw(b'and": "release"}\n')
    assert started.receive() == {"id": 1, "ok": True, "result": {}}
    assert started.ok("shutdown") == {} and started.process.wait(10) == 0


PARENT = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
a, b = os.pipe(); c, d = os.pipe()
child = subprocess.Popen([sys.argv[1], "-u", sys.argv[2], "--in", str(a), "--out", str(d)], pass_fds=(a, b, c, d))
print(child.pid, flush=True); os.read(c, 1); time.sleep(600)
"""


def test_D4_signals_are_reset_and_the_session_dies_with_its_parent():
    parent = subprocess.Popen([PYTHON, "-c", PARENT, PYTHON, str(DRIVER)], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and caught(child) & (1 << signal.SIGINT - 1) == 0:
        time.sleep(0.05)
    assert caught(child) & (1 << signal.SIGINT - 1)
    parent.kill()
    parent.wait()
    while time.monotonic() < deadline and state(child) not in (None, "Z"):
        time.sleep(0.05)
    assert state(child) in (None, "Z")


def status_field(pid, name):
    try:
        with open(f"/proc/{pid}/status") as file:
            return next(line.split()[1] for line in file if line.startswith(name + ":"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def caught(pid):
    return int(status_field(pid, "SigCgt") or "0", 16)


def state(pid):
    return status_field(pid, "State")
