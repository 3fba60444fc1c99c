"""Reading and writing: what goes out comes back, and what comes in from strangers is read or refused."""

from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.transforms.faults import TransformFault
from jobs.transforms.formats.delimited import find_separator, read_delimited, write_delimited
from jobs.transforms.formats.documents import read_yaml
from jobs.transforms.formats.registry import Format, find_format, read_rows, write_rows
from jobs.transforms.values import Row

names = st.lists(st.text("abcäß", min_size=1, max_size=5), min_size=1, max_size=4, unique=True)
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | cells
exact = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(cells, inner, max_size=3), max_leaves=6
)


def tables(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Row]]:
    """Tables with every column in every row, as a file with a first line of names can hold them."""
    return names.flatmap(
        lambda found: st.lists(st.fixed_dictionaries(dict.fromkeys(found, values)), min_size=1, max_size=6)
    )


@given(tables(cells), st.sampled_from([",", ";", "\t", "|"]))
def test_csv_comes_back(rows: list[Row], separator: str) -> None:
    content, _ = write_delimited(rows, separator, escape_formulas=False)

    assert read_delimited(content.decode(), separator) == rows


@given(tables(exact), st.sampled_from(["json", "ndjson"]))
def test_json_comes_back_with_every_digit(rows: list[Row], form: Format) -> None:
    content = write_rows(rows, form).content

    again = read_rows(content.decode(), form)
    assert again == rows
    assert write_rows(again, form).content == content


@given(tables(scalars))
def test_yaml_comes_back(rows: list[Row]) -> None:
    # YAML has no carriage return that survives, nor some other signs: what JSON writes of them is kept.
    plain = [
        {name: value for name, value in row.items() if not isinstance(value, str) or value.isprintable()}
        for row in rows
    ]

    assert read_rows(write_rows(plain, "yaml").content.decode(), "yaml") == plain


@given(
    tables(st.text("ab|\\<>&*_`[]#ש ", max_size=8).map(lambda text: " ".join(text.split()))),
    st.sampled_from(["markdown", "html"]),
)
def test_tables_come_back(rows: list[Row], form: Format) -> None:
    assert read_rows(write_rows(rows, form).content.decode(), form) == rows


@given(st.text(max_size=100), st.sampled_from(get_args(Format)))
def test_any_text_is_read_or_refused(text: str, form: Format) -> None:
    try:
        rows = read_rows(text, form)
    except TransformFault:
        return
    assert all(isinstance(row, dict) for row in rows)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\r\n1,2\r\n", [{"a": "1", "b": "2"}]),
        ('a;b\n"x;y";"say ""hi"""\n', [{"a": "x;y", "b": 'say "hi"'}]),
        ('a,b\n"two\r\nlines",2', [{"a": "two\r\nlines", "b": "2"}]),
        ("a,a,\n1,2,3", [{"a": "1", "a 2": "2", "column 3": "3"}]),
        ("a,b\n1\n1,2,3\n", [{"a": "1", "b": ""}, {"a": "1", "b": "2", "column 3": "3"}]),
        ("שם,גיל\nדנה,5\n", [{"שם": "דנה", "גיל": "5"}]),
        ("a\tb\n1,5\t2,5", [{"a": "1,5", "b": "2,5"}]),
        ("id\n007\n1e5\n", [{"id": "007"}, {"id": "1e5"}]),
        ("", []),
    ],
)
def test_csv_as_it_is_found(text: str, rows: list[Row]) -> None:
    assert read_delimited(text) == rows


@pytest.mark.parametrize(("text", "separator"), [("a;b\n1,5;2,5\n3,5;4", ";"), ('"a,b,c"|d\n1|2', "|"), ("a", ",")])
def test_the_separator_is_found_out(text: str, separator: str) -> None:
    assert find_separator(text) == separator


@pytest.mark.parametrize("escape", [True, False])
def test_cells_that_spreadsheets_would_run_are_told(escape: bool) -> None:
    rows = [{"a": "=HYPERLINK()", "b": "-5", "c": "@x"}]

    written = write_rows(rows, "csv", escape_formulas=escape)

    assert "2 cells begin like a formula" in written.notes[0]
    assert (b"'=HYPERLINK" in written.content) is escape
    assert b"'-5" not in written.content


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("a: 010", {"a": 10}),
        ("a: 1:30", {"a": "1:30"}),
        ("a: 2025-01-02", {"a": "2025-01-02"}),
        ("a: 0.10", {"a": Decimal("0.10")}),
        ("a: ~", {"a": None}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("d: &d {k: 1}\ne: {<<: *d, l: 2}", {"d": {"k": 1}, "e": {"k": 1, "l": 2}}),
        ("1: a\nnull: b", {"1": "a", "null": "b"}),
    ],
)
def test_yaml_is_read_by_the_core_schema(text: str, value: Any) -> None:
    assert read_yaml(text) == value


LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
MERGES = "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 9))


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        MERGES,
        "&a [*a]",
        "!!python/object/apply:os.system [x]",
        "a: [",
        "- " * 5000 + "x",
        "[" * 3000,
        "*nobody",
    ],
)
def test_yaml_that_is_a_trap_is_refused(text: str) -> None:
    with pytest.raises(TransformFault):
        read_yaml(text)


@pytest.mark.parametrize("text", ["[1,", "NaN", "[" * 100_000, "9" * 5000, "{'a': 1}"])
def test_json_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TransformFault):
        read_rows(text, "json")


def test_rows_may_lie_deeper() -> None:
    assert read_rows('{"r": {"items": [{"a": 1}, 2]}}', "json", rows_at="r.items") == [{"a": 1}, {"value": 2}]
    with pytest.raises(TransformFault, match="nothing at 'x'"):
        read_rows('{"r": 1}', "json", rows_at="x")


def test_html_tables_are_read_by_number() -> None:
    text = "<table><tr><td>no</table><table><tr><th>a<th colspan=2>b<tr><td>1<td><b>2</b> x<td>&lt;3</table>"

    assert read_rows(text, "html", table=2) == [{"a": "1", "b": "2 x", "b 2": "<3"}]
    with pytest.raises(TransformFault, match="has 2 tables"):
        read_rows(text, "html", table=3)


@pytest.mark.parametrize(
    ("text", "name", "form"),
    [
        ('[{"a":1}]', "", "json"),
        ('{"a":1}\n{"a":2}\n', "", "ndjson"),
        ('{\n "a": 1}', "", "json"),
        ("<table>", "", "html"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "", "markdown"),
        ("---\na: 1", "", "yaml"),
        ("a\tb\n", "", "tsv"),
        ("a,b\n", "", "csv"),
        ("a: 1", "x.yml", "yaml"),
    ],
)
def test_the_format_is_found_out(text: str, name: str, form: str) -> None:
    assert find_format(text, name=name) == form
