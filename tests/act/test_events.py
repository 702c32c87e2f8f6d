# SPDX-License-Identifier: Apache-2.0
"""What `offshoot auto` makes of events, and of heads that are not to be trusted."""

import copy
import glob
import os
import stat
import subprocess
from pathlib import Path

import pytest

from conftest import REPOSITORY_ID, changed, git

FORK = {"pull_request": {"head": {"repo": {"id": 99, "full_name": "mallory/shop"}}}}
GONE = {"pull_request": {"head": {"repo": None}}}


def clone_with(shop, branch):
    """A clone that knows a branch of origin's by this name, as GitHub's examples call it."""
    clone = shop.clone(shop.base, depth=0, ref=f"refs/remotes/origin/{branch}")
    return clone


@pytest.fixture
def clones(shop):
    known = {}

    def give(branch):
        if branch not in known:
            known[branch] = clone_with(shop, branch)
        return known[branch]

    return give


def expected_errand(event, payload):
    action = payload.get("action", "")
    default = payload["repository"]["default_branch"]
    if event == "pull_request":
        if action == "closed":
            return "clean"
        return "check" if action in ("opened", "synchronize", "reopened", "ready_for_review") else "nothing"
    if event == "push":
        return "deploy" if payload["ref"] == f"refs/heads/{default}" and not payload["deleted"] else "nothing"
    if event == "merge_group":
        return "check"
    if event == "workflow_dispatch":
        return "deploy" if payload["ref"] == f"refs/heads/{default}" else "run"
    return "nothing"


@pytest.mark.parametrize("event", ["pull_request", "push", "merge_group", "workflow_dispatch", "issue_comment"])
def test_github_s_own_examples_are_understood(shop, clones, payloads, event):
    assert payloads[event]
    for payload in payloads[event]:
        branch = payload.get("pull_request", {}).get("base", {}).get("ref") or payload["repository"]["default_branch"]
        decision = shop.decide(event, payload, clones(branch))
        assert decision["errand"] == expected_errand(event, payload), (event, payload.get("action"), decision)
        assert decision["reasons"]


def test_a_schedule_sweeps(shop, clones):
    payload = {"schedule": "17 3 * * *", "repository": {"id": REPOSITORY_ID, "default_branch": "main"}}
    assert shop.decide("schedule", payload, clones("main"))["errand"] == "clean --expired"


def traps(folder, clone):
    """Programs that leave a mark when they are started."""
    marks = folder / "marks"
    marks.mkdir()
    programs = folder / "traps"
    programs.mkdir()
    for name in ("dbt", "sqlfluff", "python", "python3", "edr", "git", "sh", "bash"):
        program = programs / name
        program.write_text(f"#!/bin/sh\n: > {marks}/{name}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return programs, marks


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run", "issue_comment"])
def test_A2_a_fork_in_a_job_with_secrets_starts_nothing(shop, payloads, tmp_path, event):
    shop.push(changed())
    clone = shop.clone()
    programs, marks = traps(tmp_path, clone)
    environment = {"PATH": str(programs), "VIRTUAL_ENV": None}
    examples = payloads["pull_request"]
    assert len(examples) == 29
    for example in examples:
        payload = copy.deepcopy(example)
        payload["pull_request"]["head"]["repo"]["id"] += 1
        payload["pull_request"]["head"]["sha"] = shop.head
        if event == "workflow_run":
            payload = {
                "action": "completed",
                "repository": payload["repository"],
                "workflow_run": {"head_repository": payload["pull_request"]["head"]["repo"], "head_sha": shop.head},
            }
        if event == "issue_comment":
            payload = {
                "action": "created",
                "repository": payload["repository"],
                "issue": {"number": 7, "pull_request": {}},
                "comment": {"body": "/offshoot check", "user": {"login": "mallory", "type": "User"}},
            }
        for command in ("check", "plan", "lint", "deploy", "clean", "doctor"):
            if command == "clean" and payload["action"] == "closed":
                continue  # reads nothing of the head
            done = shop.run(event, payload, clone, command=command, **environment)
            assert done.returncode == 5, (command, done.stderr)
    assert list(marks.iterdir()) == []
    # The traps do work: the same head from this repository starts dbt's interpreter.
    mine = shop.pull_request("opened")
    shop.run("pull_request", mine, clone, command="check", PATH=str(programs), VIRTUAL_ENV=None, OFFSHOOT_DBT_PYTHON=f"{programs}/python")
    assert list(marks.iterdir())


def test_A2_diff_only_plans_by_git_alone(shop, tmp_path):
    shop.main({"offshoot.yml": "mode: diff-only\n"})
    shop.push(changed())
    clone = shop.clone()
    programs, marks = traps(tmp_path, clone)
    done = shop.run("pull_request_target", shop.pull_request("opened", **FORK), clone, PATH=str(programs), VIRTUAL_ENV=None)
    assert done.returncode == 0, done.stderr
    assert list(marks.iterdir()) == []
    run = shop.last_run(clone)
    assert any("1 of 1 changed files may alter" in note for note in run["notes"])
    assert run["plan"]["state"] == "skipped"


@pytest.mark.parametrize("head", [FORK, GONE], ids=["fork", "gone"])
def test_A3_A4_a_fork_s_pull_request_is_read_and_not_run(shop, tmp_path, head):
    shop.push(changed())
    clone = shop.clone()
    programs, marks = traps(tmp_path, clone)
    done = shop.run("pull_request", shop.pull_request("opened", **head), clone, PATH=str(programs), VIRTUAL_ENV=None)
    assert done.returncode == 0, done.stderr
    assert "none of its code is run" in done.stderr
    run = shop.last_run(clone)
    assert run["plan"]["state"] == "skipped"
    assert run["build"]["state"] == "skipped"
    # As root nothing is started at all; another user lints without any setting of the head's.
    assert [mark.name for mark in marks.iterdir()] in ([], ["sqlfluff"])
    assert not list(Path(shop.folder).glob("**/*pr_7*"))


def test_A3_a_fork_that_has_our_name_is_a_fork(shop):
    shop.push(changed())
    payload = shop.pull_request("opened", pull_request={"head": {"repo": {"id": 99, "full_name": "acme/shop"}}})
    done = shop.run("pull_request", payload, shop.clone())
    assert "none of its code is run" in done.stderr


def test_A1a_settings_of_a_head_that_is_no_merge_commit_come_from_its_base(shop):
    """HEAD^1 of a head is the head's own commit: it must not decide."""
    shop.main({"offshoot.yml": "branch: {prefix: trusted}\n"})
    shop.push({"offshoot.yml": "branch: {prefix: hostile}\n", **changed()})
    shop.push({"models/marts/more.sql": "select 1 as x\n"})
    clone = shop.clone(shop.head, depth=2)
    payload = shop.pull_request("opened")
    done = shop.run("pull_request", payload, clone, command="check")
    assert done.returncode == 2, done.stderr
    assert "fetch-depth: 2" in done.stderr
    git(clone, "fetch", "--quiet", "--depth=20", "origin", "main:refs/remotes/origin/main")
    git(clone, "fetch", "--quiet", "--depth=20", "origin", shop.head)
    done = shop.run("pull_request", payload, clone, "--json", command="plan")
    assert "hostile" not in done.stdout
    assert "trusted_pr_7" in done.stdout, done.stderr


def test_A7_the_checkout_must_be_the_event_s(shop):
    shop.push(changed())
    older = shop.clone()
    payload = shop.pull_request("opened")
    shop.push(changed(3))
    git(older, "fetch", "--quiet", "--depth=2", "origin", "main:refs/remotes/origin/main")
    newer = shop.pull_request("synchronize")
    assert shop.run("pull_request", payload, older, command="plan").returncode == 0
    done = shop.run("pull_request", newer, older, command="check")
    assert done.returncode == 5, done.stderr
    assert "checking the head" in done.stderr


@pytest.mark.parametrize("depth", [1, 2, 0])
def test_F2_depths_of_the_clone(shop, depth):
    shop.push(changed())
    done = shop.run("pull_request", shop.pull_request("opened"), shop.clone(depth=depth), command="plan")
    if depth == 1:
        assert done.returncode == 2
        assert "fetch-depth: 2" in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def deployed(shop):
    clone = shop.clone(shop.base, ref="refs/remotes/origin/main")
    payload = {"ref": "refs/heads/main", "deleted": False, "repository": {"id": REPOSITORY_ID, "default_branch": "main"}}
    done = shop.run("push", payload, clone)
    assert done.returncode == 0, done.stderr
    return clone


def test_opened_synchronize_and_closed(shop):
    """One pull request's life, each job in a fresh clone with no store."""
    warehouse = shop.folder / "warehouse"
    warehouse.mkdir()
    profile = (shop.origin / "profiles.yml").read_text().replace("path: ci.duckdb", f"path: {warehouse}/ci.duckdb")
    shop.main({"profiles.yml": profile})
    deployed(shop)
    shop.push(changed())
    clone = shop.clone()
    assert not (clone / ".offshoot").exists()
    done = shop.run("pull_request", shop.pull_request("opened"), clone)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in warehouse.iterdir()] == ["offshoot_pr_7.duckdb"]
    shop.push(changed(3))
    assert shop.run("pull_request", shop.pull_request("synchronize"), shop.clone()).returncode == 0
    # The merge ref and the head's repository are gone, and the head could not be parsed any more.
    git(shop.origin, "update-ref", "-d", "refs/pull/7/merge")
    closed = shop.pull_request("closed", **GONE)
    clone = shop.clone(shop.base, depth=1, ref="refs/remotes/origin/main")
    done = shop.run("pull_request", closed, clone)
    assert done.returncode == 0, done.stderr
    assert "dropped offshoot_pr_7" in done.stderr
    assert list(warehouse.iterdir()) == []


def test_a_closed_head_is_never_read(shop):
    """Whatever is checked out: profile and settings are the default branch's."""
    shop.main({"offshoot.yml": "branch: {prefix: trusted}\n"})
    shop.push({"offshoot.yml": "nonsense: [", "dbt_project.yml": "nonsense: [", "profiles.yml": "nonsense: ["})
    done = shop.run("pull_request", shop.pull_request("closed"), shop.clone())
    assert done.returncode == 0, done.stderr
    assert "nothing to drop" in done.stderr
    bare = shop.clone(shop.head, depth=1)
    done = shop.run("pull_request", shop.pull_request("closed"), bare)
    assert done.returncode == 5
    assert "check out the default branch" in done.stderr


def test_paths_drafts_and_labels_are_settings(shop):
    shop.main({"offshoot.yml": "events: {paths: ['models/**'], drafts: skip, skip_label: hands-off}\n"})
    shop.push({"README.md": "words\n"})
    clone = shop.clone()
    assert shop.decide("pull_request", shop.pull_request("opened"), clone)["errand"] == "nothing"
    shop.push(changed())
    clone = shop.clone()
    assert shop.decide("pull_request", shop.pull_request("opened"), clone)["errand"] == "check"
    draft = shop.pull_request("opened", pull_request={"draft": True})
    assert shop.decide("pull_request", draft, clone)["errand"] == "nothing"
    labelled = shop.pull_request("opened", pull_request={"labels": [{"name": "hands-off"}]})
    assert shop.decide("pull_request", labelled, clone)["errand"] == "nothing"


def started_by_hand(**inputs):
    repository = {"id": REPOSITORY_ID, "default_branch": "main", "full_name": "acme/shop"}
    return {"ref": "refs/heads/main", "inputs": inputs, "repository": repository}


def built(run):
    return sorted(node["unique_id"].split(".")[2] for node in run["plan"]["value"]["nodes"])


def test_K3_a_dispatch_goes_on_after_a_failure_in_a_fresh_clone(shop):
    """The store is the only memory; the runner's files are gone."""
    import duckdb

    shared = {"OFFSHOOT_STORE": str(shop.folder / "shared/.offshoot"), "GITHUB_REF_NAME": "main"}
    push = {"ref": "refs/heads/main", "deleted": False, "repository": {"id": REPOSITORY_ID, "default_branch": "main"}}
    on_main = "refs/remotes/origin/main"
    assert shop.run("push", push, shop.clone(shop.base, ref=on_main), **shared).returncode == 0
    head = shop.main({"models/marts/dim_customers.sql": "select 1 as customer_id from not_there_yet\n",
                      "models/marts/extra.sql": "select 1 as extra\n"})
    failed = shop.run("push", push, shop.clone(head, ref=on_main), **shared, GITHUB_RUN_ID="2")
    assert failed.returncode == 1, failed.stderr
    run = shop.last_run(shop.folder / "shared")
    assert "extra" in built(run)
    with duckdb.connect(str(shop.production)) as connection:
        connection.execute("create table not_there_yet as select 1 as one")
    again = started_by_hand(command="run", from_failure=run["id"], ref=head, select="", full_refresh="false")
    done = shop.run("workflow_dispatch", again, shop.clone(head, ref=on_main), **shared, GITHUB_RUN_ID="3")
    assert done.returncode == 0, done.stderr
    assert built(shop.last_run(shop.folder / "shared")) == ["dim_customers", "unique_dim_customers_customer_id"]
    assert "already contained" in shop.run("push", push, shop.clone(head, ref=on_main), **shared, GITHUB_RUN_ID="4").stderr


def test_a_dispatch_builds_what_it_is_told_and_rolls_back(shop):
    shared = {"OFFSHOOT_STORE": str(shop.folder / "shared/.offshoot"), "GITHUB_REF_NAME": "main", "OFFSHOOT_DEPLOY_MODE": "swap"}
    on_main = "refs/remotes/origin/main"
    first = shop.base
    assert shop.run("workflow_dispatch", started_by_hand(), shop.clone(first, ref=on_main), **shared).returncode == 0
    second = shop.main(changed())
    assert shop.run("workflow_dispatch", started_by_hand(), shop.clone(second, ref=on_main), **shared, GITHUB_RUN_ID="2").returncode == 0
    clone = shop.clone(second, ref=on_main)
    wish = started_by_hand(command="run", select="revenue", vars='{"any": 1}', target="ci")
    done = shop.run("workflow_dispatch", wish, clone, **shared, GITHUB_RUN_ID="3")
    assert set(built(shop.last_run(shop.folder / "shared"))) == {"revenue"}, done.stderr
    assert (clone / "ci.duckdb").is_file(), "built in the target that was asked for"
    back = started_by_hand(command="rollback", to=first)
    done = shop.run("workflow_dispatch", back, shop.clone(second, ref=on_main), **shared, GITHUB_RUN_ID="4")
    assert done.returncode == 0, done.stderr
    assert f"Production is back at {first[:7]}" in done.stderr


def test_without_a_lasting_store_what_needs_one_says_so(shop):
    """A folder of the checkout: a cache may bring an old one along."""
    push = {"ref": "refs/heads/main", "deleted": False, "repository": {"id": REPOSITORY_ID, "default_branch": "main"}}
    clone = shop.clone(shop.base, ref="refs/remotes/origin/main")
    everything = None
    for _ in range(2):
        done = shop.run("push", push, clone, GITHUB_REF_NAME="main")
        assert done.returncode == 0, done.stderr
        assert "gone with its runner" in done.stderr and "s3://" in done.stderr
        everything = everything or built(shop.last_run(clone))
        assert built(shop.last_run(clone)) == everything
    back = shop.run("workflow_dispatch", started_by_hand(command="rollback", to=shop.base), clone, GITHUB_REF_NAME="main")
    assert back.returncode == 2 and "s3://" in back.stderr
    again = started_by_hand(command="run", from_failure="20200101T000000Z-1-1")
    rerun = shop.run("workflow_dispatch", again, clone, GITHUB_REF_NAME="main")
    assert rerun.returncode == 2 and "s3://" in rerun.stderr


def test_L1_a_dispatch_elsewhere_builds_nothing_in_production(shop):
    shop.push(changed())
    clone = shop.clone(shop.head, ref="refs/remotes/origin/feature")
    event = started_by_hand(command="run", target="prod") | {"ref": "refs/heads/feature"}
    done = shop.run("workflow_dispatch", event, clone, GITHUB_REF_NAME="feature")
    assert done.returncode == 5, done.stderr
    assert "not the default branch" in done.stderr
    assert not shop.production.exists()


def test_outside_of_actions_auto_says_so(shop):
    done = shop.run("push", {}, shop.clone(shop.base), GITHUB_ACTIONS=None)
    assert done.returncode == 2
    assert "no job of GitHub Actions" in done.stderr
