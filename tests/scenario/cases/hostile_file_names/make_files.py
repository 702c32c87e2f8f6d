# SPDX-License-Identifier: Apache-2.0
"""Commits files whose names cannot stand in every repository."""

import os
import subprocess

IDLE = [b"a\nb.md", b"-rf.md", b"`touch pwned`.md", b"a b.md", b"invalid-\xff.md"]
MODELS = [b"models/$(touch${IFS}pwned).sql", b"models/-rf.sql"]

for path in IDLE:
    with open(path, "wb") as file:
        file.write(b"Text.\n")
for path in MODELS:
    with open(path, "wb") as file:
        file.write(b"select 1 as one\n")
git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
subprocess.run([*git, "add", "--all"], check=True, env=os.environ)
subprocess.run([*git, "commit", "--quiet", "--message", "names"], check=True, env=os.environ)
