# SPDX-License-Identifier: Apache-2.0
"""Jobs of GitHub Actions as offshoot sees them: repositories with pull requests, events, and the runner's variables."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "tests/scenario/projects/tiny"
VENV = Path(os.environ.get("OFFSHOOT_TEST_VENV", ROOT / ".venv"))
TOOLS = Path(os.environ.get("OFFSHOOT_TEST_TOOLS", ROOT / ".tools"))
REPOSITORY_ID = 4711

sys.path.append(str(ROOT / "tests/github"))  # the stand-in for GitHub


def changed(edition=2):
    """A change of one model that passes tests and lint."""
    model = f"select\n    customer_id,\n    customer_name,\n    {edition} as edition\nfrom {{{{ ref('stg_customers') }}}}\n"
    return {"models/marts/dim_customers.sql": model}


@pytest.fixture(scope="session")
def offshoot():
    binary = os.environ.get("OFFSHOOT", str(ROOT / "build/release/offshoot"))
    assert Path(binary).is_file(), f"{binary} is missing: run ci/build"
    return str(Path(binary).resolve())


@pytest.fixture(scope="session")
def payloads():
    """GitHub's own examples: {event: [payload]}."""
    index = TOOLS / "node/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    assert index.is_file(), f"{index} is missing: run ci/tools prism"
    return {entry["name"]: entry["examples"] for entry in json.loads(index.read_text())}


def git(folder, *arguments):
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Shop:
    """A repository on a server, with a pull request, and fresh clones of it as a runner makes them."""

    def __init__(self, folder, offshoot):
        self.folder = folder
        self.offshoot = offshoot
        self.origin = folder / "origin"
        self.production = folder / "prod.duckdb"
        self.home = folder / "home"
        self.home.mkdir()
        self.clones = 0
        shutil.copytree(PROJECT, self.origin)
        git(self.origin, "init", "--quiet")
        git(self.origin, "config", "uploadpack.allowAnySHA1InWant", "true")
        self.base = self.commit("A project")
        git(self.origin, "checkout", "--quiet", "-b", "feature")
        self.head = self.base
        self.merge = self.base

    def commit(self, message):
        git(self.origin, "add", "--all")
        git(self.origin, "commit", "--quiet", "--allow-empty", "--message", message)
        return git(self.origin, "rev-parse", "HEAD")

    def write(self, path, text):
        file = self.origin / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def push(self, files=None):
        """The pull request's next commit, and the merge commit that GitHub makes of it."""
        for path, text in (files or {}).items():
            self.write(path, text)
        self.head = self.commit("A change")
        git(self.origin, "checkout", "--quiet", "--detach", "main")
        git(self.origin, "merge", "--quiet", "--no-ff", "--message", "Merge", self.head)
        self.merge = git(self.origin, "rev-parse", "HEAD")
        git(self.origin, "update-ref", "refs/pull/7/merge", self.merge)
        git(self.origin, "checkout", "--quiet", "feature")

    def main(self, files):
        """A commit on the default branch."""
        git(self.origin, "checkout", "--quiet", "main")
        for path, text in files.items():
            self.write(path, text)
        self.base = self.commit("On main")
        git(self.origin, "checkout", "--quiet", "feature")
        git(self.origin, "reset", "--quiet", "--hard", "main")
        return self.base

    def clone(self, commit=None, depth=2, ref="refs/remotes/pull/7/merge"):
        """What actions/checkout leaves behind: one ref, that deep."""
        self.clones += 1
        clone = self.folder / f"clone-{self.clones}"
        clone.mkdir()
        git(clone, "init", "--quiet")
        git(clone, "remote", "add", "origin", f"file://{self.origin}")
        depth_option = [f"--depth={depth}"] if depth else []
        git(clone, "fetch", "--quiet", "--no-tags", *depth_option, "origin", f"+{commit or self.merge}:{ref}")
        git(clone, "checkout", "--quiet", "--detach", ref)
        return clone

    def pull_request(self, action, **changes):
        """An event's payload. `changes` are laid over it: pull_request={...} and so on."""
        payload = {
            "action": action,
            "number": 7,
            "repository": {"id": REPOSITORY_ID, "full_name": "acme/shop", "default_branch": "main"},
            "pull_request": {
                "number": 7,
                "state": "closed" if action == "closed" else "open",
                "draft": False,
                "labels": [],
                "head": {"sha": self.head, "ref": "feature", "repo": {"id": REPOSITORY_ID, "full_name": "acme/shop"}},
                "base": {"sha": self.base, "ref": "main", "repo": {"id": REPOSITORY_ID, "full_name": "acme/shop"}},
            },
        }
        return laid_over(payload, changes)

    def environment(self, event, payload, clone, **more):
        """The runner's variables for a job."""
        self.clones += 1
        file = self.folder / f"event-{self.clones}.json"
        file.write_text(json.dumps(payload))
        ref = payload.get("ref", "refs/pull/7/merge" if event == "pull_request" else "refs/heads/main")
        environment = {
            "PATH": f"{VENV / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "VIRTUAL_ENV": str(VENV),
            "LANG": "C.UTF-8",
            "TINY_PROD": str(self.production),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_WORKSPACE": str(clone),
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_REPOSITORY_ID": str(REPOSITORY_ID),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REF": ref,
            "GITHUB_REF_NAME": ref.split("/", 2)[2],
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_ATTEMPT": "1",
        }
        return {name: value for name, value in (environment | more).items() if value is not None}

    def run(self, event, payload, clone, *arguments, command="auto", user=None, **more):
        """Runs offshoot in a job; its environment in `more`, None takes a variable away."""
        environment = self.environment(event, payload, clone, **more)
        return subprocess.run(
            [self.offshoot, command, *arguments], cwd=clone, env=environment, capture_output=True, text=True,
            timeout=300, user=user,
        )

    def decide(self, event, payload, clone, **more):
        """The errand that offshoot would go on, without going."""
        done = self.run(event, payload, clone, "--dry-run", "--json", **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def last_run(self, clone):
        """run.json of the newest run in the clone's store."""
        files = sorted((clone / ".offshoot").glob(f"{REPOSITORY_ID}/runs/*/*/run.json"))
        assert files, "no run was kept"
        return json.loads(files[-1].read_text())


def laid_over(value, changes):
    if not isinstance(changes, dict) or not isinstance(value, dict):
        return copy.deepcopy(changes)
    result = copy.deepcopy(value)
    for key, change in changes.items():
        result[key] = laid_over(result.get(key), change)
    return result


@pytest.fixture
def shop(tmp_path, offshoot):
    return Shop(tmp_path, offshoot)
