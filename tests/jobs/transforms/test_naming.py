"""Which columns a step speaks of, and which of them no row has."""

from typing import Any

import msgspec
import pytest

from jobs.transforms.naming import unknown_columns
from jobs.transforms.steps import AnyStep

ROWS: list[dict[str, Any]] = [{"name": "a", "size": {"mm": 1}}, {"price": 2}]


@pytest.mark.parametrize(
    ("step", "unknown"),
    [
        ({"op": "filter", "where": 'prize > 1 and name in ["a"] or prize == 2'}, ["prize"]),
        ({"op": "derive", "column": "new", "value": "round(price * quantity, 2)"}, ["quantity"]),
        ({"op": "select", "columns": ["name", "size.mm", "weight.g"]}, ["weight.g"]),
        ({"op": "drop", "columns": ["nam"]}, ["nam"]),
        ({"op": "rename", "columns": {"nam": "title", "name": "label"}}, ["nam"]),
        ({"op": "sort", "by": ["-price", "-prise"]}, ["prise"]),
        ({"op": "unique", "by": ["id"]}, ["id"]),
        (
            {"op": "aggregate", "by": ["city"], "measures": {"n": {"function": "sum", "column": "prize"}}},
            ["city", "prize"],
        ),
        ({"op": "explode", "column": "tags"}, ["tags"]),
        ({"op": "join", "rows": [{"id": 1}], "on": "id"}, ["id"]),
        ({"op": "limit", "count": 1}, []),
        ({"op": "flatten"}, []),
    ],
)
def test_what_no_row_has_is_found(step: dict[str, Any], unknown: list[str]) -> None:
    assert unknown_columns(msgspec.convert(step, AnyStep), ROWS) == unknown


def test_without_rows_nothing_is_missed() -> None:
    assert unknown_columns(msgspec.convert({"op": "drop", "columns": ["name"]}, AnyStep), []) == []
