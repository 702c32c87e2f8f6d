# SPDX-License-Identifier: Apache-2.0
"""What GitHub gets to hear of a run. Each request goes from offshoot through Prism to the stand-in."""

import json
import os
import random
import subprocess
import time
from pathlib import Path

import fake
import pytest
import runner

ROOT = Path(__file__).resolve().parents[2]
HEAD = "aaaabbbbccccddddeeeeffff0000111122223333"
ALL = os.environ.get("OFFSHOOT_TEST_ALL") == "yes"
MARKER = "<!-- offshoot:v1 run="


class Step:
    """A step of a workflow that announces runs."""

    def __init__(self, driver, github, folder):
        self.driver, self.folder = driver, folder
        (folder / "event.json").write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
        self.environment = {
            "GITHUB_ACTIONS": "true", "GITHUB_API_URL": github.public, "GITHUB_TOKEN": "ghs_0123456789",
            "GITHUB_REPOSITORY": "acme/shop", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_EVENT_PATH": str(folder / "event.json"), "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"), "RUNNER_TEMP": str(folder / "temp"),
            "ASAN_OPTIONS": "detect_leaks=0"}

    def announce(self, run, *settings, number=500, haste=50, **environment):
        """Announces a golden run, or the run of a file; returns what was noted."""
        file = run if isinstance(run, Path) else ROOT / "tests/golden/report" / run / "run.json"
        (self.folder / "output").write_text("")
        (self.folder / "summary").write_text("")
        done = subprocess.run([self.driver, file, str(haste), *settings], capture_output=True, timeout=300,
                              env={**self.environment, "GITHUB_RUN_ID": str(number), **environment})
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def outputs(self):
        return dict(runner.pairs((self.folder / "output").read_text()))

    def summary(self):
        return (self.folder / "summary").read_text()


@pytest.fixture
def step(driver, github, tmp_path):
    return Step(driver, github, tmp_path)


def ours(github):
    return [comment for comment in github.comments.values()
            if MARKER in comment["body"] and comment["user"]["id"] == github.author["id"]]


def test_I1_the_good_path_takes_twelve_requests_at_most(step, github):
    said = step.announce("all-passed")
    assert said["notes"] == []
    assert said["commands"] == ""
    assert len(github.requests) <= 12
    assert len(ours(github)) == 1
    assert {run["name"]: run["conclusion"] for run in github.check_runs.values()} == {
        "offshoot / plan": "success", "offshoot / build": "success", "offshoot / lint": "success",
        "offshoot / quality": "success"}
    assert {run["head_sha"] for run in github.check_runs.values()} == {HEAD}
    (deployment,) = github.deployments.values()
    assert (deployment["environment"], deployment["sha"]) == ("shop_pr_7", HEAD)
    assert [status["state"] for status in github.statuses[deployment["id"]]] == ["success"]
    assert github.tokens == {"Bearer ghs_0123456789"}


def test_I6_a_second_run_edits_the_comment_and_an_equal_one_does_not(step, github):
    step.announce("all-passed", number=500)
    step.announce("failing-test", number=501)
    (comment,) = ours(github)
    assert comment["body"].startswith("## ❌ 1 test failed")
    before = len([1 for _, method, path in github.requests if method == "PATCH" and "/issues/" in path])
    step.announce("failing-test", number=502)
    after = len([1 for _, method, path in github.requests if method == "PATCH" and "/issues/" in path])
    assert after == before
    assert "run=20261121T034501Z-501-1" in ours(github)[0]["body"]


def test_K8_an_older_run_leaves_the_comment_alone(step, github):
    step.announce("all-passed", number=501)
    said = step.announce("failing-test", number=500)
    assert ours(github)[0]["body"].startswith("## ✅")
    assert any("newer run" in note for note in said["notes"])
    said = step.announce("failing-test", number=501, GITHUB_RUN_ATTEMPT="2")
    assert ours(github)[0]["body"].startswith("## ❌")


def test_I6_the_comment_is_found_among_hundreds_and_forgeries_are_left_alone(step, github):
    off = ("github.checks=off", "github.deployments=off")
    mallory = fake.user("mallory", 666)
    forged = github.add_comment(f"{MARKER}20991121T034501Z-99999-1 head= digest= -->", mallory)
    other = github.add_comment(f"{MARKER}20991121T034501Z-99999-1 head= digest= -->",
                               fake.user("other[bot]", 667, "Bot"), fake.app("other", 4242))
    for number in range(130):
        github.add_comment(f"talk {number}", mallory)
    step.announce("all-passed", *off, number=1)
    for number in range(130):
        github.add_comment(f"more {number}", mallory)
    assert len(ours(github)) == 0, "an app that is not known may be the other one"
    step.announce("all-passed", number=1)
    step.announce("failing-test", number=2)
    assert len(ours(github)) == 1
    assert forged["body"].endswith("head= digest= -->") and other["body"].endswith("head= digest= -->")
    assert any("page=3" in path for _, _, path in github.requests)


def test_I6_with_a_persons_token_the_comment_is_that_persons(step, github):
    github.author, github.app = fake.user("ada", 5), None
    github.permissions -= {"checks"}
    step.announce("all-passed", GITHUB_TOKEN="ghp_person")
    step.announce("failing-test", number=501, GITHUB_TOKEN="ghp_person")
    (comment,) = ours(github)
    assert comment["body"].startswith("## ❌")


@pytest.mark.parametrize("run", ["failing-test", "all-passed", "settings-error"])
def test_A4_a_token_that_may_write_nothing_costs_notes_alone(step, github, run):
    github.permissions = set()
    said = step.announce(run)
    assert not github.comments and not github.check_runs and not github.deployments
    assert any("checks: write" in note for note in said["notes"])
    assert any("pull-requests: write" in note for note in said["notes"])
    assert len(github.requests) <= 4, "what is forbidden is asked for once"
    assert "pull-requests: write" in step.summary()
    assert step.outputs()["comment-url"] == ""


def test_A6_comments_alone_are_enough_and_annotations_go_to_the_log(step, github):
    github.permissions = {"issues"}
    said = step.announce("lint-findings")
    assert len(ours(github)) == 1
    found = [runner.command(line) for line in said["commands"].splitlines()]
    assert found and all(command is not None for command in found)
    assert {name for name, _, _ in found} <= {"error", "warning", "notice"}
    assert all(properties["file"].endswith(".sql") for _, properties, _ in found)


def test_I8_annotations_stand_at_changed_lines(step, github):
    step.announce("lint-findings")
    (lint,) = [run for run in github.check_runs.values() if run["name"] == "offshoot / lint"]
    run = json.loads((ROOT / "tests/golden/report/lint-findings/run.json").read_text())
    expected = {(f["path"], f["line"]) for f in run["lint"]["value"]["findings"] if f["on_changed_line"]}
    assert {(a["path"], a["start_line"]) for a in lint["annotations"]} == expected
    assert lint["conclusion"] == "failure"


@pytest.mark.parametrize("run,states", [
    ("docs-only", {"plan": "success", "build": "skipped", "lint": None, "quality": "skipped"}),
    ("failing-test", {"plan": "success", "build": "failure", "lint": "success", "quality": "skipped"}),
    ("settings-error", {"plan": "failure"}),
    ("refused", {"plan": "success", "build": "failure"}),
    ("interrupted", {"plan": "success", "build": "cancelled"}),
])
def test_each_check_says_how_its_stage_ended(step, github, run, states):
    step.announce(run)
    found = {check["name"].removeprefix("offshoot / "): check for check in github.check_runs.values()}
    assert len(found) == len(github.check_runs) == 4
    for name, state in states.items():
        if state:
            assert found[name]["conclusion"] == state
        if state == "skipped":
            assert found[name]["output"]["title"].startswith("skipped: ")
    assert all(check["status"] == "completed" for check in found.values())


@pytest.mark.parametrize("when,run,comments", [("never", "failing-test", 0), ("on-findings", "all-passed", 0),
                                               ("on-findings", "failing-test", 1), ("always", "all-passed", 1)])
def test_comment_when(step, github, when, run, comments):
    step.announce(run, f"comment.when={when}", "github.checks=off", "github.deployments=off")
    assert len(ours(github)) == comments


def test_on_findings_a_comment_that_stands_is_kept_true(step, github):
    step.announce("failing-test", "comment.when=on-findings", number=500)
    step.announce("all-passed", "comment.when=on-findings", number=501)
    assert ours(github)[0]["body"].startswith("## ✅")


def test_B2_each_output_is_read_back_as_it_is(step, github):
    step.announce("hostile")
    outputs = step.outputs()
    assert set(outputs) == {"verdict", "branch-name", "plan-json", "report-url", "comment-url", "run-json"}
    assert outputs["verdict"] == "findings"
    assert outputs["comment-url"] == ours(github)[0]["html_url"]
    run = json.loads(Path(outputs["run-json"]).read_text())
    assert json.loads(Path(outputs["plan-json"]).read_text()) == run["plan"]["value"]["nodes"]
    assert (step.folder / "output").read_text().count("ghadelimiter_") == 12
    assert len(set(line for line in (step.folder / "output").read_text().split() if "<<" in line)) == 6


def test_I7_I8_a_huge_run_fits_everywhere(step, github, tmp_path):
    run = json.loads((ROOT / "tests/golden/report/failing-test/run.json").read_text())
    plan, build = run["plan"]["value"], run["build"]["value"]
    node = next(n for n in plan["nodes"] if n["resource_type"] == "model")
    result = next(r for r in build["results"] if r["status"] == "fail")
    for number in range(500):
        name = f"model.shop.fct_{number}"
        plan["nodes"].append({**node, "unique_id": name, "name": f"fct_{number}"})
        build["results"].append({**result, "unique_id": name, "status": "error", "message": "x\n" * 400})
    finding = {"path": "models/a.sql", "line": 1, "column": 1, "rule": "LT01", "name": "layout.spacing",
               "message": "m" * 5000, "warning": False, "on_changed_line": True}
    run["lint"] = {"state": "finished", "value": {"findings": [{**finding, "line": n + 1} for n in range(300)],
                                                  "files": ["models/a.sql"], "unlinted": [], "tool": "sqlfluff"}}
    (tmp_path / "huge.json").write_text(json.dumps(run))
    assert step.announce(tmp_path / "huge.json")["notes"] == []
    (comment,) = ours(github)
    assert 40_000 < len(comment["body"].encode()) <= 65_535
    (lint,) = [check for check in github.check_runs.values() if check["name"] == "offshoot / lint"]
    assert len(lint["annotations"]) == 50
    assert len(step.summary().encode()) <= 1024 * 1024
    github.permissions = {"issues"}
    commands = step.announce(tmp_path / "huge.json", number=501)["commands"].splitlines()
    assert len(commands) <= 30
    assert max(sum(line.startswith(f"::{kind} ") for line in commands) for kind in ("error", "warning")) == 10
    assert any("more" in line for line in commands)


def test_without_a_token_the_summary_and_the_log_tell(step, github):
    said = step.announce("lint-findings", GITHUB_TOKEN="")
    assert github.requests == []
    assert "GITHUB_TOKEN" in said["notes"][0]
    assert "::error " in said["commands"]
    assert "Lint on changed lines" in step.summary()


def test_I12_no_token_goes_to_an_api_without_tls(step, github):
    step.announce("all-passed", GITHUB_API_URL="http://ghe.invalid/api/v3")
    assert github.requests == []


# In real time.

OFF = ("github.checks=off", "github.deployments=off")


def gaps(github):
    times = [at for at, method, _ in github.requests if method != "GET"]
    return [later - earlier for earlier, later in zip(times, times[1:])]


def test_I2_writes_are_a_second_apart(step, github):
    step.announce("all-passed", "github.deployments=off", haste=1)
    assert len(gaps(github)) == 8
    assert min(gaps(github)) >= 0.95


@pytest.mark.parametrize("headers,least", [
    (lambda: {"Retry-After": "2"}, 2.0),
    (lambda: {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3)}, 2.0),
])
def test_I3_limits_are_waited_for_as_told(step, github, headers, least):
    github.refusals = [fake.Refused(403, "You have exceeded a secondary rate limit", headers())]
    step.announce("all-passed", *OFF, "github.checks=off", haste=1)
    assert len(ours(github)) == 1
    assert len(gaps(github)) == 1
    assert least - 0.05 <= gaps(github)[0] <= least + 3


# Faults on the way.

def random_fault(proxy, dice):
    kind = dice.choice(["latency", "reset_peer", "limit_data", "cut_request", "timeout", "down", "slow"])
    toxicity = dice.choice([0.3, 0.6, 1.0])
    if kind == "latency":
        proxy.add("f", "latency", toxicity=toxicity, latency=dice.randrange(1, 120), jitter=20)
    elif kind == "reset_peer":
        proxy.add("f", "reset_peer", dice.choice(["upstream", "downstream"]), toxicity, timeout=dice.randrange(0, 60))
    elif kind == "limit_data":
        proxy.add("f", "limit_data", "downstream", toxicity, bytes=dice.randrange(1, 3000))
    elif kind == "cut_request":
        proxy.add("f", "limit_data", "upstream", toxicity, bytes=dice.randrange(1, 3000))
    elif kind == "timeout":
        proxy.add("f", "timeout", "downstream", toxicity, timeout=dice.randrange(1, 100))
    elif kind == "slow":
        proxy.add("f", "bandwidth", "downstream", toxicity, rate=dice.randrange(20, 200))
    else:
        proxy.enable(False)
    return f"{kind} {toxicity}"


@pytest.mark.parametrize("seed", range(1000 if ALL else 6))
def test_I5_exactly_one_comment_after_any_fault(toxiproxy, driver, github, tmp_path, seed):
    dice = random.Random(seed)
    step = Step(driver, github, tmp_path)
    step.environment["GITHUB_API_URL"] = toxiproxy.url
    for number in (500, 501):
        fault = random_fault(toxiproxy, dice)
        step.announce(dice.choice(["all-passed", "failing-test"]), *OFF, number=number)
        toxiproxy.reset()
        toxiproxy.enable(True)
        assert len(ours(github)) <= 1, fault
    step.announce("lint-findings", *OFF, number=502)
    (comment,) = ours(github)
    assert "-502-1 " in comment["body"]
