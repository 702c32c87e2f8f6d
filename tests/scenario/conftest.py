# SPDX-License-Identifier: Apache-2.0
"""What scenarios run on: the binary, private home folders, and one PostgreSQL server for each worker."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def offshoot():
    binary = os.environ.get("OFFSHOOT", str(ROOT / "build/release/offshoot"))
    assert Path(binary).is_file(), f"{binary} is missing: run ci/build"
    return str(Path(binary).resolve())


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postgres:
    """A PostgreSQL server of our own, in a temporary folder, on 127.0.0.1. `new_database` gives a fresh one."""

    def __init__(self, folder):
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert binaries, "PostgreSQL is not installed: run ci/setup"
        self.binaries = binaries[-1]
        self.folder = folder
        self.port = free_port()
        self.count = 0
        self.user = "shop"

    def _as_its_user(self, *command):
        # PostgreSQL refuses to run as root.
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder, **user)

    def start(self):
        if os.geteuid() == 0:
            postgres = pwd.getpwnam("postgres")
            os.chown(self.folder, postgres.pw_uid, postgres.pw_gid)
        data = f"{self.folder}/data"
        self._as_its_user(self.binaries / "initdb", "-D", data, "-U", self.user, "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._as_its_user(self.binaries / "pg_ctl", "-D", data, "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self):
        self._as_its_user(self.binaries / "pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")

    def run(self, sql, database="postgres"):
        """Runs one statement; returns its rows."""
        import psycopg2

        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=self.user, dbname=database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def new_database(self):
        self.count += 1
        name = f"warehouse_{self.count}"
        self.run(f"create database {name}")
        return name


@pytest.fixture(scope="session")
def postgres():
    folder = tempfile.mkdtemp(prefix="offshoot-pg-")
    server = Postgres(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
