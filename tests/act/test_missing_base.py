# SPDX-License-Identifier: Apache-2.0
"""F2: actions/checkout takes one commit unless it is told otherwise. The base that is then missing is fetched."""

import pytest

from conftest import REPOSITORY_ID, changed, git
from git_server import GitServer

TOKEN = "ghs_canary0815"


@pytest.fixture
def server(shop):
    started = GitServer(shop.origin, TOKEN)
    yield started
    started.stop()


def told(done):
    """What a person reads: not the commands that hide the token."""
    return "".join(line for line in (done.stdout + done.stderr).splitlines(True) if not line.startswith("::add-mask::"))


def plan(shop, server, clone, payload=None, event="pull_request", **variables):
    return shop.run(event, payload or shop.pull_request("opened"), clone, command="plan",
                    **({"GITHUB_SERVER_URL": server.url, "GITHUB_TOKEN": TOKEN} | variables))


def test_F2_a_missing_base_is_fetched_with_the_job_s_token(shop, server):
    shop.push(changed())
    clone = shop.clone(depth=1)
    refs = git(clone, "for-each-ref")
    done = plan(shop, server, clone)
    assert done.returncode == 0, done.stderr
    assert f"the clone lacks the base {shop.base[:12]}: fetching it" in done.stderr
    assert "dim_customers" in done.stdout + done.stderr
    assert [right for _, _, right in server.asked] and all(right for _, _, right in server.asked)
    # One commit with its files, and no ref or setting is another one now.
    assert git(clone, "cat-file", "-t", shop.base) == "commit"
    assert git(clone, "for-each-ref") == refs
    assert not (clone / ".git/FETCH_HEAD").exists() or shop.base not in (clone / ".git/FETCH_HEAD").read_text()
    assert TOKEN not in told(done)

    again = len(server.asked)
    assert plan(shop, server, clone).returncode == 0
    assert len(server.asked) == again, "what is there is not fetched again"


def test_F2_the_whole_check_goes_on_from_there(shop, server):
    shop.push(changed())
    clone = shop.clone(depth=1)
    done = shop.run("pull_request", shop.pull_request("opened"), clone, GITHUB_SERVER_URL=server.url, GITHUB_TOKEN=TOKEN,
                    GITHUB_API_URL="http://127.0.0.1:9", OFFSHOOT_GITHUB_CHECKS="off", OFFSHOOT_GITHUB_DEPLOYMENTS="off", OFFSHOOT_COMMENT_WHEN="never")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("fetching it") == 1
    assert shop.last_run(clone)["change"]["value"]["base"]["sha"] == shop.base


def test_F2_F4_no_setting_and_no_hook_has_a_say(shop, server, tmp_path):
    shop.push(changed())
    clone = shop.clone(depth=1)
    mark = tmp_path / "ran"
    hook = tmp_path / "hooks/reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\necho hook >> {mark}\n")
    hook.chmod(0o755)
    run = f"!echo setting >> {mark}; false"
    hostile = {"core.hooksPath": str(hook.parent), "core.fsmonitor": f"echo monitor >> {mark}", "credential.helper": run,
               "core.alternateRefsCommand": f"echo refs >> {mark}", "url.http://127.0.0.1:9/.insteadOf": server.url + "/",
               "http.proxy": "http://127.0.0.1:9", "core.askPass": "/nowhere"}
    for name, value in hostile.items():
        git(clone, "config", name, value)
    (shop.home / ".gitconfig").write_text(f'[core]\n\thooksPath = {hook.parent}\n[url "http://127.0.0.1:9/"]\n\tinsteadOf = {server.url}/\n')
    done = plan(shop, server, clone)
    assert done.returncode == 0, done.stderr
    assert not mark.exists(), mark.read_text()


@pytest.mark.parametrize("trouble", ["token", "server", "no git", "no token"])
def test_F2_what_cannot_be_fetched_ends_with_status_2_and_names_fetch_depth(shop, server, trouble):
    shop.push(changed())
    variables = {"token": {"GITHUB_TOKEN": "ghs_wrong"}, "server": {"GITHUB_SERVER_URL": "http://127.0.0.1:9"},
                 "no git": {"PATH": "/nowhere"}, "no token": {"GITHUB_TOKEN": None}}[trouble]
    done = plan(shop, server, shop.clone(depth=1), **variables)
    assert done.returncode == 2, done.stderr
    assert "fetch-depth: 2" in done.stderr
    assert TOKEN not in told(done) and "ghs_wrong" not in told(done)
    assert "the server refused the token" in done.stderr or trouble != "token"


def test_F2_A2_nothing_is_fetched_for_a_fork_or_for_another_head(shop, server):
    shop.push(changed())
    fork = shop.pull_request("opened", pull_request={"head": {"repo": {"id": REPOSITORY_ID + 1, "full_name": "eve/shop"}}})
    other = shop.pull_request("opened", pull_request={"head": {"sha": "0" * 40}})
    for payload, event in ((fork, "pull_request"), (fork, "pull_request_target"), (other, "pull_request"), (None, "pull_request_target")):
        done = plan(shop, server, shop.clone(depth=1), payload, event)
        assert done.returncode in (2, 5), done.stderr
    assert server.asked == []


def test_F2_a_token_is_not_sent_in_the_clear(shop, server):
    """Another machine that speaks no TLS is not asked."""
    shop.push(changed())
    done = plan(shop, server, shop.clone(depth=1), GITHUB_SERVER_URL=server.url.replace("127.0.0.1", "localhost"))
    assert done.returncode == 2, done.stderr
    assert "does not speak TLS" in done.stderr
    assert server.asked == []
