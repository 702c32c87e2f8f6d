# SPDX-License-Identifier: Apache-2.0
"""Opening projects with dbt's own code, and letting go of the warehouse afterwards."""

import contextlib
import json
import os
import sys

import dbt.adapters.factory as factory
from dbt.cli.flags import Flags, args_to_context
from dbt.config.project import PartialProject
from dbt.config.runtime import RuntimeConfig, load_profile, load_project
from dbt.context.providers import generate_runtime_macro_context
from dbt.events.logging import setup_event_logger
from dbt.flags import set_flags
from dbt.mp_context import get_mp_context
from dbt.parser.manifest import ManifestLoader
from dbt_common.context import set_invocation_context
from dbt_common.invocation import reset_invocation_id

from session_errors import Refused, without_colours
from session_wire import cut


def required(request, name):
    """The request's value of that name; refuses the request when it is missing."""
    value = request.get(name)
    if value is None:
        raise Refused("usage", f"{request.get('command')}: '{name}' is missing")
    return value


def common_arguments(request, project_dir=None, profile=None):
    """The dbt command line flags that every command of the session shares."""
    arguments = ["--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check"]
    arguments += ["--project-dir", str(project_dir or required(request, "project_dir"))]
    arguments += ["--profiles-dir", str(required(request, "profiles_dir"))]
    arguments += ["--vars", json.dumps(request.get("vars") or {})]
    for name, value in (("target", request.get("target")), ("profile", profile or request.get("profile"))):
        if value:
            arguments += [f"--{name}", str(value)]
    for name in ("target_path", "log_path"):
        if request.get(name):
            arguments += ["--" + name.replace("_", "-"), str(request[name])]
    return arguments


class Opened:
    """A project open under one profile: dbt's config of it, and the registered adapter."""

    def __init__(self, config, adapter):
        self.config = config
        self.adapter = adapter

    def use_macros_of(self, manifest):
        self.adapter.set_macro_resolver(manifest)
        self.adapter.set_macro_context_generator(generate_runtime_macro_context)


def open_project(request, project_dir=None, profile=None, with_packages=True, callbacks=()):
    """Loads profile and project as dbt's `parse` would, without parsing, and registers the adapter."""
    project_dir = str(project_dir or required(request, "project_dir"))
    set_invocation_context(dict(os.environ))
    flags = Flags(args_to_context(["parse", *common_arguments(request, project_dir, profile)]))
    set_flags(flags)
    reset_invocation_id()
    setup_event_logger(flags=flags, callbacks=list(callbacks))
    loaded_profile = load_profile(project_dir, flags.VARS, flags.PROFILE, flags.TARGET)
    project = load_project(project_dir, False, loaded_profile, flags.VARS)
    config = RuntimeConfig.from_parts(project, loaded_profile, flags)
    factory.reset_adapters()
    factory.register_adapter(config, get_mp_context())
    if with_packages:
        config.load_dependencies()
    return Opened(config, factory.get_adapter(config))


def release():
    """Closes every connection of every adapter, and DuckDB's file, so that other processes can open it."""
    for adapter in list(factory.FACTORY.adapters.values()):
        with contextlib.suppress(Exception):
            adapter.cleanup_connections()
    duckdb = sys.modules.get("dbt.adapters.duckdb.connections")
    if duckdb is not None:
        _close_duckdb(duckdb.DuckDBConnectionManager)


def _close_duckdb(manager):
    """dbt-duckdb keeps the file open between commands: its environment is closed, then forgotten."""
    environment = getattr(manager, "_ENV", None)
    if environment is not None:
        with contextlib.suppress(Exception):
            environment.close()
    manager.close_all_connections()


@contextlib.contextmanager
def packages_from(project_dir, install_path):
    """While open, the project in `project_dir` finds and installs its packages in `install_path`.

    Replaces dbt.config.project.PartialProject.create_project: dbt takes `packages-install-path` from
    dbt_project.yml only, and offshoot keeps packages in a cache beside the checkout.
    """
    if not install_path:
        yield
        return
    original = PartialProject.create_project
    root = os.path.realpath(project_dir)

    def create_project(self, *arguments, **options):
        project = original(self, *arguments, **options)
        if os.path.realpath(project.project_root) == root:
            project.packages_install_path = str(install_path)
        return project

    PartialProject.create_project = create_project
    try:
        yield
    finally:
        PartialProject.create_project = original


@contextlib.contextmanager
def partial_parse_kept(kept):
    """While open, dbt writes partial_parse.msgpack after a parse, or does not.

    Replaces dbt.parser.manifest.ManifestLoader.write_manifest_for_partial_parse: nobody reads the head's.
    """
    original = ManifestLoader.write_manifest_for_partial_parse
    if not kept:
        ManifestLoader.write_manifest_for_partial_parse = lambda self: None
    try:
        yield
    finally:
        ManifestLoader.write_manifest_for_partial_parse = original


def credentials_of(config):
    """What the parent may know of a profile's credentials: where they lead to, never a secret."""
    credentials = config.credentials
    known = {"database": credentials.database, "schema": credentials.schema}
    if credentials.type == "duckdb":
        known["path"] = getattr(credentials, "path", None)
    return known


class EventLog:
    """Turns dbt's events into the protocol's `log` events and keeps the warnings."""

    LEVELS = ("info", "warn", "error")

    def __init__(self, emit):
        self._emit = emit
        self.warnings = []
        self.names = set()

    def __call__(self, event):
        self.names.add(event.info.name)
        level = event.info.level
        if level not in self.LEVELS:
            return
        text = cut(without_colours(event.info.msg))
        if not text.strip():
            return
        line = {"event": "log", "level": level, "code": event.info.code, "message": text}
        node = node_of(event)
        if node:
            line["node"] = node
        self._emit(line)
        if level == "warn":
            warning = {"code": event.info.code, "name": event.info.name, "message": text}
            self.warnings.append({**warning, "node": node} if node else warning)


def node_of(event):
    """The unique id of the node that an event is about, or None."""
    info = getattr(event.data, "node_info", None)
    return getattr(info, "unique_id", None) or getattr(event.data, "unique_id", None) or None
