"""The steps of a transformation, as clients write them: each declares what it takes."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=500)]
Expression = Annotated[str, Meta(min_length=1, max_length=1000)]


class Step(msgspec.Struct, frozen=True, rename="camel", tag_field="op", forbid_unknown_fields=True):
    """One step."""


class Select(Step, frozen=True, tag="select"):
    """Keep these columns, in this order; a dotted path takes a part of a nested value."""

    columns: Annotated[Names, Meta(examples=[["name", "address.city"]])]


class Drop(Step, frozen=True, tag="drop"):
    """Leave these columns out."""

    columns: Names


class Rename(Step, frozen=True, tag="rename"):
    """Give columns other names."""

    columns: Annotated[
        dict[Name, Name],
        Meta(min_length=1, max_length=500, description="Old name: new.", examples=[{"qty": "quantity"}]),
    ]


class Filter(Step, frozen=True, tag="filter"):
    """Keep the rows for which the condition is true."""

    where: Annotated[Expression, Meta(examples=['price > 10 and country in ["DE", "AT"]', 'name matches "^A"'])]


class Sort(Step, frozen=True, tag="sort"):
    """Sort rows: numbers before texts, nothing last. A column with ``-`` before it falls."""

    by: Annotated[Names, Meta(examples=[["-price", "name"]])]


class Limit(Step, frozen=True, tag="limit"):
    """Keep so many rows, after leaving out the first few."""

    count: Annotated[int, Meta(ge=0, le=1_000_000)]
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class Unique(Step, frozen=True, tag="unique"):
    """Keep the first of the rows that are the same in these columns, or in all."""

    by: Annotated[tuple[Name, ...], Meta(max_length=500)] = ()


class Derive(Step, frozen=True, tag="derive"):
    """Add or replace a column with what an expression computes for each row."""

    column: Name
    value: Annotated[Expression, Meta(examples=["round(price * quantity, 2)", 'concat(last, ", ", first)'])]


class Measure(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What is computed of each group, from the values of a column that are there."""

    function: Literal["count", "sum", "avg", "min", "max", "first", "last", "distinct"]
    column: Annotated[Name | None, Meta(description="Not needed for count: then rows are counted.")] = None


class Aggregate(Step, frozen=True, tag="aggregate"):
    """Make one row of each group of rows that are the same in some columns; of all rows if none are named."""

    measures: Annotated[
        dict[Name, Measure],
        Meta(min_length=1, max_length=100, examples=[{"revenue": {"function": "sum", "column": "price"}}]),
    ]
    by: Annotated[tuple[Name, ...], Meta(max_length=50)] = ()


class Flatten(Step, frozen=True, tag="flatten"):
    """Make columns of what is nested: ``{"a": {"b": 1}}`` becomes a column ``a.b``. Lists stay."""

    separator: Annotated[str, Meta(min_length=1, max_length=5)] = "."


class Explode(Step, frozen=True, tag="explode"):
    """Make a row of each element of a list; a row without elements stays as one with nothing."""

    column: Name


class Join(Step, frozen=True, tag="join"):
    """Add the columns of the first given row that is the same in a column; with ``inner`` others are left out."""

    rows: Annotated[
        tuple[dict[str, Any], ...],
        Meta(min_length=1, max_length=5000, examples=[[{"country": "DE", "name": "Germany"}]]),
    ]
    on: Name
    kind: Literal["left", "inner"] = "left"


AnyStep = Select | Drop | Rename | Filter | Sort | Limit | Unique | Derive | Aggregate | Flatten | Explode | Join
