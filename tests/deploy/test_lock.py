# SPDX-License-Identifier: Apache-2.0
"""One at a time, and who was overtaken writes nothing: the leases of production and of branches. K6, K7 and E3 of the
requirements."""

import os
import signal
import subprocess
import threading
import time

import pytest

from conftest import ALL

VERSIONS = "select (select max(version) from store.orders), (select max(version) from store.totals)"


def next_version(store, number):
    return store.edit(f"Version {number}", "orders", f"{number - 1} as version", f"{number} as version")


class Deploying:
    """A deploy or another command under way in a clone of its own, with what it has said so far."""

    def __init__(self, store, *more, command="deploy", mode=None):
        self.store = store
        self.child = subprocess.Popen(store.arguments(command, *more, mode=mode), cwd=store.repository, env=store.environment,
                                      stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.said = []
        self.reader = threading.Thread(target=lambda: self.said.extend(iter(self.child.stderr.readline, "")))
        self.reader.start()

    def until(self, words, seconds=60):
        end = time.monotonic() + seconds
        while not any(words in line for line in self.said):
            assert time.monotonic() < end and self.child.poll() is None, f"never said '{words}':\n{''.join(self.said)}"
            time.sleep(0.01)
        return self

    def processes(self):
        """offshoot and everything it has started, parents first."""
        found = [self.child.pid]
        for pid in found:
            found += [int(one) for one in subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()]
        return found

    def signal(self, number, everything=False):
        for pid in self.processes() if everything else [self.child.pid]:
            os.kill(pid, number)

    def end(self, seconds=120):
        status = self.child.wait(seconds)
        self.reader.join()
        return status, "".join(self.said)


def test_K6_a_deploy_waits_for_another_and_goes_on_by_itself(duck):
    duck.deploy()
    next_version(duck, 2)
    first = Deploying(duck.clone("first")).until("Building")
    first.signal(signal.SIGSTOP, everything=True)
    next_version(duck, 3)
    second = Deploying(duck.clone("second")).until("Waiting for the deploy of")
    back = Deploying(duck, "--to", "abcdef0", command="rollback").until("Waiting for the deploy of")
    back.signal(signal.SIGINT)
    assert back.end()[0] == 130
    first.signal(signal.SIGCONT, everything=True)
    assert first.end()[0] == 0
    status, said = second.end()
    assert status == 0, said
    assert duck.sql(VERSIONS) == [(3, 3)]
    deployed = [run for run in duck.runs() if run["deployment"]["state"] == "finished"]
    assert [one["subject"] for one in deployed[-1]["deployment"]["value"]["contains"]] == ["Version 3"]


def test_K7_of_two_merges_that_wait_the_newer_is_deployed_and_names_both(duck):
    duck.deploy()
    next_version(duck, 2)
    running = Deploying(duck.clone("running")).until("Building")
    running.signal(signal.SIGSTOP, everything=True)
    next_version(duck, 3)
    older = Deploying(duck.clone("older")).until("Waiting for the deploy of")
    next_version(duck, 4)
    newer = Deploying(duck.clone("newer")).until("Waiting for the deploy of")
    running.signal(signal.SIGCONT, everything=True)
    assert running.end()[0] == 0
    status, said = older.end()
    assert status == 0 and ("is superseded" in said or "already contained" in said), said
    status, said = newer.end()
    assert status == 0 and "Version 3" in said and "Version 4" in said, said
    assert duck.sql(VERSIONS) == [(4, 4)]
    deployed = [run for run in duck.runs() if run["deployment"]["state"] == "finished"]
    assert [run["deployment"]["value"]["contains"][0]["subject"] for run in deployed] == ["Begin", "Version 2", "Version 4"]


def test_K7_an_older_commit_never_replaces_a_newer_one_that_its_clone_does_not_hold(duck):
    next_version(duck, 2)
    older = duck.clone("older")
    next_version(duck, 3)
    duck.clone("newer").deploy()
    assert "already contained" in older.deploy().stderr
    assert duck.sql(VERSIONS) == [(3, 3)]


def test_K6_after_kill_9_the_next_deploy_on_this_machine_does_not_wait(duck):
    duck.deploy()
    next_version(duck, 2)
    killed = Deploying(duck.clone("killed")).until("Building")
    killed.signal(signal.SIGKILL)
    killed.end()
    begun = time.monotonic()
    result = duck.deploy()
    assert "Waiting for" not in result.stderr and time.monotonic() - begun < 120
    assert duck.sql(VERSIONS) == [(2, 2)]


@pytest.mark.parametrize(("store", "kind"), [("duckdb", "Building"), ("postgres", "Exchanging")]
                         + [("postgres", "Building")] * ALL, indirect=["store"])
def test_K6_who_was_stopped_and_overtaken_exchanges_nothing(store, kind):
    store.deploy(mode="swap")
    next_version(store, 2)
    stopped = Deploying(store.clone("stopped"), mode="swap").until(kind)
    stopped.signal(signal.SIGSTOP, everything=True)
    store.let_leases_run_out()
    next_version(store, 3)
    store.clone("overtaking").deploy(mode="swap")
    assert store.sql(VERSIONS) == [(3, 3)]
    before, pointer = store.catalog() if store.postgres else store.fingerprint(), store.pointer().read_text()
    stopped.signal(signal.SIGCONT, everything=True)
    status, said = stopped.end()
    assert status == 4, said
    assert store.sql(VERSIONS) == [(3, 3)]
    assert (store.catalog() if store.postgres else store.fingerprint()) == before
    assert store.pointer().read_text() == pointer
    assert "already contained" in store.deploy(mode="swap").stderr


@pytest.mark.long_form
def test_K6_who_is_stopped_about_the_exchange_of_a_file_never_undoes_another_deploy(duck):
    """The exchange holds the lock of the store's folder, so that nobody comes between the fence and the rename: stopped
    inside it, it makes the next one refuse; before it, it is overtaken and ends so; behind it, both have deployed."""
    duck.deploy(mode="swap")
    next_version(duck, 2)
    stopped = Deploying(duck.clone("stopped"), mode="swap").until("Exchanging")
    stopped.signal(signal.SIGSTOP, everything=True)
    duck.let_leases_run_out()
    next_version(duck, 3)
    next_one = duck.clone("next").call("deploy", mode="swap")
    stopped.signal(signal.SIGCONT, everything=True)
    status, said = stopped.end()
    assert sorted([status, next_one.returncode]) in ([0, 4], [0, 0]), said + next_one.stderr
    brought = 3 if next_one.returncode == 0 else 2
    assert duck.sql(VERSIONS) == [(brought, brought)]
    duck.deploy(mode="swap")
    assert duck.sql(VERSIONS) == [(3, 3)]


@pytest.mark.long_form
def test_K6_what_was_built_in_place_after_the_lease_was_lost_is_built_again(pg):
    pg.deploy()
    pg.edit("Slow", "apart", "1 as one", "2 as one, pg_sleep(3)::text as slept")
    stopped = Deploying(pg.clone("stopped")).until("Building")
    stopped.signal(signal.SIGSTOP)  # dbt goes on building
    pg.let_leases_run_out()
    pg.edit("Other", "totals", "sum(orders.amount)", "min(orders.amount)")
    pg.clone("overtaking").deploy()
    stopped.signal(signal.SIGCONT)
    status, said = stopped.end()
    assert status == 4 and "production" in said, said
    pg.deploy()
    assert "apart" in pg.planned()
    assert "already contained" in pg.deploy().stderr


CHECK = ["--base", "main", "--no-lint"]


def stopped_check(store, everything=True):
    """A check of a feature branch, stopped while it builds."""
    store.deploy()
    store.git("switch", "--quiet", "--create", "feature")
    next_version(store, 2)
    check = Deploying(store, *CHECK, command="check").until("Building")
    check.signal(signal.SIGSTOP, everything=everything)
    return check


def test_E3_6_clean_waits_for_the_check_that_builds_in_the_branch(pg):
    check = stopped_check(pg)
    branch = pg.leftovers()
    assert branch, "the check has made its schemas"
    cleaning = Deploying(pg, command="clean").until("Waiting for the check of")
    assert pg.leftovers() == branch and cleaning.child.poll() is None
    check.signal(signal.SIGCONT, everything=True)
    status, said = check.end()
    assert status == 0, said
    status, said = cleaning.end()
    assert status == 0 and "dropped offshoot_b_feature" in said, said
    assert pg.leftovers() == []


def test_E3_6_a_clean_of_many_leaves_the_branch_that_is_built(pg):
    pg.git("switch", "--quiet", "--create", "other")
    next_version(pg, 2)
    assert pg.call("check", *CHECK).returncode == 0
    other = pg.leftovers()
    pg.git("switch", "--quiet", "main")
    check = stopped_check(pg)
    branch = [name for name in pg.leftovers() if name not in other]
    result = pg.call("clean", "--all")
    assert result.returncode == 4 and "check of" in result.stderr, result.stderr
    assert "dropped offshoot_b_other" in result.stderr
    assert pg.leftovers() == branch
    # The lease of a check that has surely ended keeps nobody.
    check.signal(signal.SIGKILL, everything=True)
    check.end()
    result = pg.call("clean", "--all")
    assert result.returncode == 0 and "Waiting for" not in result.stderr, result.stderr
    assert pg.leftovers() == []


def test_E3_6_of_two_cleans_that_wait_one_finds_nothing_left(pg):
    check = stopped_check(pg)
    cleaning = [Deploying(pg, command="clean").until("Waiting for the check of") for _ in range(2)]
    check.signal(signal.SIGCONT, everything=True)
    assert check.end()[0] == 0
    ended = [clean.end() for clean in cleaning]
    assert [status for status, _ in ended] == [0, 0], ended
    assert sorted("nothing to drop" in said for _, said in ended) == [False, True], ended
    assert pg.leftovers() == []


def test_E3_6_a_check_that_was_overtaken_by_clean_does_not_pass(pg):
    check = stopped_check(pg, everything=False)
    pg.let_leases_run_out()
    result = pg.call("clean")
    assert result.returncode == 0 and "dropped offshoot_b_feature" in result.stderr, result.stderr
    check.signal(signal.SIGCONT)
    status, said = check.end()
    assert status == 4 and "building in the branch offshoot_b_feature" in said, said


def test_K6_two_checks_of_one_branch_build_one_after_the_other(store):
    first = stopped_check(store)
    second = Deploying(store, *CHECK, command="check").until("Waiting for the check of")
    first.signal(signal.SIGCONT, everything=True)
    for check in (first, second):
        status, said = check.end()
        assert status == 0, said
