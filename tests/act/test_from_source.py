# SPDX-License-Identifier: Apache-2.0
"""Where there is no release of its version, the action builds offshoot from its own tree, keeps it in the runner's cache
and runs that one. A job of act, with a cache that keeps."""

import os
import shutil
import subprocess

import pytest

from conftest import ROOT, changed, git
from test_act import ALL, CACHE, Runner, actions, on_main  # noqa: F401 - fixtures

RESTORE = """name: restore
description: As actions/cache/restore, from a folder of this machine
inputs: {path: {required: true}, key: {required: true}, restore-keys: {default: ""}}
outputs: {cache-hit: {description: "", value: "${{ steps.look.outputs.cache-hit }}"}}
runs:
  using: composite
  steps:
    - id: look
      shell: bash
      env: {KEPT: "${{ inputs.path }}", KEY: "${{ inputs.key }}"}
      run: |
        if [ -d "$CACHE_FOLDER/$KEY" ]; then
          mkdir -p "$(dirname "$KEPT")"
          cp -a "$CACHE_FOLDER/$KEY" "$KEPT"
          echo cache-hit=true >> "$GITHUB_OUTPUT"
        fi
"""

SAVE = """name: save
description: As actions/cache/save, into a folder of this machine
inputs: {path: {required: true}, key: {required: true}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {KEPT: "${{ inputs.path }}", KEY: "${{ inputs.key }}"}
      run: '[ ! -d "$KEPT" ] || [ -e "$CACHE_FOLDER/$KEY" ] || cp -a "$KEPT" "$CACHE_FOLDER/$KEY"'
"""


@pytest.fixture
def keeping(actions, tmp_path):  # noqa: F811
    """The actions, with a cache that keeps what it is given."""
    cache = tmp_path / "cache-action"
    for part, text in (("restore", RESTORE), ("save", SAVE)):
        (cache / part).mkdir(parents=True)
        (cache / part / "action.yml").write_text(text)
    git(cache, "init", "--quiet")
    git(cache, "add", "--all")
    git(cache, "commit", "--quiet", "--message", "A cache")
    # An action of a version that was not released.
    ours = tmp_path / "unreleased"
    (one,) = [action for action in actions if action.startswith("offshoot-dev/offshoot@")]
    name, _, folder = one.partition("=")
    shutil.copytree(folder, ours, symlinks=True)
    (ours / "action/SHA256SUMS").write_text("")
    git(ours, "commit", "--quiet", "--allow-empty", "--all", "--message", "Not released")
    others = [action for action in actions if action != one and not action.startswith("actions/cache@")]
    return [*others, f"{name}={ours}", f"actions/cache@{CACHE}={cache}"]


def libraries_of(program):
    """{name: path} of what the linker loads for it at its start."""
    found = subprocess.run([program], env={"LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in found.splitlines() if "=>" in line]
    return {words[0]: words[2] for words in lines}


@pytest.mark.skipif(not ALL, reason="compiles everything anew: in the long form")
def test_without_a_release_the_action_builds_keeps_and_runs_its_source(shop, keeping, tmp_path):
    runner = Runner(shop, keeping)
    for name in ("offshoot", "offshoot-comments"):
        workflow = shop.origin / f".github/workflows/{name}.yml"
        text = workflow.read_text()
        assert f"binary: {runner.binary}\n" in text
        workflow.write_text(text.replace(f"          binary: {runner.binary}\n", ""))
    base = shop.main({})
    kept = tmp_path / "kept"
    kept.mkdir()
    # What ci/build has compiled is not compiled again: the job's own home knows of no such cache.
    compiled = {name: subprocess.run(["ccache", "--get-config", key], capture_output=True, text=True, check=True).stdout.strip()
                for name, key in (("CCACHE_DIR", "cache_dir"), ("CCACHE_COMPILERCHECK", "compiler_check"))}
    variables = {"CACHE_FOLDER": str(kept)} | compiled

    status, log = runner.job("push", on_main(shop) | {"deleted": False}, shop.clone(base, ref="refs/remotes/origin/main"), "deploy", **variables)
    assert status == 0, log
    assert "there is no release of this version: building it from its source" in log
    assert shop.production.is_file(), "what was built has deployed"
    built = [folder for folder in kept.iterdir() if folder.name.startswith("offshoot-src-")]
    assert len(built) == 1, log
    program = built[0] / "bin/offshoot"
    # With its libraries: a runner that restores it has not installed them.
    foreign = {name: path for name, path in libraries_of(program).items() if not path.startswith(str(built[0]))}
    assert all(name.startswith(("libc.so", "libm.so", "libresolv.so")) for name in foreign), foreign
    assert (built[0] / "lib/libcurl.so.4").is_file()

    # Another version of the same source would have another key; the same one is restored and not built.
    marked = program.with_name("offshoot-itself")
    program.rename(marked)
    program.write_text(f'#!/bin/sh\necho the kept one >> "{tmp_path}/ran"\nexec "$(dirname "$0")/offshoot-itself" "$@"\n')
    program.chmod(0o755)
    shop.push(changed())
    status, log = runner.job("pull_request", shop.pull_request("opened"), shop.clone(), "branch", **variables)
    assert status == 0, log
    assert "building it from its source" not in log
    assert (tmp_path / "ran").read_text() == "the kept one\n"
    assert "dim_customers" in log


def test_a_source_that_cannot_be_built_says_so_and_what_to_do(tmp_path):
    """On a runner where nothing can be installed."""
    tree = tmp_path / "action tree"
    shutil.copytree(ROOT / "action", tree / "action")
    (tree / "ci").mkdir()
    (tree / "ci/setup").write_text("#!/bin/sh\necho 'E: Unable to locate package cmake' >&2\nexit 100\n")
    (tree / "ci/setup").chmod(0o755)
    done = subprocess.run([tree / "action/get-offshoot"], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "HOW": "source", "ASSET": "x", "FOLDER": str(tmp_path / "bin"),
                               "BINARY": str(tmp_path / "bin/bin/offshoot")})
    assert done.returncode == 3
    assert "could not be built from its source" in done.stderr and "give the input binary" in done.stderr
