# SPDX-License-Identifier: Apache-2.0
"""Building exactly the nodes that the parent names, on a manifest that holds little else."""

import contextlib
import os
import time
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt.graph.selector import NodeSelector
from dbt.parser.unit_tests import UnitTestManifestLoader
from dbt.task.runnable import GraphRunnableTask
from dbt_common.exceptions import DbtInternalError
from google.protobuf.json_format import MessageToDict

from session_errors import Refused, describe, without_colours
from session_names import LazyGraph, clone_manifest, clone_node
from session_project import EventLog, common_arguments, node_of, required
from session_wire import cut, finite

BUILD_COMMANDS = ("build", "run", "seed", "snapshot", "test", "compile")
TAKES_FULL_REFRESH = ("build", "run", "seed", "compile")
TAKES_EMPTY = ("build", "run", "seed", "snapshot", "compile")
RELATION_FIELDS = ("database", "schema", "alias", "relation_name")
NODE_SECTIONS = ("nodes", "unit_tests", "exposures", "functions", "metrics", "semantic_models", "saved_queries")
CODE_LIMIT = 64 * 1024
# dbt settings from the environment that would change what an exact hand-over means.
STRAY_SETTINGS = (
    "STATE",
    "DEFER",
    "DEFER_STATE",
    "DEFER_TO_STATE",
    "FAVOR_STATE",
    "FAVOR_STATE_MODE",
    "RESOURCE_TYPES",
    "EXCLUDE_RESOURCE_TYPES",
    "SAMPLE",
    "EMPTY",
    "FULL_REFRESH",
    "FAIL_FAST",
)


# --- pruning ---------------------------------------------------------------------------------------------------------


class Pruning:
    """Chooses what a build of `wanted` needs of a manifest, and makes the small manifest of it.

    Kept are the wanted nodes, the on-run-start and on-run-end hooks, and the direct parents of both; of
    ephemeral parents and of unit-tested models, which dbt renders, their parents as well, and so on. All
    sources, macros, groups and docs stay. Other parents are leaves: read, never built.
    """

    def __init__(self, manifest, wanted):
        self._manifest = manifest
        self._wanted = set(wanted)
        self._ancestors = {}

    def pruned(self, deferred):
        """The small manifest. `deferred` gives unbuilt parents the relation that they are read from."""
        rendered, leaves = self._choose()
        small = clone_manifest(self._manifest)
        for section in NODE_SECTIONS:
            members = getattr(self._manifest, section, {})
            kept = {key: clone_node(members[key]) for key in members if key in rendered}
            for key in members:
                if key in leaves:
                    kept[key] = self._leaf(members[key], deferred.get(key))
            setattr(small, section, kept)
        if not isinstance(small.flat_graph, LazyGraph):
            small.flat_graph = LazyGraph(self._manifest)
        _forget_lookups(small)
        small.build_parent_and_child_maps()
        return small

    def _choose(self):
        """(ids that dbt renders, ids that it only reads), of everything but sources."""
        hooks = {key for key, node in self._manifest.nodes.items() if str(node.resource_type) == "operation"}
        rendered, leaves = set(), set()
        waiting = [*self._wanted, *hooks]
        while waiting:
            key = waiting.pop()
            if key in rendered or key in self._manifest.sources:
                continue
            rendered.add(key)
            for parent in self._parents(key):
                if parent in self._manifest.sources or parent in rendered:
                    continue
                if parent in self._wanted or self._is_rendered_with_children(parent, child=key):
                    waiting.append(parent)
                else:
                    leaves.add(parent)
        return rendered, leaves - rendered

    def _parents(self, key):
        member = self._member(key)
        parents = list(member.depends_on_nodes)
        if key in self._manifest.unit_tests:
            parents += self._given_inputs(member)
        return [parent for parent in parents if self._member(parent, missing=None) is not None]

    def _given_inputs(self, unit_test):
        """The nodes that a unit test names as its inputs: dbt reads their columns."""
        tested = self._manifest.nodes.get(next(iter(unit_test.depends_on_nodes), None))
        if tested is None:
            return []
        loader = UnitTestManifestLoader(self._manifest, None, set())
        inputs = []
        for given in unit_test.given:
            # A wrong input is the unit test's own failure, to be told by dbt when it runs the test.
            with contextlib.suppress(Exception):
                inputs.append(loader._get_original_input_node(given.input, tested, unit_test.name).unique_id)
        return inputs

    def _is_rendered_with_children(self, parent, child):
        member = self._member(parent)
        if parent not in self._manifest.nodes:
            return parent not in getattr(self._manifest, "functions", {})
        if bool(getattr(member, "is_ephemeral_model", False)):
            return True
        # Of a unit test's parents dbt renders the tested model; it reads the columns of the given inputs.
        unit_test = self._manifest.unit_tests.get(child)
        return unit_test is not None and parent in unit_test.depends_on_nodes

    def _leaf(self, node, relation):
        """A parent that is read: where it is deferred to, and waiting for the wanted nodes above it, if any."""
        leaf = clone_node(node)
        leaf.depends_on.nodes = sorted(self._wanted_ancestors(node.unique_id))
        for name in RELATION_FIELDS:
            if relation and relation.get(name) is not None:
                setattr(leaf, name, relation[name])
        return leaf

    def _wanted_ancestors(self, start):
        """Wanted nodes above `start` with only unwanted ones between. Keeps dbt's order through leaves."""
        found, seen, waiting = set(), set(), [start]
        while waiting:
            key = waiting.pop()
            if key in self._ancestors:
                found |= self._ancestors[key]
                continue
            for parent in self._member(key).depends_on_nodes:
                if parent in seen or self._member(parent, missing=None) is None:
                    continue
                seen.add(parent)
                if parent in self._wanted:
                    found.add(parent)
                else:
                    waiting.append(parent)
        self._ancestors[start] = found
        return found

    _MISSING = object()

    def _member(self, key, missing=_MISSING):
        for section in (*NODE_SECTIONS, "sources"):
            member = getattr(self._manifest, section, {}).get(key)
            if member is not None:
                return member
        if missing is self._MISSING:
            raise Refused("usage", f"build: '{key}' is not in the manifest")
        return missing


def _forget_lookups(manifest):
    """dbt's name lookups hold ids of the whole project; they are rebuilt from what is left when first used."""
    for name in vars(manifest):
        if name.endswith("_lookup") and name not in ("_doc_lookup", "_source_lookup", "_disabled_lookup"):
            setattr(manifest, name, None)


# --- what dbt will run -----------------------------------------------------------------------------------------------


def not_run_by(command, manifest, wanted):
    """{id: reason} of the wanted nodes that dbt itself passes over, by its own rules."""
    reasons = {}
    for key in wanted:
        if key in manifest.sources or key in manifest.metrics or key in manifest.semantic_models:
            reasons[key] = "dbt does not build nodes of this type"
        elif key in manifest.unit_tests:
            model = next(iter(manifest.unit_tests[key].depends_on_nodes), None)
            if command == "build" and model not in wanted:
                reasons[key] = "dbt build runs a unit test only together with its model"
        elif key in manifest.nodes and _is_blank(manifest.nodes[key]):
            reasons[key] = "its file is empty"
    return reasons


def _is_blank(node):
    """As NodeSelector._is_empty_node: SQL nodes without a single character of code are not run."""
    return str(node.resource_type) not in ("seed",) and not (getattr(node, "raw_code", "") or "").strip()


class ExactSelection:
    """While open, dbt's selection is the given ids, and no statement runs unless dbt announces just these."""

    def __init__(self, wanted):
        self.wanted = set(wanted)
        self.task = None
        self.announced = set()

    @contextlib.contextmanager
    def in_force(self):
        select_nodes = NodeSelector.select_nodes
        execute_with_hooks = GraphRunnableTask.execute_with_hooks
        selection = self

        # Replaces dbt.graph.selector.NodeSelector.select_nodes: dbt has no selector for unique ids, and its
        # name selectors take minutes for thousands of names. Its filters by type and emptiness still apply.
        def exact_nodes(selector, *_arguments, **_options):
            return set(selection.wanted) & set(selector.full_graph.nodes()), set()

        # Wraps dbt.task.runnable.GraphRunnableTask.execute_with_hooks: the last place that knows the queue
        # before the first statement (create schema, on-run-start) runs.
        def checked_execution(task, selected_uids, *arguments, **options):
            selection.check(task, selected_uids)
            return execute_with_hooks(task, selected_uids, *arguments, **options)

        NodeSelector.select_nodes = exact_nodes
        GraphRunnableTask.execute_with_hooks = checked_execution
        try:
            yield self
        finally:
            NodeSelector.select_nodes = select_nodes
            GraphRunnableTask.execute_with_hooks = execute_with_hooks

    def check(self, task, selected_uids):
        self.task = task
        self.announced = set(selected_uids) | self._unit_tests_of(task, selected_uids)
        self.raise_on_difference()

    def raise_on_difference(self):
        missing, extra = self.wanted - self.announced, self.announced - self.wanted
        if missing or extra:
            raise DbtInternalError(
                "dbt announced other nodes than were requested;"
                f" missing: {', '.join(sorted(missing)) or 'none'}; extra: {', '.join(sorted(extra)) or 'none'}"
            )

    @staticmethod
    def _unit_tests_of(task, selected_uids):
        """The unit tests that `dbt build` runs beside its queue, each just before its model."""
        tests_of_model = getattr(task, "model_to_unit_test_map", None) or {}
        return {test for model, tests in tests_of_model.items() if model in selected_uids for test in tests}


# --- running ---------------------------------------------------------------------------------------------------------


class BuildEvents(EventLog):
    """Turns dbt's events of a build into the protocol's."""

    def __call__(self, event):
        name = event.info.name
        if name == "NodeStart":
            self._started(event.data.node_info)
        elif name == "NodeFinished":
            self._finished(event.data)
        super().__call__(event)

    def _started(self, info):
        if info.materialized != "ephemeral":
            self._emit({"event": "node_started", "unique_id": info.unique_id})

    def _finished(self, data):
        if data.node_info.materialized == "ephemeral":
            return
        result = MessageToDict(data.run_result, preserving_proto_field_name=True)
        relation = data.node_info.node_relation
        self._emit(
            finite(
                {
                    "event": "node_finished",
                    "unique_id": data.node_info.unique_id,
                    "status": result.get("status"),
                    "message": cut(without_colours(result.get("message"))) or None,
                    "execution_time": result.get("execution_time", 0.0),
                    "failures": result.get("num_failures"),
                    "rows_affected": _rows_affected(result.get("adapter_response")),
                    "relation": relation.relation_name or None,
                }
            )
        )


def _rows_affected(response):
    rows = (response or {}).get("rows_affected")
    return int(rows) if rows is not None and float(rows) >= 0 else None


def build(request, manifest, emit):
    """Runs one dbt command over exactly `request["nodes"]`. Returns (result, error or None)."""
    command = request.get("dbt_command") or "build"
    if command not in BUILD_COMMANDS:
        raise Refused("usage", f"build: '{command}' is not one of {', '.join(BUILD_COMMANDS)}")
    wanted = set(required(request, "nodes"))
    not_run = not_run_by(command, manifest, wanted)
    small = Pruning(manifest, wanted - set(not_run)).pruned(request.get("deferred") or {})
    run_results = _forget_old_results(request)
    events = BuildEvents(emit)
    selection = ExactSelection(wanted - set(not_run))
    started = time.monotonic()
    with selection.in_force(), without_stray_settings():
        outcome = dbtRunner(manifest=small, callbacks=[events]).invoke(_arguments(command, request))
    error = outcome.exception
    if error is None and selection.task is None:
        error = _error_of(selection.raise_on_difference)
    result = {
        "success": bool(outcome.success) and error is None,
        "results": [_result(item) for item in _finished_results(outcome, selection.task)],
        "announced": sorted(key for key in selection.announced if not _is_ephemeral(small, key)),
        "compiled_only": sorted(key for key in selection.announced if _is_ephemeral(small, key)),
        "not_run": [{"unique_id": key, "reason": reason} for key, reason in sorted(not_run.items())],
        "warnings": events.warnings,
        "elapsed": round(time.monotonic() - started, 3),
        "run_results_path": str(run_results) if run_results.exists() else None,
    }
    return finite(result), describe(error) if error is not None else None


def _error_of(check):
    try:
        check()
    except DbtInternalError as error:
        return error
    return None


def _arguments(command, request):
    arguments = [command, *common_arguments(request), "--no-defer", "--no-favor-state", "--select", "fqn:*"]
    arguments += ["--fail-fast" if request.get("fail_fast") else "--no-fail-fast"]
    if request.get("threads"):
        arguments += ["--threads", str(int(request["threads"]))]
    if request.get("full_refresh") and command in TAKES_FULL_REFRESH:
        arguments += ["--full-refresh"]
    if request.get("empty") and command in TAKES_EMPTY:
        arguments += ["--empty"]
    return arguments


@contextlib.contextmanager
def without_stray_settings():
    names = [prefix + name for prefix in ("DBT_", "DBT_ENGINE_") for name in STRAY_SETTINGS]
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _forget_old_results(request):
    """Deletes an earlier run_results.json: what is there afterwards was written by this build."""
    target = Path(required(request, "target_path"))
    path = (target if target.is_absolute() else Path(request["project_dir"]) / target) / "run_results.json"
    path.unlink(missing_ok=True)
    return path


def _finished_results(outcome, task):
    """The results in memory: of the whole run, or after an error or an interrupt of what had finished."""
    results = getattr(outcome.result, "results", None)
    if results is None and task is not None:
        results = task.node_results
    return [result for result in results or [] if getattr(result, "node", None) is not None]


def _is_ephemeral(manifest, key):
    return bool(getattr(manifest.nodes.get(key), "is_ephemeral_model", False))


def _result(result):
    node = result.node
    status = str(getattr(result.status, "value", result.status))
    described = {
        "unique_id": node.unique_id,
        "status": status,
        "message": cut(without_colours(result.message)) if result.message is not None else None,
        "execution_time": result.execution_time,
        "failures": getattr(result, "failures", None),
        "adapter_response": getattr(result, "adapter_response", None) or {},
        "relation_name": getattr(node, "relation_name", None),
        "compiled_path": getattr(node, "build_path", None) or getattr(node, "compiled_path", None),
    }
    if status in ("error", "fail", "warn", "runtime error", "partial success"):
        code = getattr(node, "compiled_code", None)
        described["compiled_code"] = cut(code, CODE_LIMIT) if code else None
    return described
