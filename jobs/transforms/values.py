"""Values of cells: exact numbers, texts, their order and their identity. Pure.

Whole numbers are ``int`` and all others ``Decimal``, so that nothing is rounded which nobody asked to round.
"""

import re
from collections.abc import Mapping
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

import msgspec

from jobs.transforms.faults import TransformFault

Row = dict[str, Any]
Number = int | Decimal

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
# What a cell must look like to be taken for a number when types are inferred: 007 is a name, +49 a telephone number.
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MOST_DIGITS = 1000
_LONGEST_NUMBER = 1100
EXACT = Context(prec=_MOST_DIGITS + 100, traps=[InvalidOperation, DivisionByZero, Overflow])
_DIVISION = Context(prec=28, traps=[InvalidOperation, DivisionByZero, Overflow])
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def as_number(value: Any) -> Number | None:
    """Return a value as a number if it is one or a text that looks like one, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text := value.strip()):
        return int(text) if text.lstrip("+-").isdigit() else Decimal(text)
    return None


def inferred(text: str) -> Any:
    """Return a cell's text as the number or boolean that it plainly is, else as it is."""
    if text in {"true", "false"}:
        return text == "true"
    if len(text) > _LONGEST_NUMBER or not _PLAIN_NUMBER.fullmatch(text):
        return text
    return Decimal(text) if "." in text else int(text)


def is_blank(value: Any) -> bool:
    """Return whether a value is nothing: null or an empty text."""
    return value is None or value == ""


def add(one: Number, other: Number) -> Number:
    """Return the exact sum."""
    return _checked(one + other if _whole(one, other) else EXACT.add(Decimal(one), Decimal(other)))


def subtract(one: Number, other: Number) -> Number:
    """Return the exact difference."""
    return _checked(one - other if _whole(one, other) else EXACT.subtract(Decimal(one), Decimal(other)))


def multiply(one: Number, other: Number) -> Number:
    """Return the exact product."""
    return _checked(one * other if _whole(one, other) else EXACT.multiply(Decimal(one), Decimal(other)))


def divide(one: Number, other: Number) -> Number:
    """Return the quotient, exact if it has at most 28 digits."""
    if other == 0:
        raise TransformFault("Something is divided by 0.")
    if isinstance(one, int) and isinstance(other, int) and one % other == 0:
        return one // other
    return plain(_DIVISION.divide(Decimal(one), Decimal(other)))


def remainder(one: Number, other: Number) -> Number:
    """Return what is left of a division, with the sign of the divisor."""
    if other == 0:
        raise TransformFault("Something is divided by 0.")
    if isinstance(one, int) and isinstance(other, int):
        return one % other
    left = EXACT.remainder(Decimal(one), Decimal(other))
    return left + Decimal(other) if left and (left < 0) != (other < 0) else left


def plain(number: Decimal) -> Number:
    """Return a number without superfluous zeros, as a whole number if it is one."""
    short = number.normalize(EXACT)
    return int(short) if short == short.to_integral_value() and short.adjusted() < 40 else short


def as_text(value: Any) -> str:
    """Return a value as the text of a cell: nested values as JSON, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}" if -40 < value.adjusted() < 40 else str(value)
    return str(value) if isinstance(value, int) else to_json(value).decode()


def to_json(value: Any) -> bytes:
    """Return a value as JSON, its numbers exact."""
    return _ENCODER.encode(value)


def order_key(value: Any) -> tuple[int, Any, str]:
    """Return by what values are sorted: numbers, also those written as text, then texts, then the rest."""
    number = as_number(value)
    if number is not None:
        return 0, number, ""
    if isinstance(value, str):
        return 1, value.casefold(), value
    return 2, as_text(value), ""


def identity(value: Any) -> Any:
    """Return something hashable that two values share if they are the same: 1 and 1.0 are, 1 and "1" are not."""
    if isinstance(value, bool | list | dict):
        return type(value).__name__, to_json(value)
    return value


def read_path(row: Mapping[str, Any], name: str) -> Any:
    """Return a column, or what a dotted path leads to inside nested ones; null if there is nothing."""
    if name in row:
        return row[name]
    value: Any = row
    for part in name.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part[:6]) < len(value):
            value = value[int(part[:6])]
        else:
            return None
    return value


def _whole(one: Number, other: Number) -> bool:
    return isinstance(one, int) and isinstance(other, int)


def _checked(number: Number) -> Number:
    digits = number.bit_length() * 0.302 if isinstance(number, int) else abs(number.adjusted())
    if digits > _MOST_DIGITS:
        raise TransformFault(f"A number gets more than {_MOST_DIGITS} digits.")
    return number
