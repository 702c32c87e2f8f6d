# SPDX-License-Identifier: Apache-2.0
"""The whole binary as a step of a workflow: a pull request's merge commit, the stand-in for GitHub, real time."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import runner
import yaml

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(os.environ.get("OFFSHOOT_TEST_VENV", ROOT / ".venv"))
TINY = ROOT / "tests/scenario/projects/tiny"

_spec = importlib.util.spec_from_file_location("scenario_fixtures", ROOT / "tests/scenario/conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
postgres = _fixtures.postgres


def git(repository, *arguments):
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True)
    return done.stdout.decode().strip()


def surroundings(folder):
    return {"PATH": f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "VIRTUAL_ENV": str(VENV),
            "LANG": "C.UTF-8", "TINY_PROD": str(folder / "prod.duckdb"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "ASAN_OPTIONS": "detect_leaks=0"}


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """The project on its main branch, deployed."""
    folder = tmp_path_factory.mktemp("base")
    repository = folder / "repository"
    shutil.copytree(TINY, repository)
    git(repository, "-c", "init.defaultBranch=main", "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "base")
    subprocess.run([VENV / "bin/dbt", "--quiet", "build", "--target", "prod"], cwd=repository, check=True,
                   env=surroundings(folder), capture_output=True)
    for leftover in ("target", "logs"):
        shutil.rmtree(repository / leftover, ignore_errors=True)
    git(repository, "switch", "--quiet", "--create", "feature")
    return folder


class PullRequest:
    """Pull request 7 of the tiny project, checked out as actions/checkout does: its merge commit, on DuckDB."""

    def __init__(self, offshoot, github, base, folder):
        self.offshoot, self.folder = offshoot, folder
        self.repository = folder / "repository"
        shutil.copytree(base, folder, dirs_exist_ok=True)
        self.environment = surroundings(folder) | {
            "GITHUB_ACTIONS": "true", "GITHUB_API_URL": github.public, "GITHUB_TOKEN": "ghs_0123456789",
            "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REPOSITORY_ID": "4711", "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_HEAD_REF": "feature",
            "GITHUB_BASE_REF": "main", "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "RUNNER_TEMP": str(folder / "temp"), "OFFSHOOT_STORE": str(folder / "store")}

    def git(self, *arguments):
        return git(self.repository, *arguments)

    def propose(self, path, text):
        """Commits one file of the head and checks the merge commit out."""
        self.git("switch", "--quiet", "feature")
        (self.repository / path).parent.mkdir(parents=True, exist_ok=True)
        (self.repository / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        self.head = self.git("rev-parse", "HEAD")
        self.git("switch", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", "merge", "feature")
        (self.folder / "event.json").write_text(json.dumps(
            {"action": "synchronize", "number": 7, "repository": {"id": 4711, "full_name": "acme/shop", "default_branch": "main"},
             "pull_request": {"number": 7, "draft": False, "labels": [],
                              "head": {"sha": self.head, "ref": "feature", "repo": {"id": 4711, "full_name": "acme/shop"}},
                              "base": {"sha": self.git("rev-parse", "main"), "ref": "main",
                                       "repo": {"id": 4711, "full_name": "acme/shop"}}}}))

    def start(self, number, command="check", **environment):
        return subprocess.Popen([self.offshoot, command, "--repository", self.repository],
                                env={**self.environment, "GITHUB_RUN_ID": str(number), **environment},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, number, command, **environment):
        process = self.start(number, command, **environment)
        out, err = process.communicate(timeout=300)
        return process.returncode, err.decode()

    def check(self, number, **environment):
        return self.run(number, "check", **environment)


@pytest.fixture
def pull_request(offshoot, github, base, tmp_path):
    return PullRequest(offshoot, github, base, tmp_path)


def comment(github):
    (only,) = github.comments.values()
    return only["body"]


def test_I1_a_check_tells_all_it_has_to_tell(pull_request, github):
    pull_request.propose("models/marts/revenue.sql", "select sum(amount) + 0 as revenue from {{ ref('fct_orders') }}\n")
    status, err = pull_request.check(500)
    assert status == 0, err
    assert len(github.requests) <= 12
    assert comment(github).startswith("## ✅ 1 model built")
    assert {run["head_sha"] for run in github.check_runs.values()} == {pull_request.head}
    assert {run["name"]: run["conclusion"] for run in github.check_runs.values()} == {
        "offshoot / plan": "success", "offshoot / build": "success", "offshoot / lint": "success",
        "offshoot / quality": "skipped"}
    outputs = dict(runner.pairs((pull_request.folder / "output").read_text()))
    assert outputs["verdict"] == "passed"
    assert json.loads(Path(outputs["plan-json"]).read_text())[0]["unique_id"] == "model.tiny.revenue"
    assert "What was built, and why" in (pull_request.folder / "summary").read_text()
    times = [at for at, method, _ in github.requests if method != "GET"]
    assert min(later - earlier for earlier, later in zip(times, times[1:])) >= 0.95

    (deployment,) = github.deployments
    assert [status["state"] for status in github.statuses[deployment]] == ["success"]

    # The same again: nothing to say.
    edits = len(github.requests)
    status, err = pull_request.check(501, OFFSHOOT_GITHUB_CHECKS="off", OFFSHOOT_GITHUB_DEPLOYMENTS="off")
    assert status == 0, err
    assert [method for _, method, _ in github.requests[edits:]] == ["GET"]

    status, err = pull_request.run(502, "clean")
    assert status == 0, err
    assert [status["state"] for status in github.statuses[deployment]] == ["success", "inactive"]


def test_A4_what_github_refuses_changes_no_verdict(pull_request, github):
    github.permissions = set()
    pull_request.propose("README.md", "hello\n")
    status, err = pull_request.check(500)
    assert status == 0
    assert "pull-requests: write" in err
    pull_request.propose("models/marts/revenue.sql", "select nothing from {{ ref('fct_orders') }}\n")
    status, err = pull_request.check(501)
    assert status == 1
    assert "::error file=models/marts/revenue.sql,line=1" in err
    assert not github.comments


def test_I3_github_down_changes_no_verdict(pull_request, github):
    pull_request.propose("README.md", "hello\n")
    status, err = pull_request.check(500, GITHUB_API_URL="http://127.0.0.1:9", OFFSHOOT_GITHUB_CHECKS="off",
                                     OFFSHOOT_GITHUB_DEPLOYMENTS="off")
    assert status == 0
    assert "The comment could not be written" in err


def test_K2_a_cancelled_check_says_so_within_seven_seconds(pull_request, github):
    slow = "select count(*) as n from range(100000000) a, range(100000) b where a.range * b.range % 7 = 3\n"
    pull_request.propose("models/slow.sql", slow)
    process = pull_request.start(500)
    for line in process.stderr:
        if "model slow" in line.decode():
            break
    time.sleep(1)
    at = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - at < 7
    assert comment(github).startswith("## ⏹️ Interrupted")


def the_action_s_step(folder):
    """The script of the action's step that becomes offshoot, started as the runner starts it."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    (script,) = [step["run"] for step in steps if '"$OFFSHOOT" auto' in step.get("run", "")]
    (folder / "step.sh").write_text(script)
    return ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(folder / "step.sh")]


def cancel(process):
    """What the runner does to a step: only its first process gets signals. Returns how long it took."""
    begun = time.monotonic()
    for number, patience in ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, None)):
        process.send_signal(number)
        try:
            process.wait(patience)
            break
        except subprocess.TimeoutExpired:
            pass
    return time.monotonic() - begun


def test_K1_K2_a_job_that_is_cancelled_ends_its_queries_and_says_so(pull_request, github, postgres):
    database = postgres.new_database()
    running = "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()"
    pull_request.propose("models/slow.sql", "{{ config(materialized='table') }}\nselect 1 as one from pg_sleep(600)\n")
    with (pull_request.folder / "err").open("wb") as err:
        process = subprocess.Popen(
            the_action_s_step(pull_request.folder), cwd=pull_request.repository, stdout=err, stderr=err, start_new_session=True,
            env=pull_request.environment | {
                "GITHUB_RUN_ID": "500", "OFFSHOOT": pull_request.offshoot, "OFFSHOOT_DBT_TARGET": "pg_ci",
                "OFFSHOOT_DBT_PRODUCTION": "pg_prod", "TINY_PG_PORT": str(postgres.port),
                "TINY_PG_USER": postgres.user, "TINY_PG_DATABASE": database})
    said = pull_request.folder / "err"
    until = time.monotonic() + 120
    while postgres.run(running, database) == [(0,)]:
        assert process.poll() is None and time.monotonic() < until, said.read_text()
        time.sleep(0.1)
    took = cancel(process)
    assert process.returncode == 130, said.read_text()
    assert took < 7
    assert postgres.run(running, database) == [(0,)]
    assert comment(github).startswith("## ⏹️ Interrupted")
    with pytest.raises(ProcessLookupError):  # nothing that it started is left
        os.killpg(process.pid, 0)
