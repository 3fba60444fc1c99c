"""From the tree of an expression to a function of a row. Operators and functions come from a fixed table."""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.patterns import BadPattern, SafePattern, SlowPattern
from jobs.transforms.faults import TransformFault
from jobs.transforms.functions import FUNCTIONS, OPERATORS, is_true
from jobs.transforms.language import Call, Column, Constant, Node, parse
from jobs.transforms.values import as_text, read_path

Evaluate = Callable[[Mapping[str, Any]], Any]


def compiled(expression: str) -> Evaluate:
    """Return what computes an expression for a row; raises ``TransformFault`` for one that makes no sense."""
    return _compiled(parse(expression))


def _compiled(node: Node) -> Evaluate:
    match node:
        case Constant(value):
            return lambda _: value
        case Column(name):
            return lambda row: read_path(row, name)
        case Call("matches", arguments):
            return _matching(*arguments)
        case Call("and" | "or" as word, (one, other), False):
            return _joined(word, _compiled(one), _compiled(other))
        case Call("if", arguments, True):
            return _choice(arguments)
        case Call(name, arguments, is_function):
            return _applied(_function(name, len(arguments)) if is_function else OPERATORS[name], arguments)


def _joined(word: str, first: Evaluate, second: Evaluate) -> Evaluate:
    # The second is looked at only if it matters: name != null and length(name) > 3.
    if word == "and":
        return lambda row: is_true(first(row)) and is_true(second(row))
    return lambda row: is_true(first(row)) or is_true(second(row))


def _applied(work: Callable[..., Any], arguments: tuple[Node, ...]) -> Evaluate:
    inner = [_compiled(argument) for argument in arguments]
    return lambda row: work(*[evaluate(row) for evaluate in inner])


def _function(name: str, count: int) -> Callable[..., Any]:
    function = FUNCTIONS.get(name)
    if function is None:
        raise TransformFault(f"There is no function {name[:40]!r}; there are: {', '.join(['if', *FUNCTIONS])}.")
    if not function.fewest <= count <= function.most:
        wanted = str(function.fewest) if function.fewest == function.most else f"{function.fewest} to {function.most}"
        raise TransformFault(f"{name}() takes {wanted} arguments, not {count}.")
    return function.work


def _choice(arguments: tuple[Node, ...]) -> Evaluate:
    if len(arguments) != 3:
        raise TransformFault("if() takes 3 arguments: the condition, then what it is, then what it is otherwise.")
    condition, this, that = map(_compiled, arguments)
    return lambda row: this(row) if is_true(condition(row)) else that(row)


def _matching(text: Node, pattern: Node) -> Evaluate:
    if not isinstance(pattern, Constant) or not isinstance(pattern.value, str):
        raise TransformFault("matches takes a regular expression in quotation marks.")
    try:
        safe = SafePattern(pattern.value)
    except BadPattern as error:
        raise TransformFault(f"matches {pattern.value[:60]!r}: {error}") from None
    evaluate = _compiled(text)

    def work(row: Mapping[str, Any]) -> bool:
        try:
            return safe.occurs_in(as_text(evaluate(row)))
        except SlowPattern as slow:
            raise TransformFault(str(slow)) from None

    return work
