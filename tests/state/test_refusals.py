# SPDX-License-Identifier: Apache-2.0
"""What `offshoot state` does not know, it says: exit status 2 for what was asked or given, 3 for files that are broken
(G1). Never a guess, never a crash."""

import copy
import json

import pytest

import offshoot
import recording
from mutator import complete


@pytest.fixture(scope="module")
def manifest():
    return complete(recording.load("bakery")["base"])


@pytest.fixture
def write(tmp_path):
    def to_file(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return to_file


def with_metadata(manifest, **metadata):
    changed = dict(manifest)
    changed["metadata"] = {**manifest["metadata"], **metadata}
    return changed


def of_version(manifest, version):
    schema = f"https://schemas.getdbt.com/dbt/manifest/{version}.json"
    return with_metadata(manifest, dbt_schema_version=schema)


def changed(manifest):
    head = copy.deepcopy(manifest)
    head["nodes"]["model.bakery.revenue"]["raw_code"] += " "
    return head


@pytest.mark.parametrize("version", ["v11", "v12", "v20"])
def test_known_versions_are_read(manifest, write, version):
    base = write("base.json", of_version(manifest, version))
    head = write("head.json", of_version(changed(manifest), version))
    assert "model.bakery.forecast" in offshoot.select(base, head, "state:modified+1")


def test_v11_knows_no_unit_tests_and_functions(manifest, write):
    """As dbt 1.7 wrote it. In the head they are new then."""
    old = {key: value for key, value in of_version(manifest, "v11").items() if key not in ("unit_tests", "functions")}
    base = write("base.json", old)
    head = write("head.json", manifest)
    new = sorted({*manifest["unit_tests"], *manifest["functions"]})
    assert offshoot.select(base, head, "state:new --indirect-selection empty") == new


@pytest.mark.parametrize("version", ["v10", "v13", "v9", "v21", "v", "12"])
def test_other_versions_are_refused(manifest, write, version):
    base = write("base.json", of_version(manifest, version))
    done = offshoot.run(base, base)
    assert done.returncode == 2
    assert "versions 11, 12 and 20 are known" in done.stderr


@pytest.mark.parametrize("version", ["1.11.15", "1.10.0", "1.12.6", "", "1.11.16.dev1"])
def test_two_dbt_versions_are_refused(manifest, write, version):
    base = write("base.json", with_metadata(manifest, dbt_version=version))
    head = write("head.json", manifest)
    done = offshoot.run(base, head)
    assert done.returncode == 2
    assert f"'{version}'" in done.stderr and "'1.11.16'" in done.stderr
    assert "parse the base again with dbt 1.11.16" in done.stderr
    assert done.stdout == ""


UNKNOWN = {
    "nope:x": "'nope' is not a method",
    "result:error": "'result:' asks for an earlier run's results",
    "source_status:fresher": "'source_status:' asks for an earlier run's results",
    "state:modified.vars": "'modified.vars' is no state",
    "state:changed": "'changed' is no state",
    "@model+": "'@' before and '+' behind exclude one another",
    "config:x": "'config' needs the name of a setting",
    "tag.a:b": "'tag' takes no '.'",
    "resource_type:models": "'models' is no type",
    "test_type:fast": "'fast' is no type of test",
    "version:5": "'5' is no version",
    "source:a.b.c.d": "at most three parts",
    "metric:a.b.c": "at most two parts",
    "selector:nowhere": "no selector of that name",
    "path:/etc": "relative to the project's folder",
    "path:models/../..": "'..' leads out",
    "a,,b": "nothing to select is named",
}


@pytest.mark.parametrize("text", UNKNOWN)
@pytest.mark.parametrize("option", ["--select", "--exclude"])
def test_what_is_not_known_is_named(manifest, write, text, option):
    base = write("base.json", manifest)
    done = offshoot.run(base, base, option, text)
    assert done.returncode == 2, done.stdout
    assert UNKNOWN[text] in done.stderr
    assert done.stdout == ""


def test_unknown_modes_and_options(manifest, write):
    base = write("base.json", manifest)
    done = offshoot.run(base, base, "--indirect-selection", "greedy")
    assert done.returncode == 2 and "there is no mode 'greedy'" in done.stderr
    assert offshoot.run(base, base, "--nope").returncode == 2
    assert offshoot.run(base, base, "--selector", "x").returncode == 2


DEFINITIONS = {
    "circle": ({"method": "selector", "value": "circle"}, "in a circle"),
    "doubling": ({"union": [{"method": "selector", "value": "doubling"}] * 2}, "in a circle"),
    "no_text": ({"method": "config.factor", "value": 2}, "its value is no text"),
    "no_method": ({"value": "x", "children": True}, "it needs 'method' and 'value'"),
    "unknown": ({"method": "nope", "value": "x"}, "'nope' is not a method"),
    "mode": ({"method": "tag", "value": "x", "indirect_selection": "greedy"}, "there is no indirect selection"),
    "both": ({"method": "tag", "value": "x", "children": True, "childrens_parents": True}, "exclude one another"),
    "list": ({"union": "x"}, "it is not a list"),
    "two": ({"union": ["a", {"exclude": ["b"]}, {"exclude": ["c"]}]}, "only one 'exclude'"),
    "none": (None, "it is neither text nor a mapping"),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_G2_selectors_that_make_no_sense(manifest, write, name):
    definition, why = DEFINITIONS[name]
    base = write("base.json", {**manifest, "selectors": {name: {"name": name, "definition": definition}}})
    done = offshoot.run(base, base, "--select", f"selector:{name}")
    assert done.returncode == 2, done.stderr
    assert why in done.stderr


def test_a_circle_of_nodes_is_named(manifest, write):
    broken = copy.deepcopy(manifest)
    broken["nodes"]["model.bakery.stg_products"]["depends_on"]["nodes"].append("model.bakery.products.v1")
    base = write("base.json", broken)
    done = offshoot.run(base, base)
    assert done.returncode == 2
    assert "in a circle" in done.stderr and "model.bakery.stg_products" in done.stderr


# G1: files that are broken.


def broken_files(text):
    yield "empty", b""
    yield "cut in half", text[: len(text) // 2]
    yield "cut at the end", text[:-1]
    yield "something behind it", text + b"{}"
    yield "a list", b"[]"
    yield "deep", text.replace(b'"nodes":', b'"x": ' + b"[" * 300 + b"]" * 300 + b', "nodes":', 1)
    yield "deep objects", text.replace(b'"nodes":', b'"x": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b', "nodes":', 1)
    yield "a node twice", text.replace(b'"nodes": {', b'"nodes": {"model.bakery.revenue": {"resource_type": "model"}, ', 1)
    yield "a macro twice", text.replace(b'"macros": {', b'"macros": {"macro.dbt.run_hooks": {}, ', 1)
    yield "nodes twice", text.replace(b'"nodes": {', b'"nodes": {}, "nodes": {', 1)
    yield "metadata twice", text.replace(b'"metadata":', b'"metadata": {}, "metadata":', 1)
    yield "a field twice", text.replace(b'"raw_code":', b'"raw_code": "", "raw_code":', 1)
    yield "nul", text.replace(b'"nodes": {', b"\x00: {", 1)
    yield "no nodes", text.replace(b'"nodes": {', b'"node": {', 1)
    yield "a node that is text", text.replace(b'"nodes": {', b'"nodes": {"model.bakery.x": "y", ', 1)


def names_of_broken_files():
    return [name for name, _ in broken_files(b"")]


@pytest.mark.parametrize("name", names_of_broken_files())
def test_G1_a_broken_manifest_is_an_error_in_words(manifest, write, name):
    text = json.dumps(manifest).encode()
    content = dict(broken_files(text))[name]
    assert content != text
    good, bad = write("good.json", text), write("bad.json", content)
    for base, head in ((bad, good), (good, bad)):
        done = offshoot.run(base, head)
        assert done.returncode in (2, 3), (name, done.returncode, done.stderr)
        assert "bad.json" in done.stderr
        assert done.stdout == ""


def test_G1_half_characters_and_nan_do_not_crash(manifest, write):
    """dbt writes NaN. Half a character counts as a change, since it equals nothing."""
    text = json.dumps(manifest)
    body = json.dumps(manifest["nodes"]["model.bakery.revenue"]["raw_code"])
    odd = text.replace(f'"raw_code": {body}', f'"raw_code": "\\ud800", "x": NaN', 1)
    assert odd != text
    done = offshoot.run(write("base.json", text.encode()), write("head.json", odd.encode()))
    assert done.returncode == 0, done.stderr
    assert "model.bakery.revenue" in done.stdout.split()


def test_G1_a_file_beyond_the_limit_is_refused_unread(tmp_path, manifest, write):
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate((512 << 20) + 1)  # sparse
    done = offshoot.run(large, write("head.json", manifest))
    assert done.returncode in (2, 3)
    assert "large.json" in done.stderr and "at most 536870912" in done.stderr


def test_a_missing_file_is_named(tmp_path, manifest, write):
    done = offshoot.run(tmp_path / "none.json", write("head.json", manifest))
    assert done.returncode in (2, 3) and "none.json" in done.stderr


def test_deeply_nested_but_allowed(manifest, write):
    nested = "x"
    for _ in range(200):
        nested = [nested]
    head = copy.deepcopy(manifest)
    head["nodes"]["model.bakery.revenue"]["unrendered_config"]["meta"] = nested
    base, head = write("base.json", manifest), write("head.json", head)
    assert "model.bakery.revenue" in offshoot.select(base, head, "state:modified.configs")
