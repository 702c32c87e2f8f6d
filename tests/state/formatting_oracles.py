# SPDX-License-Identifier: Apache-2.0
"""Oracles stricter than offshoot's lexer, made of other people's: Jinja's parser, sqlglot's and sqlfluff's tokens of the
rendered SQL, and PyYAML. Each says what a text means; two texts of which two meanings differ are not the same."""

import functools
import re

import jinja2
import jinja2.nodes
import sqlglot
import sqlglot.tokens
import yaml
from dbt_common.clients.jinja import get_environment
from jinja2.sandbox import SandboxedEnvironment
from sqlfluff.core import FluffConfig, Lexer

SQLGLOT = {"sqlserver": "tsql"}
SQLFLUFF = {"sqlserver": "tsql"}
# Tokens of which the type is not plain to see from the text, which holds no quotes.
WORDS_ALONE = [getattr(sqlglot.tokens.TokenType, name) for name in dir(sqlglot.tokens.TokenType) if "STRING" in name]
WORDS_ALONE.append(sqlglot.tokens.TokenType.IDENTIFIER)
MATTERS = re.compile(r"^(/\*|--|//|#)[+!]|noqa|sqlfluff|depends_on", re.I)
ERROR = "error"


# --- Jinja ---


def exact_text(node):
    """What a block takes as text: there each byte of data counts."""
    return isinstance(node, (jinja2.nodes.Macro, jinja2.nodes.CallBlock, jinja2.nodes.FilterBlock, jinja2.nodes.AssignBlock))


def is_data(node):
    return isinstance(node, jinja2.nodes.TemplateData)


def joined_data(nodes):
    """A comment of Jinja parts data in two, and prints nothing between them."""
    result = []
    for node in nodes:
        if is_data(node) and result and is_data(result[-1]):
            node = jinja2.nodes.TemplateData(result.pop().data + node.data)
        result.append(node)
    return result


def skeleton(node, exact=False):
    """The tree of the Jinja without the data that is only SQL, as nested tuples."""
    if isinstance(node, jinja2.nodes.TemplateData):
        return ("data", node.data) if exact else "data"
    if isinstance(node, jinja2.nodes.Node):
        exact = exact or exact_text(node)
        fields = []
        for name, value in node.iter_fields():
            if isinstance(node, jinja2.nodes.Output) and name == "nodes":
                value = joined_data(value) if exact else [one for one in value if not is_data(one)]
            fields.append((name, skeleton(value, exact)))
        return (type(node).__name__, *fields)
    if isinstance(node, list):
        parts = [skeleton(one, exact) for one in node]
        return [part for part in parts if part != ("Output", ("nodes", []))]
    if isinstance(node, tuple):
        return tuple(skeleton(one, exact) for one in node)
    return (type(node).__name__, node)


@functools.lru_cache(maxsize=4096)
def jinja_tree(text):
    """dbt's own environment parses it, with dbt's blocks."""
    try:
        return skeleton(get_environment(None, capture_macros=True).parse(text))
    except (jinja2.TemplateError, RecursionError) as error:
        return (ERROR, type(error).__name__)


NO_SIGNS = {ord(sign): "_" for sign in "'\"`$#/*-\\[]{}@\n\r\t ();,.=:+!"}


class Printed(str):
    def __neg__(self):
        return self


class Stub(jinja2.Undefined):
    """Whatever a project may call: prints its name, or nothing, is true or not, and loops as often as it is told."""

    truth, prints, loops = True, True, 2

    def __str__(self):
        return "u_" + str(self._undefined_name) if self.prints else ""

    def __bool__(self):
        return self.truth

    def __iter__(self):
        return iter(["i%d" % i for i in range(self.loops)])

    def __len__(self):
        return self.loops

    def __call__(self, *arguments, **named):
        inside = ",".join([*map(str, arguments), *(f"{key}={value}" for key, value in named.items())])
        return Printed(f"{self._undefined_name}_{inside}".translate(NO_SIGNS) if self.prints else "")

    def __getattr__(self, name):
        if name.startswith("__") or name in ("unsafe_callable", "alters_data", "jinja_pass_arg"):
            raise AttributeError(name)
        return type(self)(name=name)

    __getitem__ = __getattr__

    def _same(self, other):
        return self.truth

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _same
    __hash__ = jinja2.Undefined.__hash__

    def _joined(self, other):
        return str(self) + str(other)

    __add__ = __radd__ = __mod__ = __mul__ = __sub__ = __truediv__ = _joined


STUBS = [
    type("AllTrue", (Stub,), {}),
    type("Nothing", (Stub,), {"truth": False, "prints": False, "loops": 0}),
    type("Mixed", (Stub,), {"truth": False, "loops": 1}),
]
EXTENSIONS = get_environment(None).extensions.values()


@functools.lru_cache(maxsize=4096)
def rendered(text):
    """What Jinja makes of the text in worlds that differ in what is true and what is printed."""
    results = []
    for stub in STUBS:
        environment = SandboxedEnvironment(undefined=stub, extensions=[type(each) for each in EXTENSIONS])
        config = lambda *_, **__: ""  # noqa: E731 - dbt's config prints nothing
        try:
            results.append(environment.from_string(text).render(config=config))
        except Exception as error:  # noqa: BLE001 - whatever the template does wrong is its meaning
            results.append((ERROR, type(error).__name__))
    return results


# --- SQL ---


@functools.lru_cache(maxsize=16)
def sqlglot_dialect(adapter):
    return sqlglot.Dialect.get_or_raise(SQLGLOT.get(adapter, adapter))


@functools.lru_cache(maxsize=16)
def sqlfluff_lexer(adapter):
    return Lexer(config=FluffConfig(overrides={"dialect": SQLFLUFF.get(adapter, adapter)}))


@functools.lru_cache(maxsize=4096)
def sqlglot_tokens(sql, adapter):
    try:
        tokens = sqlglot_dialect(adapter).tokenize(sql)
    except sqlglot.errors.SqlglotError:
        return ERROR
    words = []
    for token in tokens:
        if token.token_type in WORDS_ALONE:
            words.append((token.token_type.name, token.text))
        else:  # "order by" is one token to it, and two where a comment stands between
            words += sql[token.start : token.end + 1].split()
    return words


def is_misread_by_sqlfluff(sql, adapter):
    """It takes a backslash for an escape in every literal, and dashes for a comment where MySQL does not."""
    no_escapes = adapter in ("trino", "sqlserver", "duckdb", "postgres") and "\\'" in sql
    return no_escapes or (adapter == "mysql" and re.search(r"--\S", sql) is not None)


@functools.lru_cache(maxsize=4096)
def sqlfluff_tokens(sql, adapter):
    if is_misread_by_sqlfluff(sql, adapter):
        return ERROR
    segments, errors = sqlfluff_lexer(adapter).lex(sql)
    if errors:
        return ERROR
    tokens = []
    for segment in segments:
        if segment.is_meta or segment.is_type("whitespace", "newline"):
            continue
        if segment.is_type("comment") and not MATTERS.search(segment.raw):
            continue
        if segment.raw:
            tokens.append((segment.get_type(), segment.raw.rstrip("\r")))
    return tokens


def differ(one, other):
    """Whether two answers of an oracle differ; None: it has no answer to either."""
    if one == ERROR and other == ERROR:
        return None
    return one != other


def sql_differs(before, after, adapter):
    """By which oracle the two texts differ; "": by none; None: no oracle could read them."""
    trees = jinja_tree(before), jinja_tree(after)
    if trees[0] != trees[1]:
        return "Jinja's tree"
    if trees[0][0] == ERROR:
        return None
    answered = False
    for one, other in zip(rendered(before), rendered(after)):
        if isinstance(one, tuple) or isinstance(other, tuple):
            if one != other:
                return f"rendering: {one} / {other}"
            continue
        for name, oracle in (("sqlglot", sqlglot_tokens), ("sqlfluff", sqlfluff_tokens)):
            tokens = oracle(one, adapter), oracle(other, adapter)
            verdict = differ(*tokens)
            if verdict:
                return f"{name}: {first_difference(*tokens)}"
            answered = answered or verdict is not None
    return "" if answered else None


def first_difference(one, other):
    if ERROR in (one, other):
        return f"{one if one == ERROR else '…'} / {other if other == ERROR else '…'}"
    for left, right in zip(one, other):
        if left != right:
            return f"{left} / {right}"
    return f"{len(one)} / {len(other)} tokens"


# --- YAML ---


def typed(value):
    """A value of which 1, 1.0, True and "1" are four, and the order of keys none."""
    if isinstance(value, dict):
        return ("map", sorted(((repr(typed(key)), typed(item)) for key, item in value.items()), key=lambda pair: pair[0]))
    if isinstance(value, list):
        return ("list", [typed(item) for item in value])
    return (type(value).__name__, repr(value))


@functools.lru_cache(maxsize=4096)
def yaml_value(text):
    """By the loader that dbt uses."""
    try:
        return typed(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return ERROR


def yaml_differs(before, after, _adapter):
    verdict = differ(yaml_value(before), yaml_value(after))
    return None if verdict is None else ("PyYAML's values" if verdict else "")
