"""JSON as V8 writes it: by table, and against a real V8."""

import json
import math
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webhooks.ecmascript_json import dumps

# Reads one JSON text per line and answers JSON.stringify(JSON.parse(text)). It splits at \n by hand, because
# node's readline also splits at U+2028.
ROUND_TRIP = """
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\\n");
  rest = lines.pop();
  for (const line of lines) process.stdout.write(JSON.stringify(JSON.parse(line)) + "\\n");
});
"""


@pytest.fixture(scope="module")
def through_v8() -> Iterator[Callable[[str], str]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on PATH: nothing was compared with V8")
    with subprocess.Popen(
        [node, "-e", ROUND_TRIP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin
        assert stdout

        def round_trip(text: str) -> str:
            stdin.write(text + "\n")
            stdin.flush()
            return stdout.readline().removesuffix("\n")

        yield round_trip
        stdin.close()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1.5e-5, "0.000015"),
        (1e-7, "1e-7"),
        (-1.25e-7, "-1.25e-7"),
        (5e-324, "5e-324"),
        (1e16, "10000000000000000"),
        (1.2345e20, "123450000000000000000"),
        (1e21, "1e+21"),
        (10**21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (-(2**53) - 3, "-9007199254740996"),
        (12345678901234567890, "12345678901234567000"),
    ],
)
def test_numbers_are_doubles_in_ecmascript_form(value: Any, text: str) -> None:
    assert dumps(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**309, [1, {"a": math.nan}]])
def test_numbers_that_are_no_finite_double_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="finite"):
        dumps(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("č ⏰ \u2028\u007f/", '"č ⏰ \u2028\u007f/"'),
        ('"\\', '"\\"\\\\"'),
        ("\b\t\n\f\r", '"\\b\\t\\n\\f\\r"'),
        ("\x00\x1f", '"\\u0000\\u001f"'),
        ("\ud800x", '"\\ud800x"'),
        ("\udfff", '"\\udfff"'),
        ("\ud83d\ude00", '"😀"'),
    ],
)
def test_strings_are_escaped_as_v8_escapes_them(value: str, text: str) -> None:
    assert dumps(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ((), "[]"),
        ({"b": 1, "a": [1, "x", None]}, '{"b":1,"a":[1,"x",null]}'),
        ({"b": 1, "10": 2, "9": 3}, '{"9":3,"10":2,"b":1}'),
        ({"x": 1, "4294967294": 2, "4294967295": 3}, '{"4294967294":2,"x":1,"4294967295":3}'),
        ({"01": 1, "-1": 2, "1.0": 3, "0": 4}, '{"0":4,"01":1,"-1":2,"1.0":3}'),
        ({"__proto__": 1}, "{}"),
        ({"__proto__": 1, "a": {"__proto__": 2, "b": 3}}, '{"a":{"b":3}}'),
        ({"\u0661": 1, "1": 2}, '{"1":2,"\u0661":1}'),
    ],
)
def test_objects_and_arrays_are_compact_and_in_property_order(value: Any, text: str) -> None:
    assert dumps(value) == text


@pytest.mark.parametrize("value", [{1: 2}, {1, 2}, b"x", object()])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(value)


def test_a_value_nested_too_deeply_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(ValueError, match="deeply"):
        dumps(value)


NUMBERS = st.one_of(
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(min_value=1e-8, max_value=1e-5),
    st.floats(min_value=1e15, max_value=1e23),
)
TEXTS = st.text(st.characters(codec=None), max_size=8)
KEYS = st.one_of(
    TEXTS,
    st.integers(min_value=0, max_value=2**33).map(str),
    st.sampled_from(["__proto__", "4294967294", "4294967295", "4294967296", "01", "-0", "1e3", "constructor"]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)


@given(value=VALUES)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_round_trip_through_v8_changes_nothing(through_v8: Callable[[str], str], value: Any) -> None:
    text = dumps(value)

    assert through_v8(text) == text


@given(value=VALUES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_v8_makes_the_same_of_what_python_would_have_written(through_v8: Callable[[str], str], value: Any) -> None:
    pythons = json.dumps(_without_proto(value))

    assert through_v8(pythons) == dumps(value)


def _without_proto(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_proto(member) for key, member in value.items() if key != "__proto__"}
    return [_without_proto(item) for item in value] if isinstance(value, list) else value
