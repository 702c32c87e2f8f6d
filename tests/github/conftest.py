# SPDX-License-Identifier: Apache-2.0
"""What the suite runs on: a stand-in for GitHub behind Prism, which checks each request and each answer against
GitHub's own description, and Toxiproxy for faults on the way."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from behind_prism import ROOT, TOOLS, free_port, github, prism, wait_for  # noqa: F401 - fixtures


class Toxiproxy:
    """A proxy in front of GitHub that can be told to misbehave."""

    def __init__(self, upstream):
        self.api = f"http://127.0.0.1:{free_port()}"
        host, port = self.api.removeprefix("http://").split(":")
        self.process = subprocess.Popen([TOOLS / "bin/toxiproxy", "-host", host, "-port", port],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(int(port), self.process)
        self.listen = f"127.0.0.1:{free_port()}"
        self.call("POST", "/proxies", {"name": "github", "listen": self.listen, "upstream": upstream, "enabled": True})

    @property
    def url(self):
        return f"http://{self.listen}"

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.api + path, json.dumps(body).encode() if body is not None else None,
                                         method=method, headers={"User-Agent": "tests"})
        return urllib.request.urlopen(request).read()

    def add(self, name, kind, stream="downstream", toxicity=1.0, **attributes):
        self.call("POST", "/proxies/github/toxics", {"name": name, "type": kind, "stream": stream,
                                                     "toxicity": toxicity, "attributes": attributes})

    def enable(self, enabled):
        self.call("POST", "/proxies/github", {"enabled": enabled})

    def reset(self):
        self.call("POST", "/reset")


@pytest.fixture(scope="session")
def toxiproxy_server(prism):
    proxy = Toxiproxy(prism.public.removeprefix("http://"))
    yield proxy
    proxy.process.terminate()
    proxy.process.wait()


@pytest.fixture
def toxiproxy(toxiproxy_server, github):
    toxiproxy_server.reset()
    toxiproxy_server.enable(True)
    # Links to further pages lead through the proxy as well.
    before, github.public = github.public, toxiproxy_server.url
    yield toxiproxy_server
    github.public = before
    toxiproxy_server.reset()


@pytest.fixture(scope="session")
def driver():
    binary = Path(os.environ.get("OFFSHOOT_GITHUB_DRIVER", ROOT / "build/dev/tests/github_driver"))
    assert binary.is_file(), f"{binary} is missing: run ci/build dev"
    return binary


@pytest.fixture(scope="session")
def offshoot():
    binary = Path(os.environ.get("OFFSHOOT", ROOT / "build/release/offshoot"))
    assert binary.is_file(), f"{binary} is missing: run ci/build"
    return binary
