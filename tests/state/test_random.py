# SPDX-License-Identifier: Apache-2.0
"""F6: manifests changed at random, field by field: offshoot selects from them what dbt's own classes select. A failure
names its seed; `pytest -k` with it runs that pair alone."""

import functools
import os
import random

import pytest

import offshoot
import oracle
import recording
from mutator import Mutator, complete, json_bytes
from workspace import MORE_FLAG, PROJECTS

PAIRS = 5000 if os.environ.get("OFFSHOOT_TEST_ALL") == "yes" else 500
IN_ONE_TEST = 25

SUB_SELECTORS = ["body", "configs", "relation", "persisted_descriptions", "macros", "contract"]
FORMS = [
    "{state}", "{state}+", "+{state}", "@{state}", "{state}+1", "1+{state}+2", "2+{state}",
    "{state},resource_type:model", "{state}+,config.materialized:table state:new",
    "{state}+ --exclude state:new+", "{state} --exclude test_type:generic tag:nightly",
    "{state},{state}+ {state},package:this",
]  # fmt: skip
MODES = ["eager", "cautious", "buildable", "empty"]


@functools.cache
def manifest_of(project, more):
    record = recording.load(project)
    base = record["base"]
    content = complete(recording.patched(base, record["base_with_flag"]) if more else base)
    return content, oracle.read_manifest(content)


@pytest.fixture(scope="module", autouse=True)
def dbt(tmp_path_factory):
    oracle.start(tmp_path_factory.mktemp("nothing"))


def selections(rng):
    """state:modified always, and some of the others in some form."""
    yield "state:modified --indirect-selection empty"
    for sub_selector in rng.sample(SUB_SELECTORS, 2):
        yield f"state:modified.{sub_selector} --indirect-selection empty"
    for state in rng.sample(["modified", "modified", "new", "old", "unmodified", "modified.macros", "modified.body"], 2):
        form = rng.choice(FORMS).format(state=f"state:{state}")
        yield f"{form} --indirect-selection {rng.choice(MODES)}"


def changed(rng, original, mutator):
    """A manifest with a few changes that dbt can read: its content, what dbt reads from it, the changes."""
    content, manifest = original
    while True:
        copied = {section: dict(entries) for section, entries in content.items()}
        for section in oracle.MAPS:
            for key, entry in copied[section].items():
                copied[section][key] = dict(entry) if isinstance(entry, dict) else entry
        what = [mutator.mutate(copied) for _ in range(rng.choice([1, 2, 3, 5]))]
        try:
            return copied, oracle.read_changed(content, manifest, copied), what
        except Exception:  # noqa: BLE001 - dbt's readers raise what they like; what they do not read is no pair
            continue


def answer(ask):
    try:
        return ask()
    except oracle.Refused as refused:
        return f"refused: {refused}"
    except offshoot.Refusal as refusal:
        assert refusal.status in (2, 3), f"{refusal.status}: {refusal}"
        return f"refused: {refusal}"
    except Exception as error:  # noqa: BLE001 - what dbt's classes fall over is a refusal as well
        return f"refused: {type(error).__name__}: {error}"


def same(dbt_says, we_say):
    return dbt_says == we_say or (str(dbt_says).startswith("refused") and str(we_say).startswith("refused"))


def told(dbt_says, we_say):
    if isinstance(dbt_says, str) or isinstance(we_say, str):
        return f"dbt {dbt_says}, offshoot {we_say}"
    return f"only dbt {sorted(set(dbt_says) - set(we_say))}, only offshoot {sorted(set(we_say) - set(dbt_says))}"


def compare_pair(seed, folder):
    rng = random.Random(seed)
    project = rng.choice(list(PROJECTS))
    more = rng.random() < 0.3
    oracle.set_flag(MORE_FLAG, more)
    original = manifest_of(project, more)
    mutator = Mutator(original[0], rng)
    content, before, changes = (*original, [])
    if rng.random() < 0.3:
        content, before, changes = changed(rng, original, mutator)
    base, head = folder / "base.json", folder / "head.json"
    base.write_bytes(json_bytes(content, rng))
    content, now, more_changes = changed(rng, original, mutator)
    head.write_bytes(json_bytes(content, rng))
    select = answer(lambda: oracle.Selecting(folder, now, oracle.state_of(before)))
    differences = []
    for text in selections(rng):
        dbt_says = select if isinstance(select, str) else answer(functools.partial(select, text))
        we_say = answer(functools.partial(offshoot.select, base, head, text, more))
        if not same(dbt_says, we_say):
            what = f"seed {seed} {project} flag {more} {changes} -> {more_changes}"
            differences.append(f"{what}\n  {text}: {told(dbt_says, we_say)}")
    return differences


@pytest.mark.parametrize("first", range(0, PAIRS, IN_ONE_TEST))
def test_F6_random_pairs(first, tmp_path):
    differences = []
    for seed in range(first, first + IN_ONE_TEST):
        differences += compare_pair(seed, tmp_path)
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("seed", [802, 2068])
def test_F6_pairs_that_once_differed(seed, tmp_path):
    assert compare_pair(seed, tmp_path) == []
