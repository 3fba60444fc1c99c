"""JSON, lines of JSON, and YAML: text in, values out with exact numbers, and back."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn

from jobs.transforms.faults import TransformFault
from jobs.transforms.values import Row, to_json

MOST_YAML = 1024 * 1024
"""Characters of YAML, which takes 60 times as long to read as JSON."""
_MOST_ALIASES = 500
_MOST_NODES = 200_000
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def read_json(text: str) -> Any:
    """Return a JSON value; raises ``TransformFault`` with line and column of what is wrong."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise TransformFault(f"Line {error.lineno}, column {error.colno}: this is no JSON ({error.msg}).") from None
    except RecursionError:
        raise TransformFault("The JSON is nested too deeply.") from None
    except ValueError as error:
        raise TransformFault(f"A number cannot be read: {str(error)[:80]}.") from None
    return _without_halves(value) if _HALF_PAIR.search(text) else value


def read_lines_of_json(text: str) -> list[Any]:
    """Return the value of each line that is not blank."""
    values = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                values.append(read_json(line))
            except TransformFault as fault:
                raise TransformFault(f"Line {number} of the data: {fault}") from None
    return values


def write_json(rows: Sequence[Row]) -> bytes:
    """Return rows as a JSON array, each on a line of its own."""
    return b"[" + b",".join(b"\n " + to_json(row) for row in rows) + b"\n]\n"


def write_lines_of_json(rows: Sequence[Row]) -> bytes:
    """Return rows as lines of JSON."""
    return b"".join(to_json(row) + b"\n" for row in rows)


def read_yaml(text: str) -> Any:
    """Return a YAML value by the core schema of YAML 1.2: dates stay text, ``no`` is no false, 010 is ten.

    Tags that make objects are refused, and so are aliases that unfold to more than 200,000 values.
    """
    if len(text) > MOST_YAML:
        raise TransformFault(f"YAML may have {MOST_YAML:,} characters; send JSON instead.")
    # 15 ms that only this format needs.
    import yaml  # noqa: PLC0415

    from jobs.transforms.formats.yaml_core import CoreLoader  # noqa: PLC0415

    try:
        aliases = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=CoreLoader))
        if aliases > _MOST_ALIASES:
            raise TransformFault(f"The YAML has more than {_MOST_ALIASES} aliases.")
        value = yaml.load(text, Loader=CoreLoader)  # noqa: S506  (a safe loader of our own)
        return _unfolded(value, _MOST_NODES)[0]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"Line {mark.line + 1}: " if mark else ""
        raise TransformFault(
            f"{where}this is no YAML that is read here ({getattr(error, 'problem', error)})."
        ) from None
    except RecursionError:
        raise TransformFault("The YAML is nested too deeply.") from None


def write_yaml(rows: Sequence[Row]) -> bytes:
    """Return rows as YAML."""
    import yaml  # noqa: PLC0415  (see read_yaml)

    from jobs.transforms.formats.yaml_core import CoreDumper  # noqa: PLC0415

    text: str = yaml.dump(list(rows), Dumper=CoreDumper, sort_keys=False, allow_unicode=True, width=100)
    return text.encode(errors="replace")


def _no_number(name: str) -> NoReturn:
    raise TransformFault(f"{name} is no number of JSON; send null.")


def _without_halves(value: Any) -> Any:
    """Return a value whose texts hold no half of a surrogate pair, which UTF-8 has no form for."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_halves(each) for each in value]
    if isinstance(value, dict):
        return {_without_halves(name): _without_halves(each) for name, each in value.items()}
    return value


def _unfolded(value: Any, left: int) -> tuple[Any, int]:
    """Return a copy in which nothing is shared, and how many values may still follow; loops never end within them."""
    left -= 1
    if left < 0:
        raise TransformFault(f"The YAML unfolds to more than {_MOST_NODES:,} values.")
    if isinstance(value, list):
        items = []
        for each in value:
            item, left = _unfolded(each, left)
            items.append(item)
        return items, left
    if isinstance(value, dict):
        made = {}
        for name, each in value.items():
            made[_key(name)], left = _unfolded(each, left)
        return made, left
    return value, left


def _key(name: Any) -> str:
    if isinstance(name, str):
        return name
    return "null" if name is None else str(name).lower() if isinstance(name, bool) else str(name)
