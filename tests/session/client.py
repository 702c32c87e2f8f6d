"""A small client of the session, for tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DRIVER = ROOT / "src/dbt/session/session.py"
MACROS = ROOT / "templates/dbt/macros"
PYTHON = os.environ.get("OFFSHOOT_TEST_PYTHON", str(ROOT / ".venv/bin/python"))  # another dbt to test with


class Session:
    def __init__(self, cwd, log, env=None, python=PYTHON):
        request_end, self._requests = os.pipe()
        self._replies, reply_end = os.pipe()
        self.log = open(log, "ab")
        self.process = subprocess.Popen(
            [python, "-u", str(DRIVER), "--in", str(request_end), "--out", str(reply_end)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            pass_fds=(request_end, reply_end),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        os.close(request_end)
        os.close(reply_end)
        self._reader = os.fdopen(self._replies, "rb")
        self._number = 0
        self.events = []

    def receive(self):
        line = self._reader.readline()
        assert line, "the session closed its replies; see " + self.log.name
        assert line == line.decode("ascii").encode()
        return json.loads(line)

    def send_raw(self, data):
        os.write(self._requests, data)

    def send(self, command, **values):
        self._number += 1
        self.send_raw(json.dumps({"id": self._number, "command": command, **values}).encode() + b"\n")
        return self._number

    def reply(self, number, on_event=None):
        self.events = []
        while True:
            message = self.receive()
            assert message["id"] == number
            if "ok" in message:
                return message
            self.events.append(message)
            if on_event:
                on_event(message)

    def ask(self, command, **values):
        return self.reply(self.send(command, **values))

    def ok(self, command, **values):
        answer = self.ask(command, **values)
        assert answer["ok"], answer
        return answer["result"]

    def error(self, command, **values):
        answer = self.ask(command, **values)
        assert not answer["ok"], answer
        return answer["error"]

    def close(self):
        if self._requests is not None:
            os.close(self._requests)
            self._requests = None
        return self.process.wait(timeout=20)
