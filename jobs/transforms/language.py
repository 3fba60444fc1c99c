"""The small language of conditions and calculations: text in, a tree out. A parser of its own; nothing is evaluated.

    price * quantity >= 100 and not (country in ["DE", "AT"]) and name contains "solar"

From weakest to strongest: ``or``, ``and``, ``not``, comparisons (``= == != <> < <= > >=``, ``in``, ``contains``,
``matches``, ``startsWith``, ``endsWith``), ``+ -``, ``* / %``, a leading ``-``. Columns stand by their names, unusual
ones in backticks; texts in single or double quotes; functions take their arguments in parentheses.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jobs.transforms.faults import TransformFault

LONGEST = 1000
_DEEPEST = 40
_MOST_TOKENS = 250
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<quoted>`[^`]+`)
      | (?P<name>[^\W\d]\w*(?:\.\w+)*)
      | (?P<sign><=|>=|==|!=|<>|[-+*/%()\[\],<>=])
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t"}
_COMPARISONS = {"=": "==", "==": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WORDS = {"in": "in", "contains": "contains", "matches": "matches", "startswith": "startsWith", "endswith": "endsWith"}
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
_RESERVED = frozenset({"and", "or", "not", *_WORDS})


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the expression."""

    value: Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column, or a dotted path into nested ones."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function with what it is applied to; ``is_function`` tells ``round`` from ``+``."""

    name: str
    arguments: "tuple[Node, ...]"
    is_function: bool = False


Node = Constant | Column | Call


def parse(expression: str) -> Node:
    """Return the tree of an expression; raises ``TransformFault`` with the place where it makes no sense."""
    if len(expression) > LONGEST:
        raise TransformFault(f"The expression is longer than {LONGEST} characters.")
    return _Parser(expression).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    at, end = 0, len(expression.rstrip())
    while at < end:
        found = _TOKEN.match(expression, at)
        if not found:
            raise TransformFault(f"The expression makes no sense from here: {expression[at : at + 20].strip()!r}.")
        kind = found.lastgroup or ""
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        at = found.end()
    if len(tokens) > _MOST_TOKENS:
        raise TransformFault(f"The expression has more than {_MOST_TOKENS} parts.")
    return [*tokens, _Token("end", "", end)]


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _tokens(expression)
        self._next = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._either()
        if self._token.kind != "end":
            raise self._fault("an operator")
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> str:
        """Return the next sign or word and move on if it is one of these, else an empty text."""
        token = self._token
        text = token.text.lower() if token.kind == "name" else token.text
        if token.kind in {"sign", "name"} and text in texts:
            self._next += 1
            return text
        return ""

    def _insist(self, text: str) -> None:
        if not self._take(text):
            raise self._fault(repr(text))

    def _fault(self, wanted: str) -> TransformFault:
        here = self._expression[self._token.at : self._token.at + 20]
        return TransformFault(
            f"The expression wants {wanted} before {here!r}." if here else f"The expression wants {wanted} at its end."
        )

    def _either(self) -> Node:
        return self._chain(self._both, {"or": "or"})

    def _both(self) -> Node:
        return self._chain(self._negation, {"and": "and"})

    def _negation(self) -> Node:
        if self._take("not"):
            return Call("not", (self._deeper(self._negation),))
        return self._comparison()

    def _comparison(self) -> Node:
        left = self._sum()
        negated = self._is_negated_word()
        if sign := self._take(*_COMPARISONS, *_WORDS):
            node: Node = Call(_COMPARISONS.get(sign) or _WORDS[sign], (left, self._sum()))
            return Call("not", (node,)) if negated else node
        return left

    def _is_negated_word(self) -> bool:
        """Take the ``not`` of ``not in`` and ``not contains``."""
        following = self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        return following.kind == "name" and following.text.lower() in _WORDS and bool(self._take("not"))

    def _sum(self) -> Node:
        return self._chain(self._product, {"+": "+", "-": "-"})

    def _product(self) -> Node:
        return self._chain(self._signed, {"*": "*", "/": "/", "%": "%"})

    def _signed(self) -> Node:
        if self._take("-"):
            return Call("-", (Constant(0), self._deeper(self._signed)))
        return self._atom()

    def _chain(self, inner: Callable[[], Node], signs: dict[str, str]) -> Node:
        node = inner()
        while sign := self._take(*signs):
            node = Call(signs[sign], (node, inner()))
        return node

    def _deeper(self, inner: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TransformFault(f"The expression is nested deeper than {_DEEPEST} levels.")
        node = inner()
        self._depth -= 1
        return node

    def _atom(self) -> Node:
        token = self._token
        if self._take("("):
            node = self._deeper(self._either)
            self._insist(")")
            return node
        if self._take("["):
            return Call("list", self._arguments("]"))
        if token.kind in {"number", "text", "quoted", "name"} and token.text.lower() not in _RESERVED:
            self._next += 1
            return self._named(token) if token.kind == "name" else _constant(token)
        raise self._fault("a column, a number, a text or a function")

    def _named(self, token: _Token) -> Node:
        if self._take("("):
            return Call(token.text.lower(), self._arguments(")"), is_function=True)
        if token.text in _CONSTANTS:
            return Constant(_CONSTANTS[token.text])
        return Column(token.text)

    def _arguments(self, end: str) -> tuple[Node, ...]:
        arguments: list[Node] = []
        while not self._take(end):
            if arguments:
                self._insist(",")
            arguments.append(self._deeper(self._either))
        return tuple(arguments)


def _constant(token: _Token) -> Node:
    if token.kind == "quoted":
        return Column(token.text[1:-1])
    if token.kind == "number":
        return Constant(Decimal(token.text) if "." in token.text else int(token.text))
    return Constant(_ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), token.text[1:-1]))
