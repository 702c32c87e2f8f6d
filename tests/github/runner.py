# SPDX-License-Identifier: Apache-2.0
"""How GitHub's runner reads what a step writes: its rules for output files and for commands in logs, as its sources
have them (FileCommandManager.cs, ActionCommand.cs), written anew."""

import unicodedata

COMMANDS = ("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice",
            "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning")


def lines_of(text):
    """Each line with what ends it; \\r\\n, \\n and \\r end lines."""
    start = 0
    while start < len(text):
        end = start
        while end < len(text) and text[end] not in "\r\n":
            end += 1
        ending = text[end:end + 2] if text[end:end + 2] == "\r\n" else text[end:end + 1]
        yield text[start:end], ending
        start = end + len(ending)


def pairs(text):
    """The keys and values of an output file, in their order. Raises ValueError where the runner fails the step."""
    found, lines = [], list(lines_of(text))
    at = 0
    while at < len(lines):
        line = lines[at][0]
        at += 1
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            key, value = line.split("=", 1)
            if not key:
                raise ValueError("no name")
            found.append((key, value))
        elif heredoc >= 0:
            key, delimiter = line.split("<<", 1)
            if not key or not delimiter:
                raise ValueError("no name or delimiter")
            value, ending = "", ""
            while True:
                if at == len(lines):
                    raise ValueError("the delimiter does not come again")
                line, next_ending = lines[at]
                at += 1
                if line == delimiter:
                    break
                value, ending = value + ending + line, next_ending
            found.append((key, value))
        else:
            raise ValueError("neither = nor <<")
    return found


def unescaped(text, more=()):
    for code, char in (*more, ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def command(line):
    """(name, properties, message) of a line that the runner takes for a command; None for any other line."""
    trimmed = line.lstrip("".join(c for c in set(line) if c.isspace() or unicodedata.category(c) in ("Zs", "Zl", "Zp")))
    if trimmed.startswith("::"):
        end = trimmed.find("::", 2)
        if end < 0:
            return None
        name, _, rest = trimmed[2:end].partition(" ")
        if name.lower() not in COMMANDS:
            return None
        properties = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        more = (("%3A", ":"), ("%2C", ","))
        return name, {k: unescaped(v, more) for k, v in properties.items()}, unescaped(trimmed[end + 2:])
    at = line.find("##[")
    if at < 0 or "]" not in line[at:]:
        return None
    name, _, _ = line[at + 3:line.index("]", at)].partition(" ")
    return (name, {}, "") if name.lower() in COMMANDS else None
