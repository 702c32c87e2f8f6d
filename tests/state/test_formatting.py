# SPDX-License-Identifier: Apache-2.0
"""What the lexer calls formatting only is formatting only, by oracles that are stricter than it: 600 random edits, in the
long form 10,000. Each test says how often the lexer was too careful: "different" where the oracles see none."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from formatting_edits import Editor, YamlEditor
from formatting_oracles import sql_differs, yaml_differs

ROOT = Path(__file__).resolve().parents[2]
ORACLE = Path(os.environ.get("OFFSHOOT_FORMATTING_ORACLE", ROOT / "build/dev/tests/formatting_oracle"))
SHOP = ROOT / "examples/shop"
SOURCES = Path(__file__).parent / "formatting_sources"
ADAPTERS = ["duckdb", "postgres", "snowflake", "bigquery", "redshift", "databricks", "mysql", "trino", "sqlserver", "clickhouse"]
ALL = os.environ.get("OFFSHOOT_TEST_ALL") == "yes"


def ask(questions):
    """The lexer's answers, from a process of its own."""
    assert ORACLE.is_file(), f"{ORACLE} is not there: build it with cmake --build --preset dev --target formatting_oracle"
    lines = [
        json.dumps({"before": as_bytes(before), "after": as_bytes(after), "dialect": dialect}, ensure_ascii=False)
        for before, after, dialect in questions
    ]
    asked = subprocess.run([ORACLE], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=600)
    assert asked.returncode == 0, asked.stderr
    answers = asked.stdout.split()
    assert len(answers) == len(questions)
    return answers


def as_bytes(text):
    return text.encode().decode("latin-1")


def read(path):
    return path.read_bytes().decode()


def sql_sources(adapter):
    own = [SOURCES / f"{adapter}.sql", *SOURCES.glob("common_*.sql")]
    shop = [path for path in sorted(SHOP.rglob("*.sql")) if "dbt_packages" not in path.parts and "target" not in path.parts]
    # The sources with the odd things in them count as much as all the others.
    return [read(path).strip() for path in own * (len(shop) // len(own)) + shop]


def yaml_sources():
    own = sorted(SOURCES.glob("*.yml"))
    return [read(path) for path in own * 6 + sorted(SHOP.rglob("*.yml")) if "dbt_packages" not in path.parts]


def cases(editor, sources, count):
    """Edits, so many of which differ from their source."""
    while count > 0:
        before = editor.random.choice(sources)
        after, kind = editor.edit(before)
        after = after.strip()
        if after != before.strip():
            count -= 1
            yield before, after, kind


def judge(editor, sources, dialect, differs, count):
    """Compares lexer and oracles, and returns how often what was said."""
    tried = list(cases(editor, sources, count))
    answers = ask([(before, after, dialect) for before, after, _ in tried])
    tally, wrong = Counter(), []
    for (before, after, kind), said in zip(tried, answers):
        by = differs(before, after, dialect)
        seen = "unread" if by is None else "different" if by else "same"
        tally[kind, seen, said] += 1
        if by and said == "same":
            wrong.append((by, before, after))
    return tally, wrong


def report(capsys, name, tally):
    count = sum(tally.values())
    really = {said: sum(n for (kind, seen, s), n in tally.items() if kind == "formatting" and seen == "same" and s == said)
              for said in ("same", "different", "unsure")}
    differing = sum(n for (_, seen, _), n in tally.items() if seen == "different")
    unread = sum(n for (_, seen, said), n in tally.items() if seen == "unread" and said == "same")
    formatting = sum(really.values())
    with capsys.disabled():
        print(f"\n{name}: {count} edits, {differing} of them of tokens; of {formatting} of formatting only, the lexer says "
              f"same {really['same']}, different {really['different']}, unsure {really['unsure']}; "
              f"said same where no oracle reads the text: {unread}")


def explain(wrong):
    return "\n\n".join(f"{by}\n--- before\n{before}\n--- after\n{after}" for by, before, after in wrong[:3])


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_the_lexer_calls_formatting_changes_no_token(adapter, capsys):
    count = 1000 if ALL else 60
    editor = Editor(f"{adapter} 4")
    tally, wrong = judge(editor, sql_sources(adapter), adapter, sql_differs, count)
    report(capsys, adapter, tally)
    assert not wrong, f"{len(wrong)} wrong\n{explain(wrong)}"
    assert sum(tally.values()) == count
    # The edits and the oracles do tell differences, and the lexer does see formatting.
    assert sum(n for (_, seen, _), n in tally.items() if seen == "different") > count / 5
    assert sum(n for (_, seen, said), n in tally.items() if seen == said == "same") > count / 20


def test_what_the_lexer_calls_layout_of_yaml_changes_no_value(capsys):
    count = 5000 if ALL else 300
    tally, wrong = judge(YamlEditor("yaml 4"), yaml_sources(), "yaml", yaml_differs, count)
    report(capsys, "yaml", tally)
    assert not wrong, f"{len(wrong)} wrong\n{explain(wrong)}"
    assert sum(n for (_, seen, said), n in tally.items() if seen == said == "same") > count / 20
