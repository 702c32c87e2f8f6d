# SPDX-License-Identifier: Apache-2.0
"""Random edits of SQL with Jinja and of YAML: some of formatting, some of what matters, most anywhere."""

import random
import re

BLANKS = [" ", "  ", "\n", "\n\n", "\t", "\r\n", "\n    "]
COMMENTS = ["/* c */", "/* it's */", "/**/", "-- c\n", "-- don't\n", "{# c #}", "{# it's {{ #}", "{#- c #}"]
HARMFUL = [
    "'", '"', "`", "--", "-- ", "/*", "*/", "//", "#", "$$", "$a$", "{#", "#}", "{%", "%}", "{{", "}}", "-", "+", "(",
    ")", ",", ".", ";", "[", "]", "\\", "\\'", "e", "E", "1", "a", "'''", '"""', "/*+ h */", "-- noqa\n", "-%}", "{%-",
    "{{-", "-}}", "{{ x }}", "{% raw %}", "{% endraw %}", "{% if x %}", "{% endif %}", "@", ":", "::", "!", "=", "<",
    "\n", " ", "\u00a0", "é", "\r", "\x0b", "/*!", "r'", "q'[", "U&'", "--+", "{{ config() }}", "{{ '-' }}", "\ufeff",
]
TOKEN = re.compile(r"\s+|\w+|'[^']*'|\"[^\"]*\"|.", re.S)


class Editor:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def edit(self, text):
        """The text after one to three edits of one kind, and the kind: "formatting" or "any"."""
        kind = "formatting" if self.random.random() < 0.5 else "any"
        edits = self.formatting() if kind == "formatting" else self.any()
        for _ in range(self.random.choice([1, 1, 2, 3])):
            text = self.random.choice(edits)(text)
        return text, kind

    # --- what people do when they tidy up (which may still fall into a literal) ---

    def formatting(self):
        return [self.blank_for_blank, self.blank_for_blank, self.indent, self.comment_line, self.comment_at_end,
                self.comment_at_blank, self.around_operator, self.inside_tag, self.drop_comment, self.crlf, self.blank_line]

    def place(self, pattern, text):
        found = list(re.finditer(pattern, text))
        return self.random.choice(found) if found else None

    def replace(self, match, text, by):
        return text if match is None else text[: match.start()] + by + text[match.end() :]

    def blank_for_blank(self, text):
        return self.replace(self.place(r"\s+", text), text, self.random.choice(BLANKS))

    def indent(self, text):
        return self.replace(self.place(r"(?m)^[ \t]*", text), text, " " * self.random.randrange(9))

    def comment_line(self, text):
        return self.replace(self.place(r"(?m)^", text), text, self.random.choice(COMMENTS[:6]).rstrip() + "\n")

    def comment_at_end(self, text):
        return self.replace(self.place(r"(?m)$", text), text, self.random.choice([" -- c", " -- it's", " {# c #}", " /* c */"]))

    def comment_at_blank(self, text):
        return self.replace(self.place(r"\s+", text), text, " " + self.random.choice(COMMENTS) + " ")

    def around_operator(self, text):
        match = self.place(r"\s*(::|<=|>=|<>|!=|\|\||[-+*/=<>,()])\s*", text)
        blanks = ["", " ", "\n"]
        if match is None:
            return text
        return self.replace(match, text, self.random.choice(blanks) + match[1] + self.random.choice(blanks))

    def inside_tag(self, text):
        match = self.place(r"(\{\{|\{%)([-+]?)\s*((?:(?!\}\}|%\}).)*?)\s*([-+]?)(\}\}|%\})", text)
        if match is None:
            return text
        blank = self.random.choice(["", " ", "  ", "\n"])
        inside = re.sub(r"(?<=[,(=|~])\s*|\s*(?=[,)=|~])", lambda _: self.random.choice(["", " "]), match[3])
        return self.replace(match, text, match[1] + match[2] + " " + blank + inside + blank + " " + match[4] + match[5])

    def drop_comment(self, text):
        return self.replace(self.place(r"[ \t]*(--[^\n]*|/\*[^+].*?\*/|\{#.*?#\})", text), text, "")

    def crlf(self, text):
        return text.replace("\n", "\r\n") if "\r" not in text else text.replace("\r\n", "\n")

    def blank_line(self, text):
        return self.replace(self.place(r"\n", text), text, "\n\n")

    # --- anything ---

    def any(self):
        return [self.insert, self.insert, self.delete, self.delete_token, self.swap, self.change, self.join_lines,
                self.double, self.blank_for_blank, self.around_operator, self.move_comment]

    def at(self, text):
        return self.random.randrange(len(text) + 1)

    def insert(self, text):
        at = self.at(text)
        return text[:at] + self.random.choice(HARMFUL) + text[at:]

    def delete(self, text):
        at = self.at(text)
        return text[:at] + text[at + self.random.choice([1, 1, 1, 2, 3]) :]

    def tokens(self, text):
        return TOKEN.findall(text)

    def delete_token(self, text):
        tokens = self.tokens(text)
        if tokens:
            del tokens[self.random.randrange(len(tokens))]
        return "".join(tokens)

    def swap(self, text):
        tokens = self.tokens(text)
        if len(tokens) > 1:
            at = self.random.randrange(len(tokens) - 1)
            tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
        return "".join(tokens)

    def change(self, text):
        at = self.at(text)
        return text[:at] + self.random.choice(HARMFUL) + text[at + 1 :]

    def join_lines(self, text):
        return self.replace(self.place(r"\s*\n\s*", text), text, self.random.choice(["", " "]))

    def double(self, text):
        match = self.place(r"['\"`$\-/*#{}%\\]", text)
        return text if match is None else self.replace(match, text, match[0] * 2)

    def move_comment(self, text):
        match = self.place(r"--[^\n]*\n|\{#.*?#\}", text)
        if match is None:
            return text
        rest = self.replace(match, text, "")
        at = self.at(rest)
        return rest[:at] + match[0] + rest[at:]


class YamlEditor(Editor):
    """The same of YAML, which has lines and keys instead of operators."""

    def formatting(self):
        return [self.comment_line, self.comment_at_end, self.blank_line, self.crlf, self.swap_blocks, self.swap_blocks,
                self.drop_comment, self.trailing_blank]

    def any(self):
        return [self.insert, self.delete, self.delete_token, self.swap, self.change, self.indent, self.swap_lines,
                self.swap_blocks, self.join_lines, self.blank_for_blank]

    def insert(self, text):
        at = self.at(text)
        more = ["#", " #", ": ", "- ", "\n", "'", '"', "|", ">", "&a ", "*a", "~", "null", "yes", "1", "!!str ", "? ", "\t", "\u2028", "<<: *a"]
        return text[:at] + self.random.choice(more) + text[at:]

    change = insert

    def comment_line(self, text):
        blank = " " * self.random.randrange(5)
        return self.replace(self.place(r"(?m)^", text), text, blank + self.random.choice(["# c\n", "# it's: x\n", "#\n"]))

    def comment_at_end(self, text):
        return self.replace(self.place(r"(?m)$", text), text, self.random.choice([" # c", "  # it's", "\t# c"]))

    def drop_comment(self, text):
        return self.replace(self.place(r"[ \t]*#[^\n]*", text), text, "")

    def trailing_blank(self, text):
        return self.replace(self.place(r"(?m)$", text), text, self.random.choice([" ", "  "]))

    def swap_lines(self, text):
        lines = text.split("\n")
        if len(lines) > 1:
            at = self.random.randrange(len(lines) - 1)
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        return "\n".join(lines)

    def swap_blocks(self, text):
        """Two neighbours of one depth, each with all that is indented below it, change places."""
        lines = text.split("\n")
        depth = [len(line) - len(line.lstrip()) for line in lines]

        def end(at):
            stop = at + 1
            while stop < len(lines) and (not lines[stop].strip() or depth[stop] > depth[at]):
                stop += 1
            return stop

        pairs = []
        for at, line in enumerate(lines):
            middle = end(at)
            if line.strip() and middle < len(lines) and lines[middle].strip() and depth[middle] == depth[at]:
                pairs.append((at, middle, end(middle)))
        if not pairs:
            return text
        first, middle, last = self.random.choice(pairs)
        return "\n".join(lines[:first] + lines[middle:last] + lines[first:middle] + lines[last:])
