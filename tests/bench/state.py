# SPDX-License-Identifier: Apache-2.0
"""Comparing two manifests of synthetic projects, and what one waits for a plan, against dbt doing the same.

(a) load and compare two manifests: offshoot's code in one process, dbt's own classes in another; neither start counts
(b) `offshoot state`, a whole process, against `dbt ls --select state:modified+ --state` less `dbt parse`, both with a
    warm partial parse: what dbt takes to load the state, to select and to print
(c) from a checkout to the printed plan: `offshoot plan` against `dbt ls`. Warm: both have the base's state and partial
    parse. Cold: neither has anything, so each parses the base as well
Beside them: simdjson reading the same two files, peak memory, and how time grows with the project.

Made projects and manifests stay in build/bench/, so that only the first run parses them. Medians; wall clock, and
processor time in brackets, which tells more on a machine that does other things as well. Ends with status 1 where a
limit is missed.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import synthetic

ROOT = Path(__file__).resolve().parents[2]
SELECT = ["--select", "state:modified+"]


@dataclass
class Cost:
    """What one child took. Its own processor time is that without the children it waited for."""
    seconds: float
    cpu: float
    own_cpu: float
    peak_kib: int
    output: str

    @staticmethod
    def of(*command, cwd=None):
        start = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], cwd=cwd, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        output, errors = child.stdout.read(), child.stderr.read()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.perf_counter() - start
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{command} ended with {child.returncode}\n{output}\n{errors}")
        return Cost(seconds, usage.ru_utime + usage.ru_stime, own, usage.ru_maxrss, output)


@dataclass
class Median:
    seconds: float
    cpu: float

    @staticmethod
    def of(costs):
        return Median(statistics.median(c.seconds for c in costs), statistics.median(c.cpu for c in costs))

    def __sub__(self, other):
        return Median(self.seconds - other.seconds, self.cpu - other.cpu)

    def over(self, other):
        return f"{self.seconds / other.seconds:.1f} ({self.cpu / other.cpu:.1f})"

    def __str__(self):
        digits = 3 if self.seconds < 10 else 1
        return f"{self.seconds:.{digits}f} ({self.cpu:.{digits}f})"


class Project:
    """One size of the synthetic project: base, head, and a git repository of both."""

    def __init__(self, models):
        recipe = (ROOT / "tests/bench/synthetic.py").read_bytes() + (ROOT / "ci/python/requirements.txt").read_bytes()
        self.models = models
        self.folder = ROOT / "build/bench" / f"state-{hashlib.sha256(recipe).hexdigest()[:12]}" / str(models)
        self.base, self.head, self.repository = (self.folder / name for name in ("base", "head", "repository"))
        self.base_manifest, self.head_manifest = (side / "target/manifest.json" for side in (self.base, self.head))

    def make(self):
        if (self.folder / "made").exists():
            return
        print(f"making the project of {self.models} models", file=sys.stderr, flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        for side in (self.base, self.head):
            synthetic.write(side, self.models)
        synthetic.change(self.head, self.models)
        for side in (self.base, self.head):
            dbt("parse", cwd=side)
        git = ["git", "-C", self.repository, "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        synthetic.write(self.repository, self.models)
        (self.repository / ".gitignore").write_text("target/\nlogs/\n")
        Cost.of(*git, "init", "--quiet", "--initial-branch=main")
        Cost.of(*git, "add", "--all")
        Cost.of(*git, "commit", "--quiet", "--message", "base")
        Cost.of(*git, "switch", "--quiet", "--create", "change")
        synthetic.change(self.repository, self.models)
        Cost.of(*git, "add", "--all")
        Cost.of(*git, "commit", "--quiet", "--message", "head")
        (self.folder / "made").touch()

    def megabytes(self):
        return max(side.stat().st_size for side in (self.base_manifest, self.head_manifest)) / 1e6


def dbt(*arguments, cwd):
    return Cost.of("dbt", "--quiet", *arguments, "--profiles-dir", ".", cwd=cwd)


def forget(project, *names):
    for name in names:
        shutil.rmtree(project.repository / name, ignore_errors=True)


class Bench:
    def __init__(self, offshoot, runs, cold_runs):
        self.offshoot = Path(offshoot).resolve()
        self.reader = self.offshoot.parent / "tests/bench/bench_state"
        self.runs = runs
        self.cold_runs = cold_runs
        self.missed = []

    def limit(self, what, holds):
        print(f"  {'holds ' if holds else 'MISSED'}  {what}", flush=True)
        if not holds:
            self.missed.append(what)

    def in_process(self, project):
        """Medians by name, in seconds, of the benchmarks in state_bench.cpp."""
        flags = [f"--benchmark_repetitions={self.runs}", "--benchmark_min_time=0.2", "--benchmark_format=json",
                 "--benchmark_report_aggregates_only=true", "--benchmark_enable_random_interleaving=true"]
        found = Cost.of(self.reader, project.base_manifest, project.head_manifest, *flags)
        return {one["run_name"].split("/")[0]: Median(one["real_time"] / 1e3, one["cpu_time"] / 1e3)
                for one in json.loads(found.output)["benchmarks"] if one.get("aggregate_name", "median") == "median"}

    def dbt_in_process(self, project):
        found = []
        for _ in range(self.runs):
            cost = Cost.of(sys.executable, ROOT / "tests/bench/state_dbt.py", project.base / "target",
                           project.head_manifest, project.head)
            found.append(json.loads(cost.output))
        return Median(*(statistics.median(one[key] for one in found) for key in ("seconds", "cpu")))

    def processes(self, project):
        """Medians of offshoot state, dbt ls and dbt parse, taken in turns; and offshoot's peak memory in MB."""
        state, ls, parse = [], [], []
        for _ in range(self.runs):
            for _ in range(5):
                state.append(Cost.of(self.offshoot, "state", "--base", project.base_manifest, "--head",
                                     project.head_manifest))
            parse.append(dbt("parse", cwd=project.head))
            ls.append(dbt("ls", *SELECT, "--state", project.base / "target", cwd=project.head))
        ours, theirs = sorted(state[0].output.split()), sorted(ls[0].output.split())
        if len(ours) != len(theirs):
            raise SystemExit(f"offshoot selects {len(ours)} nodes and dbt {len(theirs)}")
        return Median.of(state), Median.of(ls) - Median.of(parse), max(one.peak_kib for one in state) / 1e3

    def warm_plans(self, project):
        forget(project, ".offshoot", "target")
        Cost.of(self.offshoot, "plan", "--base", "main", cwd=project.repository)  # fills the store
        plans, lists = [], []
        for _ in range(self.runs):
            plans.append(Cost.of(self.offshoot, "plan", "--base", "main", cwd=project.repository))
            forget(project, "target")
            (project.repository / "target").mkdir()
            name = "target/partial_parse.msgpack"
            shutil.copyfile(project.base / name, project.repository / name)
            lists.append(dbt("ls", *SELECT, "--state", project.base / "target", cwd=project.repository))
        return plans, lists

    def cold_plans(self, project):
        plans, lists = [], []
        for _ in range(self.cold_runs):
            forget(project, ".offshoot", "target")
            plans.append(Cost.of(self.offshoot, "plan", "--base", "main", cwd=project.repository))
            forget(project, "target")
            worktree = project.folder / "base-of-dbt"
            start = Cost.of("git", "worktree", "add", "--quiet", "--detach", worktree, "main", cwd=project.repository)
            parse = dbt("parse", cwd=worktree)
            ls = dbt("ls", *SELECT, "--state", worktree / "target", cwd=project.repository)
            Cost.of("git", "worktree", "remove", "--force", worktree, cwd=project.repository)
            lists.append(Cost(start.seconds + parse.seconds + ls.seconds, start.cpu + parse.cpu + ls.cpu, 0, 0, ""))
        return plans, lists

    def measure(self, project):
        project.make()
        print(f"\n### {project.models} models: manifests of {project.megabytes():.0f} MB; load of the machine before "
              f"{os.getloadavg()[0]:.1f}\n\n| | offshoot s | dbt s | dbt / offshoot |\n| --- | ---: | ---: | ---: |",
              flush=True)

        def row(name, ours, theirs):
            print(f"| {name} | {ours} | {theirs} | {theirs.over(ours)} |", flush=True)

        native = self.in_process(project)
        a = native["load_and_compare"], self.dbt_in_process(project)
        row("(a) load and compare", *a)
        state, selection, peak = self.processes(project)
        row("(b) state", state, selection)
        plans, lists = self.warm_plans(project)
        row("(c) plan, warm", Median.of(plans), Median.of(lists))
        own = statistics.median(one.own_cpu for one in plans)
        if self.cold_runs:
            cold = self.cold_plans(project)
            row("(c) plan, cold", *(Median.of(costs) for costs in cold))

        reading = min((native[name] for name in ("simdjson_dom", "simdjson_on_demand")), key=lambda one: one.seconds)
        print(f"\n- simdjson reads both files in {reading} s; `offshoot state` takes {state.over(reading)} times that"
              f"\n- peak memory of `offshoot state`: {peak:.0f} MB, {peak / project.megabytes():.2f} times the larger"
              f"\n- offshoot's own processor time in a warm plan: {own:.2f} s\n", flush=True)
        self.limit("(a) at least 20 times faster", a[1].seconds >= 20 * a[0].seconds)
        self.limit("(b) at least 50 times faster", selection.seconds >= 50 * state.seconds)
        if project.models >= 10_000:
            self.limit("(b) under 0.5 s", state.seconds < 0.5)
            self.limit("(b) within 3 times of simdjson reading the same bytes", state.seconds <= 3 * reading.seconds)
            self.limit("peak memory under 3 times the larger file", peak < 3 * project.megabytes())
            self.limit("offshoot's own part of a plan at most 1 s", own <= 1)
        return state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offshoot", required=True)
    parser.add_argument("--models", default="500,2000,10000", help="sizes, smallest first; default: %(default)s")
    parser.add_argument("--runs", type=int, default=5, help="rounds of each figure; default: %(default)s")
    parser.add_argument("--cold-runs", type=int, default=1, help="rounds of the cold plan; default: %(default)s")
    arguments = parser.parse_args()
    bench = Bench(arguments.offshoot, arguments.runs, arguments.cold_runs)
    projects = [Project(int(models)) for models in arguments.models.split(",")]
    states = [bench.measure(project) for project in projects]
    if len(projects) > 1:
        bytes_grow = projects[-1].megabytes() / projects[0].megabytes()
        time_grows = states[-1].seconds / states[0].seconds
        print(f"\nFrom {projects[0].models} to {projects[-1].models} models: {bytes_grow:.1f} times the bytes, "
              f"{time_grows:.1f} times the time of `offshoot state`\n")
        bench.limit("(b) grows at most linearly", time_grows <= bytes_grow)
    if bench.missed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
