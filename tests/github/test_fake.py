# SPDX-License-Identifier: Apache-2.0
"""The stand-in itself: what it answers is as GitHub describes it, and what is not is seen."""

import json
import urllib.error
import urllib.request

SHA = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"


def ask(github, method, path, body=None):
    request = urllib.request.Request(
        github.public + path, json.dumps(body).encode() if body is not None else None, method=method,
        headers={"Authorization": "Bearer x", "Content-Type": "application/json",
                 "Accept": "application/vnd.github+json"})
    try:
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def test_I11_each_answer_is_as_described(github):
    repository = "/repos/acme/shop"
    status, comment = ask(github, "POST", f"{repository}/issues/7/comments", {"body": "hello"})
    assert status == 201
    assert ask(github, "GET", f"{repository}/issues/7/comments?per_page=100")[1][0]["body"] == "hello"
    assert ask(github, "PATCH", f"{repository}/issues/comments/{comment['id']}", {"body": "bye"})[1]["body"] == "bye"
    assert ask(github, "DELETE", f"{repository}/issues/comments/{comment['id']}")[0] == 204
    status, run = ask(github, "POST", f"{repository}/check-runs",
                      {"name": "offshoot / plan", "head_sha": SHA, "status": "queued", "external_id": "1-1"})
    assert status == 201
    done = {"status": "completed", "conclusion": "success", "output": {"title": "t", "summary": "s", "annotations": [
        {"path": "a.sql", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"}]}}
    assert ask(github, "PATCH", f"{repository}/check-runs/{run['id']}", done)[0] == 200
    assert ask(github, "GET", f"{repository}/commits/{SHA}/check-runs?per_page=100")[1]["total_count"] == 1
    status, deployment = ask(github, "POST", f"{repository}/deployments",
                             {"ref": SHA, "environment": "shop_pr_7", "required_contexts": [], "auto_merge": False})
    assert status == 201
    path = f"{repository}/deployments/{deployment['id']}/statuses"
    assert ask(github, "POST", path, {"state": "success"})[0] == 201
    assert ask(github, "GET", f"{path}?per_page=1")[1][0]["state"] == "success"
    assert ask(github, "GET", f"{repository}/deployments?environment=shop_pr_7")[1][0]["id"] == deployment["id"]
    assert ask(github, "GET", "/user")[0] == 403
    github.app, github.author = None, {**github.author, "id": 5, "login": "ada", "type": "User"}
    assert ask(github, "GET", "/user")[1]["id"] == 5


def test_I7_a_body_that_is_too_long_is_refused(github):
    assert ask(github, "POST", "/repos/acme/shop/issues/7/comments", {"body": "x" * 65537})[0] == 422
