# SPDX-License-Identifier: Apache-2.0
"""The whole program with S3 as its only memory: deploy, a fresh clone, check, runs, retention."""

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conftest import s3_place
from servers import KEY, SECRET, Between, Toxics
from test_s3 import metadata_server

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(os.environ.get("OFFSHOOT_TEST_VENV", ROOT / ".venv"))
CANARY = "secret-canary"


class Work:
    """A repository of the project tiny, its clones, and one prefix of a bucket."""

    def __init__(self, folder, offshoot, place):
        self.folder = folder
        self.offshoot = offshoot
        self.place = place
        self.address = place.address.replace("/offshoot", "/kept")
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
        return subprocess.run(["git", *identity, *arguments], cwd=where, check=True, capture_output=True, text=True,
                              env=self.environment).stdout.strip()

    def commit(self, where, message):
        self.git(where, "add", "--all")
        self.git(where, "commit", "--quiet", "--message", message)

    def clone(self, name):
        self.git(self.folder, "clone", "--quiet", str(self.origin), name)
        return self.folder / name

    def change(self, name, column="1 as one"):
        """A clone with a commit on a branch of its own."""
        pull = self.clone(name)
        self.git(pull, "switch", "--quiet", "--create", "feature")
        model = pull / "models/marts/dim_customers.sql"
        model.write_text(model.read_text().replace("select\n", f"select\n    {column},\n", 1))
        self.commit(pull, "head")
        return pull

    def actions(self, event, payload, ref="main"):
        """The environment of a job in GitHub Actions."""
        (self.folder / "event.json").write_text(json.dumps(payload))
        return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_REPOSITORY": "acme/tiny",
                "GITHUB_REPOSITORY_ID": "77", "GITHUB_REF_NAME": ref, "GITHUB_REF": f"refs/heads/{ref}",
                "GITHUB_RUN_ID": "5", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_EVENT_PATH": str(self.folder / "event.json")}

    def objects(self):
        """The keys that are there, as boto3 lists them."""
        listed = self.place.client().list_objects_v2(Bucket=self.place.bucket, Prefix=self.address.split("/", 3)[3])
        return [one["Key"] for one in listed.get("Contents", [])]

    def body(self, key):
        """The content, unpacked as a browser does."""
        kept = self.place.client().get_object(Bucket=self.place.bucket, Key=key)
        body = kept["Body"].read()
        return gzip.decompress(body) if kept.get("ContentEncoding") == "gzip" else body

    def call(self, where, *arguments, expect=0, **environment):
        done = subprocess.run([self.offshoot, *arguments], cwd=where, env={**self.environment, **environment},
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == expect, done.stdout + done.stderr
        return done


def offshoot():
    return str(Path(os.environ.get("OFFSHOOT", ROOT / "build/release/offshoot")).resolve())


@pytest.fixture
def work(tmp_path, gateway):
    return Work(tmp_path, offshoot(), gateway)


def test_J5_C3_fresh_clones_share_what_is_in_the_bucket(work):
    work.call(work.clone("deploying"), "deploy")

    pull = work.change("checking")
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


def test_C3_a_pull_requests_run_writes_no_state_for_others(work):
    pull = work.change("checking")
    head = work.git(pull, "rev-parse", "HEAD")
    base = work.git(pull, "rev-parse", "origin/main")
    work.git(pull, "switch", "--quiet", "--detach", "origin/main")
    work.git(pull, "merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    ours = {"id": 77, "full_name": "acme/tiny"}
    event = work.actions("pull_request", {
        "action": "opened", "number": 7, "repository": {**ours, "default_branch": "main"},
        "pull_request": {"number": 7, "state": "open", "draft": False, "labels": [],
                         "head": {"sha": head, "ref": "feature", "repo": ours},
                         "base": {"sha": base, "ref": "main", "repo": ours}}}, ref="7/merge")
    work.call(pull, "check", **event)
    keys = work.objects()
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

    # The same run as it would be after two months: versitygw takes times from its files.
    root = Path(work.place.server.log.name).parent / "root" / work.place.bucket
    run = next(key for key in keys if key.endswith("/run.json")).rsplit("/", 1)[0]
    old = run.rsplit("/runs/", 1)[0] + "/runs/2026-01-02/20260102T030405Z-9-1"
    for key in keys:
        if key.startswith(run + "/"):
            to = old + key.removeprefix(run)
            client.copy_object(Bucket=work.place.bucket, Key=to, CopySource={"Bucket": work.place.bucket, "Key": key})
            os.utime(root / to, (1_767_323_045, 1_767_323_045))
    count = len([key for key in keys if key.startswith(run + "/")])
    said = work.call(clone, "clean", "--expired", "--dry-run", "--set", "store.keep=30d").stderr
    assert f"would remove 1 kept runs and what else was too old in the store ({count} objects)" in said
    said = work.call(clone, "clean", "--expired", "--set", "store.keep=30d").stderr
    assert f"removed 1 kept runs and what else was too old in the store ({count} objects)" in said
    left = {one["Key"] for one in client.list_objects_v2(Bucket=work.place.bucket, Prefix=prefix)["Contents"]}
    assert left == set(keys), "the young run and all states stay"


def test_a_store_that_is_down_hides_no_verdict(work):
    pull = work.change("checking")
    done = work.call(pull, "check", "--base", "origin/main", "--json", AWS_SECRET_ACCESS_KEY="wrong-canary")
    run = json.loads(done.stdout)
    assert run["build"]["state"] == "finished"
    assert any("The run could not be kept" in note and "signature" in note for note in run["notes"])
    assert "wrong-canary" not in done.stdout + done.stderr


def test_K2_a_store_that_hangs_is_left_behind(work, gateway, toxiproxy):
    """The check goes on without its store, and each of the things that it would have asked for is waited for briefly."""
    pull = work.change("checking")
    toxics = Toxics(toxiproxy, gateway.server)
    toxics.add("timeout", timeout=0)
    begun = time.monotonic()
    done = work.call(pull, "check", "--base", "origin/main", "--json", AWS_ENDPOINT_URL_S3=toxics.url,
                     OFFSHOOT_S3_PATIENCE="2")
    assert time.monotonic() - begun < 60
    run = json.loads(done.stdout)
    assert run["build"]["state"] == "finished"
    assert any("What is deployed could not be read from the store" in note for note in run["plan"]["value"]["notes"])
    assert any("The run could not be kept" in note and "2 s" in note for note in run["notes"])
    # What has nothing to say without it, says so.
    said = work.call(pull, "runs", expect=3, AWS_ENDPOINT_URL_S3=toxics.url, OFFSHOOT_S3_PATIENCE="1")
    assert f"see whether {toxics.url} is reachable from here" in said.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_K2_an_interrupted_check_does_not_wait_for_a_store_that_hangs(work, gateway, toxiproxy, number):
    pull = work.change("checking")
    toxics = Toxics(toxiproxy, gateway.server)
    toxics.add("timeout", timeout=0)
    environment = {**work.environment, "AWS_ENDPOINT_URL_S3": toxics.url, "OFFSHOOT_S3_PATIENCE": "60"}
    process = subprocess.Popen([work.offshoot, "check", "--base", "origin/main"], cwd=pull, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(6)
    assert process.poll() is None, "it waits for the store"
    process.send_signal(number)
    begun = time.monotonic()
    process.communicate(timeout=60)
    assert time.monotonic() - begun < 7
    assert process.returncode == 128 + number


def test_C1_credentials_got_on_the_way_are_masked(work, gateway):
    """A job in Actions whose credentials come from a container's endpoint: known to offshoot alone, until it uses them."""
    server = metadata_server(gateway.server)
    pull = work.change("checking")
    bare = {name: value for name, value in work.environment.items() if name not in (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    environment = {**bare, **work.actions("push", {"ref": "refs/heads/main", "repository": {"id": 77}}),
                   "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/creds",
                   "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-canary"}
    done = subprocess.run([work.offshoot, "check", "--base", "origin/main"], cwd=pull, env=environment,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    for secret in (SECRET, KEY, "container-canary"):
        masked = lines.index(f"::add-mask::{secret}")
        assert not [line for line in lines[:masked] if secret in line]
        assert not [line for line in lines[masked + 1:] if secret in line], "only the command to mask it holds it"
        assert secret not in done.stdout
    # The runner takes the command: no word that stops commands is in force there.
    stopped = None
    for line in lines:
        if line.startswith("::stop-commands::"):
            stopped = f"::{line.removeprefix('::stop-commands::')}::"
        elif line == stopped:
            stopped = None
        elif line.startswith("::add-mask::"):
            assert stopped is None, line
    objects = work.objects()
    assert objects
    for key in objects:
        if "/runs/" in key:
            assert SECRET.encode() not in work.body(key), key


def test_C1_C5_a_session_got_from_sts_is_masked_in_the_whole_job(tmp_path, tool, moto):
    """A job whose role is assumed with GitHub's token: each secret on the way is masked before it can be seen."""
    place = s3_place(tool, moto)
    work = Work(tmp_path, offshoot(), place)
    pull = work.change("checking")
    handed_out = []

    def remember(handler, n):
        answer = urllib.request.urlopen(urllib.request.Request(moto.url, handler.body, method="POST")).read()
        for name in ("SecretAccessKey", "SessionToken"):
            handed_out.append(re.search(f"<{name}>(.+?)</{name}>", answer.decode()).group(1))
        handler.answer(200, answer, Content_Type="text/xml")
        return True

    sts = Between(moto, remember)
    github = Between(moto, lambda handler, n: handler.answer(200, b'{"value": "header.idcanary.signature"}') or True)
    bare = {name: value for name, value in work.environment.items() if name not in (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    environment = {**bare, **work.actions("push", {"ref": "refs/heads/main", "repository": {"id": 77}}),
                   "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci", "AWS_ENDPOINT_URL_STS": sts.url,
                   "ACTIONS_ID_TOKEN_REQUEST_URL": github.url + "/token?api-version=2",
                   "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-canary"}
    done = subprocess.run([work.offshoot, "check", "--base", "origin/main"], cwd=pull, env=environment,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"The run is kept in {work.address}/" in done.stderr, "the session works"
    lines = done.stderr.splitlines()
    assert len(handed_out) >= 2
    for secret in (*handed_out, "header.idcanary.signature", "request-canary"):
        masked = lines.index(f"::add-mask::{secret}")
        assert [line for line in lines if secret in line] == [lines[masked]], "only the command to mask it holds it"
        assert secret not in done.stdout
        for key in work.objects():
            assert secret.encode() not in work.body(key), key


def test_C2_a_secret_in_the_project_is_in_nothing_that_is_kept(work):
    pull = work.change("checking", "'warehouse-canary-7' as one")
    done = work.call(pull, "check", "--base", "origin/main", WAREHOUSE_PASSWORD="warehouse-canary-7")
    assert "The run is kept in" in done.stderr
    kept = [key for key in work.objects() if "/runs/" in key]
    assert any(key.endswith("dim_customers.sql") for key in kept), "compiled SQL, from which it was taken out"
    for key in kept:
        assert b"warehouse-canary-7" not in work.body(key), key
    # The checksums are those of what is kept.
    work.call(pull, "runs", "show", "last", "--file", "manifest.json")


def test_C3_J5_everything_of_a_run_is_kept_and_the_index_is_last(work, gateway):
    pull = work.change("checking")
    order = []
    between = Between(gateway.server, lambda handler, n: handler.command == "PUT" and order.append(handler.path))
    work.call(pull, "check", "--base", "origin/main", AWS_ENDPOINT_URL_S3=between.url)
    put = [path.split("/runs/")[1].split("/", 2)[2] for path in order if "/runs/" in path]
    assert put[-1] == "index.json"
    assert {"run.json", "comment.md", "report.md", "lint.sarif", "tests.xml", "dbt.log", "manifest.json",
            "run_results.json"} <= set(put)
    log = work.call(pull, "runs", "show", "last", "--file", "dbt.log").stdout
    assert "dim_customers" in log and CANARY not in log
    # Two independent readers.
    cases = ElementTree.fromstring(work.call(pull, "runs", "show", "last", "--file", "tests.xml").stdout)
    assert {case.get("name") for case in cases.iter("testcase")} >= {"dim_customers"}
    assert cases.get("failures") == "0" and int(cases.get("tests")) == len(list(cases.iter("testcase")))
    assert json.loads(work.call(pull, "runs", "show", "last", "--file", "lint.sarif").stdout)["version"] == "2.1.0"


def test_without_a_bucket_what_needs_one_is_refused_in_a_job(work):
    clone = work.clone("here")
    folder = ["--store", str(clone / ".offshoot")]
    main = work.actions("push", {"ref": "refs/heads/main", "after": "x", "repository": {"id": 77, "default_branch": "main"}})
    said = work.call(clone, "deploy", "--state-only", *folder, expect=2, **main)
    assert "the store is a folder of the checkout" in said.stderr and "s3://bucket/prefix" in said.stderr
    said = work.call(clone, "rollback", "--to", "0123456", *folder, expect=2, **main)
    assert "the store is a folder of the checkout" in said.stderr
    said = work.call(clone, "run", "--from-failure", "20261125T000000Z-1-1", *folder, expect=2, **main)
    assert "the store is a folder of the checkout" in said.stderr
    said = work.call(clone, "doctor", *folder, **main)
    assert "is gone with its runner" in said.stderr
    # A folder outside stays, and so does any on a laptop: there it is refused only for what it is.
    outside = ["--store", str(work.folder / "kept")]
    said = work.call(clone, "run", "--from-failure", "20261125T000000Z-1-1", *outside, expect=2, **main)
    assert "it is not in the store" in said.stderr
    said = work.call(clone, "run", "--from-failure", "20261125T000000Z-1-1", *folder, expect=2)
    assert "it is not in the store" in said.stderr


def test_doctor_tries_the_store_out(work):
    clone = work.clone("here")
    said = work.call(clone, "doctor")
    assert f"{work.address}/ can be written, and keeps leases" in said.stderr
    assert not work.objects(), "and leaves nothing in it"
    said = work.call(clone, "doctor", expect=3, AWS_SECRET_ACCESS_KEY="wrong")
    assert "the signature does not match" in said.stderr


def test_an_untrusted_event_writes_no_state(work):
    """A dispatch on another branch than the default one, whose author decided what dbt would load."""
    pull = work.change("checking")
    dispatch = work.actions("workflow_dispatch", {"ref": "refs/heads/feature", "repository": {
        "id": 77, "default_branch": "main"}}, ref="feature")
    work.call(pull, "check", "--base", "origin/main", **dispatch)
    assert not [key for key in work.objects() if "/state/" in key]
    main = work.clone("main")
    push = work.actions("push", {"ref": "refs/heads/main", "repository": {"id": 77, "default_branch": "main"}})
    work.call(main, "deploy", **push)
    assert [key for key in work.objects() if "/state/base/" in key]
