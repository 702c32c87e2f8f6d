# SPDX-License-Identifier: Apache-2.0
"""What every kind of store does alike: a folder, versitygw, MinIO."""

import os
import random
import signal
import time

import pytest

from conftest import LONG


def written(tmp_path, size, name="file", seed=1):
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(random.Random(seed).randbytes(size))
    return file


def test_keeps_lists_and_removes(store, tmp_path):
    assert store.run("read", "1/x").ok() == "absent\n"
    assert store.run("list", "1/").ok() == ""
    small = written(tmp_path, 100)
    for key in ("1/runs/b.json", "1/runs/a.json", "1/state/c", "2/x"):
        store.run("put", key, small).ok()
    assert store.run("list", "1/").ok() == "1/runs/a.json 100\n1/runs/b.json 100\n1/state/c 100\n"
    assert store.run("list", "1/runs/a").ok() == "1/runs/a.json 100\n"
    assert store.run("fetch", "1/state/c", tmp_path / "back").ok() == "there\n"
    assert (tmp_path / "back").read_bytes() == small.read_bytes()
    assert store.run("fetch", "1/state/none", tmp_path / "none").ok() == "absent\n"
    store.run("remove", "1/state/c").ok()
    store.run("remove", "1/state/c").ok()
    assert store.run("list", "1/state").ok() == ""


@pytest.mark.parametrize("size", [0, 1, (16 << 20) - 1, 16 << 20, (32 << 20) + 12345])
def test_J3_sizes_around_the_parts_come_back_whole(store, tmp_path, size):
    file = written(tmp_path, size, seed=size)
    store.run("put", "1/big", file).ok()
    assert store.run("list", "1/").ok() == f"1/big {size}\n"
    store.run("fetch", "1/big", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


def test_replaces_an_older_object(store, tmp_path):
    store.run("put", "1/a", written(tmp_path, 10, "one")).ok()
    two = written(tmp_path, 2 << 20, "two", seed=2)
    store.run("put", "1/a", two).ok()
    store.run("fetch", "1/a", tmp_path / "back").ok()
    assert (tmp_path / "back").read_bytes() == two.read_bytes()


def test_J7_conditional_writes(store):
    first = store.run("put-if", "1/current", "one").ok().split()
    assert first[0] == "written"
    assert store.run("put-if", "1/current", "two").ok() == "there already\n"
    assert store.run("put-if", "1/current", "two", '"0123456789abcdef0123456789abcdef"').ok() == "there already\n"
    assert store.run("put-if", "1/none", "two", first[1]).ok() == "there already\n"
    assert store.run("read", "1/current").ok() == f"{first[1]}\none"
    assert store.run("put-if", "1/current", "two", first[1]).ok().startswith("written")
    assert store.run("read", "1/current").ok().endswith("\ntwo")


def test_G5_refuses_what_is_not_a_key(store, tmp_path):
    for key in ("../x", "a//b", "/a", "a b", "a/./b", "x" * 1025, "ä", "a\nb"):
        said = store.run("put", key, written(tmp_path, 1))
        assert said.status == 5, key
        assert "is not a key" in said.err


def test_uploads_a_tree_several_at_once(store, tmp_path):
    tree = tmp_path / "tree"
    for i in range(60):
        written(tree, 1000 * i, f"models/{i}.sql", seed=i)
    store.run("upload", "1/runs/x", tree).ok()
    listed = store.run("list", "1/runs/x/").ok().splitlines()
    assert len(listed) == 60
    assert "1/runs/x/models/59.sql 59000" in listed


class Racer:
    def __init__(self, store, name, key="1/locks/production", ttl=300):
        self.process = store.start("hold", key, name, ttl)
        assert self.line() == "ready"

    def line(self):
        return self.process.stdout.readline().strip()

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def ask(self, text):
        self.say(text)
        return self.line()

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
        assert self.process.stderr.read() == ""
        self.process.stderr.close()


def test_K6_sixteen_racers_one_winner_each_time(store):
    for number in range(1, (10 if LONG else 3) + 1):
        racers = [Racer(store, f"r{i}") for i in range(16)]
        for racer in racers:
            racer.say("go")
        answers = [racer.line() for racer in racers]
        winners = [i for i, answer in enumerate(answers) if answer.startswith("held")]
        assert len(winners) == 1, answers
        assert answers[winners[0]] == f"held {number}"
        losers = {answer for i, answer in enumerate(answers) if i not in winners}
        assert losers == {f"taken by r{winners[0]} {number}"}, "each loser learns the holder"
        for racer in racers:
            racer.end()


def test_K6_a_stopped_holder_is_fenced_off(store):
    holder = Racer(store, "old", ttl=1)
    assert holder.ask("go") == "held 1"
    assert holder.ask("write 1/state/current by-old") == "ok"
    os.kill(holder.process.pid, signal.SIGSTOP)
    try:
        time.sleep(4.5)  # its time, and the grace
        following = Racer(store, "new")
        assert following.ask("go") == "held 2"
        assert following.ask("write 1/state/current by-new") == "ok"
    finally:
        os.kill(holder.process.pid, signal.SIGCONT)
    assert holder.ask("write 1/state/current late") == "refused: deploy of new (new) has it now"
    assert holder.ask("renew").startswith("refused")
    assert store.run("read", "1/state/current").ok().endswith("\nby-new")
    holder.end()
    assert following.ask("renew") == "ok"
    following.end()


def test_K6_a_killed_holder_is_waited_for_no_longer_than_its_time(store):
    """In a folder, which is this machine's alone, not at all."""
    holder = Racer(store, "killed", ttl=2)
    assert holder.ask("go") == "held 1"
    holder.process.kill()
    holder.process.wait()
    in_a_folder = not store.address.startswith("s3://")
    if not in_a_folder:
        at_once = Racer(store, "next")
        assert at_once.ask("go") == "taken by killed 1"
        at_once.end()
        time.sleep(5)
    later = Racer(store, "next")
    assert later.ask("go") == "held 2"
    later.end()
    for stream in (holder.process.stdin, holder.process.stdout, holder.process.stderr):
        stream.close()
