# SPDX-License-Identifier: Apache-2.0
"""Commits two seeds of more than 1 MiB to main, and changes a row of one in the head."""

import subprocess
from pathlib import Path


def git(*arguments):
    subprocess.run(["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments], check=True)


rows = "".join(f"{number},{'x' * 40}\n" for number in range(30_000))
git("switch", "--quiet", "main")
for name in ("large", "quiet"):
    Path(f"seeds/{name}.csv").write_text("id,text\n" + rows)
git("add", "--all")
git("commit", "--quiet", "--message", "large seeds")
git("switch", "--quiet", "feature")
git("rebase", "--quiet", "main")
Path("seeds/large.csv").write_text("id,text\n" + rows + "30000,new\n")
git("commit", "--quiet", "--all", "--message", "a row")
