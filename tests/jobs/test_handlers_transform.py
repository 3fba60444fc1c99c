"""The job type ``transform``: from data to a file, and what is said when it cannot be done."""

from pathlib import Path
from typing import Any

import pytest

from jobs.errors import DoNotRetry, JobCancelled
from jobs.handlers.transform import JOB_TYPE
from tests.jobs.handling import HandlerContext, faults_of, run

ORDERS = '\ufeffname;qty;price\r\nNut;3;0,10\r\n"Bolt; long";2;1,50\r\nNut;1;0,10\r\n'
BY_REVENUE = [
    {"op": "derive", "column": "revenue", "value": "number(replace(price, ',', '.')) * qty"},
    {"op": "aggregate", "by": ["name"], "measures": {"revenue": {"function": "sum", "column": "revenue"}}},
    {"op": "sort", "by": ["-revenue"]},
]


@pytest.fixture
def context(tmp_path: Path) -> HandlerContext:
    return HandlerContext(tmp_path)


def test_a_table_is_read_changed_and_written(context: HandlerContext) -> None:
    result = run(JOB_TYPE, context, data=ORDERS, steps=BY_REVENUE, output="markdown", name="Revenue 2025")

    assert context.text_of("Revenue-2025.md") == (
        "| name | revenue |\n| --- | ---: |\n| Bolt; long | 3.00 |\n| Nut | 0.40 |\n"
    )
    assert result | {"artifactPath": ""} == {
        "summary": "2 rows with 2 columns as markdown", "inputFormat": "csv", "inputRows": 3, "rows": 2,
        "columns": ["name", "revenue"], "notes": [], "artifactPath": "",
        "preview": [{"name": "Bolt; long", "revenue": "3.00"}, {"name": "Nut", "revenue": "0.40"}],
    }  # fmt: skip


def test_a_file_of_an_earlier_job_is_read(context: HandlerContext) -> None:
    context.add_file("7", "export.txt", "naam\nGröße\n".encode("utf-16"), "text/csv")

    run(JOB_TYPE, context, artifactId="7", output="ndjson")

    assert context.text_of("result.ndjson") == '{"naam":"Größe"}\n'


def test_a_column_that_no_row_has_is_noted(context: HandlerContext) -> None:
    result = run(JOB_TYPE, context, data=ORDERS, steps=[{"op": "filter", "where": "prise > 1"}])

    assert (result["rows"], result["notes"]) == (0, ["Step 1 (filter): no row has a column 'prise'."])


@pytest.mark.parametrize(
    ("data", "more", "written"),
    [
        ('[{"n": 12345678901234567890123, "d": 0.1000}]', {}, '[\n {"n":12345678901234567890123,"d":0.1000}\n]\n'),
        ([{"n": 1, "d": 0.1}], {}, '[\n {"n":1,"d":0.1}\n]\n'),
        ("a,b,c\n007,1.50,true\n", {"inferTypes": True}, '[\n {"a":"007","b":1.50,"c":true}\n]\n'),
        ('{"r": [{"a": 1}]}', {"rowsAt": "r"}, '[\n {"a":1}\n]\n'),
    ],
)
def test_numbers_stay_as_they_are(context: HandlerContext, data: Any, more: dict[str, Any], written: str) -> None:
    run(JOB_TYPE, context, data=data, **more)

    assert context.text_of("result.json") == written


@pytest.mark.parametrize(
    ("job_input", "reason"),
    [
        (
            {"data": "a\nx\n", "steps": [{"op": "limit", "count": 1}, {"op": "select", "columns": ["b"]}]},
            r"steps\[1\]: There is no column 'b'",
        ),
        (
            {"data": "a\nx\n", "steps": [{"op": "derive", "column": "b", "value": "a * 2"}]},
            r"steps\[0\]\.value: Row 1: 'x' is no number",
        ),
        ({"data": "[1,", "format": "json"}, "Line 1, column 4"),
        ({"data": "{}", "rowsAt": "x", "format": "json"}, "rowsAt: There is nothing"),
        ({"data": "text", "format": "markdown"}, "table: The Markdown has 0 tables"),
        ({"artifactId": "9"}, "no artifact 9"),
    ],
)
def test_a_failure_says_where(context: HandlerContext, job_input: dict[str, Any], reason: str) -> None:
    with pytest.raises(DoNotRetry, match=reason):
        run(JOB_TYPE, context, **job_input)


def test_a_cancel_is_heard_between_steps(context: HandlerContext) -> None:
    context.cancel_when = lambda: True

    with pytest.raises(JobCancelled):
        run(JOB_TYPE, context, data=ORDERS, steps=BY_REVENUE)


def test_faults_are_told_at_submission_with_their_place() -> None:
    steps = [
        {"op": "filter", "where": "a >"},
        {"op": "aggregate", "measures": {"s": {"function": "sum"}}},
        {"op": "filter", "where": "a matches '('"},
    ]

    assert faults_of(JOB_TYPE, steps=steps) == [
        (("data",), "required"),
        (("steps", 0, "where"), "invalid_expression"),
        (("steps", 1, "measures", "s", "column"), "invalid_expression"),
        (("steps", 2, "where"), "invalid_expression"),
    ]
    assert faults_of(JOB_TYPE, data="a", steps=[{"op": "explode"}]) == [(("steps", 0, "column"), "required")]
    assert faults_of(JOB_TYPE, data="a", steps=[{"op": "fly"}, {}]) == [
        (("steps", 0, "op"), "invalid_enum"),
        (("steps", 1, "op"), "required"),
    ]
