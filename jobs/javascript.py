"""JavaScript's conversions, for job types whose old clients relied on them (ECMA-262, section 7.1).

Each takes a value as a JSON parser returns it: None, bool, int, float, str, list or dict.
"""

import re
from math import inf, isinf, isnan

from webhooks.ecmascript_json import dumps

# WhiteSpace and LineTerminator of ECMA-262; str.strip() removes others and leaves U+FEFF.
_BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_WITH_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def to_number(value: object) -> float | None:
    """Return what ``Number(value)`` would, with None for NaN. An infinity is returned as such."""
    if value is None:
        return 0.0
    if isinstance(value, int | float):
        number = _double(value)
        return None if isnan(number) else number
    return _parse_number(trim(to_string(value)))


def to_string(value: object) -> str:
    """Return what ``String(value)`` would.

    An object that has a member ``toString`` of its own makes JavaScript throw; here it reads like any other.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_to_string(_double(value))
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join("" if item is None else to_string(item) for item in value)
    return "[object Object]"


def to_boolean(value: object) -> bool:
    """Return what ``Boolean(value)`` would: unlike in Python, an empty array or object is true."""
    if isinstance(value, list | dict):
        return True
    return bool(value) and value == value  # noqa: PLR0124  (NaN is false and differs from itself)


def trim(text: str) -> str:
    """Return what ``text.trim()`` would."""
    return text.strip(_BLANKS)


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf if number > 0 else -inf


def _parse_number(text: str) -> float | None:
    if not text:
        return 0.0
    if _WITH_RADIX.fullmatch(text):
        return _double(int(text, 0))
    return float(text) if _DECIMAL.fullmatch(text) else None


def _number_to_string(number: float) -> str:
    if isnan(number):
        return "NaN"
    if isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return dumps(number)  # where JSON has a form for a number, it is the one of String()
