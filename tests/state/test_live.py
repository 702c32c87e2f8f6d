# SPDX-License-Identifier: Apache-2.0
"""F6: some mutations (in the long form all), with dbt itself beside offshoot: the project is parsed anew, `dbt ls` and
`dbt build` run, and offshoot reads the very manifests that dbt wrote. It also tells whether a recording is stale."""

import json
import os
import random

import pytest

import offshoot
import oracle
import recording
from words import expanded
from workspace import PROJECTS, WorkCopy, load_plan

ALL = os.environ.get("OFFSHOOT_TEST_ALL") == "yes"
SAMPLE = 2  # mutations of each project in the short form
ASKED = ["state:modified+", "@state:modified --exclude state:new --indirect-selection cautious"]


class Live:
    """A work copy of a project, parsed by dbt."""

    def __init__(self, project, folder):
        self.plan = load_plan(project)
        self.copy = WorkCopy(project, folder)
        self.base = folder / "base"
        self.base.mkdir()
        oracle.install_packages(self.copy.folder)
        self.copy.set_flag(False)
        self.manifest = self.parse()
        self.base_bytes = self.keep()
        self.copy.restore()

    def parse(self, mutation=None):
        env, variables = (mutation.env, mutation.vars) if mutation else (None, None)
        return oracle.parse(self.copy.folder, env, variables)

    def keep(self):
        written = (self.copy.folder / "target/manifest.json").read_bytes()
        (self.base / "manifest.json").write_bytes(written)
        return written


@pytest.fixture(scope="module", params=PROJECTS)
def live(request, tmp_path_factory):
    return Live(request.param, tmp_path_factory.mktemp(request.param)), recording.load(request.param)


def sampled(plan):
    if ALL:
        return plan.mutations
    # Another sample on another day would find what this one does not, and fail for people who changed nothing.
    return random.Random(4).sample([m for m in plan.mutations if not m.base_edits], SAMPLE)


def check(live, row, mutation):
    copy = live.copy
    copy.set_flag(False)
    if mutation.base_edits:
        copy.edit(mutation.base_edits)
        live.parse()
        live.keep()
    else:
        (live.base / "manifest.json").write_bytes(live.base_bytes)
    copy.edit(mutation.edits)
    manifest = live.parse(mutation)
    head = live.base.parent / "head.json"
    head.write_bytes((copy.folder / "target/manifest.json").read_bytes())
    before = recording.trimmed(json.loads((live.base / "manifest.json").read_text()))
    after = recording.trimmed(json.loads(head.read_text()))
    assert recording.difference(before, after) == row["head"], "the recording is stale: run ci/record-state"
    for text in ASKED:
        compare(live, head, manifest, mutation, text)
    if isinstance(row["built"], list):
        built = oracle.build(copy.folder, "state:modified+", live.base, manifest, mutation.env)
        assert offshoot.select(live.base / "manifest.json", head, "state:modified+", build=True) == built


def compare(live, head, manifest, mutation, text):
    try:
        listed = oracle.list_nodes(live.copy.folder, text, live.base, manifest, mutation.env)
    except oracle.Refused:
        with pytest.raises(offshoot.Refusal) as refusal:
            offshoot.select(live.base / "manifest.json", head, text)
        assert refusal.value.status == 2
        return
    assert offshoot.select(live.base / "manifest.json", head, text) == listed, (mutation.name, text)


def test_F6_live(live):
    live, record = live
    assert record["dbt_version"] == json.loads(live.base_bytes)["metadata"]["dbt_version"]
    for mutation in sampled(live.plan):
        try:
            check(live, record["flag_off"][mutation.name], mutation)
        finally:
            live.copy.restore()


def test_F6_live_methods(live):
    """A few selections that ask for no change, of `dbt ls`."""
    live, _ = live
    (live.base / "manifest.json").write_bytes(live.base_bytes)
    asked = list(expanded(live.plan.selections))
    for text in asked if ALL else random.Random(4).sample(asked, 3):
        listed = oracle.list_nodes(live.copy.folder, text, live.base, live.manifest)
        assert offshoot.select(live.base / "manifest.json", live.base / "manifest.json", text) == listed, text
