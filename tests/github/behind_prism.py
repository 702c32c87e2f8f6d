# SPDX-License-Identifier: Apache-2.0
"""The stand-in for GitHub behind Prism, which checks each request and each answer against GitHub's own description."""

import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import description
import fake
import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("OFFSHOOT_TEST_TOOLS", ROOT / ".tools"))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


@contextmanager
def github_behind_prism(folder):
    """A fake.GitHub that clients reach at `public`. What Prism objects to is in `violations()`: none may be left."""
    github = fake.GitHub()
    small = folder / "github.json"
    description.write(TOOLS / "node/node_modules/@octokit/openapi/generated/api.github.com.json", small)
    github.example_pull = json.loads(small.read_text())["components"]["examples"]["pull-request"]["value"]
    port, log = free_port(), folder / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [TOOLS / "node/node_modules/.bin/prism", "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors", small,
             github.url], stdout=out, stderr=subprocess.STDOUT)
    wait_for(port, process)
    github.public = f"http://127.0.0.1:{port}"
    github.violations = lambda: [line for line in log.read_text(errors="replace").splitlines() if "terminated with error" in line]
    try:
        yield github
    finally:
        process.terminate()
        process.wait()
    assert github.violations() == []


@pytest.fixture(scope="session")
def prism(tmp_path_factory):
    with github_behind_prism(tmp_path_factory.mktemp("prism")) as github:
        yield github


@pytest.fixture
def github(prism):
    prism.reset()
    yield prism
    assert prism.violations() == [], "a request or an answer is not as GitHub describes it"
