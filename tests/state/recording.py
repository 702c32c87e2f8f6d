# SPDX-License-Identifier: Apache-2.0
"""What ci/record-state keeps: one manifest per project, what each mutation changes in it, and what dbt selects then.

Manifests are kept without what differs at every run (times, ids of the run, absolute paths) and without what neither
dbt's selection nor offshoot's reads. Of dbt's own macros only those stay that the project reaches, with a digest in
place of their text: only whether it differs counts."""

import hashlib
import json

from workspace import HERE

FOLDER = HERE / "recorded"

SECTIONS = [
    "nodes", "sources", "exposures", "metrics", "semantic_models", "unit_tests", "saved_queries", "functions",
    "disabled", "macros", "docs", "selectors", "groups",
]  # fmt: skip
OF_THE_RUN = {"created_at", "root_path", "build_path", "compiled_path", "defer_relation", "doc_blocks"}
METADATA = ["dbt_schema_version", "dbt_version", "adapter_type", "project_name"]
INTERNAL = {"dbt", "dbt_duckdb"}


def _trimmed_entry(entry):
    return {key: value for key, value in entry.items() if key not in OF_THE_RUN}


def _reached_macros(manifest):
    reached = set()
    open_ids = [key for key, macro in manifest["macros"].items() if macro["package_name"] not in INTERNAL]
    for section in SECTIONS:
        for entry in manifest.get(section, {}).values():
            if isinstance(entry, dict):
                open_ids += (entry.get("depends_on") or {}).get("macros") or []
    while open_ids:
        key = open_ids.pop()
        if key in reached or key not in manifest["macros"]:
            continue
        reached.add(key)
        open_ids += manifest["macros"][key]["depends_on"]["macros"]
    return reached


def _trimmed_macro(macro):
    keys = ["name", "resource_type", "package_name", "original_file_path", "unique_id", "macro_sql", "depends_on"]
    kept = {key: macro[key] for key in [*keys, "patch_path"] if key in macro}
    if macro["package_name"] in INTERNAL:
        kept["macro_sql"] = hashlib.sha256(macro["macro_sql"].encode()).hexdigest()[:16]
    return kept


def trimmed(manifest):
    kept = {"metadata": {key: manifest["metadata"][key] for key in METADATA}}
    reached = _reached_macros(manifest)
    for section in SECTIONS:
        entries = manifest.get(section) or {}
        if section == "macros":
            kept[section] = {key: _trimmed_macro(entries[key]) for key in sorted(reached)}
        elif section == "disabled":
            kept[section] = {key: [_trimmed_entry(entry) for entry in entries[key]] for key in sorted(entries)}
        elif section == "docs":
            own = {key: value for key, value in entries.items() if value["package_name"] not in INTERNAL}
            kept[section] = {key: own[key] for key in sorted(own)}
        else:
            kept[section] = {key: _trimmed_entry(entries[key]) for key in sorted(entries)}
    return kept


def difference(before, after):
    """What makes `after` out of `before`: for each section the entries that differ. An entry is null where it is
    gone, {"=": entry} where it is new, else {"+": fields that differ, "-": fields that are gone}."""
    patch = {}
    for section in after:
        old, new = before.get(section, {}), after[section]
        changes = {}
        for key in sorted({*old, *new}):
            if key not in new:
                changes[key] = None
            elif old.get(key) == new[key] and key in old:
                continue
            elif key in old and isinstance(old[key], dict) and isinstance(new[key], dict):
                fields = {name: value for name, value in new[key].items() if name not in old[key] or old[key][name] != value}
                gone = sorted(set(old[key]) - set(new[key]))
                changes[key] = {"+": fields, "-": gone} if gone else {"+": fields}
            else:
                changes[key] = {"=": new[key]}
        if changes:
            patch[section] = changes
    return patch


def patched(before, patch):
    after = {section: dict(entries) for section, entries in before.items()}
    for section, changes in patch.items():
        for key, change in changes.items():
            if change is None:
                del after[section][key]
            elif "=" in change:
                after[section][key] = change["="]
            else:
                kept = {k: v for k, v in after[section][key].items() if k not in change.get("-", ())}
                after[section][key] = {**kept, **change["+"]}
    return after


def grouped(answers):
    """Selections by what they select: most of them select the same. `answers`: selection -> ids, or an error's text."""
    groups = {}
    for selection, answer in answers.items():
        groups.setdefault(json.dumps(answer), []).append(selection)
    rows = []
    for answer, of in groups.items():
        answer = json.loads(answer)
        rows.append({"of": of, "refused" if isinstance(answer, str) else "ids": answer})
    return rows


def save(project, recording):
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{project}.json"
    path.write_text(json.dumps(recording, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return path


def load(project):
    return json.loads((FOLDER / f"{project}.json").read_text())
