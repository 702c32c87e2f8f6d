# SPDX-License-Identifier: Apache-2.0
"""A small store in a git repository, with production in DuckDB or PostgreSQL."""

import copy
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VENV = Path(os.environ.get("OFFSHOOT_TEST_VENV", ROOT / ".venv"))
ALL = os.environ.get("OFFSHOOT_TEST_ALL") == "yes"

_spec = importlib.util.spec_from_file_location("scenario_fixtures", ROOT / "tests/scenario/conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
offshoot = _fixtures.offshoot
postgres = _fixtures.postgres

CATALOG = """
select n.nspname || '.' || c.relname as name, c.relkind::text as kind, c.relacl::text as acl, c.relowner::regrole::text as owner,
  obj_description(c.oid, 'pg_class') as comment, case when c.relkind = 'v' then pg_get_viewdef(c.oid) end as view,
  (select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || coalesce(col_description(c.oid, a.attnum), '')
     order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)::text as columns,
  (select array_agg(regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX \\S+ ON', 'INDEX ON') order by 1) from pg_index i where i.indrelid = c.oid)::text as indexes
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm') and n.nspname in ('store', 'store_reference', 'bi', 'raw') order by 1"""


def pytest_configure(config):
    config.addinivalue_line("markers", "long_form: runs with ci/test --all; another test shows the same in the short form, or a part of it")


def pytest_collection_modifyitems(config, items):
    if ALL:
        return
    left_out = [item for item in items if item.get_closest_marker("long_form")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


class Store:
    def __init__(self, folder, offshoot, postgres=None):
        self.offshoot = offshoot
        self.postgres = postgres
        self.repository = folder / "repository"
        self.production = folder / "warehouse/prod.duckdb"
        self.production.parent.mkdir(parents=True)
        self.kept = folder / "kept"
        self.environment = {"PATH": f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "VIRTUAL_ENV": str(VENV),
                            "LANG": "C.UTF-8", "STORE_PROD": str(self.production), "TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir()
        if postgres:
            self.database = postgres.new_database()
            self.environment |= {"STORE_PG_PORT": str(postgres.port), "STORE_PG_USER": postgres.user, "STORE_PG_DATABASE": self.database}
        shutil.copytree(HERE / "project", self.repository)
        self.git("-c", "init.defaultBranch=main", "init", "--quiet")
        self.commit("Begin")
        self.sql("create schema raw", "create table raw.orders (order_id int, code text, amount int)",
                 "insert into raw.orders values (1, 'de', 10), (2, 'fr', 20)")

    def git(self, *arguments):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *identity, *arguments], cwd=self.repository, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message, **files):
        """Writes models (name=SQL; None removes one) and commits."""
        for name, text in files.items():
            path = self.repository / f"models/{name}.sql"
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def edit(self, message, name, old, new):
        path = self.repository / "models" / f"{name}.sql"
        text = path.read_text()
        assert old in text
        return self.commit(message, **{name: text.replace(old, new)})

    def sql(self, *statements):
        if self.postgres:
            for statement in statements:
                rows = self.postgres.run(statement, self.database)
            return rows
        import duckdb

        with duckdb.connect(str(self.production)) as connection:
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return rows

    def arguments(self, command, *more, mode=None):
        target = ["--target", "pg_ci", "--production", "pg_prod"] if self.postgres else []
        chosen = ["--set", f"deploy.mode={mode}"] if mode else []
        return [self.offshoot, command, "--store", str(self.kept), *target, *chosen, *more]

    def call(self, command, *more, mode=None, **environment):
        return subprocess.run(self.arguments(command, *more, mode=mode), cwd=self.repository, env=self.environment | environment,
                              capture_output=True, text=True, timeout=300)

    def deploy(self, *more, mode=None, expect=0, **environment):
        result = self.call("deploy", *more, mode=mode, **environment)
        assert result.returncode == expect, f"status {result.returncode}\n{result.stderr}"
        return result

    def start(self, *more, mode=None):
        return subprocess.Popen(self.arguments("deploy", *more, mode=mode), cwd=self.repository, env=self.environment,
                                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    def runs(self):
        return [json.loads(path.read_text()) for path in sorted(self.kept.glob("*/runs/*/*/run.json"))]

    def run(self):
        return self.runs()[-1]

    def planned(self):
        return sorted(node["name"] for node in self.run()["plan"]["value"]["nodes"] if node["resource_type"] in ("model", "seed", "snapshot"))

    def clone(self, name):
        """The same production and store, worked on from a fresh clone of what is committed now."""
        other = copy.copy(self)
        other.repository = self.repository.parent / name
        self.git("clone", "--quiet", "--no-hardlinks", ".", str(other.repository))
        return other

    def let_leases_run_out(self):
        """As if their holders had not renewed them for long."""
        for lease in self.kept.glob("*/locks/*.json"):
            os.utime(lease, (time.time() - 3600, time.time() - 3600))

    def pointer(self):
        return next(self.kept.glob("*/state/production/*/current.json"))

    def fingerprint(self):
        if not self.postgres:
            return hashlib.sha256(self.production.read_bytes()).hexdigest()
        relations = self.sql("select n.nspname, c.relname, c.oid, c.relfilenode, c.relacl::text, obj_description(n.oid, 'pg_namespace') from pg_class c"
                             " join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^(pg_|information_schema)' order by 1, 2")
        counts = [self.sql(f'select count(*), md5(string_agg(x::text, \'|\' order by x::text)) from "{schema}"."{name}" x')
                  for schema, name, *_ in relations if not name.endswith("idx") and len(name) != 32]
        schemas = self.sql("select nspname from pg_namespace where nspname !~ '^pg_' order by 1")
        return relations, counts, schemas

    def catalog(self):
        """All that a reader may notice of production's relations, as PostgreSQL tells it."""
        return self.sql(CATALOG)

    def leftovers(self):
        """What offshoot has beside production."""
        if self.postgres:
            return [row[0] for row in self.sql("select nspname from pg_namespace where nspname like 'offshoot\\_%' order by 1")]
        return sorted(path.name for path in self.production.parent.iterdir() if path.name.startswith("offshoot_"))


@pytest.fixture(params=["duckdb", "postgres"])
def store(request, tmp_path, offshoot):
    return Store(tmp_path, offshoot, request.getfixturevalue("postgres") if request.param == "postgres" else None)


def kinds(of_duckdb, of_postgres):
    """For a test of both warehouses and of something else that varies: in the short form not every combination is run."""
    both = [("duckdb", kind) for kind in of_duckdb] + [("postgres", kind) for kind in of_postgres]
    everything = [(warehouse, kind) for warehouse in ("duckdb", "postgres") for kind in dict.fromkeys([*of_duckdb, *of_postgres])]
    return pytest.mark.parametrize(("store", "kind"), everything if ALL else both, indirect=["store"])


@pytest.fixture
def duck(tmp_path, offshoot):
    return Store(tmp_path, offshoot)


@pytest.fixture
def pg(tmp_path, offshoot, postgres):
    return Store(tmp_path, offshoot, postgres)
