"""Doing the steps to rows, one after the other. Pure: rows in, rows out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import singledispatch
from itertools import islice
from typing import Any

from jobs.transforms import steps as kinds
from jobs.transforms.evaluating import compiled
from jobs.transforms.faults import TransformFault
from jobs.transforms.functions import is_true, number_of
from jobs.transforms.values import Number, Row, add, as_number, divide, identity, is_blank, order_key, read_path

MOST_CELLS = 500_000
"""Rows times columns: at 100 bytes and more each, what a worker of 256 MiB can hold."""
_MOST_COLUMNS = 1000
_MOST_DERIVED = 32 * 1024 * 1024
_DEEPEST = 20

Rows = list[Row]


def columns_of(rows: Iterable[Row]) -> list[str]:
    """Return the columns of rows, in the order in which they appear first."""
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    return list(names)


def checked_size(rows: Rows) -> Rows:
    """Return the rows; raises ``TransformFault`` when they are more than can be held."""
    cells = sum(map(len, rows))
    if cells + len(rows) > MOST_CELLS:
        raise TransformFault(f"There are {len(rows):,} rows with {cells:,} values; {MOST_CELLS:,} values are allowed.")
    return rows


def check_step(step: kinds.AnyStep) -> None:
    """Raise ``TransformFault`` for an expression that makes no sense or a measure without its column."""
    match step:
        case kinds.Filter(where=expression):
            _located(lambda: compiled(expression), "where")
        case kinds.Derive(value=expression):
            _located(lambda: compiled(expression), "value")
        case kinds.Aggregate(measures=measures):
            for name, measure in measures.items():
                if measure.column is None and measure.function != "count":
                    raise TransformFault(f"{measure.function} needs a column.", ("measures", name, "column"))
        case _:
            pass


def apply_step(step: kinds.AnyStep, rows: Rows) -> Rows:
    """Return the rows after a step; raises ``TransformFault`` when it cannot be done."""
    return checked_size(_apply(step, rows))


@singledispatch
def _apply(step: Any, rows: Rows) -> Rows:
    raise TypeError(f"There is no step {step!r} for {len(rows)} rows.")


@_apply.register
def _select(step: kinds.Select, rows: Rows) -> Rows:
    _insist_on(step.columns, rows)
    return [{name: read_path(row, name) for name in step.columns} for row in rows]


@_apply.register
def _drop(step: kinds.Drop, rows: Rows) -> Rows:
    _insist_on(step.columns, rows)
    dropped = frozenset(step.columns)
    return [{name: value for name, value in row.items() if name not in dropped} for row in rows]


@_apply.register
def _rename(step: kinds.Rename, rows: Rows) -> Rows:
    _insist_on(step.columns, rows)
    renamed = [{step.columns.get(name, name): value for name, value in row.items()} for row in rows]
    if any(len(new) != len(old) for new, old in zip(renamed, rows, strict=True)):
        raise TransformFault("Two columns get the same name.", ("columns",))
    return renamed


@_apply.register
def _filter(step: kinds.Filter, rows: Rows) -> Rows:
    evaluate = _located(lambda: compiled(step.where), "where")
    return [row for row, value in _evaluated(evaluate, rows, "where") if is_true(value)]


@_apply.register
def _sort(step: kinds.Sort, rows: Rows) -> Rows:
    _insist_on([name.removeprefix("-") for name in step.by], rows)
    # From the last column to the first: each sorting keeps what the one before has done.
    for name in reversed(step.by):
        falling = name.startswith("-")
        column = name.removeprefix("-")
        there = [(read_path(row, column), row) for row in rows]
        full = [pair for pair in there if not is_blank(pair[0])]
        full.sort(key=lambda pair: order_key(pair[0]), reverse=falling)
        rows = [row for _, row in full] + [row for value, row in there if is_blank(value)]
    return rows


@_apply.register
def _limit(step: kinds.Limit, rows: Rows) -> Rows:
    return rows[step.offset : step.offset + step.count]


@_apply.register
def _unique(step: kinds.Unique, rows: Rows) -> Rows:
    names = step.by or columns_of(rows)
    _insist_on(names, rows)
    first: dict[Any, Row] = {}
    for row in rows:
        first.setdefault(_group_of(row, names), row)
    return list(first.values())


@_apply.register
def _derive(step: kinds.Derive, rows: Rows) -> Rows:
    evaluate = _located(lambda: compiled(step.value), "value")
    made, size = [], 0
    for row, value in _evaluated(evaluate, rows, "value"):
        size += len(value) if isinstance(value, str | list) else 1
        if size > _MOST_DERIVED:
            raise TransformFault("The column gets too large for all rows together.", ("value",))
        made.append({**row, step.column: value})
    return made


@_apply.register
def _aggregate(step: kinds.Aggregate, rows: Rows) -> Rows:
    needed = [measure.column for measure in step.measures.values() if measure.column is not None]
    _insist_on([*step.by, *needed], rows)
    groups: dict[Any, Rows] = {} if step.by else {(): []}
    for row in rows:
        groups.setdefault(_group_of(row, step.by), []).append(row)
    return [
        {name: read_path(group[0], name) for name in step.by}
        | {name: _measured(name, measure, group) for name, measure in step.measures.items()}
        for group in groups.values()
    ]


@_apply.register
def _flatten(step: kinds.Flatten, rows: Rows) -> Rows:
    flat = [dict(_leaves(row, "", step.separator, 0)) for row in rows]
    if len(columns_of(flat)) > _MOST_COLUMNS:
        raise TransformFault(f"There would be more than {_MOST_COLUMNS} columns.")
    return flat


@_apply.register
def _explode(step: kinds.Explode, rows: Rows) -> Rows:
    _insist_on([step.column], rows)
    exploded = ({**row, step.column: value} for row in rows for value in _elements(row.get(step.column)))
    return list(islice(exploded, MOST_CELLS + 1))


@_apply.register
def _join(step: kinds.Join, rows: Rows) -> Rows:
    _insist_on([step.on], rows)
    known: dict[Any, Mapping[str, Any]] = {}
    for other in step.rows:
        known.setdefault(_join_key(other.get(step.on)), other)
    added = [name for name in columns_of(map(dict, step.rows)) if name != step.on]
    joined = []
    for row in rows:
        found = known.get(_join_key(read_path(row, step.on)))
        if found is not None or step.kind == "left":
            joined.append({**row, **{name: (found or {}).get(name) for name in added}})
    return joined


def _insist_on(names: Iterable[str], rows: Rows) -> None:
    """Refuse columns that no row has: more often a typing error than a wish."""
    if not rows:
        return
    there = columns_of(rows)
    known = frozenset(there)
    for name in names:
        if name not in known and name.partition(".")[0] not in known:
            listed = ", ".join(there[:20]) + (", …" if len(there) > 20 else "")
            raise TransformFault(f"There is no column {name[:60]!r}; there are: {listed}.")


def _located(work: Callable[[], Any], *path: str) -> Any:
    try:
        return work()
    except TransformFault as fault:
        raise fault.below(*path) from None


def _evaluated(evaluate: Callable[[Row], Any], rows: Rows, field: str) -> Iterator[tuple[Row, Any]]:
    for number, row in enumerate(rows, 1):
        try:
            yield row, evaluate(row)
        except TransformFault as fault:
            raise TransformFault(f"Row {number}: {fault}", (field,)) from None


def _group_of(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(identity(read_path(row, name)) for name in names)


def _join_key(value: Any) -> Any:
    number = as_number(value)
    return identity(value) if number is None else number


def _measured(name: str, measure: kinds.Measure, group: Rows) -> Any:
    if measure.column is None:
        return len(group)
    column = measure.column
    found = [value for value in (read_path(row, column) for row in group) if not is_blank(value)]
    try:
        return _MEASURES[measure.function](found)
    except TransformFault as fault:
        raise fault.below("measures", name) from None


def _sum(found: Sequence[Any]) -> Number:
    total: Number = 0
    for value in found:
        total = add(total, number_of(value))
    return total


_MEASURES: Mapping[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": _sum,
    "avg": lambda found: divide(_sum(found), len(found)) if found else None,
    "min": lambda found: min(found, key=order_key, default=None),
    "max": lambda found: max(found, key=order_key, default=None),
    "first": lambda found: found[0] if found else None,
    "last": lambda found: found[-1] if found else None,
    "distinct": lambda found: len({identity(value) for value in found}),
}


def _leaves(value: Mapping[str, Any], prefix: str, separator: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict) and inner and depth < _DEEPEST:
            yield from _leaves(inner, f"{prefix}{name}{separator}", separator, depth + 1)
        else:
            yield f"{prefix}{name}", inner


def _elements(value: Any) -> Sequence[Any]:
    if isinstance(value, list):
        return value or [None]
    return [value]
