# SPDX-License-Identifier: Apache-2.0
"""What must not get out of a job, and what a child of offshoot cannot reach."""

import base64
import json
import os
import pwd
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import changed

CANARY = "canary-7d2f\"9a%secret"
CANARIES = {
    "GITHUB_TOKEN": "ghs_canary0123456789canary",
    "AWS_SECRET_ACCESS_KEY": "aws/canary+0123456789",
    "ACTIONS_RUNTIME_TOKEN": "runtime-canary-0123456789",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "oidc-canary-0123456789",
    "INPUT_GITHUB_TOKEN": "input-canary-0123456789",
    "UNRELATED_SECRET": "unrelated-canary-0123456789",
}
FILE_COMMANDS = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


def forms(secret):
    """A secret as it may be written: raw, JSON, URL, hex, base64 at three offsets."""
    from urllib.parse import quote

    raw = secret.encode()
    found = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), raw.hex(), raw.hex().upper()}
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + raw).decode().rstrip("=")
        found.add(encoded[offset + 1 if offset else 0 : len(encoded) - 2])
    return {form for form in found if len(form) >= 6}


def written_below(*folders):
    for folder in folders:
        for file in Path(folder).rglob("*"):
            if file.is_file() and not file.is_symlink():
                yield file, file.read_bytes().decode("utf-8", "replace")


def a_failing_head(shop):
    """Whose models and errors say a secret that they may read, in plain text, JSON, base64 and hex."""
    project = (shop.origin / "dbt_project.yml").read_text()
    shop.main({"dbt_project.yml": project + "\nvars:\n  word: \"{{ env_var('SHOP_PASSWORD') }}\"\n"})
    word = "{{ env_var('SHOP_PASSWORD') }}"
    as_json = "{{ [env_var('SHOP_PASSWORD')] | tojson }}"
    shop.push({
        "models/marts/leaky.sql": f"{{{{ log('word ' ~ env_var('SHOP_PASSWORD'), info=True) }}}}\nselect '{word}' as word -- {as_json}\n",
        "models/marts/broken.sql": f"select '{word}'::integer as x\n",
        "models/marts/broken_64.sql": f"select error(to_base64(encode('xx{word}'))) as x\n",
        "models/marts/broken_hex.sql": f"select error(hex(encode('{word}'))) as x\n",
    })


def job_files(folder):
    files = {name: folder / name.lower() for name in FILE_COMMANDS}
    for file in files.values():
        file.touch()
    return files


def test_C2_no_secret_is_written_anywhere(shop):
    a_failing_head(shop)
    clone = shop.clone()
    files = job_files(shop.folder)
    done = shop.run(
        "pull_request", shop.pull_request("opened"), clone, "--json", "--comment", "comment.md", command="check",
        SHOP_PASSWORD=CANARY, DATABASE_URL=f"postgres://ann:{CANARIES['GITHUB_TOKEN']}x@db/x",
        **CANARIES, **{name: str(file) for name, file in files.items()})
    assert done.returncode == 1, done.stderr
    assert "broken" in done.stdout
    masks = [line for line in done.stderr.splitlines() if line.startswith("::add-mask::")]
    rest = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("::add-mask::"))
    assert masks
    seen = {"stdout": done.stdout, "stderr": rest}
    for file, text in written_below(clone / ".offshoot" / "4711" / "runs"):
        seen[str(file)] = text
    seen["comment"] = (clone / "comment.md").read_text()
    for name, file in files.items():
        seen[name] = file.read_text()
    assert "***" in seen["comment"]
    for secret in [CANARY, *CANARIES.values()]:
        for form in forms(secret):
            for where, text in seen.items():
                assert form not in text, (where, form)
    # B3: nothing was told to the runner by files that change later steps.
    assert seen["GITHUB_ENV"] == "" and seen["GITHUB_PATH"] == ""


def test_C1_masks_come_before_anything_else(shop):
    shop.push(changed(2))
    lines = "first line of a key\nsecond line of it"
    done = shop.run("pull_request", shop.pull_request("opened"), shop.clone(), command="plan",
                    DEPLOY_PRIVATE_KEY=lines, SOME_PASSWORD="100%sure")
    said = done.stderr.splitlines()
    first_other = next(i for i, line in enumerate(said) if not line.startswith("::add-mask::"))
    assert set(said[:first_other]) == {"::add-mask::first line of a key", "::add-mask::second line of it", "::add-mask::100%25sure"}
    assert said[first_other].startswith("::stop-commands::")
    assert said[-1] == "::" + said[first_other].removeprefix("::stop-commands::") + "::"


def runner_takes(line):
    """A port of the runner's ActionCommand.TryParseV2 and TryParse: whether it takes a line for a command."""
    names = {"set-env", "set-output", "save-state", "add-path", "add-mask", "add-matcher", "remove-matcher", "warning", "error",
             "notice", "debug", "group", "endgroup", "echo", "stop-commands"}
    stripped = line.lstrip()
    if stripped.startswith("::"):
        end = stripped.find("::", 2)
        if end > 0 and stripped[2:end].split(" ")[0].lower() in names:
            return True
    start = line.find("##[")
    if start >= 0:
        end = line.find("]", start)
        if end > 0 and line[start + 3 : end].split(" ")[0].lower() in names:
            return True
    return False


def test_B4_what_a_project_logs_is_no_command(shop):
    evil = ["::set-output name=evil::1", "x ##[warning]evil", "  ::warning::evil", "a\\r::error::evil", "##[add-path]/evil"]
    lines = "\n".join(f"{{{{ log('\\n{line}\\n', info=True) }}}}{{{{ print('{line}') }}}}" for line in evil)
    shop.push({
        "models/marts/leaky.sql": f"{lines}\nselect 2 as revenue\n",
        "models/marts/broken.sql": "select '\n::warning::evil\n##[error]evil\n'::integer as x\n",
    })
    done = shop.run("pull_request", shop.pull_request("opened"), shop.clone(), command="check")
    assert done.returncode == 1, done.stderr
    lines = [line for text in (done.stdout, done.stderr) for line in text.replace("\r", "\n").split("\n")]
    taken = [line for line in lines if runner_takes(line)]
    # Ours alone: annotations on changed files, whose text the runner reads as text.
    ours = ("::stop-commands::", "::add-mask::", "::error file=models/", "::warning file=models/", "::notice file=models/", "::error title=offshoot::and ")
    assert [line for line in taken if not line.startswith(ours)] == []
    # Between stop-commands and its word nothing is taken, and all but the annotations stands there.
    word = None
    for line in lines:
        if line.startswith("::stop-commands::"):
            word = line.removeprefix("::stop-commands::")
        elif word and line == f"::{word}::":
            word = None
        elif "evil" in line and not line.startswith(ours):
            assert word, line


def a_reporting_python(shop, script):
    """An environment whose interpreter runs `script` instead of dbt, with $OUT a folder to write into."""
    environment = shop.folder / "reporting"
    (environment / "bin").mkdir(parents=True)
    out = shop.folder / "reported"
    out.mkdir()
    out.chmod(0o777)
    program = environment / "bin/python"
    program.write_text(f"#!/bin/sh\nOUT={out}\n{script}\n")
    program.chmod(0o755)
    site = environment / "lib/python3.11/site-packages/dbt/cli"
    site.mkdir(parents=True)
    (site / "main.py").touch()
    shutil.copy(program, environment / "bin/dbt")
    return environment, out


def test_B3_D1_C7_what_a_child_is_given(shop):
    shop.push(changed(2))
    python, out = a_reporting_python(shop, "/usr/bin/env > $OUT/env; ulimit -c > $OUT/core; ulimit -Hn > $OUT/files; cat /proc/self/status > $OUT/status")
    files = job_files(shop.folder)
    shop.run("pull_request", shop.pull_request("opened"), shop.clone(), command="plan", OFFSHOOT_DBT_PYTHON=str(python / "bin/python"),
             **CANARIES, **{name: str(file) for name, file in files.items()})
    given = (out / "env").read_text()
    for name, value in [*CANARIES.items(), *((name, str(file)) for name, file in files.items())]:
        assert name not in given and value not in given, name
    assert "TINY_PROD=" in given
    assert (out / "core").read_text().strip() == "0"
    assert int((out / "files").read_text()) <= 65536
    # D4: no signal is blocked or ignored in a child.
    status = dict(line.split(":\t") for line in (out / "status").read_text().splitlines() if ":\t" in line)
    assert int(status["SigBlk"], 16) == 0
    for number in (2, 15, 13, 17):
        assert int(status["SigIgn"], 16) >> (number - 1) & 1 == 0, number


def test_D1_names_that_only_the_head_reads_are_withheld(shop):
    shop.main({})
    shop.push({"dbt_project.yml": (shop.origin / "dbt_project.yml").read_text() + "\nvars:\n  x: \"{{ env_var('OTHER_JOBS_VALUE', 'no') }}\"\n"})
    python, out = a_reporting_python(shop, "/usr/bin/env > $OUT/env")
    clone = shop.clone()
    done = shop.run("pull_request", shop.pull_request("opened"), clone, command="check",
                    OFFSHOOT_DBT_PYTHON=str(python / "bin/python"), OTHER_JOBS_VALUE="not-for-this-head")
    assert "not-for-this-head" not in (out / "env").read_text()
    assert any("OTHER_JOBS_VALUE" in note for note in shop.last_run(clone)["notes"]), done.stderr


def usable_by_all(folder):
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o755 if path.is_dir() else path.stat().st_mode | 0o644)


@pytest.mark.parametrize("who", ["root", "nobody"])
def test_D2_the_environment_is_out_of_a_child_s_sight(shop, who, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    shop.push(changed(2))
    python, out = a_reporting_python(shop, "cat /proc/$PPID/environ > $OUT/environ 2> $OUT/refused; cat /proc/$PPID/maps > $OUT/maps 2>/dev/null")
    clone = shop.clone()
    environment = shop.environment("pull_request", shop.pull_request("opened"), clone,
                                   OFFSHOOT_DBT_PYTHON=str(python / "bin/python"), **CANARIES)
    user = pwd.getpwnam(who)
    if who == "nobody":
        # A place that this user can reach.
        place = Path("/var/tmp") / f"offshoot-test-{os.getpid()}"
        shutil.copytree(shop.folder, place, symlinks=True)
        binary = place / "offshoot"
        shutil.copy(shop.offshoot, binary)
        usable_by_all(place)
        subprocess.run(["chown", "-R", who, place], check=True)
        environment = {name: value.replace(str(shop.folder), str(place)) for name, value in environment.items()}
        script = place / "reporting/bin/python"
        script.write_text(script.read_text().replace(str(shop.folder), str(place)))
        clone, out = place / clone.name, place / "reported"
    else:
        place, binary = None, shop.offshoot
    try:
        subprocess.run([binary, "plan"], cwd=clone, env=environment, capture_output=True, text=True, timeout=100, user=user.pw_uid,
                       group=user.pw_gid, extra_groups=[])
        seen = (out / "environ").read_text()
        for name, value in CANARIES.items():
            assert name not in seen and value not in seen, name
        if who == "nobody":
            assert seen == ""
            assert "ermission denied" in (out / "refused").read_text()
            assert (out / "maps").read_text() == ""
    finally:
        if place:
            shutil.rmtree(place)


def test_C4_no_secret_stands_in_an_argument(shop):
    a_failing_head(shop)
    seen, stop = set(), threading.Event()

    def watch():
        while not stop.is_set():
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(process.read_bytes())
                except OSError:
                    pass
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        shop.run("pull_request", shop.pull_request("opened"), shop.clone(), command="check", SHOP_PASSWORD=CANARY, **CANARIES)
    finally:
        stop.set()
        watcher.join()
    assert len(seen) > 3
    for line in seen:
        for secret in [CANARY, *CANARIES.values()]:
            assert secret.encode() not in line, line


def test_F3_another_user_s_repository_is_opened_as_the_workspace_alone(shop):
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a folder to another user")
    shop.push(changed(2))
    clone = shop.clone()
    subprocess.run(["chown", "-R", "1001:1001", clone], check=True)
    payload = shop.pull_request("opened")
    assert shop.run("pull_request", payload, clone, command="plan").returncode == 0
    done = shop.run("pull_request", payload, clone, command="plan", GITHUB_WORKSPACE=str(shop.folder))
    assert done.returncode == 5, done.stderr
    assert "another user" in done.stderr
    done = shop.run("pull_request", payload, clone, command="plan", GITHUB_ACTIONS=None)
    assert done.returncode == 5, done.stderr


HOSTILE = ["--version", "-x", "$(touch {mark})", "a\ntouch {mark}", "-t prod", "${IFS}", "--vars={}"]


def test_B7_inputs_of_a_dispatch_are_no_options_and_no_shell(shop):
    shop.push({})
    mark = shop.folder / "mark"
    clone = shop.clone(shop.base, ref="refs/remotes/origin/main")
    for text in HOSTILE:
        value = text.replace("{mark}", str(mark))
        payload = {"ref": "refs/heads/main", "inputs": {"select": value},
                   "repository": {"id": 4711, "default_branch": "main"}}
        done = shop.run("workflow_dispatch", payload, clone)
        assert done.returncode in ((2,) if value[0] == "-" else (0, 1, 2, 3)), (value, done.returncode, done.stderr)
        assert not mark.exists(), value
    for name in ("OFFSHOOT_DBT_TARGET", "OFFSHOOT_BUILD_THREADS", "OFFSHOOT_BUILD_SELECT", "OFFSHOOT_DBT_PROFILES"):
        done = shop.run("push", {"ref": "refs/heads/main", "repository": {"default_branch": "main"}}, clone, **{name: "-x"})
        assert done.returncode == 2, name
