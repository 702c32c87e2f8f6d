# SPDX-License-Identifier: Apache-2.0
"""What a build took: in run.json, against a budget, and compared with the run before."""

import re

import pytest


def test_each_node_has_its_time_and_rows_in_run_json(pg):
    pg.deploy()
    results = {one["unique_id"]: one for one in pg.run()["build"]["value"]["results"]}
    daily = results["model.store.daily"]
    assert daily["seconds"] > 0 and daily["rows_affected"] == 2, daily


def test_a_budget_warns_or_fails(duck):
    budget = "build.budget=" + '{"seconds": 0, "bytes_billed": 5}'
    result = duck.deploy("--set", budget)
    assert "Over budget: seconds" in result.stderr
    assert "limits bytes_billed, which nothing of this build reports" in result.stderr
    duck.edit("Change", "apart", "1 as one", "2 as one")
    result = duck.deploy("--set", budget, "--set", "build.over_budget=fail", expect=1)
    assert "over budget" in result.stderr
    assert duck.run()["over_budget"][0].startswith("seconds: ")
    duck.edit("Change", "apart", "2 as one", "3 as one")
    within = duck.deploy("--set", 'build.budget={"seconds": 1000}', "--set", "build.over_budget=fail")
    assert "ver budget" not in within.stderr


@pytest.mark.long_form
def test_a_budget_of_words_is_a_wrong_setting(duck):
    (duck.repository / "offshoot.yml").write_text("build:\n  budget: {seconds: much}\n")
    duck.commit("A budget")
    result = duck.deploy(expect=2)
    assert "numbers" in result.stderr
    (duck.repository / "offshoot.yml").write_text("build:\n  budget: {seconds: 0}\n")
    duck.commit("Another budget")
    assert "Over budget: seconds" in duck.deploy().stderr


@pytest.mark.long_form
def test_what_took_far_longer_than_in_the_run_before_is_noted(pg):
    pg.deploy()
    pg.commit("Slower", apart="select 1 as one from pg_sleep(6)")
    result = pg.deploy()
    assert re.search(r"model\.store\.apart took \d+ s", result.stderr), result.stderr
