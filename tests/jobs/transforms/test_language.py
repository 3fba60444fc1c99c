"""The small language: what expressions mean, and what is said about those that mean nothing."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.transforms.evaluating import compiled
from jobs.transforms.faults import TransformFault

ROW = {
    "price": "0.10", "q": 3, "name": "Solar Öl", "tags": ["a", "b"], "a": {"b": [5, 6]}, "at": "2025-03-04T10:00:00Z",
    "empty": "", "none": None, "big": 10**30, "my col": 1, "yes": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("price * q", Decimal("0.30")),
        ("price + 0.2 = 0.3", True),
        ("1 + 2 * 3 - 4 / 2", 5),
        ("(1 + 2) * 3", 9),
        ("-q + 1", -2),
        ("10 / 4", Decimal("2.5")),
        ("-7 % 3", 2),
        ("big * big + 1", 10**60 + 1),
        ("empty + 1", None),
        ("a.b.1", 6),
        ("`my col` + 1", 2),
        ("q = '3'", True),
        ("q <> 3", False),
        ("q in [1, 2, 3]", True),
        ("q not in [1, 2, 3]", False),
        ("tags contains 'b'", True),
        ("name contains 'öl'", True),
        ("name not contains 'öl'", False),
        ("name matches '^So.*l$'", True),
        ("name startsWith 'So' and name endsWith 'x'", False),
        ("not yes or q > 2", True),
        ("none > 1 or none < 1", False),
        ("none = null", True),
        ("name > 1", False),
        ("if(q > 2, 'many', 'few')", "many"),
        ("coalesce(none, empty, 'x')", "x"),
        ("round(2.675, 2)", Decimal("2.68")),
        ("round(-2.5)", -3),
        ("floor(-1.5) + ceil(1.2) + abs(-4)", 4),
        ("number('x')", None),
        ("max(q, 10, price)", 10),
        ("concat(upper('ß'), '-', q, '-', none)", "SS-3-"),
        ("substring(name, 1, 5)", "Solar"),
        ("replace(price, '.', ',')", "0,10"),
        ("split('a, b')", ["a", "b"]),
        ("year(at) * 100 + month(at)", 202503),
        ("weekday(at)", "Tuesday"),
        ("daysBetween('2025-03-01', at)", 3),
        ("year('no date')", None),
        ('"it\\"s"', 'it"s'),
    ],
)
def test_what_an_expression_means(expression: str, value: Any) -> None:
    result = compiled(expression)(ROW)

    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("price >", "at its end"),
        ("(q", "')'"),
        ("q name", "an operator before 'name'"),
        ("q & 1", "makes no sense from here: '& 1'"),
        ("'open", "makes no sense"),
        ("foo(1)", "no function 'foo'"),
        ("__import__('os')", "no function '__import__'"),
        ("upper()", "takes 1 arguments, not 0"),
        ("name matches name", "in quotation marks"),
        ("name matches '('", "no regular expression"),
        ("(" * 60 + "1" + ")" * 60, "nested deeper"),
        ("+".join("q" * 300), "more than 250 parts"),
        ("q" * 1001, "longer than 1000"),
        (" ", "wants a column"),
    ],
)
def test_what_makes_no_sense_is_said(expression: str, reason: str) -> None:
    with pytest.raises(TransformFault) as fault:
        compiled(expression)

    assert reason in str(fault.value)


@pytest.mark.parametrize("expression", ["name * 2", "q / 0", "q % 0", "round(1, 99)"])
def test_what_cannot_be_computed_is_said(expression: str) -> None:
    with pytest.raises(TransformFault):
        compiled(expression)(ROW)


def test_numbers_and_texts_cannot_be_made_endless() -> None:
    with pytest.raises(TransformFault, match="1000 digits"):
        compiled("*".join(["big"] * 40))(ROW)
    with pytest.raises(TransformFault, match="100000 characters"):
        compiled("concat(x, x)")({"x": "y" * 60_000})


@given(st.text(alphabet="ab1.+-*/%()[]<>=! 'not", max_size=40))
def test_any_text_is_an_expression_or_a_fault(expression: str) -> None:
    with suppress(TransformFault):
        compiled(expression)({"a": 1, "b": "x"})


@given(
    st.integers(), st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
)
def test_arithmetic_is_exact(whole: int, fraction: Decimal) -> None:
    row = {"a": whole, "b": str(fraction)}

    assert compiled("a + b - a")(row) == fraction
    assert compiled("a * a - a * a + 1")(row) == 1
