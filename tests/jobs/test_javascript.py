"""JavaScript's conversions, against a table and against node itself."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.javascript import to_boolean, to_number, to_string, trim

NODE = shutil.which("node")

# Answers each line, a JSON value, with what JavaScript makes of it; NaN and infinities travel as text.
_NODE_PROGRAM = """
const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const value = JSON.parse(line);
  const text = String(value);
  console.log(JSON.stringify({ number: String(Number(value)), text, truth: Boolean(value), trimmed: text.trim() }));
});
"""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 0.0),
        (True, 1.0),
        (False, 0.0),
        (5, 5.0),
        (5.5, 5.5),
        ("5", 5.0),
        ("", 0.0),
        (" \t\n\u00a0\ufeff\u2028", 0.0),
        (" 0x10 ", 16.0),
        ("0b101", 5.0),
        ("0O17", 15.0),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("-1e3", -1000.0),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("1e999", math.inf),
        ([], 0.0),
        ([None], 0.0),
        (["7"], 7.0),
        ([[" 7 "]], 7.0),
        (10**400, math.inf),
        (-(10**400), -math.inf),
    ],
)
def test_number(value: Any, expected: float) -> None:
    assert to_number(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "abc", "5px", "-0x10", "0x", "1_000", "1e", ".", "+", "inf", "nan", "infinity", "٣", "\x1c5", "1 2",
        {}, {"a": 1}, [1, 2], [True], math.nan,
    ],
)  # fmt: skip
def test_what_is_no_number_is_none(value: Any) -> None:
    assert to_number(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (123456789.125, "123456789.125"),
        (1.5e300, "1.5e+300"),
        (2**53 + 1, "9007199254740992"),
        (10**400, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        ("text", "text"),
        ([], ""),
        ([1, None, "a", [2, [3]], {}], "1,,a,2,3,[object Object]"),
        ({}, "[object Object]"),
    ],
)
def test_string(value: Any, expected: str) -> None:
    assert to_string(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, False), (0, False), (-0.0, False), (math.nan, False), ("", False), (False, False),
        ("0", True), ("false", True), (-1, True), ([], True), ({}, True), (True, True),
    ],
)  # fmt: skip
def test_boolean(value: Any, expected: bool) -> None:
    assert to_boolean(value) is expected


def test_trim_takes_what_javascript_calls_blank_and_nothing_else() -> None:
    assert trim("\ufeff\u3000 a b \u2029\n") == "a b"
    assert trim("\x1c\x85a") == "\x1c\x85a"


@pytest.fixture(scope="module")
def node() -> Iterator["subprocess.Popen[str]"]:
    if NODE is None:
        pytest.skip("node is not installed: the conversions were not compared with JavaScript's own")
    process = subprocess.Popen(
        [NODE, "-e", _NODE_PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _ask(node: "subprocess.Popen[str]", value: Any) -> dict[str, Any]:
    assert node.stdin is not None
    assert node.stdout is not None
    node.stdin.write(json.dumps(value) + "\n")
    node.stdin.flush()
    answer: dict[str, Any] = json.loads(node.stdout.readline())
    return answer


_TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="0123456789+-.eExXoObBaf \t\ufeff\u00a0\x85", max_size=12),
    st.floats().map(str),
    st.integers().map(hex),
    st.sampled_from(["Infinity", "+Infinity", "0x1f", "0b2", "0o7", "1e400", "-0", " 12 "]),
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**30), max_value=10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXTS,
)
# Members named toString or valueOf would make JavaScript call them.
_KEYS = st.sampled_from(["a", "b", "length", "__proto__"])
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)
_AGAINST_NODE = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_AGAINST_NODE
@given(value=_VALUES)
def test_string_agrees_with_node(node: "subprocess.Popen[str]", value: Any) -> None:
    answer = _ask(node, value)
    assert (to_string(value), trim(to_string(value))) == (answer["text"], answer["trimmed"])


@_AGAINST_NODE
@given(value=_VALUES)
def test_number_agrees_with_node(node: "subprocess.Popen[str]", value: Any) -> None:
    number = to_number(value)
    assert ("NaN" if number is None else to_string(number)) == _ask(node, value)["number"]


@_AGAINST_NODE
@given(value=_VALUES)
def test_boolean_agrees_with_node(node: "subprocess.Popen[str]", value: Any) -> None:
    assert to_boolean(value) is _ask(node, value)["truth"]
