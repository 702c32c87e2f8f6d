# SPDX-License-Identifier: Apache-2.0
"""Projects and their mutations: folders of dbt code, and small edits of them that are data (mutations/<project>.yml)."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

PROJECTS = {
    "shop": ROOT / "examples/shop",
    "library": HERE / "projects/library",
    "bakery": HERE / "projects/bakery",
}

MORE_FLAG = "state_modified_compare_more_unrendered_values"


@dataclass
class Mutation:
    """A change of a project: `edits` make the head out of the base; `base_edits` make the base out of the project."""

    name: str
    edits: list
    base_edits: list = field(default_factory=list)
    env: dict = field(default_factory=dict)  # of the head's parse alone
    vars: dict = field(default_factory=dict)  # likewise
    more: bool = False  # recorded with dbt's flag MORE_FLAG on as well


@dataclass
class Plan:
    """What is done with a project."""

    mutations: list
    selections: list  # asked of the unchanged project
    grown: dict  # file -> bytes that the copied file is grown to, by repeating its last lines


def load_plan(project):
    raw = yaml.safe_load((HERE / f"mutations/{project}.yml").read_text())
    known = {"name", "edits", "base_edits", "env", "vars", "more"}
    for entry in raw["mutations"]:
        assert set(entry) <= known, f"{project}: {entry['name']}: unknown keys {set(entry) - known}"
    mutations = [Mutation(**entry) for entry in raw["mutations"]]
    names = [mutation.name for mutation in mutations]
    assert len(names) == len(set(names)), f"{project}: a name is there twice"
    return Plan(mutations, raw.get("selections", []), raw.get("grown", {}))


def selections():
    """The selections that are asked of mutations: `every`, and `more`, with the flag on."""
    return yaml.safe_load((HERE / "selections.yml").read_text())


class WorkCopy:
    """A copy of a project in a temporary folder. `edit` changes it, `restore` undoes that file by file, so that dbt
    need not read again what did not change."""

    def __init__(self, project, folder):
        self.project = project
        self.folder = Path(folder) / project
        shutil.copytree(
            PROJECTS[project],
            self.folder,
            ignore=shutil.ignore_patterns("target", "dbt_packages", "logs", "*.duckdb", ".user.yml"),
        )
        self._originals = {}
        for file, size in load_plan(project).grown.items():
            self._edit_grow({"file": file, "bytes": size})
        self._originals = {}

    def _keep(self, path):
        self._originals.setdefault(path, path.read_bytes() if path.exists() else None)

    def write(self, path, text):
        self._keep(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")

    def delete(self, path):
        self._keep(path)
        path.unlink()

    def set_flag(self, on):
        """Writes dbt's flag into the project's file, where every other flag stays."""
        path = self.folder / "dbt_project.yml"
        text = path.read_text()
        line = f"  {MORE_FLAG}: {str(on).lower()}\n"
        text = text.replace("\nflags:\n", f"\nflags:\n{line}") if "\nflags:\n" in text else f"{text}\nflags:\n{line}"
        self.write(path, text)

    def edit(self, edits):
        for edit in edits:
            ((verb, what),) = edit.items()
            getattr(self, f"_edit_{verb}")(what)

    def _edit_replace(self, what):
        path = self.folder / what["in"]
        text = path.read_text()
        assert what["this"] in text, f"{what['in']} does not hold {what['this']!r}"
        self.write(path, text.replace(what["this"], what["by"], -1 if what.get("all") else 1))

    def _edit_append(self, what):
        path = self.folder / what["to"]
        self.write(path, path.read_text() + what["text"])

    def _edit_write(self, what):
        self.write(self.folder / what["file"], what["text"])

    def _edit_grow(self, what):
        """Repeats the rows of a seed until it is too large for dbt to hash."""
        path = self.folder / what["file"]
        header, rows = path.read_text().split("\n", 1)
        self.write(path, header + "\n" + rows * (what["bytes"] // len(rows) + 1))

    def _edit_delete(self, what):
        self.delete(self.folder / what)

    def _edit_move(self, what):
        text = (self.folder / what["from"]).read_text()
        self.delete(self.folder / what["from"])
        self.write(self.folder / what["to"], text)

    def restore(self):
        for path, content in self._originals.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        self._originals = {}
