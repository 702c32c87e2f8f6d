# SPDX-License-Identifier: Apache-2.0
"""From an exception to the error that the parent sees: a kind, a message, where it happened."""

import re
import traceback

from session_wire import cut

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_LOCKED = re.compile(r"Could not set lock on file|Conflicting lock is held|database is locked", re.I)
_NO_PROFILE = re.compile(r"Could not find profile named|profiles\.yml")
_LINE = re.compile(r"\bline (\d+)\b")
_NODE = re.compile(r"'((?:model|seed|snapshot|test|unit_test|analysis|source|exposure|function|operation|macro)\.[\w.\-]+)'")
_FILE = re.compile(r"\(([\w./\- ]+\.(?:sql|py|ya?ml|csv|md))\)")

# Exception class names, of dbt and its libraries, by kind. Names rather than classes: they moved between
# dbt.exceptions, dbt.adapters.exceptions and dbt_common.exceptions from 1.8 to 1.12. The first match wins,
# looking at each exception's classes from the most to the least special.
_KIND_OF_CLASS = {
    "KeyboardInterrupt": "interrupted",
    "UsageError": "usage",
    "DbtUsageException": "usage",
    "ClickException": "usage",
    "DbtProfileError": "profile",
    "InvalidConnectionError": "connection",
    "NoAdaptersAvailableError": "profile",
    "DbtProjectError": "project",
    "DbtSelectorsError": "project",
    "DbtConfigError": "project",
    "VersionsNotCompatibleError": "project",
    "DependencyError": "dependency",
    "GitCloningError": "dependency",
    "GitCheckoutError": "dependency",
    "BadSpecError": "dependency",
    "UnknownGitCloningProblemError": "dependency",
    "UninstalledPackagesFoundError": "dependency",
    "CommandError": "dependency",
    "FailedToConnectError": "connection",
    "DbtDatabaseError": "database",
    "ParsingError": "parsing",
    "DbtValidationError": "parsing",
    "ContractBreakingChangeError": "compilation",
    "CompilationError": "compilation",
    "DbtInternalError": "internal",
}
_DRIVER_MODULES = {"duckdb", "_duckdb", "psycopg2", "psycopg2_binary"}
_CONNECTION_CLASSES = {"OperationalError", "InterfaceError", "ConnectionException", "IOException"}


class Refused(Exception):
    """A request that the session itself turns down."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def without_colours(text):
    return _ANSI.sub("", "" if text is None else str(text))


def describe(error, default_kind="internal"):
    """The error object of the protocol for an exception: kind, message, and node, file, line where known."""
    chain = list(_causes(error))
    message = without_colours(error).strip() or type(error).__name__
    described = {"kind": _kind(chain, default_kind), "message": cut(message)}
    described.update(_place(chain, message))
    if described["kind"] == "interrupted":
        described["message"] = "interrupted"
    return described


def is_locked(message):
    """Whether a message says that a DuckDB file is held by another process."""
    return bool(_LOCKED.search(message or ""))


def _causes(error):
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _kind(chain, default_kind):
    """The kind by class; what went wrong while dbt read a profile or a project file is that file's fault."""
    kind = _kind_of_class(chain, default_kind)
    if kind in ("parsing", "compilation", "project"):
        return _settings_file_being_read(chain) or kind
    return kind


def _settings_file_being_read(chain):
    for error in chain:
        files = {frame.f_code.co_filename.replace("\\", "/") for frame, _ in traceback.walk_tb(error.__traceback__)}
        for kind in ("profile", "project"):
            if any(name.endswith(f"/dbt/config/{kind}.py") for name in files):
                return kind
        if _NO_PROFILE.search(str(error)):
            return "profile"
    return None


def _kind_of_class(chain, default_kind):
    if isinstance(chain[0], Refused):
        return chain[0].kind
    if any(is_locked(str(error)) for error in chain):
        return "locked"
    for error in chain:
        for cls in type(error).__mro__:
            if cls.__module__.split(".")[0] in _DRIVER_MODULES:
                return "connection" if cls.__name__ in _CONNECTION_CLASSES else "database"
            kind = _KIND_OF_CLASS.get(cls.__name__)
            if kind is not None:
                return kind
    if any(cls.__name__ == "DbtRuntimeError" for cls in type(chain[0]).__mro__):
        return "compilation"
    return default_kind


def _place(chain, message):
    place = {}
    for error in chain:
        node = getattr(error, "node", None)
        if node is not None:
            if getattr(node, "unique_id", None):
                place["node"] = str(node.unique_id)
            if getattr(node, "original_file_path", None):
                place["file"] = str(node.original_file_path)
            break
    for name, pattern in (("node", _NODE), ("file", _FILE), ("line", _LINE)):
        found = pattern.search(message)
        if found and name not in place:
            place[name] = int(found.group(1)) if name == "line" else found.group(1)
    return place
