# SPDX-License-Identifier: Apache-2.0
"""Statements against the warehouse: the macros of the tiny project `offshoot`, and looking at what exists.

Macros of the user's project never take part: they could replace `statement` or a drop guard.
"""

import contextlib
import json
from pathlib import Path

import dbt.adapters.factory as factory
from dbt.config.project import PartialProject
from dbt.config.renderer import DbtProjectYamlRenderer
from dbt.contracts.files import FileHash, FilePath, SourceFile
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.macros import MacroParser
from dbt.parser.manifest import ManifestLoader
from dbt.parser.search import FileBlock

from session_errors import Refused, describe
from session_names import clone_manifest
from session_project import open_project, required

PACKAGE = "offshoot"


class Warehouse:
    """Runs macros of `offshoot` and adapter calls; remembers dbt's own macros by adapter type."""

    def __init__(self):
        self._dbt_macros = {}

    def learn_macros(self, manifest, adapter_type):
        """Takes dbt's and the adapter's macros from a parsed manifest, which saves parsing them."""
        packages = set(factory.FACTORY.get_adapter_package_names(adapter_type))
        self._dbt_macros[adapter_type] = {
            key: macro for key, macro in manifest.macros.items() if macro.package_name in packages
        }

    def run_macro(self, request):
        """The value of macro `request["macro"]`, run in one transaction that a failure rolls back."""
        name = str(required(request, "macro")).split(".")
        if len(name) != 2 or name[0] != PACKAGE:
            raise Refused("usage", f"macro: '{'.'.join(name)}' is not a macro of {PACKAGE}")
        with self._opened(request, own_macros=True) as opened:
            connections = opened.adapter.connections
            connections.begin()
            try:
                value = opened.adapter.execute_macro(name[1], project=PACKAGE, kwargs=dict(request.get("args") or {}))
                connections.commit_if_has_connection()
            except BaseException:
                connections.rollback_if_open()
                raise
        return json.loads(json.dumps(value, default=str))

    def list_relations(self, request):
        """Every relation in the given schemas; a schema that does not exist holds none."""
        found = []
        with self._opened(request) as opened:
            for schema in required(request, "schemas"):
                wanted = opened.adapter.Relation.create(
                    database=schema.get("database"), schema=schema["schema"], quote_policy=opened.config.quoting
                ).without_identifier()
                found += [_relation(item) for item in opened.adapter.list_relations_without_caching(wanted)]
        return found

    def check_connection(self, request):
        """Whether the warehouse answers; what it says when it does not. A broken profile is an error instead."""
        adapter_type = None
        try:
            with self._opened(request) as opened:
                adapter_type = opened.adapter.type()
                opened.adapter.debug_query()
        except Exception as error:
            described = describe(error)
            if adapter_type is None and described["kind"] not in ("connection", "locked", "database"):
                raise
            return {"ok": False, "adapter_type": adapter_type, "kind": described["kind"], "message": described["message"]}
        return {"ok": True, "adapter_type": adapter_type, "message": "the warehouse answers"}

    @contextlib.contextmanager
    def _opened(self, request, own_macros=False):
        """The tiny project open under the request's profile, with a connection of this thread."""
        macros_dir = Path(required(request, "macros_dir"))
        opened = open_project(
            request, project_dir=macros_dir.parent, profile=_profile_name(request), with_packages=False
        )
        manifest = self._macro_manifest(opened)
        if own_macros:
            add_macros(manifest, opened.config, macros_dir)
        opened.use_macros_of(manifest)
        with opened.adapter.connection_named(PACKAGE):
            yield opened

    def _macro_manifest(self, opened):
        adapter_type = opened.config.credentials.type
        if adapter_type not in self._dbt_macros:
            loaded = ManifestLoader.load_macros(opened.config, opened.adapter.connections.set_query_header, True)
            self.learn_macros(loaded, adapter_type)
        return Manifest(macros=dict(self._dbt_macros[adapter_type]))


def add_macros(manifest, config, macros_dir):
    """Parses the .sql files of `macros_dir` into `manifest`, as macros of the package of `config`."""
    parser = MacroParser(config, manifest)
    for path in sorted(macros_dir.glob("*.sql")):
        contents = path.read_text(encoding="utf-8")
        where = FilePath(
            searched_path=macros_dir.name,
            relative_path=path.name,
            modification_time=0.0,
            project_root=str(macros_dir.parent),
        )
        source = SourceFile(path=where, checksum=FileHash.from_contents(contents), project_name=config.project_name)
        source.contents = contents
        parser.parse_file(FileBlock(source))


def _profile_name(request):
    """The profile to use: the request's, else the one that the user's project names."""
    if request.get("profile"):
        return request["profile"]
    if not request.get("project_dir"):
        raise Refused("usage", f"{request.get('command')}: either 'profile' or 'project_dir' is needed")
    renderer = DbtProjectYamlRenderer(None, request.get("vars") or {})
    return PartialProject.from_project_root(str(request["project_dir"])).render_profile_name(renderer)


def _relation(relation):
    kind = getattr(relation.type, "value", relation.type)
    return {
        "database": relation.database,
        "schema": relation.schema,
        "identifier": relation.identifier,
        "type": str(kind) if kind else None,
    }
