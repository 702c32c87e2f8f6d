"""Fixtures: one session process, warehouses in temporary folders, a PostgreSQL server of our own."""

import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from client import Session

PROJECT = Path(__file__).parent / "project"
POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp("session")


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("process")


@pytest.fixture(scope="session")
def session(session_folder):
    """One process for all tests: that it serves them one after another is a test of its own."""
    started = Session(session_folder, session_folder / "session.log")
    assert started.receive()["event"] == "started"
    assert started.receive()["event"] == "ready"
    yield started
    assert started.close() == 0


class Warehouse:
    """A place for profiles: `profile(name, schema)` writes one and gives its folder."""

    def __init__(self, folder, output):
        self.folder = Path(folder)
        self.output = output

    def profile(self, name, schema, target="ci", **changes):
        folder = self.folder / f"profiles_{name}"
        folder.mkdir(exist_ok=True)
        output = {**self.output, "schema": schema, **changes}
        content = {"fixture": {"target": target, "outputs": {target: output}}}
        (folder / "profiles.yml").write_text(json.dumps(content))
        return str(folder)

    def request(self, project, profiles, target="ci", **more):
        return {
            "project_dir": str(project),
            "profiles_dir": profiles,
            "target": target,
            "profile": None,
            "vars": {},
            "log_path": str(self.folder / "logs"),
            **more,
        }


@pytest.fixture(scope="module")
def duckdb_warehouse(workspace):
    folder = workspace / "duck"
    folder.mkdir()
    return Warehouse(folder, {"type": "duckdb", "path": str(folder / "db.duckdb"), "threads": 2})


@pytest.fixture(scope="session")
def postgres_server():
    """Connection settings of a throw-away server on a free port of 127.0.0.1."""
    if not POSTGRES_BIN.exists():
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="offshoot_pg_", dir="/tmp"))
    as_user = {}
    if os.geteuid() == 0:
        postgres = pwd.getpwnam("postgres")
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)
        as_user = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = lambda *command: subprocess.run(
        command, check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **as_user
    )
    data = folder / "data"
    run(POSTGRES_BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off -c shared_buffers=16MB"
    run(POSTGRES_BIN / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    yield {"host": "127.0.0.1", "port": port, "user": "postgres", "password": "", "dbname": "postgres"}
    run(POSTGRES_BIN / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres_database(postgres_server, request):
    """Connection settings of a database of the test module's own."""
    import psycopg2

    name = request.module.__name__
    connection = psycopg2.connect(**postgres_server)
    connection.autocommit = True
    connection.cursor().execute(f"create database {name}")
    connection.close()
    return {**postgres_server, "dbname": name}


@pytest.fixture(scope="module")
def postgres_warehouse(workspace, postgres_database):
    folder = workspace / "postgres"
    folder.mkdir()
    return Warehouse(folder, {"type": "postgres", **postgres_database, "threads": 2})


@pytest.fixture(scope="module")
def project(workspace):
    return shutil.copytree(PROJECT, workspace / "project")
