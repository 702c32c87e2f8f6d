# SPDX-License-Identifier: Apache-2.0
"""What is deployed, and what is built because of it: J7, K7, L1, L2, L6."""

import json

import pytest

from conftest import ALL, kinds

EVERYTHING = ["apart", "countries", "daily", "orders", "totals"]


def test_J7_builds_what_changed_since_what_is_deployed_and_says_which_commits_are_in(duck):
    duck.deploy()
    assert duck.planned() == EVERYTHING
    first = duck.run()["change"]["value"]["head"]["sha"]
    duck.edit("Round amounts", "totals", "sum(orders.amount)", "round(sum(orders.amount))")
    duck.commit("Say hello in the README")
    result = duck.deploy()
    assert duck.planned() == ["totals"]
    deployment = duck.run()["deployment"]["value"]
    assert deployment["before"] == first and deployment["mode"] == "in-place"
    assert [one["subject"] for one in deployment["contains"]] == ["Say hello in the README", "Round amounts"]
    assert "Round amounts" in result.stderr
    comment = max(duck.kept.glob("*/runs/*/*/comment.md")).read_text()
    assert "Round amounts" in comment and "what is deployed" in comment


def test_K7_what_production_contains_is_not_deployed_again(duck):
    first = duck.git("rev-parse", "HEAD")
    second = duck.edit("Change", "apart", "1 as one", "2 as one")
    duck.deploy()
    before = duck.fingerprint()
    assert "already contained" in duck.deploy().stderr
    duck.git("checkout", "--quiet", first)
    result = duck.deploy()
    assert "already contained" in result.stderr and second[:7] in result.stderr
    assert duck.fingerprint() == before


@pytest.mark.long_form
def test_J7_what_is_damaged_means_a_full_build_with_a_warning(duck):
    duck.deploy()
    pointer = duck.pointer()

    def manifest():
        return duck.kept / json.loads(pointer.read_text())["manifest"]

    damages = {"pointer": lambda: pointer.write_text(pointer.read_text()[:-30]),
               "manifest": lambda: manifest().write_text(manifest().read_text().replace("orders", "ordres", 1)),
               "manifest gone": lambda: manifest().unlink(),
               "owed": lambda: (pointer.parent / "owed.json").write_text("{")}
    for name, damage in damages.items():
        damage()
        result = duck.deploy()
        assert duck.planned() == EVERYTHING, name
        assert "Everything is built, for " in result.stderr, name


@pytest.mark.long_form
def test_what_a_failed_deploy_left_half_done_is_built_by_the_next(duck):
    duck.deploy()
    duck.edit("Break a test", "orders", "amount, 1 as version", "-amount as amount, 2 as version")
    duck.deploy(expect=1)
    assert duck.sql("select max(version) from store.orders") == [(2,)]
    duck.git("revert", "--no-edit", "HEAD")
    duck.deploy()
    assert "orders" in duck.planned()
    assert duck.sql("select max(version), min(amount) from store.orders") == [(1, 10)]
    assert "already contained" in duck.deploy().stderr


@pytest.mark.long_form
def test_a_selection_by_hand_leaves_the_rest_owed(duck):
    duck.deploy()
    duck.edit("Change", "apart", "1 as one", "2 as one")
    duck.edit("Change", "totals", "sum(orders.amount)", "min(orders.amount)")
    duck.deploy("--select", "apart")
    assert duck.planned() == ["apart"]
    duck.deploy()
    assert duck.planned() == ["totals"]


def test_L1_only_the_default_branch_is_deployed(duck, tmp_path):
    duck.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    duck.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    duck.git("fetch", "--quiet", "origin")
    duck.git("remote", "set-head", "origin", "main")
    duck.git("switch", "--quiet", "--create", "feature")
    duck.edit("Not merged", "apart", "1 as one", "2 as one")
    assert "not part of main" in duck.deploy(expect=5).stderr
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"ref": "refs/heads/feature", "repository": {"id": 7, "default_branch": "main"}}))
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY_ID": "7"}
    refused = duck.deploy(expect=5, GITHUB_EVENT_NAME="push", GITHUB_REF_NAME="feature", **actions)
    assert "not the default branch" in refused.stderr
    head = {"sha": duck.git("rev-parse", "HEAD"), "ref": "feature", "repo": {"id": 7}}
    base = {"sha": duck.git("rev-parse", "main"), "ref": "main", "repo": {"id": 7}}
    event.write_text(json.dumps({"action": "opened", "repository": {"id": 7, "default_branch": "main"},
                                 "pull_request": {"number": 1, "state": "open", "head": head, "base": base}}))
    refused = duck.deploy(expect=5, GITHUB_EVENT_NAME="pull_request", GITHUB_REF_NAME="main", **actions)
    assert "the event is pull_request" in refused.stderr
    assert not duck.sql("select 1 from duckdb_tables() where table_name = 'apart'")

    duck.git("switch", "--quiet", "main")
    old = duck.git("rev-parse", "HEAD")
    duck.git("merge", "--quiet", "feature")
    duck.git("push", "--quiet", "origin", "main")
    duck.git("checkout", "--quiet", old)
    assert "is superseded: main is at" in duck.deploy().stderr
    assert not duck.sql("select 1 from duckdb_tables() where table_name = 'apart'")


def test_L2_a_tree_that_no_check_has_passed_is_named_or_refused(duck):
    duck.deploy()
    duck.git("switch", "--quiet", "--create", "feature")
    duck.edit("Change", "apart", "1 as one", "2 as one")
    require = ["--set", "deploy.review=require"]
    duck.git("switch", "--quiet", "main")
    duck.git("merge", "--quiet", "--no-ff", "--message", "Merge", "feature")
    assert "no check of this tree is known" in duck.deploy(*require, expect=5).stderr
    assert duck.sql("select one from store.apart") == [(1,)]
    duck.git("switch", "--quiet", "feature")
    assert duck.call("check", "--base", "main~1", "--no-lint").returncode == 0
    duck.git("switch", "--quiet", "main")
    result = duck.deploy(*require)
    assert duck.sql("select one from store.apart") == [(2,)]
    assert "check of this tree" not in result.stderr, "planned as it was reviewed"


@pytest.mark.long_form
def test_L2_what_was_not_reviewed_is_named(duck):
    duck.deploy()
    duck.edit("Merged, and not deployed", "totals", "sum(orders.amount)", "min(orders.amount)")
    duck.edit("Change", "apart", "1 as one", "nothing as one")
    assert duck.call("check", "--base", "main~1", "--no-lint").returncode == 1
    duck.deploy("--set", "deploy.review=require", expect=5)
    result = duck.deploy(expect=1)
    assert "the check of this tree did not pass" in result.stderr
    duck.edit("Mend", "apart", "nothing as one", "3 as one")
    assert duck.call("check", "--base", "main~1", "--no-lint").returncode == 0
    result = duck.deploy("--set", "deploy.review=require")
    assert "not in the check of this tree" in result.stderr and "model.store.totals" in result.stderr


@kinds([], ["in-place", "swap"] if ALL else ["swap"])
def test_L6_relations_of_removed_models_go_only_when_asked(store, kind):
    mode = kind
    store.deploy()
    store.commit("Remove", apart=None)
    result = store.deploy(mode=mode)
    assert "apart" in result.stderr and store.sql("select one from store.apart") == [(1,)]
    store.commit("Back", apart="select 2 as one")
    store.deploy(mode=mode)
    store.commit("Remove again", apart=None)
    store.deploy("--set", "deploy.drop_removed=true", mode=mode)
    there = "select 1 from information_schema.tables where table_schema = 'store' and table_name = 'apart'"
    assert store.sql(there) == []
    assert len(store.run()["deployment"]["value"]["dropped"]) == 1


@pytest.mark.long_form
def test_state_only_records_what_something_else_deployed(duck):
    result = duck.deploy("--state-only")
    assert "Recorded what is deployed" in result.stderr
    assert duck.sql("select 1 from duckdb_tables() where schema_name = 'store'") == []
    assert duck.run()["deployment"]["value"]["mode"] == "state-only"
    assert "already contained" in duck.deploy().stderr
