# SPDX-License-Identifier: Apache-2.0
"""A git server as GitHub's is: over HTTP, for who shows the token, by git's own http-backend."""

import base64
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BACKEND = "/usr/lib/git-core/git-http-backend"


class GitServer:
    """Serves the repository `folder` as acme/shop. `asked` holds method, path and whether the token was right."""

    def __init__(self, folder, token):
        self.asked = []
        wanted = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                url = urlsplit(self.path)
                right = self.headers.get("Authorization") == wanted
                asked.append((self.command, url.path, right))
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                prefix = "/acme/shop"
                if not right or not url.path.startswith(prefix + "/"):
                    self.send_response(401 if not right else 404)
                    self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                environment = {"PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": str(folder / ".git"), "GIT_HTTP_EXPORT_ALL": "1",
                               "PATH_INFO": url.path.removeprefix(prefix), "QUERY_STRING": url.query, "REQUEST_METHOD": self.command,
                               "CONTENT_TYPE": self.headers.get("Content-Type") or "", "CONTENT_LENGTH": str(len(body)),
                               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
                               "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "", "REMOTE_USER": "x-access-token", "HOME": str(folder)}
                done = subprocess.run([BACKEND], input=body, env=environment, capture_output=True, check=True)
                head, _, content = done.stdout.partition(b"\r\n\r\n")
                fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
                self.send_response(int(fields.pop("Status", "200").split()[0]))
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
