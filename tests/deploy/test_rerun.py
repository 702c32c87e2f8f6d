# SPDX-License-Identifier: Apache-2.0
"""Going on after a failure and building by hand, from the store alone: K3, K10."""

import shutil

import pytest


def nodes(run):
    return sorted(node["unique_id"].split(".")[2] for node in run["plan"]["value"]["nodes"])


def fresh_clone(store):
    """Another machine: the same commit and the store, nothing else."""
    other = store.repository.parent / "clone"
    shutil.rmtree(other, ignore_errors=True)
    store.git("clone", "--quiet", "--no-hardlinks", ".", str(other))
    store.repository = other


def test_K3_a_deploy_goes_on_where_it_failed(duck):
    duck.deploy()
    duck.sql("create table raw.factors as select -1 as factor")
    duck.edit("Two", "orders", "1 as version", "2 as version")
    duck.edit("Break a test", "totals", "sum(orders.amount)", "sum(orders.amount) * (select factor from raw.factors)")
    duck.deploy(expect=1)
    failed = duck.run()
    ended_well = {one["unique_id"] for one in failed["build"]["value"]["results"] if one["status"] in ("success", "pass")}
    assert "model.store.orders" in ended_well
    duck.sql("update raw.factors set factor = 1")  # the data is mended, not the code
    fresh_clone(duck)
    result = duck.call("run", "--from-failure", failed["id"])
    assert result.returncode == 0, result.stderr
    assert nodes(duck.run()) == ["assert_totals", "totals"], "the failed test, and the model that it is on"
    assert duck.run()["origin"]["command"] == "deploy" and duck.run()["deployment"]["state"] == "finished"
    assert "already contained" in duck.deploy().stderr


@pytest.mark.long_form
def test_K3_what_was_skipped_or_never_ran_is_left(duck):
    duck.deploy()
    duck.edit("Break a model", "orders", "amount, 1 as version", "amount / nothing as amount, 2 as version")
    duck.deploy(expect=1)
    failed = duck.run()
    assert duck.call("run", "--from-failure", failed["id"]).returncode == 1
    assert nodes(duck.run()) == nodes(failed)
    again = duck.run()
    assert duck.call("run", "--from-failure", again["id"]).returncode == 1
    assert nodes(duck.run()) == nodes(failed)


@pytest.mark.long_form
def test_K3_a_check_goes_on_in_its_branch(duck):
    duck.deploy()
    duck.git("switch", "--quiet", "--create", "feature")
    duck.edit("Break a test", "orders", "amount, 1 as version", "-amount as amount, 2 as version")
    assert duck.call("check", "--base", "main", "--no-lint").returncode == 1
    failed = duck.run()
    assert duck.call("run", "--from-failure", failed["id"]).returncode == 1, "the test still fails"
    assert nodes(duck.run()) == ["assert_totals", "totals"]
    assert duck.run()["branch"]["value"]["name"] == failed["branch"]["value"]["name"]


@pytest.mark.long_form
def test_a_run_that_cannot_be_gone_on_with_says_why(duck):
    unknown = duck.call("run", "--from-failure", "20200101T000000Z-1-1")
    assert unknown.returncode == 2 and "not in the store" in unknown.stderr
    duck.edit("Break a model", "apart", "1 as one", "nothing as one")
    duck.deploy(expect=1)
    failed = duck.run()["id"]
    duck.commit("Go on")
    other = duck.call("run", "--from-failure", failed)
    assert other.returncode == 2 and "is checked out" in other.stderr


@pytest.mark.long_form
def test_any_commit_and_selection_is_built_by_hand_and_owed_in_production(duck):
    old = duck.git("rev-parse", "HEAD")
    duck.edit("Two", "apart", "1 as one", "2 as one")
    duck.deploy()
    result = duck.call("run", "--target", "prod", "--ref", old, "--select", "apart")
    assert result.returncode == 0, result.stderr
    assert duck.sql("select one from store.apart") == [(1,)]
    duck.deploy()
    assert duck.planned() == ["apart"] and duck.sql("select one from store.apart") == [(2,)]
