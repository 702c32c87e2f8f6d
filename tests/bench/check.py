# SPDX-License-Identifier: Apache-2.0
"""A whole `offshoot check` of examples/shop on PostgreSQL, against the bare dbt commands that it stands for.

(a) bare    the `dbt build --select state:modified+ --defer --state` that a check contains
(b) script  what one would put into a workflow: parse the base, `dbt ls`, `dbt build`, `sqlfluff lint`

Warm: all have the base's manifest and partial parse. Cold: none has anything, so each makes the base's manifest.
Every round runs each contestant once; the table has medians and ratios.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/scenario"))
from conftest import Postgres  # noqa: E402

CHANGED_MODEL = "models/marts/core/fct_refunds.sql"


class Bench:
    def __init__(self, offshoot, folder):
        self.offshoot = offshoot
        self.folder = folder
        self.shop = folder / "shop"
        self.base = folder / "base"
        self.server = None
        self.environment = dict(os.environ)

    def call(self, *command, cwd=None, ok=(0,)):
        done = subprocess.run([str(part) for part in command], cwd=cwd or self.shop, env=self.environment,
                              capture_output=True, text=True)
        if done.returncode not in ok:
            raise SystemExit(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def git(self, *arguments):
        self.call("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", *arguments)

    def set_up(self):
        data = Path(tempfile.mkdtemp(prefix="offshoot-pg-"))
        self.server = Postgres(str(data))
        self.server.start()
        database = self.server.new_database()
        self.environment |= {
            "SHOP_PG_HOST": "127.0.0.1", "SHOP_PG_PORT": str(self.server.port), "SHOP_PG_USER": self.server.user,
            "SHOP_PG_DBNAME": database, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        files = subprocess.run(["git", "ls-files", "-z", "examples/shop"], cwd=ROOT, capture_output=True, check=True)
        for name in filter(None, files.stdout.decode().split("\0")):
            target = self.shop / Path(name).relative_to("examples/shop")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
        # The linter reads the DuckDB dialect and target of the example; here it lints for PostgreSQL.
        settings = self.shop / ".sqlfluff"
        settings.write_text(settings.read_text().replace("dialect = duckdb", "dialect = postgres")
                            .replace("target = ci", "target = pg_ci"))
        self.git("-c", "init.defaultBranch=main", "init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "base")
        self.call("dbt", "--quiet", "deps")
        self.call("python", "raw/load.py", "--postgres",
                  f"host=127.0.0.1 port={self.server.port} user={self.server.user} dbname={database}")
        self.call("dbt", "--quiet", "build", "--target", "pg_prod")
        self.git("worktree", "add", "--quiet", "--detach", self.base, "main")
        self.git("switch", "--quiet", "--create", "change")
        model = self.shop / CHANGED_MODEL
        model.write_text(model.read_text().replace(
            "    refunds.refunded_amount,\n", "    refunds.refunded_amount,\n    refunds.refunded_amount > 100 as is_large,\n"))
        self.git("commit", "--quiet", "--all", "--message", "change")
        self.call("dbt", "--quiet", "deps", cwd=self.base)

    def tear_down(self):
        if self.server:
            self.server.stop()
            shutil.rmtree(self.server.folder, ignore_errors=True)

    # --- what each contestant starts from

    def forget(self):
        """Cold: no state, no partial parse, no relation of an earlier round."""
        for path in (self.shop / ".offshoot", self.shop / "target", self.base / "target", self.folder / "state"):
            shutil.rmtree(path, ignore_errors=True)
        self.drop_branches()

    def drop_branches(self):
        rows = self.server.run("select nspname from pg_namespace where nspname ~ '^(offshoot_|ci)'",
                               self.environment["SHOP_PG_DBNAME"])
        for (name,) in rows:
            self.server.run(f'drop schema "{name}" cascade', self.environment["SHOP_PG_DBNAME"])

    def make_base_manifest(self):
        self.call("dbt", "--quiet", "parse", "--target", "pg_prod", cwd=self.base)
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        shutil.copyfile(self.base / "target/manifest.json", state / "manifest.json")

    def make_partial_parse(self):
        """The base's partial parse for the head's target, as a cache would bring it."""
        self.call("dbt", "--quiet", "parse", "--target", "pg_ci", cwd=self.base)
        (self.shop / "target").mkdir(exist_ok=True)
        shutil.copyfile(self.base / "target/partial_parse.msgpack", self.shop / "target/partial_parse.msgpack")

    def make_state(self, kind):
        self.forget()
        if kind == "cold":
            return
        self.make_base_manifest()
        self.make_partial_parse()

    # --- the contestants

    def run_offshoot(self, kind, lint):
        arguments = ["check", "--base", "main", "--target", "pg_ci", "--production", "pg_prod"]
        return self.call(self.offshoot, *arguments, *([] if lint else ["--no-lint"]))

    def run_bare(self, kind, lint):
        if kind == "cold":
            self.make_base_manifest()
        self.call("dbt", "--quiet", "build", "--target", "pg_ci", "--select", "state:modified+", "--defer",
                  "--state", self.folder / "state")
        if lint:
            self.call("sqlfluff", "lint", CHANGED_MODEL)

    def run_script(self, kind, lint):
        self.make_base_manifest()
        self.call("dbt", "ls", "--target", "pg_ci", "--select", "state:modified+", "--state", self.folder / "state")
        self.call("dbt", "build", "--target", "pg_ci", "--select", "state:modified+", "--defer", "--state",
                  self.folder / "state")
        if lint:
            self.call("sqlfluff", "lint", CHANGED_MODEL)

    def time(self, contestant, kind, lint):
        self.make_state(kind)
        if contestant == "offshoot" and kind == "warm":
            self.run_offshoot(kind, lint=False)  # fills the store with the base's state
            self.drop_branches()
        start = time.perf_counter()
        getattr(self, f"run_{contestant}")(kind, lint)
        return time.perf_counter() - start

    def stages(self):
        newest = max((self.shop / ".offshoot").glob("*/runs/*/*/run.json"))
        run = json.loads(newest.read_text())
        return {entry["stage"]: entry["seconds"] for entry in run["times"]} | {"whole": run["seconds"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offshoot", required=True)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    contestants = ["offshoot", "bare", "script"]
    with tempfile.TemporaryDirectory(prefix="offshoot-bench-") as folder:
        bench = Bench(arguments.offshoot, Path(folder))
        try:
            bench.set_up()
            print("| | lint | offshoot s | (a) bare s | (b) script s | offshoot / a | offshoot / b |")
            print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
            stages = {}
            for kind in ("warm", "cold"):
                for lint in (False, True):
                    seconds = {name: [] for name in contestants}
                    for _ in range(arguments.runs):
                        for name in contestants:
                            seconds[name].append(bench.time(name, kind, lint))
                            if name == "offshoot":
                                for stage, value in bench.stages().items():
                                    stages.setdefault((kind, lint), {}).setdefault(stage, []).append(value)
                    a, b, c = (statistics.median(seconds[name]) for name in contestants)
                    print(f"| {kind} | {'on' if lint else 'off'} | {a:.1f} | {b:.1f} | {c:.1f} | {a / b:.2f} | {a / c:.2f} |",
                          flush=True)
            print("\nWhere offshoot's time goes (medians, seconds):\n")
            for (kind, lint), values in stages.items():
                parts = ", ".join(f"{stage} {statistics.median(times):.2f}" for stage, times in values.items())
                print(f"- {kind}, lint {'on' if lint else 'off'}: {parts}")
        finally:
            bench.tear_down()


if __name__ == "__main__":
    main()
