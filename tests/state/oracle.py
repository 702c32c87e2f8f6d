# SPDX-License-Identifier: Apache-2.0
"""dbt itself, in this process: parses, selects with the classes that `dbt ls` selects with, lists and builds."""

import contextlib
import io
import json
import logging
import os
from pathlib import Path

os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.manifest import WritableManifest
from dbt.cli.main import dbtRunner
from dbt.compilation import Linker
from dbt.config.selectors import selector_config_from_data, selector_data_from_root
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode
from dbt.contracts.state import PreviousState
from dbt.flags import get_flags
from dbt.graph import Graph, ResourceTypeSelector
from dbt.graph.cli import parse_difference
from dbt.task.list import ListTask
from dbt_common.exceptions import DbtBaseException

from words import parse_arguments


logging.disable(logging.WARNING)  # dbt warns of every selection that selects nothing


# The maps of a manifest that selections look at, by dbt's names for them.
MAPS = ["nodes", "sources", "exposures", "metrics", "semantic_models", "unit_tests", "saved_queries", "functions",
        "macros", "docs", "groups", "disabled", "selectors"]  # fmt: skip


class Refused(Exception):
    """dbt stopped with an error."""


@contextlib.contextmanager
def _surroundings(folder, env):
    before, old = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.update(env)
    try:
        # Both streams: dbt writes to them whatever --quiet says.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(old)


def invoke(folder, *arguments, env=None, manifest=None):
    folder = str(folder)
    with _surroundings(folder, env or {}):
        result = dbtRunner(manifest=manifest).invoke(
            ["--quiet", *arguments, "--project-dir", folder, "--profiles-dir", folder]
        )
        DuckDBConnectionManager.close_all_connections()
    if result.exception is not None:
        raise Refused(f"{type(result.exception).__name__}: {result.exception}")
    return result.result


def install_packages(folder):
    if (Path(folder) / "packages.yml").exists():
        invoke(folder, "deps")


def parse(folder, env=None, variables=None):
    """Gives the manifest as dbt has it in memory; target/manifest.json holds it as well. Everything is read anew, so
    that what dbt's partial parsing misses is in no recording."""
    more = ["--no-partial-parse"]
    if variables:
        more += ["--vars", str(variables)]
    return invoke(folder, "parse", *more, env=env)


def read_state(folder):
    folder = Path(folder)
    return PreviousState(folder, folder / "nowhere", folder)


def state_of(manifest):
    """A state that was read already."""
    state = PreviousState(Path("nowhere"), Path("nothing"), Path("/nonexistent"))
    state.manifest = manifest
    return state


def graph_of(manifest: Manifest):
    linker = Linker()
    linker.link_graph(manifest)
    return Graph(linker.graph)


class Selecting:
    """Selects as `dbt ls` does. Flags are those of the last command that ran in this process."""

    def __init__(self, folder, manifest, state):
        self.folder = folder
        self.manifest = manifest
        self.state = state
        try:
            self.graph = graph_of(manifest)
        except DbtBaseException as error:
            raise Refused(f"{type(error).__name__}: {error}") from error

    def _spec(self, select, exclude):
        if len(select) == 1 and select[0].startswith("selector:"):
            # What dbt 1.11 has as `--selector NAME`, and later versions as a method of --select.
            selectors = selector_config_from_data(selector_data_from_root(str(self.folder)))
            return selectors[select[0].removeprefix("selector:")]["definition"]
        return parse_difference(tuple(select), tuple(exclude) if exclude else None)

    def __call__(self, text):
        arguments = parse_arguments(text)
        set_flag("INDIRECT_SELECTION", arguments.indirect_selection)
        selector = ResourceTypeSelector(
            graph=self.graph,
            manifest=self.manifest,
            previous_state=self.state,
            resource_types=list(ListTask.DEFAULT_RESOURCE_VALUES),
            include_empty_nodes=True,
        )
        with _surroundings(self.folder, {}):
            try:
                spec = self._spec(arguments.select, arguments.exclude)
                return sorted(selector.get_selected(spec))
            except DbtBaseException as error:
                raise Refused(f"{type(error).__name__}: {error}") from error


def list_nodes(folder, text, state, manifest=None, env=None):
    """`dbt ls` itself."""
    arguments = parse_arguments(text)
    command = ["ls", "--state", str(state), "--indirect-selection", arguments.indirect_selection]
    command += ["--output", "json", "--output-keys", "unique_id"]
    if len(arguments.select) == 1 and arguments.select[0].startswith("selector:"):
        command += ["--selector", arguments.select[0].removeprefix("selector:")]
    elif arguments.select:
        command += ["--select", *arguments.select]
    if arguments.exclude:
        command += ["--exclude", *arguments.exclude]
    lines = invoke(folder, *command, env=env, manifest=manifest)
    return sorted(json.loads(line)["unique_id"] for line in lines)


def build(folder, select, state, manifest=None, env=None):
    """What `dbt build` reports, whether it passed or not, without the hooks."""
    result = invoke(folder, "build", "--select", select, "--state", str(state), env=env, manifest=manifest)
    ids = (row.node.unique_id for row in getattr(result, "results", []))
    return sorted(unique_id for unique_id in ids if not unique_id.startswith("operation."))


def start(folder):
    """Parses a project without anything in it, so that this process has dbt's flags and the adapter's rules."""
    folder = Path(folder)
    (folder / "dbt_project.yml").write_text("name: nothing\nversion: 1.0.0\nprofile: nothing\n")
    profile = {"target": "dev", "outputs": {"dev": {"type": "duckdb", "path": ":memory:"}}}
    (folder / "profiles.yml").write_text(json.dumps({"nothing": profile}))
    parse(folder)


def set_flag(name, value):
    object.__setattr__(get_flags(), name, value)


def read_manifest(content):
    """A manifest.json's content as dbt has it in memory after parsing. dbt itself, when it reads one as a state, takes
    generic tests for singular ones: that matters on this side alone."""
    manifest = Manifest.from_writable_manifest(WritableManifest.upgrade_schema_version(content))
    for unique_id, node in content["nodes"].items():
        if "test_metadata" in node:
            manifest.nodes[unique_id] = GenericTestNode.from_dict(node)
    return manifest


def read_changed(before, manifest, content):
    """As read_manifest(content), where `manifest` is that of `before`: only entries that differ are read."""
    changed = {"metadata": content["metadata"], "parent_map": {}, "child_map": {}, "group_map": {}}
    for section in MAPS:
        changed[section] = {k: v for k, v in content[section].items() if before[section].get(k) != v}
    read = read_manifest(changed)
    parts = {}
    for section in MAPS:
        kept = {k: v for k, v in getattr(manifest, section).items() if k in content[section]}
        parts[section] = {**kept, **getattr(read, section)}
    return Manifest(metadata=read.metadata, **parts)
