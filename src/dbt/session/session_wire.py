# SPDX-License-Identifier: Apache-2.0
"""The wire between the session and its parent: one JSON object a line, each way."""

import json
import os
import threading

MESSAGE_LIMIT = 8 * 1024
REQUEST_LIMIT = 256 * 1024 * 1024


class EndOfRequests(Exception):
    """The parent closed its end: the session is over."""


class RequestReader:
    """Reads requests from a file descriptor.

    A `KeyboardInterrupt` in the middle of a read loses nothing: what came before stays buffered.
    """

    def __init__(self, fd):
        self._fd = fd
        self._buffer = bytearray()

    def read(self):
        """The next line without its end. Raises EndOfRequests; a half line at the end is dropped."""
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                return line
            if len(self._buffer) > REQUEST_LIMIT:
                raise EndOfRequests()
            chunk = os.read(self._fd, 1 << 16)
            if not chunk:
                raise EndOfRequests()
            self._buffer += chunk


class Wire:
    """Writes replies and events. Safe to call from dbt's worker threads; each line leaves at once."""

    def __init__(self, fd):
        self._fd = fd
        self._lock = threading.Lock()

    def send(self, message):
        line = json.dumps(message, ensure_ascii=True, allow_nan=False, default=plain) + "\n"
        data = memoryview(line.encode("ascii"))
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]


def plain(value):
    """What stands in JSON for a value that JSON has no form for: a container's items, else its text."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return str(value)


def finite(value):
    """`value` with NaN and infinities, which JSON lacks, as text; everything else untouched."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def cut(text, limit=MESSAGE_LIMIT):
    """`text` no longer than `limit` bytes of UTF-8, saying so where it was cut."""
    text = "" if text is None else str(text)
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    mark = " … (cut)"
    return data[: limit - len(mark.encode("utf-8"))].decode("utf-8", "ignore") + mark
