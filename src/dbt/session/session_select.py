# SPDX-License-Identifier: Apache-2.0
"""What dbt itself selects from a parsed manifest, compared with an earlier one."""

import json
import time

from dbt.cli.main import dbtRunner

from session_build import without_stray_settings
from session_project import common_arguments, required


def select(request, manifest):
    """The unique ids that `dbt ls --select … --exclude … --state …` lists, by dbt's own code, sorted."""
    arguments = ["ls", *common_arguments(request), "--quiet", "--output", "json", "--output-keys", "unique_id"]
    arguments += ["--state", str(required(request, "state")), "--select", required(request, "select")]
    if request.get("exclude"):
        arguments += ["--exclude", request["exclude"]]
    started = time.monotonic()
    with without_stray_settings():
        outcome = dbtRunner(manifest=manifest).invoke(arguments)
    if outcome.exception is not None:
        raise outcome.exception
    listed = (json.loads(line)["unique_id"] for line in outcome.result or [])
    return {"selected": sorted(listed), "elapsed": round(time.monotonic() - started, 3)}
