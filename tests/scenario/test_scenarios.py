# SPDX-License-Identifier: Apache-2.0
"""Runs every folder under cases/: a base, a head, a command, and what must come out.

cases/<case>/scenario.yml (all keys but `about` and `expect` may be left out):

    about: one sentence
    long: false                 # true: only in the long form, ci/test --all
    like: case                  # another case, whose base/ and head/ are laid first
    project: tiny               # a folder of projects/, "shop" for examples/shop, or none
    git: true                   # false: the folder is no git repository
    folder: .                   # where in the repository the project lies
    adapter: duckdb             # or postgres
    production: deployed        # or none: production was never built
    remove, rename: [path], {old: new}      # what the head does to the base, besides the files of head/
    base_remove: [path]         # what is taken out of the project before the base is committed
    branch: feature             # name of the head's git branch
    uncommitted: false          # the head's changes stay in the work tree
    environment: {NAME: value}  # null takes a variable away
    hold: [path]                # DuckDB files that another process holds for writing meanwhile
    before: [[program, argument…]]          # run in the repository after the head's commit
    command: [check]            # arguments; --repository, --base and --store are added
    then: [[…], …]              # further commands, each a list of arguments, run one after the other; one that
                                # begins with git is git's, [sql, statement] is PostgreSQL's, [run, program, …]
                                # any program's, and [remove, path] removes a file or folder
    signal: {send: SIGINT, after: text}     # sent to `command` once it has written this text to stderr
    expect:
      exit: 0
      plan: {unique_id: [reason kinds]}     # exactly these
      removed: [unique_id]                  # exactly these
      deferred: {unique_id: relation}       # read from production, exactly these
      relations: {unique_id: relation}      # where planned nodes go in the branch; these, among others
      dbt_started: true                     # whether the plan needed dbt
      base_state: text                      # stands in the words for where the base's state comes from
      idle: {path: because}                 # exactly these
      results: {unique_id: status}          # exactly these
      lint: [path:line:rule]                # those on changed lines, exactly these
      comment, stderr, stdout: [text]       # stand in it
      comment_not, stderr_not, stdout_not: [text]       # do not
      stdout_is_comment: true               # byte for byte
      stdout_is_json: true                  # one JSON document
      nowhere: [text]                       # not in the output nor in any file of the store
      files: {pattern: true}                # whether such a file exists
      warehouse: {statement: rows}          # PostgreSQL's answers
      schemas: [name]                       # of the branches that are left, exactly these

In arguments, statements, paths and expected texts, {repository}, {project}, {production}, {store}, {case}, {python},
{port}, {database} and {run}, the last run's run.json, are filled in. base/ and head/ hold files laid over the
project, those below _root/ over the repository. serve/ holds folders that are served as <folder>.tar.gz from
{server}, which is filled in in packages.yml; dbt then makes package-lock.yml of both sides. comment.md, if there, is
the comment that must come out, with times, shas and versions replaced; UPDATE_GOLDEN=1 writes it where `expect` has
golden: true.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ALL = os.environ.get("OFFSHOOT_TEST_ALL") == "yes"
CASES = sorted(path.parent for path in (HERE / "cases").glob("*/scenario.yml")
               if ALL or not yaml.safe_load(path.read_text()).get("long", False))
VENV = Path(os.environ.get("OFFSHOOT_TEST_VENV", ROOT / ".venv"))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Scenario:
    """One case, set up in a temporary folder."""

    def __init__(self, case, folder, offshoot, postgres):
        self.case = case
        self.spec = yaml.safe_load((case / "scenario.yml").read_text())
        self.offshoot = offshoot
        self.postgres = postgres
        self.repository = folder / "repository"
        self.repository.mkdir()
        self.project = self.repository / self.spec.get("folder", ".")
        self.store = folder / "store"
        self.production = folder / "prod.duckdb"
        self.home = folder / "home"
        self.home.mkdir()
        self.server = self.serve(folder / "served")
        self.signal = self.spec.get("signal")
        self.holders = []
        self.environment = {
            "PATH": f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "VIRTUAL_ENV": str(VENV),
            "LANG": "C.UTF-8",
            "TINY_PROD": str(self.production),
            "SHOP_PROD": str(self.production),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        if self.adapter == "postgres":
            self.database = postgres.new_database()
            for prefix in ("TINY_PG", "SHOP_PG"):
                self.environment |= {
                    f"{prefix}_HOST": "127.0.0.1",
                    f"{prefix}_PORT": str(postgres.port),
                    f"{prefix}_USER": postgres.user,
                    f"{prefix}_DATABASE": self.database,
                    f"{prefix}_DBNAME": self.database,
                }
        for name, value in self.spec.get("environment", {}).items():
            self.environment.pop(name, None)
            if value is not None:
                self.environment[name] = self.filled(value)

    @property
    def adapter(self):
        return self.spec.get("adapter", "duckdb")

    def filled(self, text):
        """`text` with the scenario's own folders and ports put in."""
        places = {
            "{repository}": self.repository,
            "{project}": self.project,
            "{production}": self.production,
            "{store}": self.store,
            "{python}": VENV / "bin/python",
            "{database}": self.database if self.postgres else "",
            "{port}": self.postgres.port if self.postgres else "",
            "{case}": self.case,
            "{server}": self.server,
            "{run}": self.last_run_file() or "",
        }
        for name, value in places.items():
            text = text.replace(name, str(value))
        return text

    def git(self, *arguments):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=self.repository, check=True, capture_output=True,
                       env=self.environment)

    def serve(self, folder):
        """Serves the folders of serve/ as packages; returns the address, or nothing."""
        if not (self.case / "serve").is_dir():
            return ""
        folder.mkdir()
        for package in (self.case / "serve").iterdir():
            with tarfile.open(folder / f"{package.name}.tar.gz", "w:gz") as archive:
                archive.add(package, package.name)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    def lock_served_packages(self):
        if not self.server:
            return
        packages = self.project / "packages.yml"
        packages.write_text(self.filled(packages.read_text()))
        subprocess.run([VENV / "bin/dbt", "--quiet", "deps", "--lock"], cwd=self.project, check=True,
                       env=self.environment, capture_output=True)

    def lay(self, layer, over):
        """Puts the files of base/ or head/ over the project; those under `_root/` over the repository."""
        cases = [self.case.with_name(self.spec["like"])] if "like" in self.spec else []
        for source in (case / layer for case in [*cases, self.case]):
            for file in (file for file in source.rglob("*") if file.is_file()):
                relative = file.relative_to(source)
                in_root = relative.parts[0] == "_root"
                target = self.repository / Path(*relative.parts[1:]) if in_root else over / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)

    def set_up(self):
        name = self.spec.get("project", "tiny")
        source = ROOT / "examples/shop" if name == "shop" else HERE / "projects" / name
        files = subprocess.run(["git", "ls-files", "-z", str(source)], cwd=ROOT, capture_output=True, check=True)
        for file in filter(None, files.stdout.decode().split("\0")):
            target = self.project / (ROOT / file).relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, target)
        self.lay("base", self.project)
        for path in self.spec.get("base_remove", []):
            (self.project / path).unlink()
        self.lock_served_packages()
        if not self.spec.get("git", True):
            return
        self.git("-c", "init.defaultBranch=main", "init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "base")
        self.deploy_production(name)

        self.git("switch", "--quiet", "--create", self.spec.get("branch", "feature"))
        for old, new in self.spec.get("rename", {}).items():
            (self.project / new).parent.mkdir(parents=True, exist_ok=True)
            self.git("mv", "--", str(self.project / old), str(self.project / new))
        for path in self.spec.get("remove", []):
            self.git("rm", "--quiet", "--", str(self.project / path))
        self.lay("head", self.project)
        self.lock_served_packages()
        if not self.spec.get("uncommitted", False):
            self.git("add", "--all")
            self.git("commit", "--quiet", "--allow-empty", "--message", "head")
        for command in self.spec.get("before", []):
            subprocess.run([self.filled(part) for part in command], cwd=self.repository, check=True,
                           env=self.environment)

    def deploy_production(self, name):
        if self.spec.get("production", "deployed") != "deployed" or name == "none":
            return
        if name == "shop":
            warehouse = ["--duckdb", str(self.production)]
            if self.adapter == "postgres":
                user, port = self.postgres.user, self.postgres.port
                warehouse = ["--postgres", f"host=127.0.0.1 port={port} user={user} dbname={self.database}"]
            subprocess.run([VENV / "bin/python", self.project / "raw/load.py", *warehouse], check=True,
                           env=self.environment)
        target = "prod" if self.adapter == "duckdb" else "pg_prod"
        if (self.project / "packages.yml").exists():
            subprocess.run([VENV / "bin/dbt", "--quiet", "deps"], cwd=self.project, check=True, env=self.environment)
        subprocess.run([VENV / "bin/dbt", "--quiet", "build", "--target", target], cwd=self.project, check=True,
                       env=self.environment, capture_output=True)
        for leftover in ("target", "logs"):
            shutil.rmtree(self.project / leftover, ignore_errors=True)

    def fingerprint(self):
        """What must not change: production's bytes, or every table and row outside the branches."""
        if self.adapter == "duckdb":
            return hashlib.sha256(self.production.read_bytes()).hexdigest() if self.production.exists() else None
        tables = self.postgres.run(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema !~ '^(pg_|information_schema|offshoot_)' order by 1, 2", self.database)
        return [(schema, table, self.postgres.run(f'select count(*) from "{schema}"."{table}"', self.database))
                for schema, table in tables]

    def call(self, arguments):
        """Runs offshoot; the command's own options come from the scenario, its surroundings from here."""
        command, *rest = arguments
        rest = [self.filled(part) for part in rest]
        if command == "git":
            return self.git(*rest)
        if command == "sql":
            return self.postgres.run(*rest, self.database)
        if command == "run":
            return subprocess.run(rest, cwd=self.repository, check=True, env=self.environment)
        if command == "remove":
            return shutil.rmtree(rest[0]) if Path(rest[0]).is_dir() else Path(rest[0]).unlink()
        extra = []
        if command != "report" and command != "state" and "--repository" not in rest:
            extra += ["--repository", str(self.repository)]
        if command in ("check", "plan", "lint") and "--base" not in rest:
            extra += ["--base", "main"]
        if command not in ("report", "state", "init") and "--store" not in rest:
            extra += ["--store", str(self.store)]
        if command in ("check", "plan", "clean", "branches", "deploy", "doctor") and self.adapter == "postgres":
            extra += ["--target", "pg_ci", "--production", "pg_prod"]
        if command not in ("report", "state") and "--project-dir" not in rest and "folder" in self.spec:
            extra += ["--project-dir", self.spec["folder"]]
        arguments = [self.offshoot, *(self.filled(argument) for argument in [command, *extra]), *rest]
        if self.signal:
            return self.interrupted(arguments, **self.signal)
        return subprocess.run(arguments, cwd=self.repository, env=self.environment, capture_output=True, timeout=300)

    def interrupted(self, arguments, send, after):
        """Runs a command until it has written `after` to stderr, and sends it a signal then."""
        self.signal = None
        child = subprocess.Popen(arguments, cwd=self.repository, env=self.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        said = b""
        while after.encode() not in said:
            read = os.read(child.stderr.fileno(), 65536)
            assert read, f"it ended without saying {after!r}:\n{said.decode()}"
            said += read
        sent = time.monotonic()
        child.send_signal(signal.Signals[send])
        out, rest = child.communicate(timeout=60)
        assert time.monotonic() - sent < 7, "it took its time to stop (requirement K2)"
        return subprocess.CompletedProcess(arguments, child.returncode, out, said + rest)

    def hold(self):
        """Opens the files of `hold` in other processes, until `release`."""
        for path in self.spec.get("hold", []):
            code = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
            holder = subprocess.Popen([VENV / "bin/python", "-c", code, self.filled(path)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
            holder.stdout.readline()
            self.holders.append(holder)

    def release(self):
        for holder in self.holders:
            holder.communicate()

    def last_run_file(self):
        return max(self.store.glob("*/runs/*/*/run.json"), default=None)

    def last_run(self):
        file = self.last_run_file()
        return json.loads(file.read_text()) if file else None

    def comment(self):
        comments = sorted(self.store.glob("*/runs/*/*/comment.md"))
        return comments[-1].read_text() if comments else ""

    def branches_left(self):
        if self.adapter == "duckdb":
            return sorted(path.stem for path in self.project.glob("offshoot_*.duckdb"))
        rows = self.postgres.run(
            "select nspname from pg_namespace where nspname like 'offshoot\\_%' order by 1", self.database)
        return [row[0] for row in rows]


def finished(run, stage):
    outcome = run[stage]
    assert outcome["state"] == "finished", f"{stage}: {outcome}"
    return outcome["value"]


def steady(comment):
    """The comment without what differs from run to run."""
    comment = re.sub(r"\b\d{8}T\d{6}Z-[\w.-]+", "<run>", comment)
    comment = re.sub(r"\bdigest=[0-9a-f]{16}\b", "digest=<digest>", comment)
    comment = re.sub(r"\b(offshoot|sqlfluff) \d[\w.]*", r"\1 <version>", comment)
    comment = re.sub(r"\b[0-9a-f]{40}\b", "<sha>", comment)
    comment = re.sub(r"\b[0-9a-f]{7,12}\b", "<sha>", comment)
    comment = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?", "<time>", comment)
    return re.sub(r"\b\d+(\.\d+)? ?(ms|s|min)\b", "<seconds>", comment)


def check_places(scenario, expect, result):
    """What lies on the disk and in the warehouse."""
    for path, exists in expect.get("files", {}).items():
        assert any(glob.glob(str(scenario.project / scenario.filled(path)))) == exists, path
    for statement, rows in expect.get("warehouse", {}).items():
        answer = scenario.postgres.run(scenario.filled(statement), scenario.database)
        assert [list(row) for row in answer] == rows, statement
    places = {file: file.read_bytes() for file in scenario.store.rglob("*") if file.is_file()}
    places |= {"stdout": result.stdout, "stderr": result.stderr}
    for text in expect.get("nowhere", []):
        assert [place for place, said in places.items() if text.encode() in said] == [], text


def check_expectations(scenario, expect, result):
    out, err = result.stdout.decode(errors="replace"), result.stderr.decode(errors="replace")
    assert result.returncode == expect.get("exit", 0), f"exit status {result.returncode}\n{err}\n{out}"
    assert "Traceback" not in err and "terminate called" not in err, err
    alive = re.search(r"^\s*::|##\[", err + out, re.MULTILINE)
    alive = alive or re.search(r"[\x00-\x08\x0b-\x1f\x7f]", err + out + scenario.comment())
    assert not alive, f"{alive} (requirement B4)\n{err}"
    places = {"stderr": err, "stdout": out, "comment": scenario.comment()}
    for place, said in places.items():
        for text in map(scenario.filled, expect.get(place, [])):
            assert text in said, f"{text!r} is not in {place}\n{said}"
        for text in map(scenario.filled, expect.get(f"{place}_not", [])):
            assert text not in said, f"{text!r} is in {place}\n{said}"

    if expect.get("stdout_is_comment"):
        assert out == scenario.comment()

    if expect.get("stdout_is_json"):
        json.loads(out)
    check_places(scenario, expect, result)

    run = scenario.last_run()
    if "plan" in expect:
        nodes = finished(run, "plan")["nodes"]
        seen = {node["unique_id"]: [reason["kind"] for reason in node["reasons"]] for node in nodes}
        assert seen == (expect["plan"] or {})
    if "removed" in expect:
        assert [node["unique_id"] for node in finished(run, "plan")["removed"]] == expect["removed"]
    if "deferred" in expect:
        seen = {node["unique_id"]: node["relation"]["rendered"] for node in finished(run, "plan")["deferred"]}
        assert seen == {name: scenario.filled(place) for name, place in expect["deferred"].items()}
    if "relations" in expect:
        seen = {node["unique_id"]: node["relation"]["rendered"] for node in finished(run, "plan")["nodes"]}
        wanted = {name: scenario.filled(place) for name, place in expect["relations"].items()}
        assert {name: seen.get(name) for name in wanted} == wanted
    if "dbt_started" in expect:
        assert finished(run, "plan")["dbt_started"] == expect["dbt_started"]
    if "base_state" in expect:
        assert expect["base_state"] in finished(run, "plan")["base_state"]
    if "idle" in expect:
        assert {file["path"]: file["because"] for file in finished(run, "plan")["idle_files"]} == (expect["idle"] or {})
    if "results" in expect:
        seen = {node["unique_id"]: node["status"] for node in finished(run, "build")["results"]}
        assert seen == (expect["results"] or {})
    if "lint" in expect:
        findings = [finding for finding in finished(run, "lint")["findings"] if finding["on_changed_line"]]
        assert [f"{one['path']}:{one['line']}:{one['rule']}" for one in findings] == expect["lint"]
    if "schemas" in expect:
        assert scenario.branches_left() == expect["schemas"]

    golden = scenario.case / "comment.md"
    if os.environ.get("UPDATE_GOLDEN") and expect.get("golden"):
        golden.write_text(steady(scenario.comment()))
    if golden.exists():
        assert steady(scenario.comment()) == golden.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_scenario(case, tmp_path, offshoot, request):
    needs_postgres = "adapter: postgres" in (case / "scenario.yml").read_text()
    scenario = Scenario(case, tmp_path, offshoot, request.getfixturevalue("postgres") if needs_postgres else None)
    scenario.set_up()
    before = scenario.fingerprint()
    commands = [scenario.spec.get("command", ["check"]), *scenario.spec.get("then", [])]
    scenario.hold()
    try:
        for command in commands[:-1]:
            if command[0] == "sql":
                assert scenario.fingerprint() == before, "production has changed"
            scenario.call(command)
            if command[0] == "sql":
                before = scenario.fingerprint()
        result = scenario.call(commands[-1])
    finally:
        scenario.release()
    check_expectations(scenario, scenario.spec["expect"], result)
    if not any(command[0] == "deploy" for command in commands):
        assert scenario.fingerprint() == before, "production has changed"
