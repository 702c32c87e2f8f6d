# SPDX-License-Identifier: Apache-2.0
"""Servers that speak S3 or stand before one, each in a temporary folder and on free ports of 127.0.0.1."""

import json
import os
import socket
import struct
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools/bin"
KEY, SECRET = "AKIDTEST", "SecretTest123"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


class Server:
    """A process that listens on a port of its own; ended, by its id, when the test session ends."""

    def __init__(self, command, port, folder, environment=None):
        self.port = port
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log, cwd=folder,
                                        env={"PATH": os.environ["PATH"], "HOME": str(folder), **(environment or {})})
        wait_for(port, self.process)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def versitygw(folder):
    # Absolute folders: it refuses relative ones.
    for name in ("root", "iam"):
        (folder / name).mkdir()
    port = free_port()
    return Server([TOOLS / "versitygw", "--quiet", "--keep-alive", "--port", f"127.0.0.1:{port}", "--iam-dir",
                   folder / "iam", "posix", folder / "root"], port, folder,
                  {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET})


def minio(folder):
    port, console = free_port(), free_port()
    return Server([TOOLS / "minio", "server", "--address", f"127.0.0.1:{port}", "--console-address",
                   f"127.0.0.1:{console}", folder / "data"], port, folder,
                  {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"})


def toxiproxy(folder):
    port = free_port()
    return Server([TOOLS / "toxiproxy", "-host", "127.0.0.1", "-port", str(port)], port, folder)


def moto(folder):
    port = free_port()
    return Server([ROOT / ".venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)], port, folder)


class Toxics:
    """One proxy of toxiproxy in front of a server, and what is wrong with it."""

    def __init__(self, api, upstream):
        self.api = api.url
        self.port = free_port()
        self.name = f"p{self.port}"
        self._ask("/proxies", {"name": self.name, "listen": f"127.0.0.1:{self.port}",
                               "upstream": f"127.0.0.1:{upstream.port}", "enabled": True})

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _ask(self, path, body=None, method="POST"):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.api + path, data, method=method, headers={"User-Agent": "tests"})
        urllib.request.urlopen(request, timeout=10).read()

    def add(self, kind, stream="downstream", toxicity=1.0, **attributes):
        self._ask(f"/proxies/{self.name}/toxics", {"name": kind, "type": kind, "stream": stream, "toxicity": toxicity,
                                                   "attributes": attributes})

    def remove(self, kind):
        self._ask(f"/proxies/{self.name}/toxics/{kind}", method="DELETE")


class Between:
    """A proxy of our own in front of a server. `change(handler, n)` may answer a request itself and return True; `n`
    counts them. It passes Host on, so signatures stay whole. `seen` has the method and path of every request."""

    def __init__(self, upstream, change=lambda handler, n: False):
        outer = self
        self.seen = []
        self.change = change

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def reset(self):
                """Ends the connection as a machine does that went away: with RST in place of an answer."""
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                # The handler's two files hold the socket open until both are gone.
                self.connection.close()

            def serve(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((self.command, self.path))
                if outer.change(self, len(outer.seen)):
                    return
                import http.client

                server = http.client.HTTPConnection("127.0.0.1", upstream.port, timeout=60)
                server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in ("connection", "expect"):
                        server.putheader(name, value)
                server.endheaders(self.body)
                reply = server.getresponse()
                body = reply.read()
                self.send_response_only(reply.status)
                for name, value in reply.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                        self.send_header(name, value)
                length = reply.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
                self.send_header("Content-Length", length or "0")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                server.close()

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
