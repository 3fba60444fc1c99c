"""The steps, against what one would write in three lines of Python."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.transforms import applying
from jobs.transforms.applying import apply_step
from jobs.transforms.faults import TransformFault
from jobs.transforms.steps import AnyStep
from jobs.transforms.values import Row

rows_of = st.lists(
    st.fixed_dictionaries(
        {"k": st.sampled_from(["x", "y", "z"]), "n": st.integers(-50, 50), "t": st.text("abÄ", max_size=3)}
    ),
    max_size=30,
)


def step(op: str, **fields: Any) -> AnyStep:
    made: AnyStep = msgspec.convert({"op": op, **fields}, AnyStep)
    return made


def do(rows: list[Row], op: str, **fields: Any) -> list[Row]:
    return apply_step(step(op, **fields), rows)


@given(rows_of)
def test_filter_and_sort(rows: list[Row]) -> None:
    kept = do(rows, "filter", where="n > 0 and k != 'z'")
    expected = [row for row in rows if row["n"] > 0 and row["k"] != "z"]

    assert kept == expected
    assert do(kept, "sort", by=["-n", "k"]) == sorted(sorted(expected, key=lambda r: r["k"]), key=lambda r: -r["n"])


@given(rows_of)
def test_aggregate(rows: list[Row]) -> None:
    groups: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        groups[row["k"]].append(row["n"])
    measures = {
        name: {"function": function, "column": "n"}
        for name, function in {"s": "sum", "lo": "min", "hi": "max", "f": "first", "l": "last", "d": "distinct"}.items()
    }

    made = do(rows, "aggregate", by=["k"], measures={**measures, "c": {"function": "count"}})

    assert made == [
        {"k": k, "s": sum(n), "lo": min(n), "hi": max(n), "f": n[0], "l": n[-1], "d": len(set(n)), "c": len(n)}
        for k, n in groups.items()
    ]


@given(rows_of)
def test_unique_limit_and_derive(rows: list[Row]) -> None:
    seen: dict[str, Row] = {}
    for row in rows:
        seen.setdefault(row["k"], row)

    assert do(rows, "unique", by=["k"]) == list(seen.values())
    assert do(rows, "limit", count=3, offset=2) == rows[2:5]
    assert [row["m"] for row in do(rows, "derive", column="m", value="n * 2 + length(t)")] == [
        row["n"] * 2 + len(row["t"]) for row in rows
    ]


@pytest.mark.parametrize(
    ("rows", "made", "after"),
    [
        ([{"a": {"b": 1}, "c": 2}], step("select", columns=["a.b"]), [{"a.b": 1}]),
        ([{"a": 1, "b": 2}], step("drop", columns=["a"]), [{"b": 2}]),
        ([{"a": 1, "b": 2}], step("rename", columns={"a": "b", "b": "a"}), [{"b": 1, "a": 2}]),
        ([{"a": {"b": {"c": 1}, "d": []}}], step("flatten"), [{"a.b.c": 1, "a.d": []}]),
        (
            [{"a": [1, 2]}, {"a": []}, {"a": 3}],
            step("explode", column="a"),
            [{"a": 1}, {"a": 2}, {"a": None}, {"a": 3}],
        ),
        (
            [{"a": "10"}, {"a": ""}, {"a": "9"}, {"a": "x"}],
            step("sort", by=["-a"]),
            [{"a": "x"}, {"a": "10"}, {"a": "9"}, {"a": ""}],
        ),
        (
            [{"a": 1}, {"a": Decimal("1.0")}, {"a": "1"}, {"a": True}],
            step("unique"),
            [{"a": 1}, {"a": "1"}, {"a": True}],
        ),
        (
            [{"c": "1"}, {"c": 2}],
            step("join", on="c", rows=[{"c": 1, "n": "one"}]),
            [{"c": "1", "n": "one"}, {"c": 2, "n": None}],
        ),
        ([{"c": 2}], step("join", on="c", kind="inner", rows=[{"c": 1, "n": "one"}]), []),
        ([], step("aggregate", measures={"n": {"function": "count"}}), [{"n": 0}]),
        (
            [{"a": "0.1"}, {"a": "0.2"}],
            step("aggregate", measures={"s": {"function": "sum", "column": "a"}}),
            [{"s": Decimal("0.3")}],
        ),
    ],
)
def test_each_step(rows: list[Row], made: AnyStep, after: list[Row]) -> None:
    assert apply_step(made, rows) == after


@pytest.mark.parametrize(
    ("made", "path", "reason"),
    [
        (step("select", columns=["x"]), (), "no column 'x'; there are: a, b"),
        (step("rename", columns={"a": "b"}), ("columns",), "same name"),
        (step("derive", column="c", value="a * 2"), ("value",), "Row 2: 'two' is no number"),
        (
            step("aggregate", measures={"s": {"function": "sum", "column": "a"}}),
            ("measures", "s"),
            "'two' is no number",
        ),
    ],
)
def test_a_fault_names_its_place(made: AnyStep, path: tuple[str, ...], reason: str) -> None:
    with pytest.raises(TransformFault) as fault:
        apply_step(made, [{"a": "1", "b": 1}, {"a": "two", "b": 2}])

    assert fault.value.path == path
    assert reason in str(fault.value)


def test_what_would_be_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "MOST_CELLS", 100)

    with pytest.raises(TransformFault, match="100 values are allowed"):
        do([{"a": list(range(200))}], "explode", column="a")
