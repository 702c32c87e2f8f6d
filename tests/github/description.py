# SPDX-License-Identifier: Apache-2.0
"""GitHub's own description of its API, cut to what offshoot asks of it.

The description knows the media type application/json alone, and GitHub asks clients to send
application/vnd.github+json: it is put in beside each."""

import json

PATHS = [
    "/user",
    "/repos/{owner}/{repo}/collaborators/{username}/permission",
    "/repos/{owner}/{repo}/pulls/{pull_number}",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
    "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}",
    "/repos/{owner}/{repo}/check-runs",
    "/repos/{owner}/{repo}/check-runs/{check_run_id}",
    "/repos/{owner}/{repo}/commits/{ref}/check-runs",
    "/repos/{owner}/{repo}/deployments",
    "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
]


def every(node, wanted):
    """Each value under a key of that name, at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == wanted:
                yield value
            yield from every(value, wanted)
    elif isinstance(node, list):
        for value in node:
            yield from every(value, wanted)


def trimmed(description):
    paths = {path: description["paths"][path] for path in PATHS}
    components = {}
    waiting = list(every(paths, "$ref"))
    while waiting:
        _, _, kind, name = waiting.pop().split("/", 3)
        if name in components.setdefault(kind, {}):
            continue
        components[kind][name] = description["components"][kind][name]
        waiting += every(components[kind][name], "$ref")
    small = {key: value for key, value in description.items() if key not in ("paths", "components", "x-webhooks")}
    small |= {"paths": paths, "components": components}
    for content in every(small, "content"):
        if isinstance(content, dict) and "application/json" in content:
            content.setdefault("application/vnd.github+json", content["application/json"])
    return small


def write(source, target):
    target.write_text(json.dumps(trimmed(json.loads(source.read_text()))))
