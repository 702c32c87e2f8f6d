# SPDX-License-Identifier: Apache-2.0
"""Takes each guard of guards.yml out of a copy of the source, one at a time, and demands that the tests notice.

usage: run.py [--check] [--junitxml FILE] [--results FILE] [WORD…]
  WORD         only guards whose requirement, file or words hold it, such as E3 or lease.cpp
  --check      only that each guard stands where the table says
  --junitxml   what the result is written to for ci/test
  --results    the table of what noticed which guard, to be brought up to date
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as tree
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build/guards"
COPY = WORK / "source"
BUILD = WORK / "build"
PATIENCE = 240  # seconds for the tests of one guard; a guard without which they do not end is noticed, too


class Broken(Exception):
    """The table or the tests are wrong: nothing can be said of a guard."""


@dataclass(frozen=True)
class Guard:
    guard: str
    requirement: str
    file: str
    text: str
    tests: str
    without: str = ""

    @property
    def name(self):
        return f"{self.requirement}: {self.guard}"

    def line(self):
        """Where it stands; the text must be there exactly once."""
        source = (ROOT / self.file).read_text()
        if source.count(self.text) != 1:
            raise Broken(f"'{self.name}': its text is in {self.file} {source.count(self.text)} times, not once; mend guards.yml")
        return source[: source.index(self.text)].count("\n") + 1


def table():
    guards = [Guard(**row) for row in yaml.safe_load((HERE / "guards.yml").read_text())]
    for guard in guards:
        guard.line()
        if not re.fullmatch(r"(unit_\w+|session|deploy|store|act) .+", guard.tests):
            raise Broken(f"'{guard.name}': '{guard.tests}' names no tests")
    return guards


def run(command, cwd=None, env=None, timeout=None):
    """What a program ends with and says. After `timeout` seconds it is ended with all that it has started."""
    with subprocess.Popen([str(part) for part in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True) as child:
        try:
            said, _ = child.communicate(timeout=timeout)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, child.returncode, said)


def copy_source():
    """The files of git as they are in the work tree, so that what did not change is not compiled again."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
    if listed.returncode != 0:
        raise Broken(f"git does not list the files: {listed.stdout}")
    names = {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()}
    for name in names:
        source, target = ROOT / name, COPY / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in COPY.rglob("*.[ch]pp"):
        if path.relative_to(COPY).as_posix() not in names:
            path.unlink()
    for link in (".venv", ".tools"):
        if not (COPY / link).exists() and (ROOT / link).exists():
            (COPY / link).symlink_to((ROOT / link).resolve())


def configure():
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    done = run(["cmake", "-S", COPY, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0",
                "-DCMAKE_CXX_COMPILER=clang++-19", "-DOFFSHOOT_TESTS=ON", *launcher])
    if done.returncode != 0:
        raise Broken(f"the copy cannot be configured:\n{done.stdout}")


def build(tests):
    """Builds what these tests need."""
    suite = tests.split()[0]
    needed = {"session": [], "act": [], "deploy": ["offshoot"], "store": ["store_tool"]}.get(suite, [suite])
    if not needed:
        return
    done = run(["cmake", "--build", BUILD, "--target", *needed])
    if done.returncode != 0:
        raise Broken("it does not compile:\n" + done.stdout[-4000:])


def results_of_gtest(file):
    """As JSON: what failing tests print need be no characters of XML."""
    suites = json.loads(file.read_text(errors="replace"))["testsuites"]
    cases = [case for suite in suites for case in suite["testsuite"]]
    return {f"{case['classname']}.{case['name']}": not case.get("failures") for case in cases if case["result"] == "COMPLETED"}


def results_of_pytest(file, tests):
    found = {}
    for case in tree.parse(file).getroot().iter("testcase"):
        if (error := case.find("error")) is not None:
            raise Broken(f"'{tests}' could not run: {error.text}")
        if case.find("skipped") is None:
            found[case.get("name")] = case.find("failure") is None
    return found


def ended(tests):
    """{test: whether it passed} after running these tests; a program that crashed or did not end failed in that."""
    suite, _, what = tests.partition(" ")
    of_gtest = suite.startswith("unit_")
    result = WORK / ("result.json" if of_gtest else "result.xml")
    result.unlink(missing_ok=True)
    if of_gtest:
        command = [BUILD / "tests" / suite, f"--gtest_filter={what}", f"--gtest_output=json:{result}"]
    else:
        command = [COPY / ".venv/bin/pytest", "-q", "-x", "-p", "no:cacheprovider", f"--junitxml={result}"]
        command += [COPY / "tests" / suite / word if word.endswith(".py") else word for word in shlex.split(what)]
    environment = os.environ | {"OFFSHOOT": str(BUILD / "offshoot"), "STORE_TOOL": str(BUILD / "store_tool"),
                                "OFFSHOOT_TEST_ALL": "yes" if suite == "deploy" else "no"}
    try:
        done = run(command, cwd=COPY, env=environment, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {f"no end within {PATIENCE} s": False}
    if not result.is_file():
        if of_gtest and done.returncode < 0:
            return {f"ended by signal {-done.returncode}": False}
        raise Broken(f"'{tests}' ended with {done.returncode} and no result:\n{done.stdout[-2000:]}")
    found = results_of_gtest(result) if of_gtest else results_of_pytest(result, tests)
    if not found:
        raise Broken(f"'{tests}' runs no test")
    return found


def try_without(guard):
    """The tests that notice that the guard is gone."""
    file = COPY / guard.file
    whole = file.read_text()
    file.write_text(whole.replace(guard.text, guard.without))
    try:
        build(guard.tests)
        return [name for name, passed in ended(guard.tests).items() if not passed]
    finally:
        file.write_text(whole)


def require_passing(tests):
    """With all guards in place the tests pass: else their failing would say nothing."""
    build(tests)
    failing = [name for name, passed in ended(tests).items() if not passed]
    if failing:
        raise Broken(f"'{tests}' fails with every guard in place, so it can notice nothing: {', '.join(failing)}")


def write_junit(file, outcomes):
    suite = tree.Element("testsuite", name="guards")
    for guard, caught, why in outcomes:
        case = tree.SubElement(suite, "testcase", classname="guards", name=guard.name)
        if not caught:
            tree.SubElement(case, "failure", message=why)
    tree.ElementTree(suite).write(file)


def write_results(file, guards, outcomes):
    """The table of what noticed what. Rows of guards that were not tried this time stay as they were."""
    when = time.strftime("%Y-%m-%d", time.gmtime()) + " " + run(["git", "describe", "--always", "--dirty"], cwd=ROOT).stdout.strip()
    known = {}
    for row in Path(file).read_text().splitlines() if Path(file).exists() else []:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        if len(cells) == 5:
            known[cells[0], cells[1]] = (cells[3], cells[4])
    for guard, caught, why in outcomes:
        noticed = ", ".join(f"`{name}`" for name in caught) or f"**nothing**: {why.splitlines()[0]}"
        known[cell(guard.requirement), cell(guard.guard)] = (cell(noticed), when)
    lines = ["# Guards taken out, one at a time", "",
             "Written by `ci/guards --all`; which line is which guard, and what stands there instead, is in `tests/guards/guards.yml`.", "",
             "| requirement | guard | where | noticed by | when |", "| --- | --- | --- | --- | --- |"]
    for guard in guards:
        noticed, at = known.get((cell(guard.requirement), cell(guard.guard)), ("not tried", ""))
        lines.append(f"| {cell(guard.requirement)} | {cell(guard.guard)} | `{guard.file}:{guard.line()}` | {noticed} | {at} |")
    Path(file).write_text("\n".join(lines) + "\n")


def cell(text):
    return text.replace("|", "\\|")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--junitxml")
    parser.add_argument("--results")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    guards = table()
    chosen = [guard for guard in guards if not options.words or any(word in f"{guard.requirement} {guard.file} {guard.guard}" for word in options.words)]
    if not chosen:
        raise Broken(f"no guard has {' or '.join(options.words)} in it")
    if options.check:
        print(f"{len(guards)} guards stand where the table says")
        return 0
    COPY.mkdir(parents=True, exist_ok=True)
    copy_source()
    configure()
    outcomes = []
    sound = set()
    for guard in chosen:
        try:
            if guard.tests not in sound:
                require_passing(guard.tests)
                sound.add(guard.tests)
            caught = try_without(guard)
            why = "" if caught else f"no test of '{guard.tests}' fails without it"
        except Broken as broken:
            caught, why = [], str(broken)
        outcomes.append((guard, caught, why))
        said = f"noticed    {guard.name}  by {', '.join(caught[:3])}" if caught else f"UNNOTICED  {guard.name} ({guard.file}): {why}"
        print(said, flush=True)
    if options.junitxml:
        write_junit(options.junitxml, outcomes)
    if options.results:
        write_results(options.results, guards, outcomes)
    unnoticed = sum(1 for _, caught, _ in outcomes if not caught)
    print(f"{len(outcomes) - unnoticed} passed, {unnoticed} failed")
    return 1 if unnoticed else 0


try:
    sys.exit(main())
except Broken as broken:
    print(f"ci/guards: {broken}", file=sys.stderr)
    sys.exit(3)
