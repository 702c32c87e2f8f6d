# SPDX-License-Identifier: Apache-2.0
"""The real action.yml, run by act on this machine: each job in a fresh clone, with no store of an earlier one."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import REPOSITORY_ID, ROOT, TOOLS, VENV, changed, git
from behind_prism import github, prism  # noqa: F401 - fixtures

_spec = importlib.util.spec_from_file_location("store_servers", ROOT / "tests/store/servers.py")
servers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(servers)

ALL = os.environ.get("OFFSHOOT_TEST_ALL") == "yes"
SHA = "0123456789abcdef0123456789abcdef01234567"
CACHE = "27d5ce7f107fe9357f9df03efb73ab90386fccae"
CHECKOUT = "de0fac2e4500dabe0009e67214ff5f5447ce83dd"
SETUP_PYTHON = "83679a892e2d95755f2dac6acb0bfd1e9ac5d548"

NOTHING = "name: nothing\ndescription: Does nothing\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: bash\n"

# Checks out what a server would give, and that the workflow asked for it.
CHECKOUT_HERE = """name: checkout
description: Copies a clone
inputs: {ref: {default: ""}, fetch-depth: {default: "1"}, persist-credentials: {default: "true"}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {REF: "${{ inputs.ref }}", DEPTH: "${{ inputs.fetch-depth }}", PERSIST: "${{ inputs.persist-credentials }}"}
      run: |
        [ "$REF" = "$WANTED_REF" ] && [ "$DEPTH" = 2 ] && [ "$PERSIST" = false ]
        [ "$PWD" = "$CLONE" ] || cp -a "$CLONE/." .
"""


@pytest.fixture(scope="module")
def actions(tmp_path_factory):
    """Actions by name: ours as it stands in git, and those of GitHub's that need its servers as ones that do nothing."""
    folder = tmp_path_factory.mktemp("actions")
    ours = folder / "offshoot"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in files:
        if name and not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (ours / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, ours / name)
    cache = folder / "cache"
    for part in ("restore", "save"):
        (cache / part).mkdir(parents=True)
        (cache / part / "action.yml").write_text(NOTHING)
    python = folder / "setup-python"
    python.mkdir()
    (python / "action.yml").write_text(NOTHING)
    checkout = folder / "checkout"
    checkout.mkdir()
    (checkout / "action.yml").write_text(CHECKOUT_HERE)
    for action in (ours, cache, python, checkout):
        git(action, "init", "--quiet")
        git(action, "add", "--all")
        git(action, "commit", "--quiet", "--message", "An action")
    return [f"offshoot-dev/offshoot@{SHA}={ours}", f"actions/cache@{CACHE}={cache}", f"actions/setup-python@{SETUP_PYTHON}={python}",
            f"actions/checkout@{CHECKOUT}={checkout}"]


# The user's own binary: keeps what offshoot adds to the job's page, which ends with the step.
KEEPS_THE_SUMMARY = """#!/bin/sh
"$REAL_OFFSHOOT" "$@"
status=$?
cp "$GITHUB_STEP_SUMMARY" "$SAID/summary.md"
exit $status
"""

# A step after offshoot's that keeps what offshoot left for later steps.
SAID = """      - name: What offshoot said
        if: always()
        env: {OUTPUTS: "${{ toJSON(steps.offshoot.outputs) }}"}
        run: |
          printf '%s' "$OUTPUTS" > "$SAID/outputs.json"
"""


class Runner:
    """act, with the workflows that `offshoot init` writes."""

    def __init__(self, shop, actions):
        self.shop = shop
        self.actions = actions
        self.warehouse = shop.folder / "warehouse"
        self.warehouse.mkdir()
        profile = (shop.origin / "profiles.yml").read_text().replace("path: ci.duckdb", f"path: {self.warehouse}/ci.duckdb")
        shop.write("profiles.yml", profile)
        self.said = shop.folder / "said"
        self.said.mkdir()
        self.binary = shop.folder / "offshoot"
        self.binary.write_text(KEEPS_THE_SUMMARY)
        self.binary.chmod(0o755)
        self.runs = 0
        subprocess.run([shop.offshoot, "init", "-C", shop.origin, "--action-sha", SHA, "--comments"], check=True, capture_output=True)
        for name, jobs in (("offshoot", 2), ("offshoot-comments", 1)):
            self.adapt(shop.origin / f".github/workflows/{name}.yml", jobs)
        shop.main({})

    def adapt(self, workflow, jobs):
        """What a user writes who has a binary and an environment on the runner; and a step that keeps what was said."""
        text = workflow.read_text()
        for old, new in (('          requirements: "requirements.txt"\n', f'          requirements: ""\n          binary: {self.binary}\n'),
                         ("      - name: Run offshoot\n", "      - name: Run offshoot\n        id: offshoot\n"),
                         ("        # env:", f"{SAID}        # env:")):
            assert text.count(old) == jobs
            text = text.replace(old, new)
        workflow.write_text(text)

    def job(self, event, payload, clone, job, github=None, ref="", **variables):
        """Runs one job. `github` is the stand-in to talk to, `ref` what the workflow has to check out."""
        assert not (clone / ".offshoot").exists(), "a job must start without a store"
        git(clone, "remote", "set-url", "origin", "https://github.com/acme/shop")
        self.shop.clones += 1
        file = self.shop.folder / f"act-{self.shop.clones}.json"
        file.write_text(json.dumps(payload))
        home = self.shop.folder / f"act-home-{self.shop.clones}"
        home.mkdir()
        self.runs += 1
        ref = "main" if payload.get("action") == "closed" else ref
        api = github.public if github else "http://127.0.0.1:9"
        command = [TOOLS / "bin/act", event, "--job", job, "--eventpath", file, "-P", "ubuntu-24.04=-self-hosted",
                   "--env", f"VIRTUAL_ENV={VENV}", "--env", f"TINY_PROD={self.shop.production}", "--env", f"GITHUB_REPOSITORY_ID={REPOSITORY_ID}",
                   "--env", f"GITHUB_API_URL={api}", "--env", f"CLONE={clone}", "--env", f"WANTED_REF={ref}",
                   "--env", f"SAID={self.said}", "--env", f"REAL_OFFSHOOT={self.shop.offshoot}",
                   "--env", f"GITHUB_RUN_ID={500 + self.runs}", "--defaultbranch", "main"]
        if github:
            command += ["--secret", "GITHUB_TOKEN=ghs_0123456789abcdef"]
        for name, value in variables.items():
            command += ["--env", f"{name}={value}"]
        for action in self.actions:
            command += ["--local-repository", action]
        environment = {"PATH": f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"),
                       "LANG": "C.UTF-8", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=500)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def runner(shop, actions):
    assert (TOOLS / "bin/act").is_file(), "act is missing: run ci/tools act"
    return Runner(shop, actions)


def on_main(shop):
    return {"ref": "refs/heads/main", "repository": {"id": REPOSITORY_ID, "default_branch": "main", "full_name": "acme/shop"}}


def test_the_life_of_a_pull_request(runner, shop):
    """push, opened, synchronize, closed."""
    status, log = runner.job("push", on_main(shop) | {"deleted": False}, shop.clone(shop.base, ref="refs/remotes/origin/main"), "deploy")
    assert status == 0, log
    assert shop.production.is_file()

    shop.push(changed())
    status, log = runner.job("pull_request", shop.pull_request("opened"), shop.clone(), "branch")
    assert status == 0, log
    assert "dim_customers" in log
    assert [path.name for path in runner.warehouse.iterdir()] == ["tiny_pr_7.duckdb"] or "pr_7" in str(list(runner.warehouse.iterdir()))

    shop.push({"models/marts/dim_customers.sql": "select customer_id from nowhere\n"})
    status, log = runner.job("pull_request", shop.pull_request("synchronize"), shop.clone(), "branch")
    assert status == 1, log
    assert "did not build" in log

    status, log = runner.job("pull_request", shop.pull_request("closed"), shop.clone(shop.base, ref="refs/remotes/origin/main"), "branch")
    assert status == 0, log
    assert "dropped" in log
    assert list(runner.warehouse.iterdir()) == []


def test_schedule_and_dispatch(runner, shop):
    status, log = runner.job("schedule", {"schedule": "17 3 * * *"} | on_main(shop), shop.clone(shop.base, ref="refs/remotes/origin/main"), "branch")
    assert status == 0, log
    assert "nothing to drop" in log
    dispatch = on_main(shop) | {"inputs": {"command": "deploy", "select": "+dim_customers", "full_refresh": "false"}}
    status, log = runner.job("workflow_dispatch", dispatch, shop.clone(shop.base, ref="refs/remotes/origin/main"), "deploy")
    assert status == 0, log
    assert shop.production.is_file()


@pytest.fixture
def bucket(tmp_path):
    """An empty bucket on a server of its own: what a job needs to know of it."""
    import boto3

    folder = tmp_path / "s3"
    folder.mkdir()
    server = servers.versitygw(folder)
    boto3.client("s3", endpoint_url=server.url, aws_access_key_id=servers.KEY, aws_secret_access_key=servers.SECRET,
                 region_name="us-east-1").create_bucket(Bucket="memory")
    yield {"AWS_ACCESS_KEY_ID": servers.KEY, "AWS_SECRET_ACCESS_KEY": servers.SECRET, "AWS_ENDPOINT_URL_S3": server.url,
           "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    server.stop()


def test_K3_a_merge_that_failed_is_gone_on_with_by_hand_and_a_bucket_is_the_only_memory(runner, shop, bucket):
    import duckdb

    on_the_branch = "refs/remotes/origin/main"
    settings = (shop.origin / "offshoot.yml").read_text()
    first = shop.main({"offshoot.yml": settings + "\nstore: s3://memory/offshoot\n"})
    push = on_main(shop) | {"deleted": False}
    status, log = runner.job("push", push, shop.clone(first, ref=on_the_branch), "deploy", **bucket)
    assert status == 0, log
    second = shop.main({"models/marts/dim_customers.sql": "select 1 as customer_id from not_there_yet\n"})
    status, log = runner.job("push", push, shop.clone(second, ref=on_the_branch), "deploy", **bucket)
    assert status == 1, log
    found = re.search(r"\d{8}T\d{6}Z-[0-9a-z-]+", log)
    assert found, log
    failed = found.group(0)
    with duckdb.connect(str(shop.production)) as connection:
        connection.execute("create table not_there_yet as select 1 as one")
    dispatch = on_main(shop) | {"inputs": {"command": "run", "from_failure": failed, "ref": second, "full_refresh": "false"}}
    status, log = runner.job("workflow_dispatch", dispatch, shop.clone(second, ref=on_the_branch), "deploy", ref=second, **bucket)
    assert status == 0, log
    assert f"are left of the run {failed}" in log and "dim_customers" in log
    assert "stg_customers" not in log.split("Building")[-1], "what ended well is not built again"
    status, log = runner.job("push", push, shop.clone(second, ref=on_the_branch), "deploy", **bucket)
    assert status == 0 and "already contained" in log, log


def test_B1_a_hostile_branch_name_is_text(runner, shop):
    shop.push(changed())
    payload = shop.pull_request("opened", pull_request={"head": {"ref": 'feat/x";echo${IFS}PWNED;"'}})
    _, log = runner.job("pull_request", payload, shop.clone(), "branch")
    assert "\nPWNED" not in log and "| PWNED" not in log


# --- with GitHub


def told(text, shop):
    """What was said, without what differs from run to run: commits, times, digests, folders."""
    for commit, name in ((shop.head, "HEAD"), (shop.merge, "MERGE"), (shop.base, "BASE")):
        text = text.replace(commit, name).replace(commit[:12], name).replace(commit[:7], name)
    text = text.replace(str(shop.folder), "FOLDER")
    text = re.sub(r"\b[0-9a-f]{16,64}\b", "DIGEST", text)
    text = re.sub(r"\b\d+(\.\d+)? (ms|s|min)\b", "TIME", text)
    text = re.sub(r"\b\d{8}T\d{6}Z", "WHEN", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "MOMENT", text)
    return text


def expect(name, text):
    """Compares with a file of tests/act/expected; UPDATE_GOLDEN=1 writes it."""
    file = Path(__file__).parent / "expected" / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), f"{file} differs; UPDATE_GOLDEN=1 writes it anew"


def only(values):
    (value,) = values
    return value


def conclusions(github, head):
    return {run["name"]: run["conclusion"] for run in github.check_runs.values() if run["head_sha"] == head}


def test_I1_the_life_of_a_pull_request_on_github(runner, shop, github):
    main = {"commit": shop.base, "ref": "refs/remotes/origin/main"}
    status, log = runner.job("push", on_main(shop) | {"deleted": False}, shop.clone(**main), "deploy", github)
    assert status == 0, log
    production = only(github.deployments.values())
    assert (production["sha"], production["environment"], production["production_environment"]) == (shop.base, "production", True)
    assert github.statuses[production["id"]][-1]["state"] == "success"
    assert github.comments == {}

    shop.push(changed())
    before = len(github.requests)
    status, log = runner.job("pull_request", shop.pull_request("opened"), shop.clone(), "branch", github)
    assert status == 0, log
    assert len(github.requests) - before <= 12
    expect("opened.md", told(only(github.comments.values())["body"], shop))
    expect("opened-summary.md", told((runner.said / "summary.md").read_text(), shop))
    expect("opened-checks.json", told(json.dumps(
        [{key: run[key] for key in ("name", "status", "conclusion", "output", "annotations")} for run in github.check_runs.values()], indent=1), shop))
    assert conclusions(github, shop.head) == {
        "offshoot / plan": "success", "offshoot / build": "success", "offshoot / lint": "success", "offshoot / quality": "skipped"}
    outputs = json.loads((runner.said / "outputs.json").read_text())
    assert set(outputs) == {"verdict", "branch-name", "plan-json", "report-url", "comment-url", "run-json"}
    assert (outputs["verdict"], outputs["branch-name"]) == ("passed", "tiny_pr_7")
    assert outputs["comment-url"] == only(github.comments.values())["html_url"]

    number = only(github.comments)
    shop.push({"models/marts/dim_customers.sql": "select customer_id from nowhere\n"})
    status, log = runner.job("pull_request", shop.pull_request("synchronize"), shop.clone(), "branch", github)
    assert status == 1, log
    assert only(github.comments) == number, "the comment is edited, not written anew"
    expect("synchronize.md", told(github.comments[number]["body"], shop))
    assert conclusions(github, shop.head)["offshoot / build"] == "failure"
    assert json.loads((runner.said / "outputs.json").read_text())["verdict"] == "findings"

    status, log = runner.job("pull_request", shop.pull_request("closed"), shop.clone(**main), "branch", github)
    assert status == 0, log
    assert list(runner.warehouse.iterdir()) == []
    branch = [d for d in github.deployments.values() if d["environment"] != "production"]
    # What failed is not active any more, so there is nothing to end.
    assert [github.statuses[d["id"]][-1]["state"] for d in branch] == ["inactive", "failure"]
    assert only(github.comments) == number


def order(shop, github, body, login="ada"):
    """A comment under the pull request, as an event."""
    comment = github.add_comment(body)
    return {"action": "created", "repository": on_main(shop)["repository"],
            "issue": {"number": 7, "pull_request": {"url": "https://api.github.com/repos/acme/shop/pulls/7"}},
            "comment": {"id": comment["id"], "body": body, "user": {"login": login, "type": "User"}, "author_association": "MEMBER"}}


def give(runner, shop, github, body, login="ada"):
    payload = order(shop, github, body, login)
    if body == "/offshoot clean":
        return runner.job("issue_comment", payload, shop.clone(shop.base, ref="refs/remotes/origin/main"), "order", github)
    return runner.job("issue_comment", payload, shop.clone(), "order", github, ref="refs/pull/7/merge")


def test_A5_orders_by_comment(runner, shop, github):
    main = {"commit": shop.base, "ref": "refs/remotes/origin/main"}
    runner.job("push", on_main(shop) | {"deleted": False}, shop.clone(**main), "deploy", github)
    shop.push(changed())
    github.open_pull(7, shop.head, shop.base, REPOSITORY_ID)
    github.roles = {"ada": "maintain", "eve": "read"}

    status, log = give(runner, shop, github, "/offshoot check", "eve")
    assert status == 0, log
    assert "only people with write access" in log
    assert github.reactions == [] and list(runner.warehouse.iterdir()) == []

    status, log = give(runner, shop, github, "/offshoot check")
    assert status == 0, log
    assert [content for _, content in github.reactions] == ["eyes"]
    assert any(comment["body"].startswith("## ✅") for comment in github.comments.values())
    assert len(list(runner.warehouse.iterdir())) == 1

    status, log = give(runner, shop, github, "/offshoot clean")
    assert status == 0, log
    assert list(runner.warehouse.iterdir()) == []


def test_A6_a_fork_is_built_only_at_the_commit_that_was_approved(runner, shop, github):
    main = {"commit": shop.base, "ref": "refs/remotes/origin/main"}
    runner.job("push", on_main(shop) | {"deleted": False}, shop.clone(**main), "deploy", github)
    shop.push(changed())
    github.open_pull(7, shop.head, shop.base, repository=99)
    github.roles = {"ada": "write"}
    seen = shop.head

    status, log = give(runner, shop, github, "/offshoot check")
    assert status != 0 and "exit status 5" in log, log
    assert "/ok-to-test" in log

    shop.push(changed(edition=3))
    github.open_pull(7, shop.head, shop.base, repository=99)
    status, log = give(runner, shop, github, f"/ok-to-test {seen}")
    assert status != 0 and "exit status 5" in log, log
    assert list(runner.warehouse.iterdir()) == []

    status, log = give(runner, shop, github, f"/ok-to-test {shop.head}")
    assert status == 0, log
    assert len(list(runner.warehouse.iterdir())) == 1
