# SPDX-License-Identifier: Apache-2.0
"""The dbt session: a long-lived child of offshoot that runs in the user's own dbt environment.

It takes commands as JSON lines on one file descriptor and answers on another (PROTOCOL.md has every
command). It keeps parsed manifests between commands, so that dbt is imported and parses once. Nothing of
the protocol goes to stdout or stderr: they stay dbt's. A failing command never ends the session.
"""

import argparse
import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# Before dbt is imported: it reads these then. Telemetry is always off.
os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
os.environ["DBT_ENGINE_SEND_ANONYMOUS_USAGE_STATS"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

from session_errors import Refused, describe, without_colours
from session_wire import EndOfRequests, RequestReader, Wire, cut, finite

PROTOCOL_VERSION = 1
EXIT_NO_DBT = 3
PR_SET_PDEATHSIG = 1


class Session:
    """The commands, each a method from a request to its result, and what they keep for one another."""

    def __init__(self):
        import session_build
        import session_names
        import session_project
        import session_select
        import session_warehouse

        self._build = session_build
        self._names = session_names
        self._project = session_project
        self._select = session_select
        self._warehouse = session_warehouse.Warehouse()
        self._manifests = {}

    def parse(self, request, emit):
        """dbt parse, under exactly the user's profile."""
        from dbt.cli.main import dbtRunner

        project_dir = self._project.required(request, "project_dir")
        target_path = self._project.required(request, "target_path")
        handle = self._project.required(request, "handle")
        arguments = ["parse", *self._project.common_arguments(request)]
        if request.get("partial_parse_file"):
            arguments += ["--partial-parse-file-path", str(request["partial_parse_file"])]
        log = self._project.EventLog(emit)
        started = time.monotonic()
        with self._packages(request), self._project.partial_parse_kept(request.get("keep_partial_parse", True)):
            outcome = dbtRunner(callbacks=[log]).invoke(arguments)
            if outcome.exception is not None:
                raise outcome.exception
            opened = self._project.open_project(request, with_packages=False)
        adapter_type = opened.config.credentials.type
        self._manifests[handle] = outcome.result
        self._warehouse.learn_macros(outcome.result, adapter_type)
        return {
            "manifest_path": os.path.join(project_dir, target_path, "manifest.json"),
            "adapter_type": adapter_type,
            "profile": opened.config.profile_name,
            "target": opened.config.target_name,
            "threads": opened.config.threads,
            "partial": not log.names & {"UnableToPartialParse", "PartialParsingNotEnabled", "PartialParsingError"},
            "credentials": self._project.credentials_of(opened.config),
            "warnings": log.warnings,
            "elapsed": round(time.monotonic() - started, 3),
        }

    def resolve(self, request, emit):
        """The names that a branch's profile gives to a parsed project, kept under the label `as`."""
        manifest = self._manifest(request)
        label = self._project.required(request, "as")
        started = time.monotonic()
        with self._packages(request):
            opened = self._project.open_project(request, callbacks=[self._project.EventLog(emit)])
            resolved = self._names.resolve_names(
                manifest, opened, request.get("sources_database"), request.get("placed")
            )
        self._manifests[label] = resolved
        return {
            "relations": self._names.relations_of(resolved),
            "credentials": self._project.credentials_of(opened.config),
            "elapsed": round(time.monotonic() - started, 3),
        }

    def build(self, request, emit):
        """Builds exactly the given nodes."""
        with self._packages(request):
            result, error = self._build.build(request, self._manifest(request), emit)
        if error is not None:
            raise Unfinished(error, result)
        return result

    def select(self, request, emit):
        """What dbt's own selectors select."""
        with self._packages(request):
            return self._select.select(request, self._manifest(request))

    def macro(self, request, emit):
        """The value of a macro of the tiny project `offshoot`."""
        return {"value": self._warehouse.run_macro(request)}

    def list_relations(self, request, emit):
        """What exists in some schemas."""
        return {"relations": self._warehouse.list_relations(request)}

    def debug(self, request, emit):
        """Whether the warehouse can be reached."""
        return self._warehouse.check_connection(request)

    def deps(self, request, emit):
        """dbt deps."""
        from dbt.cli.main import dbtRunner

        log = self._project.EventLog(emit)
        arguments = ["deps", *self._project.common_arguments({**request, "target_path": None})]
        with self._packages(request):
            outcome = dbtRunner(callbacks=[log]).invoke(arguments)
        if outcome.exception is not None:
            raise outcome.exception
        return {"warnings": log.warnings}

    def forget(self, request, emit):
        """Lets go of a manifest."""
        return {"known": self._manifests.pop(self._project.required(request, "handle"), None) is not None}

    def release(self, request=None, emit=None):
        """Closes all connections to the warehouse."""
        self._project.release()
        return {}

    def _manifest(self, request):
        handle = self._project.required(request, "handle")
        if handle not in self._manifests:
            raise Refused("usage", f"{request['command']}: no manifest is kept under '{handle}'")
        return self._manifests[handle]

    def _packages(self, request):
        return self._project.packages_from(
            self._project.required(request, "project_dir"), request.get("packages_install_path")
        )


COMMANDS = ("parse", "resolve", "build", "select", "macro", "list_relations", "debug", "deps", "forget", "release")


class Unfinished(Exception):
    """A command that failed with an error already described, after part of its result was there."""

    def __init__(self, error, result):
        super().__init__(error["message"])
        self.error = error
        self.result = result


class Interrupts:
    """SIGINT raises KeyboardInterrupt while a command runs, and does nothing between commands.

    Installed whatever was inherited: a child of a shell's background job inherits an ignored SIGINT.
    """

    def __init__(self):
        self._running = False
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, number, frame):
        if self._running:
            signal.default_int_handler(number, frame)

    def ignore(self):
        """For the end: Python restores SIGINT's default, which kills, while it shuts down."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    @contextlib.contextmanager
    def while_running(self):
        self._running = True
        try:
            yield
        finally:
            self._running = False


def answer(session, interrupts, request, wire):
    """Runs one request and sends its one reply."""
    number = request.get("id")
    command = request.get("command")
    reply = {"id": number, "ok": True}
    place = os.getcwd()
    try:
        if command not in COMMANDS:
            raise Refused("usage", f"'{command}' is not a command; known are {', '.join(COMMANDS)}, shutdown")
        with interrupts.while_running():
            reply["result"] = getattr(session, command)(request, lambda event: wire.send({"id": number, **event}))
    except Unfinished as unfinished:
        reply = {"id": number, "ok": False, "error": unfinished.error, "result": unfinished.result}
    except BaseException as error:
        reply = {"id": number, "ok": False, "error": describe(error)}
    finally:
        with contextlib.suppress(OSError):
            os.chdir(place)
        session.release()
    wire.send(finite(reply))


def serve(session, interrupts, reader, wire):
    """Answers requests until `shutdown` or the end of the stream."""
    while True:
        try:
            line = reader.read()
        except EndOfRequests:
            return
        if not line.strip():
            continue
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as error:
            wire.send({"id": None, "ok": False, "error": {"kind": "usage", "message": f"not a request: {error}"}})
            continue
        if request.get("command") == "shutdown":
            session.release()
            wire.send({"id": request.get("id"), "ok": True, "result": {}})
            return
        answer(session, interrupts, request, wire)


def versions():
    """What runs here: dbt, its adapters, Python."""
    from importlib import metadata

    adapters = {}
    for distribution in metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name.startswith("dbt-") and name not in NOT_ADAPTERS and _is_adapter(name[4:]):
            adapters[name[4:]] = distribution.version
    return {
        "dbt_version": metadata.version("dbt-core"),
        "adapters": adapters,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
    }


NOT_ADAPTERS = ("dbt-core", "dbt-common", "dbt-adapters", "dbt-extractor", "dbt-protos", "dbt-semantic-interfaces")


def _is_adapter(name):
    import importlib.util

    try:
        return importlib.util.find_spec(f"dbt.adapters.{name}") is not None
    except (ImportError, ValueError):
        return False


def die_with_parent():
    """Linux: the kernel kills this process when its parent dies, however that happens."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--in", dest="requests", type=int, default=os.environ.get("OFFSHOOT_SESSION_IN"))
    parser.add_argument("--out", dest="replies", type=int, default=os.environ.get("OFFSHOOT_SESSION_OUT"))
    arguments = parser.parse_args()
    if arguments.requests is None or arguments.replies is None:
        parser.error("--in and --out are needed")
    for descriptor in (int(arguments.requests), int(arguments.replies)):
        os.set_inheritable(descriptor, False)
    die_with_parent()
    interrupts = Interrupts()
    wire = Wire(int(arguments.replies))
    wire.send({"event": "started", "pid": os.getpid(), "protocol": PROTOCOL_VERSION})
    try:
        session = Session()
        ready = versions()
    except Exception as error:
        message = cut(without_colours(f"{type(error).__name__}: {error}"))
        wire.send({"event": "fatal", "what": "import", "message": message})
        return EXIT_NO_DBT
    wire.send({"event": "ready", **ready})
    try:
        serve(session, interrupts, RequestReader(int(arguments.requests)), wire)
    except BrokenPipeError:
        pass  # the parent is gone: nobody is left to answer
    finally:
        interrupts.ignore()
        session.release()
    return 0


if __name__ == "__main__":
    # dbt makes millions of objects that live as long as the session: looking for garbage among them costs a tenth of
    # the time and finds little.
    gc.set_threshold(200_000, 50, 1000)
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # All connections are closed; taking the interpreter down by the book would cost half a second.
    os._exit(status)
