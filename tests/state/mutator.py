# SPDX-License-Identifier: Apache-2.0
"""Changes manifests at random, field by field, so that dbt still reads them."""

import copy
import json

# What identifies an entry; a change of it would make the manifest one that dbt never writes.
FIXED = {"unique_id", "resource_type", "original_file_path", "path", "package_name", "macro_sql_hash"}
# Objects whose keys are anybody's.
FREE = {"unrendered_config", "meta", "config", "columns", "tags"}
SECTIONS = {
    "nodes": 10, "sources": 3, "exposures": 2, "metrics": 2, "semantic_models": 2, "unit_tests": 2, "saved_queries": 2,
    "functions": 2, "macros": 3,
}  # fmt: skip
# Fields that dbt compares, which random choice alone would hit too seldom.
OFTEN = [
    "raw_code", "macro_sql", "unrendered_config", "contract", "columns", "constraints", "fqn", "access", "checksum",
    "deprecation_date", "latest_version", "arguments", "returns", "freshness", "identifier", "label", "owner",
    "query_params", "exports", "measures", "dimensions", "entities", "database", "unrendered_database",
]  # fmt: skip


def complete(manifest):
    """Puts back what the recording leaves out and dbt's classes ask for."""
    manifest = copy.deepcopy(manifest)
    for key in ("docs", "groups", "parent_map", "child_map", "group_map", "disabled", "selectors"):
        manifest.setdefault(key, {})
    for section, entries in manifest.items():
        if section in ("macros", "docs"):
            for entry in entries.values():
                entry.setdefault("path", entry["original_file_path"])
    return manifest


class Mutator:
    def __init__(self, manifest, random):
        self.random = random
        # By the place of a field, values that it has somewhere: what dbt takes there.
        self.pool = {}
        for section in SECTIONS:
            for entry in manifest[section].values():
                self._collect((section,), entry)

    def _collect(self, place, value):
        if isinstance(value, dict):
            for key, inner in value.items():
                self.pool.setdefault((*place, key), []).append(inner)
                self._collect((*place, key), inner)
        elif isinstance(value, list):
            for inner in value:
                self._collect((*place, "*"), inner)

    def mutate(self, manifest):
        """One change, in place; says which."""
        section = self.random.choices(list(SECTIONS), SECTIONS.values())[0]
        entries = manifest[section]
        if not entries:
            return "nothing"
        key = self.random.choice(sorted(entries))
        if self.random.random() < 0.08:
            return self._change_entry(manifest, section, key)
        entry = entries[key]
        often = [name for name in OFTEN if name in entry]
        fields = [name for name in entry if name not in FIXED]
        field = self.random.choice(often if often and self.random.random() < 0.7 else fields)
        entry[field] = self._changed((section, field), copy.deepcopy(entry[field]))
        return f"{section} {key} {field}"

    def _change_entry(self, manifest, section, key):
        entries = manifest[section]
        if section == "nodes" and self.random.random() < 0.5:
            entry = entries.pop(key)
            manifest["disabled"][key] = [{**entry, "config": {**entry["config"], "enabled": False}}]
            return f"{key} is disabled"
        if self.random.random() < 0.5:
            new_key = f"{key}_again"
            entries[new_key] = {**copy.deepcopy(entries[key]), "unique_id": new_key}
            return f"{new_key} is new"
        del entries[key]
        return f"{key} is gone"

    def _changed(self, place, value):
        pool = self.pool.get(place, [])
        if pool and self.random.random() < 0.3:
            return copy.deepcopy(self.random.choice(pool))
        if isinstance(value, bool):
            return not value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, (int, float)):
            return value + 1
        if isinstance(value, list):
            return self._list(place, value)
        if isinstance(value, dict):
            return self._object(place, value)
        return copy.deepcopy(self.random.choice(pool)) if pool else value

    def _text(self, value):
        ways = [value + " ", value + "x", value.upper(), " " + value, value.replace(" ", "  "), value + "(2)", "",
                value + "\u00fc\U0001f4da", value + '"\\\n', "2020-01-01T00:00:00"]  # fmt: skip
        return self.random.choice(ways)

    def _list(self, place, value):
        if not value:
            pool = self.pool.get((*place, "*"), [])
            return [copy.deepcopy(self.random.choice(pool))] if pool else value
        index = self.random.randrange(len(value))
        way = self.random.randrange(4)
        if way == 0:
            del value[index]
        elif way == 1:
            value.append(copy.deepcopy(value[index]))
        elif way == 2:
            value.reverse()
        else:
            value[index] = self._changed((*place, "*"), value[index])
        return value

    def _object(self, place, value):
        free = place[-1] in FREE
        way = self.random.randrange(4)
        if way == 0 and free:
            value[f"key{self.random.randrange(3)}"] = self.random.choice([1, 1.0, True, None, "x", [], {}, {"a": [1]}])
        elif way == 1 and free and value and place[-1] != "config":
            del value[self.random.choice(sorted(value))]
        elif way == 2:
            return dict(reversed(value.items()))
        elif value:
            key = self.random.choice(sorted(value))
            value[key] = self._changed((*place, key), value[key])
        return value


def json_bytes(manifest, random):
    """Written as dbt writes, or as others may: the same values."""
    style = random.choice([{}, {"ensure_ascii": False, "separators": (",", ":")}])
    return json.dumps(manifest, **style).encode()
