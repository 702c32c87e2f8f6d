# SPDX-License-Identifier: Apache-2.0
"""A branch's relation names, put into a neutrally parsed manifest with dbt's own code and no parse."""

import copy
import re
import threading

from dbt.context.configured import SchemaYamlVars, generate_schema_yml_context
from dbt.context.context_config import ContextConfig
from dbt.parser.models import ModelParser
from dbt.parser.schema_renderer import SchemaYamlRenderer

NAME_SETTINGS = ("database", "schema", "alias", "target_database", "target_schema")


class LazyGraph(dict):
    """Jinja's `graph` variable of a manifest, made when something first reads it.

    dbt makes it for the whole project after each parse; few projects read it, and here it must show the
    branch's names and, in a pruned manifest, still the whole project.
    """

    SECTIONS = ("exposures", "functions", "groups", "metrics", "nodes", "sources", "semantic_models", "saved_queries")

    def __init__(self, manifest):
        super().__init__()
        self._sections = {name: getattr(manifest, name) for name in self.SECTIONS if hasattr(manifest, name)}
        self._lock = threading.Lock()

    def _section(self, name):
        with self._lock:
            if not dict.__contains__(self, name):
                items = self._sections[name]
                dict.__setitem__(self, name, {k: v.to_dict(omit_none=False) for k, v in items.items()})
        return dict.__getitem__(self, name)

    def __missing__(self, name):
        if name not in self._sections:
            raise KeyError(name)
        return self._section(name)

    def __contains__(self, name):
        return name in self._sections

    def __iter__(self):
        return iter(self._sections)

    def __len__(self):
        return len(self._sections)

    def keys(self):
        return self._sections.keys()

    def values(self):
        return [self._section(name) for name in self._sections]

    def items(self):
        return [(name, self._section(name)) for name in self._sections]

    def get(self, name, default=None):
        return self._section(name) if name in self._sections else default


def clone_manifest(manifest):
    """Another Manifest of the same dictionaries: replacing one of them in the clone leaves the original alone."""
    clone = object.__new__(type(manifest))
    clone.__dict__.update(manifest.__dict__)
    return clone


def clone_node(node):
    """A node whose attributes may be set, compiled or run without a trace on the original."""
    clone = copy.copy(node)
    own = clone.__dict__
    for name in ("config", "depends_on", "extra_ctes"):
        if name in own:
            own[name] = copy.copy(own[name])
    if "_event_status" in own:
        own["_event_status"] = {}
    return clone


def resolve_names(manifest, opened, sources_database=None, placed=None):
    """A copy of `manifest` in which every relation bears the name it has under the profile of `opened`.

    Names come from the project's generate_*_name macros through dbt's parser, for nodes (disabled ones too),
    functions, saved queries' exports and semantic models. Sources keep their names, unless
    `sources_database` is given: then sources without a database of their own move there. `placed` {id: schema}
    says where nodes lie whatever the project's macros say.
    """
    resolved = clone_manifest(manifest)
    opened.use_macros_of(resolved)
    parser = ModelParser(opened.config, resolved, opened.config)
    namer = _Namer(parser, _Settings(parser, opened))
    resolved.nodes = {key: namer.renamed(node) for key, node in manifest.nodes.items()}
    for key, schema in (placed or {}).items():
        if key in resolved.nodes:
            resolved.nodes[key] = _placed(resolved.nodes[key], schema, opened)
    resolved.disabled = {
        key: [namer.renamed(node) if hasattr(node, "alias") else node for node in nodes]
        for key, nodes in manifest.disabled.items()
    }
    if getattr(manifest, "functions", None):
        resolved.functions = {key: namer.renamed(node) for key, node in manifest.functions.items()}
    resolved.saved_queries = {key: namer.with_exports(query) for key, query in manifest.saved_queries.items()}
    resolved.semantic_models = {
        key: _on_renamed_model(model, resolved.nodes) for key, model in manifest.semantic_models.items()
    }
    resolved.unit_tests = {key: _beside_its_model(test, resolved.nodes) for key, test in manifest.unit_tests.items()}
    if sources_database:
        resolved.sources = {
            key: _moved_source(source, sources_database, opened) for key, source in manifest.sources.items()
        }
    resolved.flat_graph = LazyGraph(resolved)
    return resolved


class _Settings:
    """The settings that name a node's relation, read again where they may depend on the profile.

    A neutral parse has rendered them with the neutral target: `config(target_schema=target.schema)` holds the
    neutral schema. Whatever is no plain literal is rendered again, from where dbt takes it: the file's own
    config(), else the properties file, else dbt_project.yml.
    """

    def __init__(self, parser, opened):
        self._parser = parser
        self._config = opened.config
        self._files = parser.manifest.files

    def of(self, node):
        settings = {name: node.config.get(name) for name in NAME_SETTINGS}
        written = {name: value for name, value in settings.items() if value is not None}
        called = getattr(node, "config_call_dict", None) or {}
        in_file = [name for name in written if name in called]
        if any(not _is_literal(node.raw_code, name) for name in in_file):
            rendered = self._rendered_call(node)
            settings.update({name: rendered.get(name) for name in in_file})
        for name in written:
            if name in called:
                continue
            text = self._properties(node).get(name)
            if text is not None:
                settings[name] = self._rendered_property(node, text)
            elif "{" in str(node.unrendered_config.get(name) or ""):
                settings[name] = self._project_setting(node, name)
        return settings

    def _context_config(self, node):
        return ContextConfig(self._config, list(node.fqn), node.resource_type, node.package_name)

    def _rendered_call(self, node):
        config = self._context_config(node)
        self._parser.render_with_context(copy.deepcopy(node), config)
        return config._config_call_dict

    def _project_setting(self, node, name):
        return self._context_config(node).build_config_dict(patch_config_dict={}).get(name)

    def _properties(self, node):
        """The node's config in its properties file, as written there; empty where there is none."""
        patch = self._files.get(getattr(node, "patch_path", None) or "")
        found = {}
        for entry in (getattr(patch, "dict_from_yaml", None) or {}).get(str(node.resource_type) + "s") or []:
            if entry.get("name") == node.name:
                found.update(entry.get("config") or {})
                for version in entry.get("versions") or []:
                    if str(version.get("v")) == str(getattr(node, "version", None)):
                        found.update(version.get("config") or {})
        return found

    def _rendered_property(self, node, text):
        if not isinstance(text, str) or "{" not in text:
            return text
        context = generate_schema_yml_context(self._config, node.package_name, SchemaYamlVars())
        return SchemaYamlRenderer(context, str(node.resource_type) + "s").render_value(text)


def _is_literal(code, name):
    """Whether the only thing that `code` may give `name` in its config() is one quoted literal."""
    values = re.findall(rf"\b{name}\b['\"]?\s*[=:]\s*([^\n]*)", code or "")
    return len(values) == 1 and re.match(r"""('[^'"{]*'|"[^'"{]*")\s*([,)}]|$)""", values[0]) is not None


class _Namer:
    """Names copies of nodes by dbt's ConfiguredParser.update_parsed_node_relation_names."""

    def __init__(self, parser, settings):
        self._parser = parser
        self._settings = settings

    def renamed(self, node):
        renamed = copy.copy(node)
        # As in ConfiguredParser._create_parsetime_node: a generate_*_name macro may read these of its node.
        renamed.database = self._parser.default_database
        renamed.schema = self._parser.default_schema
        settings = self._settings.of(node)
        changed = {name: value for name, value in settings.items() if value != node.config.get(name)}
        if changed:
            renamed.config = copy.copy(node.config)
            for name, value in changed.items():
                renamed.config[name] = value
        self._parser.update_parsed_node_relation_names(renamed, settings)
        return renamed

    def with_exports(self, query):
        """As in dbt.parser.schema_yaml_readers.SavedQueryParser: exports that name no schema get the generated one."""
        if not query.exports:
            return query
        renamed = copy.copy(query)
        renamed.exports = [self._export(export) for export in query.exports]
        return renamed

    def _export(self, export):
        own = export.unrendered_config if hasattr(export, "unrendered_config") else {}
        named = copy.copy(export)
        named.config = copy.copy(export.config)
        if "schema" not in own and "schema_name" not in own:
            named.config.schema_name = None
        if "database" not in own:
            named.config.database = None
        self._parser.update_parsed_node_relation_names(named, named.config.to_dict())
        named.config.schema_name = named.config.schema_name or named.schema
        named.config.database = named.database or named.config.database
        for name in ("schema", "database", "alias", "relation_name"):
            if name in named.__dict__:
                delattr(named, name)
        return named


def _on_renamed_model(semantic_model, nodes):
    """As in ManifestLoader.update_semantic_model: the relation of the model that it stands on."""
    model = nodes.get(next(iter(semantic_model.depends_on_nodes), None))
    if model is None or getattr(semantic_model, "node_relation", None) is None:
        return semantic_model
    renamed = copy.copy(semantic_model)
    renamed.node_relation = type(semantic_model.node_relation)(
        relation_name=model.relation_name, alias=model.alias, schema_name=model.schema, database=model.database
    )
    return renamed


def _beside_its_model(unit_test, nodes):
    """As in dbt.parser.unit_tests.process_models_for_unit_test: a unit test has the schema of its model."""
    model = nodes.get(next(iter(unit_test.depends_on_nodes), None))
    if model is None:
        return unit_test
    moved = copy.copy(unit_test)
    moved.schema = model.schema
    return moved


def _moved_source(source, database, opened):
    if getattr(source, "unrendered_database", None):
        return source
    moved = copy.copy(source)
    moved.database = database
    moved.relation_name = str(opened.adapter.Relation.create_from(opened.config, moved))
    return moved


def _placed(node, schema, opened):
    placed = copy.copy(node)
    placed.schema = schema
    placed.relation_name = str(opened.adapter.Relation.create_from(opened.config, placed))
    return placed


def relations_of(manifest):
    """The protocol's table of relations: what each node that can be built is called."""
    nodes = list(manifest.nodes.values()) + list(getattr(manifest, "functions", {}).values())
    return {
        node.unique_id: {
            "database": node.database,
            "schema": node.schema,
            "alias": node.alias,
            "relation_name": node.relation_name,
            "materialized": getattr(node.config, "materialized", None),
            "resource_type": str(node.resource_type),
        }
        for node in nodes
        if str(node.resource_type) in ("model", "seed", "snapshot", "function", "test")
        and (str(node.resource_type) != "test" or node.relation_name)
    }
