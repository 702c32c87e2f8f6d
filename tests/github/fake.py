# SPDX-License-Identifier: Apache-2.0
"""A stand-in for GitHub's API that keeps state: comments, check runs, deployments, and who may do what.

It holds what GitHub's description does not say: limits of length, rate limits, identities, permissions. Tests read and
set its fields; `requests` has every request with the time at which it came."""

import json
import re
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

API = "https://api.github.com"
ACTIONS = 15368


def user(login, number, kind="User"):
    names = ("avatar_url", "html_url", "followers_url", "following_url", "gists_url", "starred_url",
             "subscriptions_url", "organizations_url", "repos_url", "events_url", "received_events_url", "url")
    return {"login": login, "id": number, "node_id": "U", "gravatar_id": "", "type": kind, "site_admin": False,
            **{name: f"{API}/users/{number}" for name in names}}


def app(slug, number):
    return {"id": number, "node_id": "A", "slug": slug, "name": slug, "owner": user("github", 9919, "Organization"),
            "client_id": "c", "description": "", "external_url": API, "html_url": API, "permissions": {}, "events": [],
            "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}


BOT = user("github-actions[bot]", 41898282, "Bot")


class Refused(Exception):
    def __init__(self, status, message, headers=None, errors=None):
        self.status, self.body, self.headers = status, {"message": message, "documentation_url": API}, headers or {}
        if errors:
            self.body["errors"] = errors


class GitHub:
    """`permissions` is what the token may write: issues, checks, deployments. `roles` says what people may, by login;
    `pulls` has pull requests by number, of which `example_pull` is a whole one."""

    def __init__(self):
        self.lock = threading.Lock()
        self.public = None  # where clients reach us, for links to further pages
        self.example_pull = {}
        self.reset()
        github = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def any(self):
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                status, body, headers = github.answer(self.command, self.path, text, dict(self.headers))
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response_only(status)
                self.send_header("Date", formatdate(usegmt=True))
                if body is not None:
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                if status != 204:
                    self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def reset(self):
        self.comments, self.check_runs, self.deployments, self.statuses = {}, {}, {}, {}
        self.permissions = {"issues", "checks", "deployments"}
        self.roles, self.pulls, self.reactions = {}, {}, []
        self.author, self.app = BOT, app("github-actions", ACTIONS)
        self.requests = []
        self.answers = []  # of each request, its status
        self.refusals = []  # given to the next writes, in order
        self.tokens = set()
        self.next_id = 1000

    def new_id(self):
        self.next_id += 1
        return self.next_id

    # What a test needs to know and to plant.

    def writes(self):
        return [request for request in self.requests if request[1] != "GET"]

    def add_comment(self, body, author=BOT, by=None, issue=7):
        number = self.new_id()
        where = f"{API}/repos/acme/shop/issues/comments/{number}"
        self.comments[number] = {
            "id": number, "node_id": "C", "url": where, "issue_url": f"{API}/repos/acme/shop/issues/{issue}",
            "html_url": f"https://github.com/acme/shop/pull/{issue}#issuecomment-{number}", "body": body,
            "user": author, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
            "author_association": "NONE", "performed_via_github_app": by, "issue": issue}
        return self.comments[number]

    def open_pull(self, number, head, base, repository):
        """A pull request that is open. `head` and `base` are commits, `repository` is the id of the head's."""
        pull = json.loads(json.dumps(self.example_pull))
        pull |= {"number": number, "state": "open", "draft": False, "labels": [], "requested_teams": []}
        for side, sha, ref, owner in (("head", head, "feature", repository), ("base", base, "main", 4711)):
            pull[side] |= {"sha": sha, "ref": ref}
            pull[side]["repo"] |= {"id": owner}
        self.pulls[number] = pull
        return pull

    # Answering.

    def answer(self, method, path, text, headers):
        with self.lock:
            self.requests.append((time.monotonic(), method, path))
            self.tokens.add(headers.get("Authorization", headers.get("authorization")))
            try:
                status, body, more = self.route(method, urlparse(path), json.loads(text) if text else None)
            except Refused as refused:
                status, body, more = refused.status, refused.body, refused.headers
            self.answers.append(status)
            return status, body, more

    def route(self, method, url, body):
        if method != "GET" and self.refusals:
            refusal = self.refusals.pop(0)
            if refusal:
                raise refusal
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if method == "GET" and url.path == "/user":
            if self.app:
                raise Refused(403, "Resource not accessible by integration")
            return 200, {**self.author, "user_view_type": "public", "name": "Ada", "company": None, "blog": None, "location": None, "email": None,
                         "hireable": None, "bio": None, "public_repos": 0, "public_gists": 0, "followers": 0,
                         "following": 0, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}, {}
        rest = re.sub(r"^/repos/acme/shop", "", url.path)
        for pattern, handler in self.ROUTES:
            match = re.fullmatch(pattern, f"{method} {rest}")
            if match:
                return handler(self, body, query, *(int(g) if g.isdigit() else g for g in match.groups()))
        raise Refused(404, "Not Found")

    def need(self, permission):
        if permission not in self.permissions:
            raise Refused(403, "Resource not accessible by integration")

    def pages(self, items, query, path, key=None):
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        shown = items[(page - 1) * size:page * size]
        headers = {}
        if page * size < len(items):
            headers["Link"] = (f'<{self.public}{path}?per_page={size}&page={page + 1}>; rel="next", '
                               f'<{self.public}{path}?per_page={size}&page={-(-len(items) // size)}>; rel="last"')
        return 200, {"total_count": len(items), key: shown} if key else shown, headers

    def list_comments(self, _, query, issue):
        mine = [{k: v for k, v in c.items() if k != "issue"} for c in self.comments.values() if c["issue"] == issue]
        return self.pages(mine, query, f"/repos/acme/shop/issues/{issue}/comments")

    def check_body(self, body):
        if len(body["body"]) > 65536:
            raise Refused(422, "Validation Failed", errors=[{"resource": "IssueComment", "code": "unprocessable",
                          "field": "data", "message": "Body is too long (maximum is 65536 characters)"}])

    def create_comment(self, body, _, issue):
        self.need("issues")
        self.check_body(body)
        comment = self.add_comment(body["body"], self.author, self.app, issue)
        return 201, {k: v for k, v in comment.items() if k != "issue"}, {}

    def edit_comment(self, body, _, number):
        self.need("issues")
        self.check_body(body)
        if number not in self.comments:
            raise Refused(404, "Not Found")
        self.comments[number]["body"] = body["body"]
        return 200, {k: v for k, v in self.comments[number].items() if k != "issue"}, {}

    def delete_comment(self, _, query, number):
        self.need("issues")
        if self.comments.pop(number, None) is None:
            raise Refused(404, "Not Found")
        return 204, None, {}

    def check_run(self, number, body):
        old = self.check_runs.get(number, {})
        output = {**{"title": None, "summary": None, "text": None}, **(old.get("output") or {}), **body.get("output", {})}
        more = output.pop("annotations", [])
        annotations = old.get("annotations", []) + more
        run = {"id": number, "node_id": "R", "head_sha": body.get("head_sha", old.get("head_sha")),
               "name": body.get("name", old.get("name")), "external_id": body.get("external_id", old.get("external_id")),
               "url": f"{API}/repos/acme/shop/check-runs/{number}", "html_url": "https://github.com/acme/shop/runs/1",
               "details_url": body.get("details_url", old.get("details_url")),
               "status": body.get("status", old.get("status", "queued")),
               "conclusion": body.get("conclusion", old.get("conclusion")), "started_at": "2026-01-01T00:00:00Z",
               "completed_at": "2026-01-01T00:00:00Z" if body.get("status") == "completed" else None,
               "check_suite": {"id": 5}, "app": self.app, "pull_requests": [],
               "output": {**output, "annotations_count": len(annotations),
                          "annotations_url": f"{API}/repos/acme/shop/check-runs/{number}/annotations"}}
        self.check_runs[number] = {**run, "annotations": annotations}
        return run

    def create_check_run(self, body, _):
        self.need("checks")
        return 201, self.check_run(self.new_id(), body), {}

    def edit_check_run(self, body, _, number):
        self.need("checks")
        if number not in self.check_runs:
            raise Refused(404, "Not Found")
        return 200, self.check_run(number, body), {}

    def list_check_runs(self, _, query, sha):
        mine = [{k: v for k, v in run.items() if k != "annotations"} for run in self.check_runs.values()
                if run["head_sha"] == sha]
        return self.pages(mine, query, f"/repos/acme/shop/commits/{sha}/check-runs", "check_runs")

    def create_deployment(self, body, _):
        self.need("deployments")
        number = self.new_id()
        where = f"{API}/repos/acme/shop/deployments/{number}"
        self.deployments[number] = {
            "url": where, "id": number, "node_id": "D", "sha": body["ref"], "ref": body["ref"], "task": "deploy",
            "payload": body.get("payload", {}), "environment": body["environment"], "original_environment": "x",
            "description": body.get("description"), "creator": self.author, "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z", "statuses_url": f"{where}/statuses",
            "repository_url": f"{API}/repos/acme/shop", "transient_environment": body.get("transient_environment", False),
            "production_environment": body.get("production_environment", False)}
        self.statuses[number] = []
        return 201, self.deployments[number], {}

    def list_deployments(self, _, query):
        mine = [d for d in reversed(self.deployments.values())
                if query.get("environment") in (None, d["environment"]) and query.get("sha") in (None, d["sha"])]
        return self.pages(mine, query, "/repos/acme/shop/deployments")

    def create_status(self, body, _, number):
        self.need("deployments")
        status = {"id": self.new_id(), "node_id": "S", "state": body["state"], "creator": self.author,
                  "description": body.get("description", ""), "environment": "x", "target_url": API,
                  "log_url": body.get("log_url", API), "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
                  "deployment_url": f"{API}/repos/acme/shop/deployments/{number}", "url": API,
                  "repository_url": f"{API}/repos/acme/shop"}
        self.statuses[number].append(status)
        return 201, status, {}

    def list_statuses(self, _, query, number):
        return self.pages(self.statuses[number][::-1], query, f"/repos/acme/shop/deployments/{number}/statuses")

    def permission_of(self, _, query, login):
        role = self.roles.get(login, "none")
        known = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}
        return 200, {"permission": known[role], "role_name": role, "user": {**user(login, 7), "role_name": role}}, {}

    def create_reaction(self, body, _, comment):
        self.need("issues")
        if comment not in self.comments:
            raise Refused(404, "Not Found")
        self.reactions.append((comment, body["content"]))
        return 201, {"id": self.new_id(), "node_id": "E", "user": self.author, "content": body["content"],
                     "created_at": "2026-01-01T00:00:00Z"}, {}

    def get_pull(self, _, query, number):
        if number not in self.pulls:
            raise Refused(404, "Not Found")
        return 200, self.pulls[number], {}

    ROUTES = [
        (r"GET /collaborators/([^/]+)/permission", permission_of),
        (r"POST /issues/comments/(\d+)/reactions", create_reaction),
        (r"GET /pulls/(\d+)", get_pull),
        (r"GET /issues/(\d+)/comments", list_comments),
        (r"POST /issues/(\d+)/comments", create_comment),
        (r"PATCH /issues/comments/(\d+)", edit_comment),
        (r"DELETE /issues/comments/(\d+)", delete_comment),
        (r"POST /check-runs", create_check_run),
        (r"PATCH /check-runs/(\d+)", edit_check_run),
        (r"GET /commits/([0-9a-f]{40})/check-runs", list_check_runs),
        (r"POST /deployments", create_deployment),
        (r"GET /deployments", list_deployments),
        (r"POST /deployments/(\d+)/statuses", create_status),
        (r"GET /deployments/(\d+)/statuses", list_statuses),
    ]
