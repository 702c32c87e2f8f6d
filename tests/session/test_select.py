"""select: what dbt's own selectors select, in the session that has parsed anyway."""

import copy
import json
import os
import subprocess
from pathlib import Path

import pytest

from client import PYTHON


@pytest.fixture
def change(session, duckdb_warehouse, project, tmp_path):
    """The project parsed as base and, with one model changed, as head; what a request for either begins with."""
    profiles = duckdb_warehouse.profile("dev", "dev")
    requests = {}
    for side in ("base", "head"):
        folder = tmp_path / side
        subprocess.run(["cp", "-r", str(project), str(folder)], check=True)
        if side == "head":
            with open(folder / "models/base_people.sql", "a") as model:
                model.write("\n-- changed\n")
        requests[side] = duckdb_warehouse.request(folder, profiles, target_path=str(tmp_path / f"{side}-target"))
        session.ok("parse", **requests[side], handle=side)
    return requests


def listed_by_dbt(request, state, select, exclude=()):
    """The same from dbt's command line."""
    arguments = ["ls", "--quiet", "--output", "json", "--output-keys", "unique_id", "--state", state, "--select", select]
    arguments += [argument for part in exclude for argument in ("--exclude", part)]
    arguments += ["--project-dir", request["project_dir"], "--profiles-dir", request["profiles_dir"]]
    arguments += ["--target-path", request["target_path"], "--log-path", request["log_path"]]
    ran = subprocess.run([Path(PYTHON).parent / "dbt", *arguments], check=True, capture_output=True, text=True,
                         env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"})
    return sorted(json.loads(line)["unique_id"] for line in ran.stdout.splitlines() if line.startswith("{"))


def test_it_is_what_dbt_ls_lists(session, change, tmp_path, duckdb_warehouse):
    state = str(tmp_path / "base-target")
    for select, exclude in (("state:modified+", ""), ("state:modified", "resource_type:test"), ("state:old", "")):
        result = session.ok("select", **change["head"], handle="head", state=state, select=select, exclude=exclude)
        assert result["selected"] == listed_by_dbt(change["head"], state, select, [exclude] if exclude else [])
        assert result["selected"]
    assert not os.path.exists(duckdb_warehouse.output["path"]), "a selection opened the warehouse"


def test_nothing_changed_is_an_empty_list(session, change, tmp_path):
    request = {**change["base"], "handle": "base", "state": str(tmp_path / "base-target"), "select": "state:modified+"}
    assert session.ok("select", **request)["selected"] == []


def test_the_manifest_is_as_good_as_before(session, change, tmp_path):
    request = {**change["head"], "handle": "head", "state": str(tmp_path / "base-target"), "select": "state:modified+"}
    first = session.ok("select", **copy.deepcopy(request))
    resolved = session.ok("resolve", **{**change["head"], "handle": "head", "as": "branch"})
    assert resolved["relations"]
    assert session.ok("select", **request)["selected"] == first["selected"]


def test_what_dbt_refuses_is_an_error(session, change, tmp_path):
    request = {**change["head"], "handle": "head", "state": str(tmp_path / "base-target")}
    assert "no_such_method" in session.error("select", **request, select="no_such_method:x")["message"]
    assert session.error("select", **request)["kind"] == "usage"
    assert session.error("select", **{**request, "state": str(tmp_path)}, select="state:new")["message"]
