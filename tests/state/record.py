# SPDX-License-Identifier: Apache-2.0
"""Records what dbt selects: see ci/record-state."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import oracle
import recording
from words import expanded
from workspace import PROJECTS, WorkCopy, load_plan, selections


def _answers(select, texts):
    answers = {}
    for text in expanded(texts):
        try:
            answers[text] = select(text)
        except oracle.Refused as refused:
            answers[text] = str(refused).split("\n")[0]
    return recording.grouped(answers)


def written(copy):
    return recording.trimmed(json.loads((copy.folder / "target/manifest.json").read_text()))


def keep_state(copy, folder):
    """Puts the parsed manifest where dbt finds it as a state."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes((copy.folder / "target/manifest.json").read_bytes())
    return folder


class Recorder:
    def __init__(self, project, folder):
        self.plan = load_plan(project)
        self.copy = WorkCopy(project, folder)
        self.plain_state = Path(folder) / "plain"
        self.state = Path(folder) / "state"
        oracle.install_packages(self.copy.folder)

    def parse(self, env=None, variables=None):
        return oracle.parse(self.copy.folder, env, variables)

    def mutation(self, mutation, more, plain, texts, with_build):
        """One mutation, with the flag on or off. `plain` is the manifest of the project as it is."""
        self.copy.set_flag(more)
        base, state = plain, self.plain_state
        if mutation.base_edits:
            self.copy.edit(mutation.base_edits)
            self.parse()
            base = written(self.copy)
            state = keep_state(self.copy, self.state)
        previous = oracle.read_state(state)
        self.copy.edit(mutation.edits)
        row = {}
        if difference := recording.difference(plain, base):
            row["base"] = difference
        try:
            manifest = self.parse(mutation.env, mutation.vars)
            row["head"] = recording.difference(base, written(self.copy))
            row["selected"] = _answers(oracle.Selecting(self.copy.folder, manifest, previous), texts)
            if with_build:
                try:
                    built = oracle.build(self.copy.folder, "state:modified+", state, manifest, mutation.env)
                    row["built"] = built
                except oracle.Refused as refused:
                    row["built"] = str(refused).split("\n")[0]
        finally:
            self.copy.restore()
        return row

    def plain(self, more):
        self.copy.set_flag(more)
        manifest = self.parse()
        state = oracle.read_state(keep_state(self.copy, self.plain_state))
        selected = [] if more else _answers(oracle.Selecting(self.copy.folder, manifest, state), self.plan.selections)
        self.copy.restore()
        return written(self.copy), selected


def record(project, only=()):
    """What dbt does with a project's mutations; with `only`, those are renewed in what was recorded before."""
    asked = selections()
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(project, folder)
        if unknown := set(only) - {mutation.name for mutation in recorder.plan.mutations}:
            raise SystemExit(f"{project} has no mutation {', '.join(sorted(unknown))}")
        result = {}
        for flag in ("off", "on"):
            more = flag == "on"
            plain, selected = recorder.plain(more)
            if more:
                result["base_with_flag"] = recording.difference(result["base"], plain)
            else:
                result = {"dbt_version": plain["metadata"]["dbt_version"], "base": plain, "unchanged": selected}
            rows = result[f"flag_{flag}"] = {}
            for mutation in recorder.plan.mutations:
                if (more and not mutation.more) or (only and mutation.name not in only):
                    continue
                began = time.monotonic()
                texts = asked["more" if more else "every"]
                try:
                    rows[mutation.name] = recorder.mutation(mutation, more, plain, texts, with_build=not more)
                except oracle.Refused as refused:
                    raise SystemExit(f"{project}: {mutation.name}: dbt does not parse it: {refused}") from refused
                print(f"{project} {mutation.name}, flag {flag}: {time.monotonic() - began:.1f} s", file=sys.stderr)
    return merged(project, result) if only else result


def merged(project, result):
    before = recording.load(project)
    for key in ("base", "base_with_flag"):
        if before[key] != result[key]:
            raise SystemExit(f"{project} itself changed: record all of it, without --only")
    for key in ("flag_off", "flag_on"):
        result[key] = {**before[key], **result[key]}
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="ci/record-state")
    parser.add_argument("project", nargs="*", help=f"{', '.join(PROJECTS)}; default: each of them")
    parser.add_argument("--only", nargs="+", default=[], metavar="MUTATION", help="leave the others as they are")
    options = parser.parse_args()
    for name in options.project or PROJECTS:
        path = recording.save(name, record(name, options.only))
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
