"""What the small language can do to values: its operators and functions, one line each where possible. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from jobs.transforms import values
from jobs.transforms.faults import TransformFault
from jobs.transforms.values import Number, as_number, as_text, identity, is_blank, order_key

LONGEST_TEXT = 100_000
"""Characters of one cell that an expression may make."""
_MOST_DECIMALS = 50


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how many arguments it takes, and what it does with their values."""

    fewest: int
    most: int
    work: Callable[..., Any]


def numeric(work: Callable[[Number, Number], Number]) -> Callable[[Any, Any], Any]:
    """Return an operation on numbers for values of any sort: nothing in, nothing out; what is no number is a fault."""

    def operate(one: Any, other: Any) -> Any:
        return None if is_blank(one) or is_blank(other) else work(number_of(one), number_of(other))

    return operate


def number_of(value: Any) -> Number:
    """Return a value as a number; raises ``TransformFault`` if it is none."""
    number = as_number(value)
    if number is None:
        raise TransformFault(f"{as_text(value)[:40]!r} is no number; number(...) makes null of what is none.")
    return number


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are the same; a number equals the text that spells it."""
    if isinstance(one, str) == isinstance(other, str):
        return bool(identity(one) == identity(other))
    first, second = as_number(one), as_number(other)
    return first is not None and first == second


def ordered(decide: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return a comparison that is false when either value is nothing, or they are of two sorts."""

    def compare(one: Any, other: Any) -> bool:
        if is_blank(one) or is_blank(other):
            return False
        first, second = order_key(one), order_key(other)
        return first[0] == second[0] and decide(first, second)

    return compare


def is_in(value: Any, group: Any) -> bool:
    """Return whether a value is one of a list, or a text a part of another."""
    return any(equal(value, each) for each in group) if isinstance(group, list) else contains(group, value)


def contains(whole: Any, part: Any) -> bool:
    """Return whether a list has a value, or a text a part, in upper or lower case."""
    if isinstance(whole, list):
        return is_in(part, whole)
    return not is_blank(part) and as_text(part).casefold() in as_text(whole).casefold()


def is_true(value: Any) -> bool:
    """Return whether a value counts as true: not null, false, 0, an empty text or list, nor the text "false"."""
    return bool(value) and value != "false"


def _text(work: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else work(as_text(value))


def _round(value: Any, digits: Any = 0) -> Any:
    if is_blank(value):
        return None
    places = number_of(digits)
    if not isinstance(places, int) or not 0 <= places <= _MOST_DECIMALS:
        raise TransformFault(f"round() takes 0 to {_MOST_DECIMALS} digits.")
    number = Decimal(number_of(value))
    if number.adjusted() > 1000:
        raise TransformFault("A number is too large to be rounded.")
    step = Decimal(1).scaleb(-places)
    rounded = number.quantize(step, ROUND_HALF_UP, context=values.EXACT)
    return rounded if places else int(rounded)


def _to_whole(direction: Callable[[Number], int]) -> Callable[[Any], Any]:
    def work(value: Any) -> Any:
        if is_blank(value):
            return None
        number = number_of(value)
        if isinstance(number, Decimal) and number.adjusted() > 1000:
            raise TransformFault("A number is too large to be rounded.")
        return direction(number)

    return work


def _floor(number: Number) -> int:
    whole = int(number)
    return whole - (whole > number)


def _part_of_date(part: Callable[[datetime], Any]) -> Callable[[Any], Any]:
    def work(value: Any) -> Any:
        moment = _moment(value)
        return None if moment is None else part(moment)

    return work


def _moment(value: Any) -> datetime | None:
    """Return an ISO 8601 date or time; null for what is none."""
    try:
        return datetime.fromisoformat(as_text(value).strip()[:40])
    except ValueError:
        return None


def _days_between(one: Any, other: Any) -> Any:
    first, second = _moment(one), _moment(other)
    if first is None or second is None:
        return None
    return (date(second.year, second.month, second.day) - date(first.year, first.month, first.day)).days


def _concat(*parts: Any) -> str:
    return _within("".join(map(as_text, parts)))


def _replace(text: Any, old: Any, new: Any) -> Any:
    return (
        None if text is None else _within(as_text(text).replace(as_text(old), as_text(new)) if as_text(old) else text)
    )


def _within(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise TransformFault(f"A text gets longer than {LONGEST_TEXT} characters.")
    return text


def _substring(text: Any, start: Any, length: Any = None) -> Any:
    if text is None:
        return None
    first = max(0, int(number_of(start)) - 1)
    return as_text(text)[first:] if length is None else as_text(text)[first : first + max(0, int(number_of(length)))]


def _split(text: Any, separator: Any = ",") -> Any:
    if is_blank(text):
        return []
    if not as_text(separator):
        raise TransformFault("split() takes a separator that is not empty.")
    return [part.strip() for part in as_text(text).split(as_text(separator))]


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def work(*arguments: Any) -> Any:
        there = [argument for argument in arguments if not is_blank(argument)]
        return choose(there, key=order_key) if there else None

    return work


def _number(value: Any) -> Any:
    return as_number(value)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else len(as_text(value))


OPERATORS: Mapping[str, Callable[..., Any]] = {
    "+": numeric(values.add),
    "-": numeric(values.subtract),
    "*": numeric(values.multiply),
    "/": numeric(values.divide),
    "%": numeric(values.remainder),
    "==": equal,
    "!=": lambda one, other: not equal(one, other),
    "<": ordered(lambda one, other: one < other),
    "<=": ordered(lambda one, other: one <= other),
    ">": ordered(lambda one, other: one > other),
    ">=": ordered(lambda one, other: one >= other),
    "in": is_in,
    "contains": contains,
    "startsWith": lambda text, part: as_text(text).startswith(as_text(part)),
    "endsWith": lambda text, part: as_text(text).endswith(as_text(part)),
    "not": lambda value: not is_true(value),
    "list": lambda *arguments: list(arguments),
}

FUNCTIONS: Mapping[str, Function] = {
    "upper": Function(1, 1, _text(str.upper)),
    "lower": Function(1, 1, _text(str.lower)),
    "trim": Function(1, 1, _text(lambda text: " ".join(text.split()))),
    "length": Function(1, 1, _length),
    "concat": Function(1, 20, _concat),
    "replace": Function(3, 3, _replace),
    "substring": Function(2, 3, _substring),
    "split": Function(1, 2, _split),
    "text": Function(1, 1, as_text),
    "number": Function(1, 1, _number),
    "round": Function(1, 2, _round),
    "floor": Function(1, 1, _to_whole(_floor)),
    "ceil": Function(1, 1, _to_whole(lambda number: -_floor(-number))),
    "abs": Function(1, 1, lambda value: None if is_blank(value) else abs(number_of(value))),
    "min": Function(1, 20, _extreme(min)),
    "max": Function(1, 20, _extreme(max)),
    "coalesce": Function(1, 20, lambda *arguments: next((each for each in arguments if not is_blank(each)), None)),
    "year": Function(1, 1, _part_of_date(lambda moment: moment.year)),
    "month": Function(1, 1, _part_of_date(lambda moment: moment.month)),
    "day": Function(1, 1, _part_of_date(lambda moment: moment.day)),
    "hour": Function(1, 1, _part_of_date(lambda moment: moment.hour)),
    "weekday": Function(1, 1, _part_of_date(lambda moment: f"{moment:%A}")),
    "date": Function(1, 1, _part_of_date(lambda moment: f"{moment:%Y-%m-%d}")),
    "daysbetween": Function(2, 2, _days_between),
}
