# SPDX-License-Identifier: Apache-2.0
"""Runs `offshoot state`."""

import json
import os
import subprocess
from pathlib import Path

from words import parse_arguments
from workspace import ROOT

# What dbt lists when nothing is asked for. offshoot asks for state:modified+ then.
EVERYTHING = "fqn:* source:* exposure:* metric:* semantic_model:*"


class Refusal(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def binary():
    path = Path(os.environ.get("OFFSHOOT", ROOT / "build/release/offshoot")).resolve()
    assert path.is_file(), f"{path} is missing: run ci/build"
    return str(path)


def run(base, head, *arguments):
    command = [binary(), "state", "--base", str(base), "--head", str(head), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})


def select(base, head, text, more=False, build=False, as_json=False):
    """The ids that a selection in dbt's words gives. Everything but success raises."""
    wanted = parse_arguments(text)
    arguments = ["--select", " ".join(wanted.select) or EVERYTHING, "--indirect-selection", wanted.indirect_selection]
    if wanted.exclude:
        arguments += ["--exclude", " ".join(wanted.exclude)]
    if more:
        arguments.append("--compare-more-unrendered-values")
    if build:
        arguments.append("--build")
    if as_json:
        arguments.append("--json")
    done = run(base, head, *arguments)
    if done.returncode != 0:
        raise Refusal(done.returncode, done.stderr)
    return json.loads(done.stdout) if as_json else done.stdout.split()
