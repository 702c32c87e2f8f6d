# SPDX-License-Identifier: Apache-2.0
"""Back to an earlier deploy: L4."""

import signal
import time

import pytest

from conftest import ALL, kinds

VERSIONS = "select (select max(version) from store.orders), (select max(version) from store.totals)"


def deployed_versions(store, count):
    """Deploys that many versions; returns their commits."""
    shas = [store.git("rev-parse", "HEAD")]
    store.deploy(mode="swap")
    for number in range(2, count + 1):
        shas.append(store.edit(f"Version {number}", "orders", f"{number - 1} as version", f"{number} as version"))
        store.deploy(mode="swap")
    return shas


@kinds(["here"] if ALL else [], ["here"])
def test_L4_production_goes_back_within_a_minute_and_forward_again(store, kind):
    first, second, third = deployed_versions(store, 3)
    assert store.sql(VERSIONS) == [(3, 3)]
    begun = time.monotonic()
    result = store.call("rollback", "--to", second[:10])
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - begun < 60
    assert store.sql(VERSIONS) == [(2, 2)]
    assert f"Production is back at {second[:7]}" in result.stderr
    result = store.call("rollback", "--to", first)
    assert result.returncode == 0, result.stderr
    assert store.sql(VERSIONS) == [(1, 1)]
    store.deploy(mode="swap")
    assert store.sql(VERSIONS) == [(3, 3)] and store.run()["change"]["value"]["base"]["sha"] == first


@pytest.mark.long_form
def test_L4_two_versions_at_once_and_views_of_others_go_along(pg):
    first, second, third = deployed_versions(pg, 3)
    pg.sql("create schema bi", "create view bi.report as select version from store.totals")
    assert pg.call("rollback", "--to", first).returncode == 0
    assert pg.sql("select max(version) from bi.report") == [(1,)] and pg.sql(VERSIONS) == [(1, 1)]


@pytest.mark.long_form
def test_L4_what_is_not_kept_cannot_be_gone_back_to(duck):
    first = duck.git("rev-parse", "HEAD")
    duck.deploy()
    duck.edit("Two", "apart", "1 as one", "2 as one")
    duck.deploy()
    result = duck.call("rollback", "--to", first)
    assert result.returncode == 2 and "in place" in result.stderr
    result = duck.call("rollback", "--to", "abcdef0")
    assert result.returncode == 2 and first[:7] in result.stderr


@kinds([i * 0.02 for i in range(10)] if ALL else [], [0.05])
def test_L4_K5_killed_in_a_rollback_it_is_all_old_or_all_new(store, kind):
    import subprocess

    first, second = deployed_versions(store, 2)
    child = subprocess.Popen(store.arguments("rollback", "--to", first), cwd=store.repository, env=store.environment,
                             stderr=subprocess.PIPE, text=True)
    for line in child.stderr:
        if "Exchanging" in line:
            break
    time.sleep(kind)
    child.send_signal(signal.SIGKILL)
    child.wait()
    time.sleep(0.5)
    store.let_leases_run_out()
    assert store.sql(VERSIONS)[0] in ((1, 1), (2, 2))
    result = store.call("rollback", "--to", first)
    assert result.returncode == 0, result.stderr
    assert store.sql(VERSIONS) == [(1, 1)]
