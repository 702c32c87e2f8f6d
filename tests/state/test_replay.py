# SPDX-License-Identifier: Apache-2.0
"""F6: every recorded mutation, replayed: offshoot selects what dbt selected. No dbt runs here; see ci/record-state."""

import functools
import json

import pytest

import offshoot
import recording
from words import expanded
from workspace import PROJECTS, load_plan, selections


@functools.cache
def recorded(project):
    return recording.load(project)


@functools.cache
def plain(project, flag):
    base = recorded(project)["base"]
    return recording.patched(base, recorded(project)["base_with_flag"]) if flag == "on" else base


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("manifests")


def written(folder, name, manifest):
    path = folder / f"{name}.json"
    if not path.exists():
        path.write_text(json.dumps(manifest))
    return path


def mutations():
    for project in PROJECTS:
        for flag in ("off", "on"):
            for name in recorded(project)[f"flag_{flag}"]:
                yield pytest.param(project, flag, name, id=f"{project}-{name}-flag_{flag}")


def differences(base, head, rows, more):
    found = []
    for row in rows:
        for text in row["of"]:
            try:
                answer = offshoot.select(base, head, text, more)
            except offshoot.Refusal as refusal:
                if "refused" not in row or refusal.status != 2:
                    found.append(f"{text}: dbt selects {row.get('ids', row.get('refused'))}, offshoot says {refusal}")
                continue
            if "refused" in row:
                found.append(f"{text}: dbt refuses, {row['refused']}; offshoot selects {answer}")
            elif answer != row["ids"]:
                only_dbt, only_us = sorted(set(row["ids"]) - set(answer)), sorted(set(answer) - set(row["ids"]))
                found.append(f"{text}: only dbt selects {only_dbt}, only offshoot {only_us}")
    return found


@pytest.mark.parametrize(("project", "flag", "name"), mutations())
def test_F6_mutation(project, flag, name, folder, tmp_path):
    more = flag == "on"
    row = recorded(project)[f"flag_{flag}"][name]
    base = plain(project, flag)
    base_file = written(folder, f"{project}-{flag}", base)
    if "base" in row:
        base = recording.patched(base, row["base"])
        base_file = written(tmp_path, "base", base)
    head = written(tmp_path, "head", recording.patched(base, row["head"]))
    assert differences(base_file, head, row["selected"], more) == []
    if isinstance(row.get("built"), list):
        assert offshoot.select(base_file, head, "state:modified+", more, build=True) == row["built"]


@pytest.mark.parametrize("project", PROJECTS)
def test_F6_methods(project, folder):
    base = written(folder, f"{project}-off", plain(project, "off"))
    assert differences(base, base, recorded(project)["unchanged"], more=False) == []


@pytest.mark.parametrize("project", PROJECTS)
def test_the_recording_is_of_what_is_asked(project):
    """A mutation or a selection that was added and not recorded would go untested."""
    plan = load_plan(project)
    asked = selections()
    record = recorded(project)
    assert sorted(record["flag_off"]) == sorted(mutation.name for mutation in plan.mutations)
    assert sorted(record["flag_on"]) == sorted(mutation.name for mutation in plan.mutations if mutation.more)
    expected = {"flag_off": sorted(expanded(asked["every"])), "flag_on": sorted(expanded(asked["more"]))}
    for flag, texts in expected.items():
        for name, row in record[flag].items():
            assert sorted(text for group in row["selected"] for text in group["of"]) == texts, name
    assert sorted(t for group in record["unchanged"] for t in group["of"]) == sorted(expanded(plan.selections))


def test_there_are_enough():
    """What the suite promises: 150 mutations, a dozen selections each."""
    assert sum(len(recorded(project)["flag_off"]) for project in PROJECTS) >= 150
    assert len(list(expanded(selections()["every"]))) >= 12
