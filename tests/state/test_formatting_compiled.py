# SPDX-License-Identifier: Apache-2.0
"""What the lexer calls formatting only, dbt compiles to the same tokens: random edits of a whole project at once."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from formatting_edits import Editor
from formatting_oracles import ERROR, first_difference, sqlfluff_tokens, sqlglot_tokens
from test_formatting import ALL, SHOP, ask, read


def dbt(project, *arguments):
    environment = {**os.environ, "SHOP_CI": str(project / "ci.duckdb"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    done = subprocess.run(
        [Path(sys.executable).parent / "dbt", *arguments, "--project-dir", project, "--profiles-dir", project, "--target", "ci"],
        capture_output=True, text=True, env=environment, cwd=project, timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def compiled(project):
    """The compiled code of each node."""
    dbt(project, "compile", "--no-partial-parse")
    manifest = json.loads((project / "target/manifest.json").read_text())
    return {node["unique_id"]: node["compiled_code"] for node in manifest["nodes"].values() if node.get("compiled_code")}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    project = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(SHOP, project, ignore=shutil.ignore_patterns("target", "dbt_packages", "logs", "*.duckdb"))
    dbt(project, "deps")
    return project


def reformat(editor, text):
    """The text after edits that the lexer calls formatting only; few of those tried are not."""
    tried = [editor.edit(text)[0] for _ in range(12)]
    tried = [one for one in tried if one.strip() != text.strip()]
    # What a file begins and ends with, dbt strips; so does offshoot before it asks.
    answers = ask([(text.strip(), one.strip(), "duckdb") for one in tried])
    same = [one for one, said in zip(tried, answers) if said == "same"]
    return editor.random.choice(same) if same else text


@pytest.fixture(scope="module")
def before(shop):
    return compiled(shop)


@pytest.mark.parametrize("round", range(8 if ALL else 1))
def test_dbt_compiles_what_the_lexer_calls_formatting_to_the_same_tokens(shop, before, tmp_path, round):
    project = tmp_path / "shop"
    shutil.copytree(shop, project)
    editor = Editor(f"compiled {round}")
    changed = 0
    for path in sorted(project.rglob("*.sql")):
        if "target" in path.parts or "dbt_packages" in path.parts:
            continue
        text = read(path)
        edited = reformat(editor, text)
        changed += edited != text
        path.write_bytes(edited.encode())
    assert changed > 25
    after = compiled(project)
    assert before.keys() == after.keys() and len(before) > 25
    different = 0
    for node, sql in before.items():
        sql = sql.replace(str(shop), str(project))
        different += sql != after[node]
        for oracle in (sqlglot_tokens, sqlfluff_tokens):
            tokens = oracle(sql, "duckdb"), oracle(after[node], "duckdb")
            assert tokens[0] != ERROR
            assert tokens[0] == tokens[1], f"{node}: {first_difference(*tokens)}\n{sql}\n=>\n{after[node]}"
    assert different > 10, "the edits came to nothing"
