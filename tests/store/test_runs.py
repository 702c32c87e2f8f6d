# SPDX-License-Identifier: Apache-2.0
"""The whole program with S3 as its only memory: deploy, a fresh clone, check, runs, retention."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(os.environ.get("OFFSHOOT_TEST_VENV", ROOT / ".venv"))
CANARY = "secret-canary"


class Work:
    """A repository of the project tiny, its clones, and one prefix of a bucket."""

    def __init__(self, folder, offshoot, place):
        self.folder = folder
        self.offshoot = offshoot
        self.place = place
        self.address = place.address.replace("/offshoot", "/runs")
        (folder / "home").mkdir()
        self.environment = {**place.environment, "PATH": f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin",
                            "HOME": str(folder / "home"), "VIRTUAL_ENV": str(VENV), "LANG": "C.UTF-8",
                            "TINY_PROD": str(folder / "prod.duckdb"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        self.origin = folder / "origin"
        shutil.copytree(ROOT / "tests/scenario/projects/tiny", self.origin,
                        ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
        (self.origin / "offshoot.yml").write_text(f"""store: {{at: "s3://${{STORE_BUCKET}}/{self.address[5:].split('/', 1)[1]}", keep: 30d}}
dbt: {{vars: {{greeting: "${{OFFSHOOT_GREETING}}"}}}}
pass_env: [STORE_BUCKET]
""")
        (self.origin / ".gitignore").write_text("*.duckdb\n*.duckdb.wal\ntarget/\nlogs/\n")
        self.environment |= {"STORE_BUCKET": place.bucket, "OFFSHOOT_GREETING": CANARY}
        self.git(self.origin, "-c", "init.defaultBranch=main", "init", "--quiet")
        self.commit(self.origin, "base")

    def git(self, where, *arguments):
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=where, check=True, capture_output=True, env=self.environment)

    def commit(self, where, message):
        self.git(where, "add", "--all")
        self.git(where, "commit", "--quiet", "--message", message)

    def clone(self, name):
        self.git(self.folder, "clone", "--quiet", str(self.origin), name)
        return self.folder / name

    def call(self, where, *arguments, expect=0, **environment):
        done = subprocess.run([self.offshoot, *arguments], cwd=where, env={**self.environment, **environment},
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == expect, done.stdout + done.stderr
        return done


@pytest.fixture
def work(tmp_path, gateway):
    offshoot = os.environ.get("OFFSHOOT", str(ROOT / "build/release/offshoot"))
    return Work(tmp_path, str(Path(offshoot).resolve()), gateway)


def test_J5_C3_fresh_clones_share_what_is_in_the_bucket(work):
    work.call(work.clone("deploying"), "deploy")

    pull = work.clone("checking")
    work.git(pull, "switch", "--quiet", "--create", "feature")
    model = pull / "models/marts/dim_customers.sql"
    model.write_text(model.read_text().replace("select", "select 1 as one,", 1))
    work.commit(pull, "head")
    done = work.call(pull, "check", "--base", "origin/main", "--json")
    run = json.loads(done.stdout)
    plan = run["plan"]["value"]
    assert plan["base_state"] == "from the store", "deploy kept it, in another clone"
    assert plan["production"]["source"] == "offshoot deploy"
    assert f"The run is kept in {work.address}/" in done.stderr

    # From a third clone: what is kept can be listed, shown and verified.
    looking = work.clone("looking")
    runs = json.loads(work.call(looking, "runs", "--json").stdout)
    assert [one["command"] for one in runs] == ["check", "deploy"]
    assert runs[0]["id"] == run["id"] and runs[0]["ref"] == "feature" and runs[0]["status"] == 0
    listed = work.call(looking, "runs").stdout.splitlines()
    assert listed[0].startswith(run["id"]) and "check" in listed[0] and "feature" in listed[0]
    names = {file["name"] for file in runs[0]["files"]}
    assert {"run.json", "comment.md", "manifest.json", "run_results.json"} <= names
    assert "compiled/tiny/models/marts/dim_customers.sql" in names
    for file in runs[0]["files"]:
        bytes_ = subprocess.run([work.offshoot, "runs", "show", "last", "--file", file["name"]], cwd=looking,
                                env=work.environment, capture_output=True, check=True).stdout
        assert (len(bytes_), hashlib.sha256(bytes_).hexdigest()) == (file["size"], file["sha256"])
        # dbt writes its variables into its artifacts; SQL that was compiled with one holds it by its nature.
        if file["name"] in ("manifest.json", "run_results.json"):
            assert CANARY.encode() not in bytes_
            assert json.loads(bytes_)["metadata"]
    shown = work.call(looking, "runs", "show", run["id"]).stdout
    assert "dim_customers" in shown and "manifest.json" in shown
    assert json.loads(work.call(looking, "runs", "show", run["id"], "--format", "json").stdout) == run
    assert work.call(looking, "runs", "show", "19990101", expect=2).stderr.startswith("offshoot: looking for the run")

    # A folder without its index is no run (requirement J5).
    client = work.place.client()
    objects = client.list_objects_v2(Bucket=work.place.bucket, Prefix=work.address.split("/", 3)[3])["Contents"]
    index = next(one["Key"] for one in objects if one["Key"].endswith(f"{run['id']}/index.json"))
    client.delete_object(Bucket=work.place.bucket, Key=index)
    assert [one["command"] for one in json.loads(work.call(looking, "runs", "--json").stdout)] == ["deploy"]

    # A file that changed since is not shown.
    broken = next(one["Key"] for one in objects if "deploy" not in one["Key"] and one["Key"].endswith("/run.json")
                  and run["id"] not in one["Key"])
    client.put_object(Bucket=work.place.bucket, Key=broken, Body=b"{}")
    said = work.call(looking, "runs", "show", "last", expect=3)
    assert "do not match the checksum" in said.stderr


def test_C3_a_pull_requests_run_writes_no_state_for_others(work, tmp_path):
    pull = work.clone("checking")
    work.git(pull, "switch", "--quiet", "--create", "feature")
    model = pull / "models/marts/dim_customers.sql"
    model.write_text(model.read_text().replace("select", "select 1 as one,", 1))
    work.commit(pull, "head")
    work.git(pull, "switch", "--quiet", "--detach", "origin/main")
    work.git(pull, "merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    (tmp_path / "event.json").write_text('{"pull_request": {"number": 7}}')
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_REPOSITORY": "acme/tiny",
               "GITHUB_REPOSITORY_ID": "77", "GITHUB_HEAD_REF": "feature", "GITHUB_RUN_ID": "5",
               "GITHUB_RUN_ATTEMPT": "1", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    work.call(pull, "check", **actions)
    prefix = work.address.split("/", 3)[3]
    keys = [one["Key"] for one in work.place.client().list_objects_v2(
        Bucket=work.place.bucket, Prefix=prefix)["Contents"]]
    assert any("/77/runs/" in key for key in keys)
    assert not [key for key in keys if "/state/" in key]


def test_clean_removes_runs_that_are_too_old(work):
    clone = work.clone("here")
    work.call(clone, "deploy")
    client = work.place.client()
    prefix = work.address.split("/", 3)[3]
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=work.place.bucket, Prefix=prefix)["Contents"]]
    assert any("/state/base/" in key for key in keys) and any("/state/production/" in key for key in keys)
    assert "0 kept runs" not in work.call(clone, "clean", "--expired", "--set", "store.keep=1d").stderr
    after = [one["Key"] for one in client.list_objects_v2(Bucket=work.place.bucket, Prefix=prefix)["Contents"]]
    assert after == keys, "all of it is young"


def test_a_store_that_is_down_hides_no_verdict(work):
    pull = work.clone("checking")
    work.git(pull, "switch", "--quiet", "--create", "feature")
    model = pull / "models/marts/dim_customers.sql"
    model.write_text(model.read_text().replace("select", "select 1 as one,", 1))
    work.commit(pull, "head")
    done = work.call(pull, "check", "--base", "origin/main", "--json", AWS_SECRET_ACCESS_KEY="wrong-canary")
    run = json.loads(done.stdout)
    assert run["build"]["state"] == "finished"
    assert any("The run could not be kept" in note and "signature" in note for note in run["notes"])
    assert "wrong-canary" not in done.stdout + done.stderr
