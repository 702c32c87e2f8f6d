# SPDX-License-Identifier: Apache-2.0
"""Elementary for real: its models built once per branch, edr's page kept. Runs where OFFSHOOT_ELEMENTARY_PACKAGES names a
folder with the dbt packages `elementary` and `dbt_utils`, which come from no package registry."""

import os
import shutil
from pathlib import Path

import pytest
from test_scenarios import HERE, Scenario, finished

PACKAGES = os.environ.get("OFFSHOOT_ELEMENTARY_PACKAGES")


@pytest.fixture
def with_elementary(tmp_path, offshoot):
    """The tiny project with Elementary's packages committed, and a branch that changes one model."""
    case = tmp_path / "case"
    case.mkdir()
    (case / "scenario.yml").write_text("about: elementary\nexpect: {}\n")
    packages = case / "base" / "dbt_packages"
    for name in ("elementary", "dbt_utils"):
        shutil.copytree(Path(PACKAGES, name), packages / name)
    tiny = HERE / "projects/tiny"
    (case / "base/.gitignore").write_text((tiny / ".gitignore").read_text().replace("dbt_packages/\n", ""))
    project = (tiny / "dbt_project.yml").read_text() + "  elementary:\n    +schema: elementary\n"
    (case / "base/dbt_project.yml").write_text(project)
    model = case / "head/models/marts/revenue.sql"
    model.parent.mkdir(parents=True)
    model.write_text("select sum(amount) + 0 as revenue\nfrom {{ ref('fct_orders') }}\n")
    scenario = Scenario(case, tmp_path, offshoot, None)
    scenario.environment["OFFSHOOT_ELEMENTARY_PACKAGES"] = PACKAGES
    scenario.set_up()
    return scenario


@pytest.mark.skipif(not PACKAGES, reason="OFFSHOOT_ELEMENTARY_PACKAGES is not set")
def test_elementary_reports_on_the_branch(with_elementary):
    before = with_elementary.fingerprint()
    first = with_elementary.call(["check"])
    assert first.returncode == 0, first.stderr.decode()
    run = with_elementary.last_run()
    assert finished(run, "quality")["tool"].startswith("elementary")
    pages = list(with_elementary.store.glob("*/runs/*/*/elementary.html"))
    assert len(pages) == 1 and pages[0].stat().st_size > 1_000_000
    own = [node["unique_id"] for node in finished(run, "plan")["nodes"] if ".elementary." in node["unique_id"]]
    assert own, "Elementary's models are built in a new branch"

    second = with_elementary.call(["check"])
    assert second.returncode == 0, second.stderr.decode()
    again = [node["unique_id"] for node in finished(with_elementary.last_run(), "plan")["nodes"]]
    assert not [unique_id for unique_id in again if ".elementary." in unique_id], "and only once"
    assert with_elementary.fingerprint() == before
