# SPDX-License-Identifier: Apache-2.0
"""The action's own scripts: which dbt, which offshoot, and that a release is the one that was published."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import ROOT, VENV

ASSET = f"offshoot-0.1.0-linux-{os.uname().machine}.tar.gz"


class Action:
    """The action's tree, copied, and a runner's folders."""

    def __init__(self, folder):
        self.tree = folder / "action tree"
        shutil.copytree(ROOT / "action", self.tree / "action")
        for name in ("CMakeLists.txt", "CMakePresets.json"):
            shutil.copy(ROOT / name, self.tree)
        for name in ("src", "templates", "cmake"):
            shutil.copytree(ROOT / name, self.tree / name)
        (self.tree / "ci/python").mkdir(parents=True)
        shutil.copy(ROOT / "ci/python/uv.txt", self.tree / "ci/python")
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.output = folder / "output"

    def run(self, script, **variables):
        self.output.write_text("")
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.temporary), "RUNNER_TEMP": str(self.temporary),
                       "GITHUB_OUTPUT": str(self.output)} | variables
        done = subprocess.run([self.tree / "action" / script], cwd=self.workspace, env=environment, capture_output=True, text=True, timeout=300)
        outputs = dict(line.split("=", 1) for line in self.output.read_text().splitlines())
        return done, outputs


@pytest.fixture
def action(tmp_path):
    return Action(tmp_path)


def test_dbt_is_found_in_the_promised_order(action):
    (action.workspace / "requirements.txt").write_text("dbt-duckdb==1.11.1\n")
    _, given = action.run("find-python", INPUT_PYTHON=str(VENV / "bin/python"), INPUT_ADAPTER="duckdb")
    assert (given["how"], given["python"]) == ("found", str(VENV / "bin/python"))
    _, active = action.run("find-python", VIRTUAL_ENV=str(VENV), INPUT_ADAPTER="duckdb")
    assert active["how"] == "found"
    _, by_file = action.run("find-python", INPUT_ADAPTER="duckdb")
    assert (by_file["how"], by_file["file"]) == ("requirements", "./requirements.txt")
    (action.workspace / "uv.lock").write_text('name = "dbt-duckdb"\n')
    _, by_lock = action.run("find-python", INPUT_ADAPTER="duckdb")
    assert (by_lock["how"], by_lock["file"]) == ("lock", "./uv.lock")
    for name in ("uv.lock", "requirements.txt"):
        (action.workspace / name).unlink()
    _, by_adapter = action.run("find-python", INPUT_ADAPTER="duckdb", INPUT_DBT_VERSION="1.11")
    assert (by_adapter["how"], by_adapter["file"]) == ("packages", "")
    done, none = action.run("find-python")
    assert (done.returncode, none["how"]) == (0, "none")


def test_the_key_follows_from_the_file_s_content(action):
    requirements = action.workspace / "requirements.txt"
    requirements.write_text("dbt-duckdb==1.11.1\n")
    _, one = action.run("find-python")
    _, same = action.run("find-python")
    requirements.write_text("dbt-duckdb==1.11.0\n")
    _, other = action.run("find-python")
    assert one["key"] == same["key"] != other["key"]


@pytest.mark.parametrize("inputs", [
    {"INPUT_PYTHON": "-c"}, {"INPUT_PYTHON": "/nowhere"}, {"INPUT_ADAPTER": "x;id"}, {"INPUT_ADAPTER": "../x"},
    {"INPUT_ADAPTER": "duckdb", "INPUT_DBT_VERSION": "1.11 --index-url=http://evil"}, {"INPUT_REQUIREMENTS": "../../etc/passwd"},
    {"INPUT_REQUIREMENTS": "-rx"}, {"INPUT_REQUIREMENTS": "absent.txt"}, {"INPUT_PROJECT": "../.."}])
def test_B7_inputs_that_are_none_end_with_status_2(action, inputs):
    done, _ = action.run("find-python", **inputs)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("offshoot: ")


def test_B2_an_output_of_a_script_is_one_line(action):
    """A path with a line break in it would set another output."""
    program = action.workspace / "offshoot\nhow=release\nkey=evil"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    action.output.write_text("")
    done = subprocess.run([action.tree / "action/find-offshoot"], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(action.output), "RUNNER_TEMP": str(action.temporary),
                               "INPUT_BINARY": str(program)})
    assert done.returncode == 5, done.stderr
    assert action.output.read_text() == "how=given\n"


def test_C4_what_installs_dbt_sees_no_secret(action):
    package = action.workspace / "dbt-probe"
    package.mkdir()
    (package / "setup.py").write_text(
        "import os, pathlib\npathlib.Path(%r).write_text(repr(dict(os.environ)))\n"
        "from setuptools import setup\nsetup(name='dbt-probe', packages=[])\n" % str(action.temporary / "seen"))
    (action.workspace / "requirements.txt").write_text("./dbt-probe\n")
    done, found = action.run("find-python")
    assert found["how"] == "requirements", done.stderr
    action.run("make-python", HOW="requirements", FILE=found["file"], FOLDER=found["folder"], PGPASSWORD="canary-0815", GITHUB_TOKEN="canary-0816")
    seen = action.temporary / "seen"
    assert seen.is_file(), "the package was not built"
    assert "canary-08" not in seen.read_text()


# --- the binary


class Releases(SimpleHTTPRequestHandler):
    cuts = []

    def do_GET(self):
        if self.cuts:
            self.cuts.pop()
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"cut short")
            return
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def released(action, tmp_path):
    """A release on a server, whose checksum stands in the action's tree."""
    served = tmp_path / "served/v0.1.0"
    served.mkdir(parents=True)
    program = tmp_path / "offshoot"
    program.write_text("#!/bin/sh\necho offshoot 0.1.0\n")
    program.chmod(0o755)
    with tarfile.open(served / ASSET, "w:gz") as archive:
        archive.add(program, "offshoot-0.1.0/bin/offshoot")
    digest = hashlib.sha256((served / ASSET).read_bytes()).hexdigest()
    (action.tree / "action/SHA256SUMS").write_text(f"{digest}  {ASSET}\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Releases, directory=tmp_path / "served"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    action.server = f"http://127.0.0.1:{server.server_port}"
    action.asset = served / ASSET
    yield action
    server.shutdown()


def get(action):
    _, found = action.run("find-offshoot")
    assert found["how"] == "release"
    done, _ = action.run("get-offshoot", HOW="release", ASSET=found["asset"], FOLDER=found["folder"], BINARY=found["binary"], OFFSHOOT_RELEASES=action.server)
    return done, found["binary"]


def test_a_release_is_fetched(released):
    done, binary = get(released)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([binary], capture_output=True, text=True).stdout == "offshoot 0.1.0\n"


def test_H2_one_byte_more_or_less_and_it_is_not_run(released):
    data = bytearray(released.asset.read_bytes())
    data[-9] ^= 1
    released.asset.write_bytes(data)
    done, binary = get(released)
    assert done.returncode == 5, done.stderr
    assert not os.path.exists(binary)


def test_H2_a_download_that_is_cut_short_is_tried_again(released):
    Releases.cuts = [1]
    done, binary = get(released)
    assert done.returncode == 0, done.stderr
    assert os.path.exists(binary)


def test_H2_a_release_that_is_gone_is_said(released):
    released.asset.unlink()
    released_without_retries = dict(HOW="release", ASSET=ASSET, FOLDER=str(released.temporary / "bin"), BINARY=str(released.temporary / "bin/x"))
    done, _ = released.run("get-offshoot", OFFSHOOT_RELEASES="http://127.0.0.1:1", **released_without_retries)
    assert done.returncode == 3, done.stderr


def test_without_a_release_the_source_decides(action):
    (action.tree / "action/SHA256SUMS").write_text("")
    _, one = action.run("find-offshoot")
    assert one["how"] == "source"
    with open(action.tree / "src/main.cpp", "a") as source:
        source.write("// changed\n")
    _, other = action.run("find-offshoot")
    assert one["key"] != other["key"]
    _, given = action.run("find-offshoot", INPUT_BINARY="/bin/true")
    assert (given["how"], given["binary"]) == ("given", "/bin/true")
